//! How a run of a heartbeat, or a ping, ended.

use crate::domain::event::parts::HeartbeatStatus;
use crate::domain::failure::FailureClass;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeartbeatFinished {
    pub name: String,
    pub ok: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    pub detail: String,
    pub status: HeartbeatStatus,
    pub failures_in_row: u32,
    /// Of the first of these failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
}
