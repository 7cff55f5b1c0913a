//! How far the disk has got, for those who ask from other threads.

use crate::domain::time::Span;
use crate::ledger::codec::Tip;
use crate::ledger::journal::sealed::Standing;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far everything is on the disk, since when the next flush lasts, and which segment is written.
pub(super) struct DurableMark(Mutex<Marked>);

struct Marked {
    tip: Tip,
    flushing_since: Option<Span>,
    writing: Option<PathBuf>,
}

impl DurableMark {
    pub fn new(tip: Tip, writing: Option<PathBuf>) -> DurableMark {
        DurableMark(Mutex::new(Marked { tip, flushing_since: None, writing }))
    }

    fn lock(&self) -> MutexGuard<'_, Marked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tip(&self) -> Tip {
        self.lock().tip
    }

    pub fn flushing_since(&self) -> Option<Span> {
        self.lock().flushing_since
    }

    pub fn flush_began(&self, boot: Span) {
        self.lock().flushing_since = Some(boot);
    }

    /// It was none that makes anything durable.
    pub fn flush_ended(&self) {
        self.lock().flushing_since = None;
    }

    pub fn durable(&self, tip: Tip) {
        let mut marked = self.lock();
        marked.tip = tip;
        marked.flushing_since = None;
    }

    /// The segment that is written to; said before its file is made.
    pub fn writing(&self) -> Option<PathBuf> {
        self.lock().writing.clone()
    }

    /// Both at the same moment.
    pub fn standing(&self) -> Standing {
        let marked = self.lock();
        Standing { durable: marked.tip.seq, writing: marked.writing.clone() }
    }

    pub fn writes(&self, segment: Option<PathBuf>) {
        self.lock().writing = segment;
    }
}
