//! Silences, and what sounds.

use crate::domain::id::IncidentId;
use crate::domain::level::Level;
use crate::domain::matcher::Matcher;
use crate::domain::time::EngineTime;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Silence {
    pub id: String,
    pub matchers: Vec<Matcher>,
    pub starts: EngineTime,
    pub ends: EngineTime,
    pub comment: String,
    pub created_by: String,
    /// Its start has come and was acted on.
    pub begun: bool,
    pub expired: bool,
    /// Incidents and one-shots that it held back.
    pub held: u64,
}

impl Silence {
    pub fn is_active(&self, now: EngineTime) -> bool {
        !self.expired && self.starts <= now && now < self.ends
    }

    pub fn status(&self, now: EngineTime) -> &'static str {
        match () {
            () if self.expired || self.ends <= now => "expired",
            () if now < self.starts => "pending",
            () => "active",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sounding {
    pub incident: Option<IncidentId>,
    pub level: Level,
    pub until: EngineTime,
}
