//! What the sources of alerts say.

use crate::domain::event::{AlertReported, Payload};
use crate::domain::id::IncidentId;
use crate::domain::time::{EngineTime, Timestamp};
use crate::engine::state::{Alert, State};

impl State {
    /// The first report makes its incident an alert's; the others count.
    pub(in crate::engine::state) fn fold_report(
        &mut self,
        at: Timestamp,
        report: &AlertReported,
        payload: Option<&Payload>,
    ) -> bool {
        let url = self.names.of_any(report.generator_url.as_deref());
        let seq = self.last_seq;
        self.change_incident(report.id, |i| {
            match &mut i.alert {
                Some(alert) => {
                    alert.ends_at = report.ends_at;
                    alert.due = report.due;
                    alert.reported_at = at;
                    if let Some(url) = url {
                        alert.generator_url = url;
                    }
                    i.count += 1;
                }
                None => {
                    i.alert = Some(Box::new(Alert {
                        starts_at: report.starts_at,
                        ends_at: report.ends_at,
                        due: report.due,
                        reported_at: at,
                        generator_url: url.unwrap_or_default(),
                        kept: report.kept.clone(),
                    }));
                }
            }
            if payload.is_some_and(|p| !p.erased) {
                i.content = super::content(payload, seq);
            }
        })
    }

    /// What was to be reported earlier has until then.
    pub(in crate::engine::state) fn fold_awaited(&mut self, until: EngineTime) {
        let early =
            |id: &IncidentId| self.incidents.get(id).and_then(|i| i.alert.as_ref()).is_some_and(|a| a.due < until);
        let early: Vec<IncidentId> = self.index.alerts.values().copied().filter(early).collect();
        for id in early {
            self.change_incident(id, |i| {
                if let Some(alert) = &mut i.alert {
                    alert.due = until;
                }
            });
        }
    }
}
