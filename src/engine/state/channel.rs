//! What is known of a channel: how healthy it is, and when it takes the next attempt.

use crate::domain::delivery::ChannelStatus;
use crate::domain::event::Breaker;
use crate::domain::time::{EngineTime, Span, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelState {
    pub status: ChannelStatus,
    pub detail: String,
    pub since: Timestamp,
    pub breaker: Breaker,
    pub failures: u32,
    pub retry_at: Option<EngineTime>,
    pub gap: Span,
    /// Attempts allowed at once after a recovery; doubles with each success.
    pub width: u32,
    pub last_success: Option<EngineTime>,
    /// The last success of an attempt or a probe.
    pub last_proof_at: Option<Timestamp>,
}

impl Default for ChannelState {
    fn default() -> Self {
        ChannelState {
            status: ChannelStatus::Unknown,
            detail: String::new(),
            since: Timestamp(0),
            breaker: Breaker::Closed,
            failures: 0,
            retry_at: None,
            gap: Span::ZERO,
            width: u32::MAX,
            last_success: None,
            last_proof_at: None,
        }
    }
}

impl ChannelState {
    pub fn is_dead(&self) -> bool {
        self.status == ChannelStatus::Dead
    }

    /// It takes no attempts before this time: its breaker is not closed, or it asked for a pause.
    pub fn held_until(&self, now: EngineTime) -> Option<EngineTime> {
        self.retry_at.filter(|t| *t > now)
    }
}
