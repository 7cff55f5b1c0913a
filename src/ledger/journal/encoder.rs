//! The bytes of the group that is written next, and how far the chain of hashes has come.
//!
//! A frame that cannot be encoded is the last that it looks at: what came before stays, what comes after is dropped.

use crate::domain::event::{Blob, Frame};
use crate::ledger::codec::{EncodeError, Tip, encode};
use crate::ledger::extract::{Extract, Group};
use std::sync::Arc;

/// Bytes that are at hand for a group before it begins, at the least and at the most.
const AHEAD: (usize, usize) = (4 << 10, 256 << 10);

/// A frame as it came.
pub(super) struct Waiting {
    pub frame: Arc<Frame>,
    pub seed: [u8; 16],
    pub extract: Extract,
}

pub(super) struct Encoder {
    group: Group,
    tip: Tip,
    broken: Option<EncodeError>,
}

impl Encoder {
    /// `tip` is the last frame.
    pub fn after(tip: Tip) -> Encoder {
        Encoder { group: Group::default(), tip, broken: None }
    }

    /// Encodes these; `blobs` are to be kept before they are.
    pub fn take_in(&mut self, frames: Vec<Waiting>, blobs: Vec<Blob>) {
        self.group.blobs.extend(blobs);
        for waiting in frames {
            if self.broken.is_none() {
                self.broken = self.put(waiting).err();
            }
        }
    }

    fn put(&mut self, waiting: Waiting) -> Result<(), EncodeError> {
        let Waiting { frame, seed, extract } = waiting;
        let group = &mut self.group;
        let first_of_group = group.bytes.is_empty();
        let hash = encode(&mut group.bytes, &frame, &self.tip.hash, &seed, first_of_group)?;
        if first_of_group {
            group.first = frame.seq;
        }
        self.tip = Tip { seq: frame.seq + frame.events.len() as u64 - 1, hash };
        group.tip = self.tip;
        if !extract.is_empty() {
            group.extracts.push((self.tip.seq, extract));
        }
        Ok(())
    }

    /// What is encoded; the next group begins.
    pub fn take(&mut self) -> Group {
        let group = std::mem::take(&mut self.group);
        // The next group may be somewhat longer, and is not copied from buffer to buffer until it fits.
        self.group.bytes.reserve((2 * group.bytes.len()).clamp(AHEAD.0, AHEAD.1));
        group
    }

    /// Bytes that are encoded and not taken.
    pub fn bytes(&self) -> usize {
        self.group.bytes.len()
    }

    /// The last frame that is encoded.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Why there will be no more.
    pub fn broken(&self) -> Option<&EncodeError> {
        self.broken.as_ref()
    }
}
