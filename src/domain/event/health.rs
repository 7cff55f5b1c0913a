//! What is known of a channel's health, as it is written.

use crate::domain::delivery::ChannelStatus;
use crate::domain::event::parts::Breaker;
use crate::domain::time::{EngineTime, Span};
use serde::{Deserialize, Serialize};

/// How a channel is from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelChanged {
    pub channel: String,
    pub status: ChannelStatus,
    pub detail: String,
    pub breaker: Breaker,
    pub failures: u32,
    /// The next attempt at the earliest, while open or narrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<EngineTime>,
    #[serde(default)]
    pub gap: Span,
}

impl ChannelChanged {
    /// Nothing is wrong with it, as far as is known.
    pub fn unharmed(channel: &str, status: ChannelStatus) -> Self {
        ChannelChanged {
            channel: channel.into(),
            status,
            detail: String::new(),
            breaker: Breaker::Closed,
            failures: 0,
            retry_at: None,
            gap: Span::ZERO,
        }
    }
}
