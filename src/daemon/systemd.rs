//! What systemd is told: READY, RELOADING, STOPPING, STATUS, and the watchdog.

use crate::domain::time::Span;
use crate::engine::{Ask, Caller};
use crate::runtime::Handle;
use sd_notify::NotifyState;
use std::sync::atomic::Ordering;

/// Tells systemd; without it nothing happens.
pub fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

pub fn stopping(why: &str) {
    tell(&[NotifyState::Stopping, NotifyState::Status(why)]);
}

/// Feeds the watchdog, but only while the engine goes round, the journal follows it, and the
/// dispatcher's attempts end. Ends at once where no watchdog is wanted.
pub async fn feed(handle: Handle) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let beat = (limit / 2).min(Span::secs(5).to_std());
    let mut before = Marks::default();
    let mut waited = Span::ZERO;
    loop {
        // An idle loop is woken, so that it can show that it goes round.
        handle.tell(Caller::engine(), Ask::Wake);
        tokio::time::sleep(beat).await;
        let now = Marks::of(&handle);
        waited = if now.attempts_move(&before) { Span::ZERO } else { waited + Span::from_std(beat) };
        if now.moved_since(&before) && waited <= patience(&handle) {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(?now, ?before, "no progress: the watchdog is not fed");
        }
        before = now;
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
    started: u64,
    finished: u64,
    emergency: bool,
}

impl Marks {
    fn of(handle: &Handle) -> Marks {
        let p = handle.progress();
        Marks {
            turns: p.turns.load(Ordering::Relaxed),
            decided: p.decided_seq.load(Ordering::Relaxed),
            durable: p.durable_seq.load(Ordering::Relaxed),
            finished: p.finished.load(Ordering::Relaxed),
            started: p.started.load(Ordering::Relaxed),
            emergency: p.emergency.load(Ordering::Relaxed),
        }
    }

    /// The journal has to come after what was decided by the last look, unless the daemon knows that
    /// it cannot.
    fn moved_since(&self, before: &Marks) -> bool {
        self.turns > before.turns && (self.emergency || self.durable >= before.decided)
    }

    /// Attempts end, or none is under way.
    fn attempts_move(&self, before: &Marks) -> bool {
        self.finished != before.finished || self.started == self.finished
    }
}

#[cfg(test)]
mod tests {
    use super::Marks;

    const BEFORE: Marks = Marks { turns: 7, decided: 90, durable: 80, started: 3, finished: 2, emergency: false };

    #[test]
    fn a_loop_that_stands_still_is_no_progress() {
        assert!(!Marks { durable: 90, ..BEFORE }.moved_since(&BEFORE));
        assert!(Marks { turns: 8, durable: 90, ..BEFORE }.moved_since(&BEFORE));
    }

    #[test]
    fn a_journal_that_falls_behind_is_no_progress_unless_it_is_known() {
        let behind = Marks { turns: 8, durable: 89, ..BEFORE };
        assert!(!behind.moved_since(&BEFORE));
        assert!(Marks { emergency: true, ..behind }.moved_since(&BEFORE));
    }

    #[test]
    fn attempts_that_never_end_are_seen() {
        assert!(!BEFORE.attempts_move(&BEFORE));
        assert!(Marks { finished: 3, ..BEFORE }.attempts_move(&BEFORE));
        let idle = Marks { finished: 3, ..BEFORE };
        assert!(idle.attempts_move(&idle));
    }
}
