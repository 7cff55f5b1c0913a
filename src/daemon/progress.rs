//! Whether the daemon does its work: the engine goes round, the journal comes after it, attempts end.
//!
//! Systemd's watchdog and the dead man's switch elsewhere hang on this; each has its own look.

use crate::domain::time::Span;
use crate::engine::{Ask, Caller, Read};
use crate::runtime::Handle;
use std::sync::atomic::Ordering;

/// Compares what moved with what had moved at the look before.
pub struct Progress {
    handle: Handle,
    before: Marks,
    /// How long the oldest attempt under way has been the same.
    waited: Span,
}

impl Progress {
    pub fn of(handle: Handle) -> Progress {
        let before = Marks::of(&handle);
        Progress { handle, before, waited: Span::ZERO }
    }

    /// Looks again after this long.
    ///
    /// # Errors
    /// What did not move meanwhile.
    pub async fn after(&mut self, pause: Span) -> Result<(), &'static str> {
        // A question that needs no answer: a loop with nothing to do may sleep longer than we do.
        self.handle.tell(Caller::engine(), Ask::Read(Read::Pulse));
        tokio::time::sleep(pause.to_std()).await;
        let now = Marks::of(&self.handle);
        let before = std::mem::replace(&mut self.before, now);
        self.waited = if now.oldest_ended(&before) { Span::ZERO } else { self.waited + pause };
        now.moved_since(&before)?;
        if self.waited > patience(&self.handle) { Err("an attempt does not end at its deadline") } else { Ok(()) }
    }

    /// Nobody can be told of something urgent.
    pub fn unheard(&self) -> bool {
        self.handle.progress().unheard.load(Ordering::Relaxed)
    }

    /// The journal cannot be made durable, and the daemon knows it.
    pub fn emergency(&self) -> bool {
        self.before.emergency
    }
}

/// Every attempt ends at its deadline; one that does not, hangs in a way that no deadline reaches.
fn patience(handle: &Handle) -> Span {
    let longest = handle.config().channels.values().map(|c| c.timeout).max();
    longest.unwrap_or_default() + Span::secs(10)
}

/// What has been seen to move.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    turns: u64,
    decided: u64,
    durable: u64,
    /// Of the attempts under way.
    oldest: Option<u64>,
    emergency: bool,
}

impl Marks {
    fn of(handle: &Handle) -> Marks {
        let p = handle.progress();
        Marks {
            turns: p.turns.load(Ordering::Relaxed),
            decided: p.decided_seq.load(Ordering::Relaxed),
            durable: p.durable_seq.load(Ordering::Relaxed),
            oldest: p.attempts.oldest(),
            emergency: p.emergency.load(Ordering::Relaxed),
        }
    }

    /// The loop was asked something at the last look; the journal has to come after what was decided
    /// by then, unless the daemon knows that it cannot.
    fn moved_since(&self, before: &Marks) -> Result<(), &'static str> {
        match (self.turns > before.turns, self.emergency || self.durable >= before.decided) {
            (true, true) => Ok(()),
            (false, _) => Err("the engine does not go round"),
            (true, false) => Err("the journal does not become durable"),
        }
    }

    /// The attempt that was the oldest has ended, or none was under way.
    fn oldest_ended(&self, before: &Marks) -> bool {
        before.oldest.is_none() || self.oldest != before.oldest
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::testing::from_toml;
    use crate::domain::clock::SystemClock;
    use crate::domain::event::Frame;
    use crate::engine::{Engine, State};
    use crate::ledger::{Body, Extract};
    use crate::runtime::{Cycle, Lanes, Log, LogFull, Setup};
    use std::sync::Arc;
    use tokio::sync::{mpsc, oneshot};

    const BEFORE: Marks = Marks { turns: 7, decided: 90, durable: 80, oldest: Some(3), emergency: false };

    #[test]
    fn f10_a_loop_that_stands_still_is_no_progress() {
        assert!(Marks { durable: 90, ..BEFORE }.moved_since(&BEFORE).unwrap_err().contains("engine"));
        assert_eq!(Marks { turns: 8, durable: 90, ..BEFORE }.moved_since(&BEFORE), Ok(()));
    }

    #[test]
    fn f10_a_journal_that_falls_behind_is_no_progress_unless_it_is_known() {
        let behind = Marks { turns: 8, durable: 89, ..BEFORE };
        assert!(behind.moved_since(&BEFORE).unwrap_err().contains("journal"));
        assert_eq!(Marks { emergency: true, ..behind }.moved_since(&BEFORE), Ok(()));
    }

    #[test]
    fn f04_attempts_that_never_end_are_seen() {
        assert!(!BEFORE.oldest_ended(&BEFORE));
        assert!(Marks { oldest: Some(4), ..BEFORE }.oldest_ended(&BEFORE));
        let idle = Marks { oldest: None, ..BEFORE };
        assert!(idle.oldest_ended(&idle) && idle.oldest_ended(&BEFORE));
    }

    /// Nothing happens, so nothing is written.
    struct NoLog;

    impl Log for NoLog {
        fn append(&self, _: Arc<Frame>, _: &[u8; 16], _: Extract) -> Result<(), LogFull> {
            Err(LogFull("nothing was to be written".to_owned()))
        }
        fn mark_unrecorded(&self, _unrecorded: bool) {}
        fn waiting(&self) -> usize {
            0
        }
        fn keep_blobs(&self, _blobs: Vec<crate::domain::event::Blob>) {}
        fn reader(&self) -> crate::runtime::Reader {
            Arc::new(|_| Err("nothing is kept here".to_owned()))
        }
        fn flushing_for(&self) -> Option<Span> {
            None
        }
        fn keep(&self, _: Body) {}
    }

    /// It sleeps for seconds when nobody asks it anything.
    #[tokio::test(start_paused = true)]
    async fn a_loop_with_nothing_to_do_is_seen_to_turn() {
        let config = Arc::new(from_toml(
            "[channels.hook]\nkind = \"slack\"\nsimulate = true\n[levels.low]\nchannels = [\"hook\"]",
        ));
        let (handle, lanes) = Lanes::open(config.clone());
        let (_news_in, news) = mpsc::unbounded_channel();
        let (_stop_in, stop) = oneshot::channel();
        let engine = Engine::new(State::default(), config, "0.0.0");
        let (log, clock) = (Arc::new(NoLog), Arc::new(SystemClock));
        let cycle = Cycle::new(Setup {
            engine,
            handle: handle.clone(),
            lanes,
            log,
            news,
            clock,
            last_seq: 0,
            first: Vec::new(),
            stop,
        });
        let mut progress = Progress::of(handle.clone());
        assert_eq!(progress.after(Span::millis(100)).await, Err("the engine does not go round"), "not started");
        let cycle = tokio::spawn(cycle.run());
        for _ in 0..5 {
            assert_eq!(progress.after(Span::millis(100)).await, Ok(()));
        }
        cycle.abort();
    }
}
