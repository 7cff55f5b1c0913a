//! What systemd is told: READY, RELOADING, STOPPING, STATUS, and the watchdog.

use super::progress::Progress;
use crate::domain::time::Span;
use crate::runtime::Handle;
use sd_notify::NotifyState;

/// Tells systemd; without it nothing happens.
pub fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// The line that `systemctl status` shows.
pub fn status(kept: bool) -> &'static str {
    if kept { "running; the config is refused, the last accepted one is in force" } else { "running" }
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

/// Feeds the watchdog while there is progress. Ends at once where no watchdog is wanted.
pub async fn feed(handle: Handle) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let beat = Span::from_std(limit / 2).min(Span::secs(5));
    let mut progress = Progress::of(handle);
    loop {
        match progress.after(beat).await {
            Ok(()) => tell(&[NotifyState::Watchdog]),
            Err(stuck) => tracing::error!(reason = %stuck, "the watchdog is not fed"),
        }
    }
}
