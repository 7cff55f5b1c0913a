//! When the journal cannot be made durable: alarms go on without waiting, and nothing new is taken.
//!
//! It begins when a write fails or a flush takes too long. It is over when what was held up is durable and a later
//! flush was quick.

use super::cycle::Cycle;
use super::log::LogFull;
use crate::domain::time::Span;
use crate::engine::Ask;
use std::sync::atomic::Ordering;

/// A flush that takes longer puts the daemon into emergency mode.
const SLOW_FLUSH: Span = Span::secs(2);
/// After a slow flush nothing is tried for so long.
const CALM: Span = Span::secs(30);

impl Cycle {
    /// Something has become durable.
    pub(super) fn flushed(&mut self) -> Result<(), LogFull> {
        if self.marked && !self.ailing {
            self.mark(false);
        }
        // More than what was held up when a flush was slow: a later one was quick.
        if self.ailing && self.durable > self.slow_at.0 && !self.is_flush_slow() { self.recovered() } else { Ok(()) }
    }

    pub(super) fn troubled(&mut self, words: String) -> Result<(), LogFull> {
        if self.emergency {
            return Ok(());
        }
        self.set_emergency(true);
        self.ailing = true;
        self.look_at_the_clock()?;
        tracing::error!(reason = %words, "emergency mode: the journal cannot be made durable; alarms go on");
        self.ask(Ask::StorageTroubled { part: "journal".into(), words, well: false })
    }

    pub(super) fn recovered(&mut self) -> Result<(), LogFull> {
        if !self.ailing {
            return Ok(());
        }
        self.set_emergency(false);
        self.ailing = false;
        self.look_at_the_clock()?;
        tracing::info!("the journal is durable again; emergency mode is over");
        self.ask(Ask::StorageTroubled { part: "journal".into(), words: "written again".into(), well: true })?;
        // The journal may have begun anew, without what was before.
        self.keep_state();
        Ok(())
    }

    /// The next life has to know: it sends what was not recorded once more, and must say so.
    fn mark(&mut self, unrecorded: bool) {
        self.marked = unrecorded;
        self.log.mark_unrecorded(unrecorded);
    }

    fn set_emergency(&mut self, on: bool) {
        if on && !self.marked {
            self.mark(true);
        }
        self.emergency = on;
        self.engine.set_emergency(on);
        self.lanes.progress.emergency.store(on, Ordering::Relaxed);
    }

    /// All is durable and it has been quiet for a while: requests are taken, and the next flush shows whether the
    /// disk is quick again. Until then the same incident stays open, or there would be one for each slow flush.
    pub(super) fn try_again(&mut self) {
        if self.emergency && self.held.is_empty() && self.reading.boot - self.slow_at.1 > CALM {
            tracing::info!("all is durable; new requests are taken again, and the next flush is watched");
            self.set_emergency(false);
        }
    }

    fn is_flush_slow(&self) -> bool {
        self.log.flushing_for().is_some_and(|t| t > SLOW_FLUSH)
    }

    /// In each turn, so that a lane that never rests hides nothing.
    pub(super) fn look_at_the_flush(&mut self) -> Result<(), LogFull> {
        if self.held.is_empty() || !self.is_flush_slow() {
            return Ok(());
        }
        self.slow_at = (self.seq, self.clock.read().boot);
        self.troubled("a flush takes over two seconds".to_owned())
    }
}
