//! What is known of heartbeats, watches and rates: the state of all that is looked at.

use crate::domain::event::{HeartbeatStatus, WatchStatus};
use crate::domain::failure::FailureClass;
use crate::domain::time::{EngineTime, Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HeartbeatState {
    pub status: HeartbeatStatus,
    pub failures_in_row: u32,
    pub failing_since: Option<Timestamp>,
    pub detail: String,
    pub class: Option<FailureClass>,
    pub last_run_at: Option<Timestamp>,
    pub last_ok_at: Option<Timestamp>,
    /// The run under way, by its scheduled time.
    pub running: Option<Timestamp>,
    pub last_scheduled: Option<Timestamp>,
    /// Passive: when it was first loaded, and when it was pinged last.
    pub known: Option<EngineTime>,
    pub last_ping: Option<EngineTime>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchState {
    pub status: WatchStatus,
    pub value: Option<f64>,
    pub since: Option<Timestamp>,
    pub detail: String,
}

/// The last value of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub value: f64,
    pub at: Timestamp,
}

/// Ended deliveries by minute of engine time, for the rates.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    pub minutes: VecDeque<Minute>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Minute {
    pub minute: i64,
    pub delivered: u64,
    pub failed: u64,
    pub ended: u64,
}

impl Rates {
    /// Delivered, failed and ended since `from`.
    pub fn since(&self, from: EngineTime) -> (u64, u64, u64) {
        let first = from.0 / Span::mins(1).0;
        self.minutes
            .iter()
            .filter(|m| m.minute >= first)
            .fold((0, 0, 0), |(d, f, e), m| (d + m.delivered, f + m.failed, e + m.ended))
    }
}
