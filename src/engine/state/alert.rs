//! An alert from outside, beside what its incident has; and its labels, which are kept as they came.

use super::name::Name;
use crate::domain::Labels;
use crate::domain::time::{EngineTime, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Fingerprints of alerts begin like this; 16 hexadecimal digits follow.
const PREFIX: &str = "alert/";
/// Our labels on the incidents of alerts.
pub const OF_ALERTS: [&str; 4] = ["level", "name", "source", "type"];

/// What the source said last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alert {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// When it is over unless it is reported again.
    pub due: EngineTime,
    pub reported_at: Timestamp,
    #[serde(default)]
    pub generator_url: Name,
    /// See [`crate::domain::event::AlertReported::kept`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
}

impl Alert {
    /// What it takes in memory, about.
    pub fn bytes(&self) -> u64 {
        (self.generator_url.len() + self.kept.iter().map(String::len).sum::<usize>()) as u64
    }
}

/// The fingerprint of the incident that stands for an alert.
pub fn fingerprint_of(alert: u64) -> String {
    format!("{PREFIX}{alert:016x}")
}

/// The number in such a fingerprint.
pub fn alert_of(fingerprint: &str) -> Option<u64> {
    u64::from_str_radix(fingerprint.strip_prefix(PREFIX)?, 16).ok()
}

/// The name under which stentor's own label of this name stands, where the alert kept some; `None`
/// where there is no room for it.
pub fn own_name<'n>(name: &'n str, kept: &[String]) -> Option<Cow<'n, str>> {
    let is_kept = |name: &str| kept.iter().any(|k| k == name);
    if !is_kept(name) {
        return Some(name.into());
    }
    // The type that an alert gives is its type.
    let other = format!("stentor_{name}");
    (name != "type" && !is_kept(&other)).then_some(other.into())
}

impl Alert {
    /// The alert's own labels, as they were sent, out of those of its incident.
    pub fn own_labels(&self, of_incident: &Labels) -> Labels {
        let mut labels = of_incident.clone();
        for name in OF_ALERTS {
            if let Some(name) = own_name(name, &self.kept) {
                labels.remove(&name);
            }
        }
        labels
    }
}
