//! Reading what the store lacks from the journal, with the documents and counters folded again.

use crate::ledger::codec::{RawFrame, Tip};
use crate::ledger::extract::{Extractor, Group};
use crate::ledger::history::inbox::Inbox;
use crate::ledger::history::start::Start;
use crate::ledger::history::status::Phase;
use crate::ledger::history::store::{Store, StoreError, block};
use crate::ledger::journal::segment;
use crate::ledger::journal::walk::Walk;
use crate::ledger::snapshot::{self, Snapshot};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// So many bytes of frames are applied at once, at most.
const SLICE: usize = 512 << 10;

pub(super) struct CatchUp<'a> {
    pub start: &'a Start,
    pub inbox: &'a Inbox,
    /// The last event to apply.
    pub target: u64,
    /// The store was there before: its last event must be in this journal.
    pub check: bool,
    /// Asked now and then whether to give it up.
    pub stop: &'a dyn Fn() -> bool,
}

pub(super) enum Ended {
    Reached,
    Stopped,
}

impl CatchUp<'_> {
    pub fn run(&self, store: &mut Store) -> Result<Ended, StoreError> {
        self.show(store.applied());
        let (extractor, from) = self.fold_from(store.applied())?;
        let mut reading = Reading {
            extractor,
            applied: store.applied(),
            store,
            check: self.check,
            slice: Group::default(),
            error: None,
            catch_up: self,
        };
        let walk = Walk { from, through: Some(self.target), ..Walk::default() };
        let walked = walk.run(&self.start.journal, &mut |frame| reading.frame(frame));
        let stopped = (self.stop)();
        let rest = if reading.error.is_none() && !stopped { reading.apply() } else { Ok(()) };
        if let Some(error) = reading.error {
            return Err(error);
        }
        rest?;
        walked.map_err(|e| StoreError::Unavailable(format!("the journal cannot be read: {e}")))?;
        Ok(if stopped { Ended::Stopped } else { Ended::Reached })
    }

    fn show(&self, applied: Tip) {
        self.inbox.show_applied(applied.seq);
        self.inbox.show(Phase::Rebuilding { applied: applied.seq, of: self.target });
    }

    /// A fold that begins no later than the store ends: at the newest snapshot that can be read, else
    /// where the journal begins, which is after the base if it has forgotten something.
    fn fold_from(&self, applied: Tip) -> Result<(Box<dyn Extractor>, Option<Tip>), StoreError> {
        let unavailable = |words: String| StoreError::Unavailable(words);
        let mut below = applied.seq.saturating_add(1);
        loop {
            let found = snapshot::load_newest(&self.start.snapshots, Some(below), &mut Vec::new());
            let snapshot = found.map_err(|e| unavailable(e.to_string()))?;
            let made = self.make(snapshot.as_ref());
            match (made, snapshot) {
                (Ok(_), None) if self.forgot()? => return self.fold_from_base(applied),
                (Ok(extractor), snapshot) => return Ok((extractor, snapshot.map(|s| s.tip))),
                (Err(_), Some(snapshot)) => below = snapshot.tip.seq,
                (Err(words), None) => return Err(unavailable(format!("the journal cannot be folded again: {words}"))),
            }
        }
    }

    /// The journal no longer begins with the first event.
    fn forgot(&self) -> Result<bool, StoreError> {
        match segment::list(&self.start.journal) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(StoreError::Unavailable(e.to_string())),
            Ok(segments) => Ok(segments.first().is_some_and(|s| s.after_seq() > 0)),
        }
    }

    fn fold_from_base(&self, applied: Tip) -> Result<(Box<dyn Extractor>, Option<Tip>), StoreError> {
        if applied.seq > 0 {
            return Err(StoreError::Damaged("the journal has forgotten what it lacks".to_owned()));
        }
        let unavailable =
            |words: String| StoreError::Unavailable(format!("the journal cannot be folded again: {words}"));
        let base =
            snapshot::load_base(&self.start.snapshots, &mut Vec::new()).map_err(|e| unavailable(e.to_string()))?;
        // Without it what is there is counted, and what follows from what is gone is not.
        Ok((self.make(base.as_ref()).map_err(unavailable)?, base.map(|s| s.tip)))
    }

    fn make(&self, snapshot: Option<&Snapshot>) -> Result<Box<dyn Extractor>, String> {
        catch_unwind(AssertUnwindSafe(|| (self.start.extractor)(snapshot))).unwrap_or_else(|_| Err("panic".to_owned()))
    }
}

struct Reading<'a> {
    extractor: Box<dyn Extractor>,
    store: &'a mut Store,
    /// Where the store ended.
    applied: Tip,
    check: bool,
    slice: Group,
    error: Option<StoreError>,
    catch_up: &'a CatchUp<'a>,
}

impl Reading<'_> {
    fn frame(&mut self, frame: &RawFrame<'_>) -> ControlFlow<()> {
        if (self.catch_up.stop)() {
            return ControlFlow::Break(());
        }
        match self.read(frame) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn read(&mut self, frame: &RawFrame<'_>) -> Result<(), StoreError> {
        let typed = frame.decode();
        let extract = catch_unwind(AssertUnwindSafe(|| self.extractor.extract(&typed)))
            .map_err(|_| StoreError::Unavailable(format!("folding event {} panicked", frame.seq)))?;
        if frame.last_seq() <= self.applied.seq {
            return self.compare(frame);
        }
        if self.check && frame.seq == self.applied.seq + 1 && frame.chained(&self.applied.hash) != frame.hash {
            return Err(StoreError::Damaged(format!("its event {} is not the journal's", self.applied.seq)));
        }
        let slice = &mut self.slice;
        if slice.bytes.is_empty() {
            slice.first = frame.seq;
        }
        slice.bytes.extend_from_slice(frame.bytes);
        slice.tip = frame.tip();
        if !extract.is_empty() {
            slice.extracts.push((slice.tip.seq, extract));
        }
        if slice.bytes.len() >= SLICE || slice.events() >= 4 * u64::from(block::EVENTS) { self.apply() } else { Ok(()) }
    }

    fn compare(&self, frame: &RawFrame<'_>) -> Result<(), StoreError> {
        let differs = self.check && frame.last_seq() == self.applied.seq && frame.hash != self.applied.hash;
        if differs {
            return Err(StoreError::Damaged(format!("its event {} is not the journal's", self.applied.seq)));
        }
        Ok(())
    }

    fn apply(&mut self) -> Result<(), StoreError> {
        if self.slice.bytes.is_empty() {
            return Ok(());
        }
        self.store.apply(&[std::mem::take(&mut self.slice)])?;
        self.catch_up.show(self.store.applied());
        Ok(())
    }
}
