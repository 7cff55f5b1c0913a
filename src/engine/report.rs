//! What is reported of alerts from outside.

use crate::domain::Labels;
use crate::domain::event::{AlertReported, EventKind};
use crate::domain::id::IncidentId;
use crate::domain::time::{EngineTime, Timestamp};

/// What one request reports: one input, one turn, one frame.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    pub alerts: Vec<AlertReport>,
    /// One of them at least is urgent.
    pub urgent: bool,
}

/// One alert, well formed.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertReport {
    /// Of the whole set of labels.
    pub fingerprint: u64,
    pub labels: Labels,
    pub annotations: Labels,
    pub starts_at: Option<Timestamp>,
    /// `None`: it is over when it is not reported again in time.
    pub ends_at: Option<Timestamp>,
    pub generator_url: String,
}

/// Of a report that opens an incident.
pub(crate) struct FirstReport {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub due: EngineTime,
    pub generator_url: String,
    pub unrated: bool,
}

impl FirstReport {
    pub fn event(self, id: IncidentId, kept: Vec<String>) -> EventKind {
        let FirstReport { starts_at, ends_at, due, generator_url, unrated } = self;
        let generator_url = Some(generator_url).filter(|url| !url.is_empty());
        EventKind::AlertReported(AlertReported { id, starts_at, ends_at, due, generator_url, kept, unrated })
    }
}
