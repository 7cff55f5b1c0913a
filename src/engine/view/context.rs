//! What the doors need beside the documents: context for outcomes, numbers, counts.

use super::gone;
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::engine::refusal::Answer;
use crate::engine::turn::Turn;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use ulid::Ulid;

impl Turn<'_> {
    /// The delivery, the notification it belongs to with its text, and the incident if there is one.
    pub(crate) fn message_of(&self, id: DeliveryId) -> Answer {
        let d = self.state.deliveries.get(&id).ok_or_else(|| gone("delivery"))?;
        let n = self.state.notifications.get(&d.notification).ok_or_else(|| gone("notification"))?;
        let incident = d.incident.and_then(|i| self.state.incidents.get(&i));
        Ok(json!({
            "id": n.id,
            "level": n.level,
            "type": n.kind_of,
            "subject": n.content.subject,
            "body": n.content.body,
            "labels": n.labels,
            "delivery": self.delivery(d),
            "incident": incident.map(|i| self.incident(i)),
        }))
    }

    /// Incident numbers by id; what is not at hand, or about no incident, is left out.
    pub(crate) fn numbers(&self, ids: &[Ulid]) -> Value {
        let number = |id: &Ulid| {
            let incident = self
                .state
                .deliveries
                .get(&DeliveryId(*id))
                .and_then(|d| d.incident)
                .or_else(|| self.state.notifications.get(&NotificationId(*id)).and_then(|n| n.origin.incident()))
                .unwrap_or(IncidentId(*id));
            self.state.incidents.get(&incident).map(|i| (id.to_string(), i.number.into()))
        };
        Value::Object(ids.iter().filter_map(number).collect())
    }

    /// Incidents that are not resolved by status and level, heartbeats by name, queue and config.
    pub(crate) fn gauges(&self) -> Value {
        let mut incidents: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for i in self.state.live_incidents() {
            *incidents.entry(i.status.as_str()).or_default().entry(i.level.as_str()).or_default() += 1;
        }
        let heartbeats: Map<String, Value> = self
            .config
            .heartbeats
            .keys()
            .map(|name| (name.clone(), json!(self.state.heartbeats.get(name).map(|h| h.status))))
            .collect();
        json!({
            "incidents": incidents,
            "heartbeats": heartbeats,
            "queue": self.queue_view(),
            "by_channel": self.state.counts(),
            "hooks": self.hooks(),
            "config": {
                "loaded_at_seconds": self.state.config.loaded_at.map(|t| t.0 as f64 / 1e6),
                "refused": self.state.config.refused_at.is_some(),
            },
        })
    }
}
