//! Deliveries and notifications as documents.

use super::{ROWS, gone};
use crate::domain::delivery::Status;
use crate::domain::event::Breaker;
use crate::domain::id::{DeliveryId, NotificationId};
use crate::engine::input::DeliveryFilter;
use crate::engine::refusal::{Answer, Refusal};
use crate::engine::state::{Delivery, Notification};
use crate::engine::turn::{Turn, refuse};
use serde_json::{Value, json};

impl Turn<'_> {
    /// One delivery.
    pub(crate) fn delivery(&self, d: &Delivery) -> Value {
        let attempts: Vec<Value> = d
            .attempts
            .iter()
            .map(|a| {
                json!({
                    "n": a.n,
                    "provider": self.provider(&a.channel),
                    "channel": a.channel,
                    "started_at": self.time(a.started_at),
                    "finished_at": self.time_or_null(a.finished_at),
                    "class": a.class,
                    "error": a.error,
                    "provider_message_id": a.provider_id,
                    "possibly_duplicate": a.possibly_duplicate,
                })
            })
            .collect();
        let incident = d.incident.and_then(|i| self.state.incidents.get(&i)).map(|i| i.number);
        json!({
            "id": d.id,
            "notification": d.notification,
            "incident": incident,
            "channel": d.chain.first(),
            "via": d.channel(),
            "provider": self.provider(d.channel()),
            "recipient": d.who.as_ref().or(d.address.as_ref()),
            "address": d.address,
            "status": self.shown_status(d),
            "reason": reason(d),
            "attempts": attempts,
            "cost": null,
            "segments": null,
            "created_at": self.time(d.created_at),
            "sent_at": self.time_or_null(d.sent_at),
            "delivered_at": self.time_or_null(d.ended_at.filter(|_| d.status == Status::Delivered)),
            "next_try_at": d.until.map(|t| self.due(t)),
        })
    }

    /// What waits behind a breaker is shown as waiting for its channel.
    pub(crate) fn shown_status(&self, d: &Delivery) -> Status {
        let open = self.state.channel(d.channel()).breaker == Breaker::Closed;
        match d.status {
            Status::Ready if !open => Status::Waiting,
            Status::Waiting if open && d.until.is_none() => Status::Ready,
            status => status,
        }
    }

    fn provider(&self, channel: &str) -> Option<&'static str> {
        self.config.channels.get(channel).map(|c| c.kind.provider)
    }

    pub(crate) fn notification_view(&self, id: NotificationId) -> Answer {
        let n = self.state.notifications.get(&id).ok_or_else(|| gone("notification"))?;
        let deliveries: Vec<Value> =
            n.deliveries.iter().filter_map(|d| self.state.deliveries.get(d)).map(|d| self.delivery(d)).collect();
        Ok(json!({
            "id": n.id,
            "correlation_id": n.correlation_id,
            "status": self.notification_status(n),
            "level": n.level,
            "type": n.kind_of,
            "subject": n.content.subject,
            "accepted_at": self.time(n.accepted_at),
            "deliveries": deliveries,
        }))
    }

    /// scheduled, pending, delivered (each way out), partly, failed.
    fn notification_status(&self, n: &Notification) -> &'static str {
        let all: Vec<Status> =
            n.deliveries.iter().filter_map(|d| self.state.deliveries.get(d)).map(|d| d.status).collect();
        let real = || all.iter().filter(|s| **s != Status::Skipped);
        let out = real().filter(|s| s.got_out()).count();
        match real().count() {
            0 => "delivered",
            _ if real().all(|s| *s == Status::Scheduled) => "scheduled",
            _ if real().any(|s| !s.is_end() && !s.got_out()) => "pending",
            n if out == n => "delivered",
            _ if out > 0 => "partly",
            _ => "failed",
        }
    }

    pub(crate) fn deliveries_by_id(&self, ids: &[DeliveryId]) -> Answer {
        let rows: Vec<Value> =
            ids.iter().filter_map(|id| self.state.deliveries.get(id)).map(|d| self.delivery(d)).collect();
        Ok(json!({ "deliveries": rows, "next_cursor": null }))
    }

    /// Oldest first; the cursor is the id of the last row.
    pub(crate) fn dead_letters(&self, limit: usize, after: Option<DeliveryId>) -> Value {
        let limit = limit.clamp(1, ROWS);
        let letters: Vec<&Delivery> =
            self.state.dead_letters().filter(|d| after.is_none_or(|a| d.id > a)).take(limit + 1).collect();
        let next = (letters.len() > limit).then(|| letters[limit - 1].id);
        let rows: Vec<Value> = letters.into_iter().take(limit).map(|d| self.delivery(d)).collect();
        json!({ "deliveries": rows, "next_cursor": next })
    }

    /// Newest first; the cursor is the id of the last row.
    pub(crate) fn deliveries_view(&self, filter: DeliveryFilter) -> Answer {
        let status = match filter.status.as_deref().map(|s| (s, Status::parse(s))) {
            Some((text, None)) => {
                let all: Vec<&str> = Status::ALL.iter().map(|s| s.as_str()).collect();
                return refuse(Refusal::field(
                    "status",
                    format!("{text:?} is not a status; there are {}", all.join(", ")),
                ));
            }
            Some((_, status)) => status,
            None => None,
        };
        let incident = filter.incident.as_deref().map(|i| self.find_incident(i)).transpose()?;
        let before: Option<DeliveryId> = match filter.cursor.as_deref().map(str::parse) {
            Some(Err(_)) => return refuse(Refusal::field("cursor", "this is not a cursor of this list")),
            Some(Ok(id)) => Some(id),
            None => None,
        };
        let oldest = filter.since.map(|s| self.wall - s);
        let mut found: Vec<&Delivery> = self
            .state
            .deliveries
            .values()
            .filter(|d| before.is_none_or(|b| d.id < b))
            .filter(|d| oldest.is_none_or(|t| d.created_at >= t))
            .filter(|d| incident.is_none_or(|i| d.incident == Some(i)))
            .filter(|d| filter.channel.as_ref().is_none_or(|c| d.chain.first() == Some(c) || d.channel() == c))
            .filter(|d| status.is_none_or(|s| self.shown_status(d) == s))
            .collect();
        found.sort_by_key(|d| std::cmp::Reverse(d.id));
        let limit = filter.limit.unwrap_or(ROWS).clamp(1, ROWS);
        let next = (found.len() > limit).then(|| found[limit - 1].id);
        let rows: Vec<Value> = found.into_iter().take(limit).map(|d| self.delivery(d)).collect();
        Ok(json!({ "deliveries": rows, "next_cursor": next }))
    }
}

/// Why it is where it is: the reason of its end, or what it waits for.
fn reason(d: &Delivery) -> Option<&str> {
    match d.status {
        Status::Backoff | Status::Waiting | Status::Unknown => d.detail.as_deref(),
        _ => d.reason.as_deref(),
    }
}
