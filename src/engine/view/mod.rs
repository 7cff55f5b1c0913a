//! What the doors show of the state: the JSON documents of CLI.md.

mod alerts;
mod context;
mod delivery;
mod documents;
mod explain;
mod inbox;
mod incident;
mod lists;
mod rows;
mod status;

pub use delivery::asked_into;
pub use explain::Story;

use super::input::Read;
use super::refusal::{Answer, Code, Refusal};
use super::turn::Turn;
use crate::domain::time::{EngineTime, Timestamp};
use serde_json::{Value, json};

/// Rows of one answer.
pub(crate) const ROWS: usize = 200;

impl Turn<'_> {
    pub fn read(&mut self, read: Read) -> Answer {
        match read {
            Read::Status => Ok(self.status_view()),
            Read::Deliveries(filter) => self.deliveries_view(filter),
            Read::Delivery(id) => {
                let id = self.find_delivery(&id)?;
                self.state.deliveries.get(&id).map(|d| self.delivery(d)).ok_or_else(|| gone("delivery"))
            }
            Read::Incidents { all } => Ok(self.incidents_list(all, None)),
            Read::Incident(id) => {
                let id = self.find_incident(&id)?;
                self.state.incidents.get(&id).map(|i| self.incident(i)).ok_or_else(|| gone("incident"))
            }
            Read::Heartbeats => Ok(json!({ "heartbeats": self.heartbeats(), "next_cursor": null })),
            Read::Watches => Ok(json!({ "watches": self.watches(false), "next_cursor": null })),
            Read::Fomo => Ok(json!({ "watches": self.watches(true), "next_cursor": null })),
            Read::Metric(name) => self.metric_view(&name),
            Read::Hooks => Ok(self.hooks()),
            Read::Channels => Ok(json!({ "channels": self.channels(), "next_cursor": null })),
            Read::Alerts { after } => Ok(self.alerts_page(after)),
            Read::Silences => Ok(json!({ "silences": self.silences(), "next_cursor": null })),
            Read::DeadLetters { limit, after } => Ok(self.dead_letters(limit, after)),
            Read::Notification(id) => {
                let id = self.find_notification(&id)?;
                self.notification_view(id)
            }
            Read::IncidentsBefore { all, id } => Ok(self.incidents_list(all, Some(id))),
            Read::Message(id) => self.message_of(id),
            Read::Numbers(ids) => Ok(self.numbers(&ids)),
            Read::Inbox { limit } => Ok(self.inbox_view(limit)),
            Read::Conversation(with) => self.conversation_view(&with),
            Read::Gauges => Ok(self.gauges()),
            Read::Pulse => crate::engine::turn::done(),
        }
    }

    /// RFC 3339 in the daemon's zone.
    fn shown(&self, t: Timestamp) -> String {
        t.rfc3339(&self.config.daemon.timezone)
    }

    pub(crate) fn time(&self, t: Timestamp) -> Value {
        self.shown(t).into()
    }

    pub(crate) fn time_or_null(&self, t: Option<Timestamp>) -> Value {
        t.map_or(Value::Null, |t| self.time(t))
    }

    pub(crate) fn due(&self, t: EngineTime) -> Value {
        self.time(self.state.wall_time(t))
    }
}

fn gone(what: &str) -> Refusal {
    Refusal::new(Code::NotFound, format!("this {what} is not at hand"))
}
