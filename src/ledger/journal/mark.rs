//! How far the disk has got, for those who ask from other threads.

use crate::domain::time::Span;
use crate::ledger::codec::Tip;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far everything is on the disk, and since when the next flush lasts.
pub(super) struct DurableMark(Mutex<(Tip, Option<Span>)>);

impl DurableMark {
    pub fn new(tip: Tip) -> DurableMark {
        DurableMark(Mutex::new((tip, None)))
    }

    fn lock(&self) -> MutexGuard<'_, (Tip, Option<Span>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tip(&self) -> Tip {
        self.lock().0
    }

    pub fn flushing_since(&self) -> Option<Span> {
        self.lock().1
    }

    pub fn flush_began(&self, boot: Span) {
        self.lock().1 = Some(boot);
    }

    pub fn durable(&self, tip: Tip) {
        *self.lock() = (tip, None);
    }
}
