//! One order, and the words for how it is with it.

use crate::channel::sound::protocol::{Cause, Heard, Piece};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A sound that `send` began is given this time to appear in the list of what is wanted.
pub(super) const SETTLED_AFTER: Duration = Duration::from_millis(500);

/// Began, and how, or why not.
pub type Began = Result<Heard, NotHeard>;

/// Why there is nothing to hear.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeard {
    /// The device or the player failed.
    #[error("{0}")]
    Broken(String),
    /// The player did not answer; the words say so.
    #[error("{0}")]
    Hung(String),
    /// It was no longer wanted.
    #[error("silenced before it was heard")]
    Silenced,
}

/// One wanted sound.
#[derive(Debug)]
pub struct Request {
    pub key: String,
    pub piece: Piece,
    pub left: Duration,
}

/// A sound that came to its end by itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Over {
    pub desk: u64,
    pub key: String,
    pub cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// To be asked for, not before this.
    Due(Instant),
    Asked,
    /// Since then.
    Sounding(Instant),
    Over,
}

#[derive(Debug)]
pub(super) struct Order {
    pub(super) desk: u64,
    pub(super) key: String,
    pub(super) piece: Piece,
    pub(super) until: Instant,
    /// What `until` was when the player was asked.
    pub(super) granted: Instant,
    pub(super) phase: Phase,
    /// In the protocol; a new one for each try.
    pub(super) id: u64,
    /// Was in a list of what is wanted.
    pub(super) listed: bool,
    pub(super) has_sounded: bool,
    /// The tone was asked for, because the player died of the file.
    pub(super) spared: bool,
    pub(super) waiting: Vec<oneshot::Sender<Began>>,
}

impl Order {
    pub(super) fn is_heard(&self) -> bool {
        matches!(self.phase, Phase::Asked | Phase::Sounding(_))
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.waiting.iter().any(|waiter| !waiter.is_closed())
    }

    pub(super) fn tell(&mut self, began: &Began) {
        for waiter in self.waiting.drain(..) {
            let _ = waiter.send(began.clone());
        }
    }

    /// Worth another try after a failure: somebody said that it should be heard.
    pub(super) fn lasts(&self) -> bool {
        self.listed || self.has_sounded
    }

    /// `send` began it, and no list can name it yet.
    pub(super) fn is_young(&self, now: Instant) -> bool {
        match self.phase {
            _ if self.listed => false,
            Phase::Due(_) | Phase::Asked => self.is_awaited(),
            Phase::Sounding(since) => now < since + SETTLED_AFTER,
            Phase::Over => true,
        }
    }
}
