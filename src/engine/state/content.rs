//! What a message or an incident says.

use crate::domain::Labels;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a message says, before it is rendered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub subject: String,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub annotations: Labels,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Content {
    /// What it takes in memory, about.
    pub fn bytes(&self) -> u64 {
        let metadata: usize = self.metadata.iter().map(|(name, text)| name.len() + text.len()).sum();
        (self.subject.len() + self.body.len() + self.annotations.bytes() + metadata) as u64
    }

    /// What stands for texts that were removed on purpose.
    pub fn erased() -> Content {
        Content { subject: "[erased]".into(), ..Content::default() }
    }
}
