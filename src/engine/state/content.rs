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
    /// The template that the request named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templated: Option<Box<Templated>>,
}

/// A template by name, and what the request gave it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Templated {
    pub name: String,
    #[serde(default)]
    pub vars: Labels,
}

impl Content {
    /// What it takes in memory, about.
    pub fn bytes(&self) -> u64 {
        let metadata: usize = self.metadata.iter().map(|(name, text)| name.len() + text.len()).sum();
        let vars = self.templated.as_ref().map_or(0, |t| t.vars.bytes());
        (self.subject.len() + self.body.len() + self.annotations.bytes() + vars + metadata) as u64
    }

    /// What stands for texts that were removed on purpose.
    pub fn erased() -> Content {
        Content { subject: "[erased]".into(), ..Content::default() }
    }
}
