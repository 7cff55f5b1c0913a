//! Where a text is that is too long to be carried about: what is open keeps its beginning and this.

use serde::{Deserialize, Serialize};

/// Bytes of a text that stay with what it belongs to.
pub const KEPT: usize = 1 << 10;
/// What is longer than this is no part of its event, but a file of its own: a blob.
pub const IN_EVENT: usize = 16 << 10;

/// Where a whole text, or an attachment, is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The event that brought it; 0 in that event itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seq: u64,
    /// Of the whole.
    pub bytes: u64,
    /// BLAKE3 (hex) of what is a blob. Without one it is in the event's payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
}

/// A file that goes along with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Without a folder, and harmless as a file's name.
    pub name: String,
    /// Its media type, by what is in it.
    #[serde(rename = "type")]
    pub mime: String,
    /// Always a blob.
    #[serde(flatten)]
    pub place: Place,
}

/// How the files of a message go by one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carriage {
    pub how: Carried,
    /// The channel would carry them, but not so much; MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub too_large_for: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// Along with the message.
    Whole,
    /// Its text leads to them.
    Linked,
    /// Its text says that they exist.
    Named,
    /// Its text does not speak of them.
    Unsaid,
}

/// What is to be a file of its own, made by the decision whose event brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The event that brings it.
    pub seq: u64,
    /// BLAKE3 (hex).
    pub hash: String,
    pub bytes: std::sync::Arc<[u8]>,
}

impl Place {
    /// Seen from elsewhere: it names the event that brought it.
    #[must_use]
    pub fn from(mut self, seq: u64) -> Place {
        if self.seq == 0 {
            self.seq = seq;
        }
        self
    }
}

impl Blob {
    pub fn new(seq: u64, bytes: impl Into<std::sync::Arc<[u8]>>) -> Blob {
        let bytes = bytes.into();
        Blob { seq, hash: blake3::hash(&bytes).to_hex().to_string(), bytes }
    }
}

/// For people: `blobs/417-9f86d081…` or `event 417`.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.blob {
            Some(hash) => write!(f, "blob {:.12} of event {}", hash, self.seq),
            None => write!(f, "event {}", self.seq),
        }
    }
}

/// As much of a text as stays with what it belongs to, whole characters.
pub fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(KEPT)]
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
