//! What a message or an incident says.

use crate::domain::Labels;
use crate::domain::event::{Attachment, KEPT, Payload, Place, beginning};
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
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub attachments: Box<[Attachment]>,
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
    /// What the payload of this event says.
    pub fn of(payload: &Payload, seq: u64) -> Content {
        let long =
            || (payload.body.len() > KEPT).then_some(Place { seq, bytes: payload.body.len() as u64, blob: None });
        let more = payload.more.clone().map(|place| place.from(seq)).or_else(long);
        let attached = |a: &Attachment| Attachment { place: a.place.clone().from(seq), ..a.clone() };
        Content {
            subject: payload.subject.clone(),
            body: beginning(&payload.body).to_owned(),
            annotations: payload.annotations.clone(),
            metadata: payload.metadata.clone(),
            templated: None,
            more: more.map(Box::new),
            attachments: payload.attachments.iter().map(attached).collect(),
        }
    }

    /// A payload that says the same; it refers to the event that brought a long body.
    pub fn payload(&self) -> Payload {
        Payload {
            subject: self.subject.clone(),
            body: self.body.clone(),
            annotations: self.annotations.clone(),
            metadata: self.metadata.clone(),
            more: self.more.as_deref().cloned(),
            attachments: self.attachments.to_vec(),
            ..Payload::default()
        }
    }

    /// What it takes in memory, about.
    pub fn bytes(&self) -> u64 {
        let metadata: usize = self.metadata.iter().map(|(name, text)| name.len() + text.len()).sum();
        let attached: usize = self.attachments.iter().map(|a| a.name.len() + a.mime.len() + 100).sum();
        let vars = self.templated.as_ref().map_or(0, |t| t.vars.bytes());
        (self.subject.len() + self.body.len() + self.annotations.bytes() + vars + metadata + attached) as u64
    }

    /// Bytes of all that is attached.
    pub fn attached_bytes(&self) -> u64 {
        self.attachments.iter().map(|a| a.place.bytes).sum()
    }

    /// What stands for texts that were removed on purpose.
    pub fn erased() -> Content {
        Content { subject: "[erased]".into(), ..Content::default() }
    }
}
