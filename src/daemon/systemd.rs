//! What systemd is told: READY, RELOADING, STOPPING, STATUS, and the watchdog.

use crate::domain::time::Span;
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
    loop {
        tokio::time::sleep(beat).await;
        let now = Marks::of(&handle);
        if now.moved_since(&before) {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(?now, ?before, "no progress: the watchdog is not fed");
        }
        before = now;
    }
}

/// What has been seen to move.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    turns: u64,
    decided: u64,
    durable: u64,
    emergency: bool,
}

impl Marks {
    fn of(handle: &Handle) -> Marks {
        let p = handle.progress();
        Marks {
            turns: p.turns.load(Ordering::Relaxed),
            decided: p.decided_seq.load(Ordering::Relaxed),
            durable: p.durable_seq.load(Ordering::Relaxed),
            emergency: p.emergency.load(Ordering::Relaxed),
        }
    }

    /// The loop wakes at least every five seconds; the journal has to come after what was decided
    /// by the last look, unless the daemon knows that it cannot.
    fn moved_since(&self, before: &Marks) -> bool {
        self.turns > before.turns && (self.emergency || self.durable >= before.decided)
    }
}
