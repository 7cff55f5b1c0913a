//! Is each blob there that an event brought, as it was, and none beside?

use crate::domain::event::{Payload, Place};
use crate::ledger::blobs::{self, Kept};
use crate::ledger::codec::{RawFrame, Slot};
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::places::Places;
use crate::ledger::texts;
use std::collections::BTreeSet;
use std::io;

/// How a payload names a blob.
const NAMES: &[u8] = b"\"blob\":";

/// The files, while the events go by.
pub struct BlobFiles<'a> {
    places: &'a Places,
    /// Of which no event was seen yet.
    unseen: BTreeSet<Kept>,
    faults: Vec<Fault>,
}

impl BlobFiles<'_> {
    /// # Errors
    /// When the directory cannot be read.
    pub fn of(places: &Places) -> io::Result<BlobFiles<'_>> {
        let unseen = blobs::list(&places.blobs)?.into_iter().collect();
        Ok(BlobFiles { places, unseen, faults: Vec::new() })
    }

    /// Looks at what this frame's events brought.
    pub fn frame(&mut self, frame: &RawFrame<'_>) {
        for (seq, event) in (frame.seq..).zip(frame.events()) {
            let Slot::Live { json, .. } = event.payload else { continue };
            if !json.windows(NAMES.len()).any(|w| w == NAMES) {
                continue;
            }
            let Ok(payload) = serde_json::from_slice::<Payload>(json) else { continue };
            for place in payload.own_blobs() {
                self.one(place.clone().from(seq));
            }
        }
    }

    fn one(&mut self, place: Place) {
        let hash = place.blob.clone().unwrap_or_default();
        let path = blobs::path(&self.places.blobs, place.seq, &hash);
        self.unseen.remove(&Kept { seq: place.seq, hash, path: path.clone() });
        let Err(words) = blobs::read(&self.places.blobs, &place) else { return };
        // It may have been erased meanwhile, and its event after it.
        if texts::payload(self.places, place.seq).is_err_and(|words| words == texts::ERASED) {
            return;
        }
        self.fault(place.seq, blobs::shown(&path), words);
    }

    /// What is left belongs to no event, up to this one.
    pub fn end(&mut self, through: u64) -> Vec<Fault> {
        for kept in std::mem::take(&mut self.unseen) {
            let is_gone = !kept.path.exists();
            if kept.seq <= through && !is_gone {
                self.fault(kept.seq, blobs::shown(&kept.path), "it belongs to no event".to_owned());
            }
        }
        std::mem::take(&mut self.faults)
    }

    fn fault(&mut self, seq: u64, file: String, words: String) {
        self.faults.push(Fault { kind: FaultKind::DamagedBlob, file, offset: None, seq: Some(seq), words });
    }
}
