//! What a message or an incident says.

use crate::domain::Labels;
use serde::{Deserialize, Serialize};

/// What a message says, before it is rendered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub subject: String,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub annotations: Labels,
}

impl Content {
    /// What it takes in memory, about.
    pub fn bytes(&self) -> u64 {
        let annotations: usize = self.annotations.iter().map(|(name, text)| name.len() + text.len()).sum();
        (self.subject.len() + self.body.len() + annotations) as u64
    }

    /// What stands for texts that were removed on purpose.
    pub fn erased() -> Content {
        Content { subject: "[erased]".into(), ..Content::default() }
    }
}
