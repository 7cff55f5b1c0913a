//! What a message or an incident says.

use crate::domain::Labels;
use crate::domain::event::{KEPT, Payload, Place, beginning};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a message says, before it is rendered. Of a long body its beginning alone is here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub subject: String,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub annotations: Labels,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Where the whole body is, if it is longer than what is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<Box<Place>>,
}

impl Content {
    /// What the payload of this event says.
    pub fn of(payload: &Payload, seq: u64) -> Content {
        let long = || (payload.body.len() > KEPT).then(|| Place { seq, bytes: payload.body.len() as u64, blob: None });
        let more = payload.more.clone().map(|place| place.from(seq)).or_else(long);
        Content {
            subject: payload.subject.clone(),
            body: beginning(&payload.body).to_owned(),
            annotations: payload.annotations.clone(),
            metadata: payload.metadata.clone(),
            more: more.map(Box::new),
        }
    }

    /// A payload that says the same; it refers to the event that brought a long body.
    pub fn payload(&self) -> Payload {
        Payload {
            subject: self.subject.clone(),
            body: self.body.clone(),
            annotations: self.annotations.clone(),
            more: self.more.as_deref().cloned(),
            ..Payload::default()
        }
    }

    /// What it takes in memory, about.
    pub fn bytes(&self) -> u64 {
        let named = self.annotations.iter().chain(&self.metadata);
        let named: usize = named.map(|(name, text)| name.len() + text.len()).sum();
        (self.subject.len() + self.body.len() + named) as u64
    }

    /// What stands for texts that were removed on purpose.
    pub fn erased() -> Content {
        Content { subject: "[erased]".into(), ..Content::default() }
    }
}
