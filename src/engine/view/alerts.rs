//! Open alerts as Alertmanager's API shows them.

use super::ROWS;
use crate::domain::time::Timestamp;
use crate::engine::state::Incident;
use crate::engine::turn::Turn;
use serde_json::{Value, json};

impl Turn<'_> {
    /// The next ones by fingerprint: `alerts`, and the fingerprint of the last as `next_cursor` when there may be more.
    pub(crate) fn alerts_page(&self, after: Option<u64>) -> Value {
        let mut last = None;
        let rows: Vec<Value> = self
            .state
            .alerts_after(after)
            .take(ROWS)
            .filter_map(|(fingerprint, i)| {
                last = Some(fingerprint);
                self.alert(fingerprint, i)
            })
            .collect();
        let more = last.filter(|last| self.state.alerts_after(Some(*last)).next().is_some());
        json!({ "alerts": rows, "next_cursor": more })
    }

    fn alert(&self, fingerprint: u64, i: &Incident) -> Option<Value> {
        let alert = i.alert.as_ref()?;
        let utc = |at: Timestamp| at.rfc3339(&jiff::tz::TimeZone::UTC);
        let receivers: Vec<Value> = self.receivers(i).into_iter().map(|name| json!({ "name": name })).collect();
        let silences = self.silences_of(&i.labels).filter(|_| i.silenced_by.is_some()).map(|s| &s.id);
        let silences: Vec<&String> = silences.collect();
        let state = if i.silenced_by.is_some() { "suppressed" } else { "active" };
        Some(json!({
            "labels": alert.own_labels(&i.labels),
            "annotations": i.content.annotations,
            "startsAt": utc(alert.starts_at),
            "endsAt": utc(alert.ends_at),
            "updatedAt": utc(alert.reported_at),
            "fingerprint": format!("{fingerprint:016x}"),
            "generatorURL": alert.generator_url,
            "receivers": receivers,
            "status": { "state": state, "silencedBy": silences, "inhibitedBy": [], "mutedBy": [] },
        }))
    }

    /// The policy that it follows, else the channels of its level.
    fn receivers(&self, i: &Incident) -> Vec<String> {
        let of_level = || self.config.levels.get(&i.level).map(|l| l.channels.clone()).unwrap_or_default();
        i.policy.as_ref().map_or_else(of_level, |policy| vec![policy.to_string()])
    }
}
