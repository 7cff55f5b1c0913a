//! What the sources of alerts say, as it is written.

use crate::domain::id::IncidentId;
use crate::domain::time::{EngineTime, Timestamp};
use serde::{Deserialize, Serialize};

/// One report of an alert that fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertReported {
    /// The incident that stands for it.
    pub id: IncidentId,
    /// As the source has it, or when it was reported first.
    pub starts_at: Timestamp,
    /// When it ends unless it is reported again; wall clock.
    pub ends_at: Timestamp,
    /// The same in engine time.
    pub due: EngineTime,
    /// The page of the rule; in the first report, and where it has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
    /// Labels of the alert's own whose names are reserved: what stentor says under these names is
    /// in `stentor_NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// Nobody said how bad it is: its level is the one of `otherwise`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unrated: bool,
}

/// While stentor was down, or took nothing new, no source could report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsAwaited {
    /// Whatever was due earlier is due now.
    pub until: EngineTime,
}
