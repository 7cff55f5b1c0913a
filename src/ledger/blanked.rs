//! Is each text that is gone gone by an erasure that is recorded? The chain cannot tell, since it covers a digest
//! of each text.

use crate::domain::event::EventKind;
use crate::ledger::codec::{RawFrame, Slot};
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::journal::walk::{Walk, WalkError};
use crate::ledger::places::Places;
use crate::ledger::upkeep;
use std::ops::{ControlFlow, RangeInclusive};

/// How the head of an `erased` event begins.
const ERASED: &[u8] = b"{\"kind\":\"erased\"";

/// What is seen of it while the events go by.
#[derive(Debug, Default)]
pub struct Blanked {
    /// Events whose text is gone.
    gone: Vec<u64>,
    /// From where to where texts were removed.
    erased: Vec<RangeInclusive<u64>>,
}

impl Blanked {
    pub fn frame(&mut self, frame: &RawFrame<'_>) {
        for (seq, event) in (frame.seq..).zip(frame.events()) {
            if matches!(event.payload, Slot::Blanked { .. }) {
                self.gone.push(seq);
            }
            if event.head.starts_with(ERASED)
                && let Ok(EventKind::Erased(erased)) = serde_json::from_slice(event.head)
            {
                self.erased.push(erased.from_seq..=erased.to_seq);
            }
        }
    }

    /// # Errors
    /// When the journal cannot be read at all.
    pub fn end(mut self, places: &Places) -> Result<Vec<Fault>, WalkError> {
        self.account();
        if !self.gone.is_empty() {
            // It may have happened meanwhile, and be recorded, or be about to be.
            self.erased.extend(upkeep::erasing(places));
            let mut later = Blanked::default();
            Walk::default().run(&places.journal, &mut |frame| {
                later.frame(frame);
                ControlFlow::Continue(())
            })?;
            self.erased.append(&mut later.erased);
            self.account();
        }
        let (Some(first), Some(last)) = (self.gone.first(), self.gone.last()) else { return Ok(Vec::new()) };
        let words = format!(
            "{} texts from event {first} to {last} are gone, and no erasure that is recorded took them",
            self.gone.len()
        );
        let kind = FaultKind::UnrecordedErasure;
        Ok(vec![Fault { kind, file: "journal".to_owned(), offset: None, seq: Some(*first), words }])
    }

    /// What is left is gone for no reason.
    fn account(&mut self) {
        // Both rise, so one look at each is enough.
        self.erased.sort_by_key(|range| *range.start());
        let mut ranges = self.erased.iter();
        let mut reaches = 0;
        let mut next = ranges.next();
        self.gone.retain(|seq| {
            while let Some(range) = next.filter(|range| range.start() <= seq) {
                reaches = reaches.max(*range.end());
                next = ranges.next();
            }
            *seq > reaches
        });
    }
}
