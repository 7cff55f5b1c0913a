//! Deliveries and notifications as documents.

use super::rows::{AskedRow, AttachmentRow, AttemptRow, DeliveryRow, NotificationRow};
use super::{ROWS, gone};
use crate::domain::delivery::{Format, Status};
use crate::domain::event::{Attachment, Breaker};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::time::Timestamp;
use crate::engine::input::{Contact, DeliveryFilter};
use crate::engine::refusal::{Answer, Refusal};
use crate::engine::state::{Attempt, Content, Delivery, Notification};
use crate::engine::turn::{Turn, refuse};
use crate::message::segments;
use serde::Serialize;
use serde_json::{Value, json};

impl Turn<'_> {
    /// One delivery, with what its notification's caller said.
    pub(crate) fn delivery(&self, d: &Delivery) -> Value {
        let mut row = tree(&self.delivery_row(d, self.number(d.incident)));
        if let Some(n) = self.state.notifications.get(&d.notification) {
            asked_into(&mut row, &tree(&asked_row(n)));
            row["subject"] = n.content.subject.as_str().into();
        }
        row
    }

    /// The number of an incident, while that is at hand.
    pub(super) fn number(&self, incident: Option<IncidentId>) -> Option<u64> {
        incident.and_then(|i| self.state.incidents.get(&i)).map(|i| i.number)
    }

    fn delivery_row<'a>(&'a self, d: &'a Delivery, incident: Option<u64>) -> DeliveryRow<'a> {
        let charges = d.charges.as_deref();
        let last = charges.and_then(|c| c.all.last());
        DeliveryRow {
            id: d.id,
            notification: d.notification,
            incident,
            channel: d.chain.first().map(String::as_str),
            via: d.channel(),
            provider: self.provider(d.channel()),
            from: self.config.channels.get(d.channel()).and_then(|c| c.adapter.sender()),
            recipient: d.who.as_deref().or(d.address.as_deref()),
            address: d.address.as_deref(),
            status: self.shown_status(d),
            reason: reason(d),
            attempts: d.attempts.iter().map(|a| self.attempt_row(a)).collect(),
            cost: charges.and_then(|c| c.sum()).map(|money| money.amount),
            currency: last.map(|c| c.money.currency.as_str()),
            segments: last.map(|c| c.segments),
            charges: charges.map_or(&[], |c| c.all.as_slice()),
            created_at: self.shown(d.created_at),
            sent_at: d.sent_at.map(|t| self.shown(t)),
            delivered_at: delivered_at(d).map(|t| self.shown(t)),
            next_try_at: d.until.map(|t| self.shown(self.state.wall_time(t))),
        }
    }

    fn attempt_row<'a>(&'a self, a: &'a Attempt) -> AttemptRow<'a> {
        AttemptRow {
            n: a.n,
            provider: self.provider(&a.channel),
            channel: &a.channel,
            started_at: self.shown(a.started_at),
            finished_at: a.finished_at.map(|t| self.shown(t)),
            class: a.class,
            error: a.error.as_deref(),
            provider_message_id: a.provider_id.as_deref(),
            possibly_duplicate: a.possibly_duplicate,
        }
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
        self.notification_row(id).map(|row| tree(&row))
    }

    /// Its id alone once it has left the state.
    pub(crate) fn notification_or_id(&self, id: NotificationId) -> Value {
        self.notification_row(id).map_or_else(|_| json!({ "id": id }), |row| tree(&row))
    }

    pub(super) fn notification_row(&self, id: NotificationId) -> Result<NotificationRow<'_>, Refusal> {
        let n = self.state.notifications.get(&id).ok_or_else(|| gone("notification"))?;
        let deliveries: Vec<&Delivery> = n.deliveries.iter().filter_map(|d| self.state.deliveries.get(d)).collect();
        Ok(self.row_of(n, &deliveries, self.number(n.origin.incident())))
    }

    /// The row of a notification and its deliveries, wherever they are.
    pub(super) fn row_of<'a>(
        &'a self,
        n: &'a Notification,
        deliveries: &[&'a Delivery],
        incident: Option<u64>,
    ) -> NotificationRow<'a> {
        NotificationRow {
            id: n.id,
            asked: asked_row(n),
            status: notification_status(deliveries),
            level: n.level,
            kind_of: &n.kind_of,
            subject: &n.content.subject,
            accepted_at: self.shown(n.accepted_at),
            warnings: self.long_texts(deliveries),
            deliveries: deliveries.iter().map(|d| self.delivery_row(d, incident)).collect(),
        }
    }

    /// Texts that are sent in several parts, each of which costs as much as one; while they are at hand.
    fn long_texts(&self, deliveries: &[&Delivery]) -> Vec<String> {
        let mut warnings: Vec<String> = Vec::new();
        for d in deliveries {
            let Some(channel) = self.config.channels.get(d.channel()).filter(|c| c.format() == Format::Sms) else {
                continue;
            };
            let charged = || d.charges.as_ref().and_then(|c| c.all.last()).map(|charge| charge.segments as usize);
            let text = self.text_sent(d, channel).map(|text| segments::size(&text.text).segments);
            let Some(size) = text.or_else(charged) else { continue };
            let words = format!("{} sends it in {size} segments", channel.name);
            if size > 1 && !warnings.contains(&words) {
                warnings.push(words);
            }
        }
        warnings
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
        let tenant = |d: &Delivery| self.state.notifications.get(&d.notification).and_then(|n| n.tenant.as_deref());
        let mut found: Vec<&Delivery> = self
            .state
            .deliveries
            .values()
            .filter(|d| before.is_none_or(|b| d.id < b))
            .filter(|d| filter.since.is_none_or(|t| d.created_at >= t))
            .filter(|d| filter.until.is_none_or(|t| d.created_at < t))
            .filter(|d| filter.tenant.as_deref().is_none_or(|t| tenant(d) == Some(t)))
            .filter(|d| filter.contact.as_ref().is_none_or(|c| is_for(d, c)))
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

/// scheduled, pending, delivered (each way out), partly, failed.
fn notification_status(deliveries: &[&Delivery]) -> &'static str {
    let all = || deliveries.iter().map(|d| d.status);
    let real = || all().filter(|s| *s != Status::Skipped);
    let out = real().filter(|s| s.got_out()).count();
    match real().count() {
        0 => "delivered",
        _ if real().all(|s| s == Status::Scheduled) => "scheduled",
        _ if real().any(|s| !s.is_end() && !s.got_out()) => "pending",
        n if out == n => "delivered",
        _ if out > 0 => "partly",
        _ => "failed",
    }
}

fn asked_row(n: &Notification) -> AskedRow<'_> {
    AskedRow {
        correlation_id: n.correlation_id.as_deref(),
        request_id: n.request.as_ref().and_then(|r| r.id.as_deref()),
        tenant: n.tenant.as_deref(),
        actor: n.request.as_ref().and_then(|r| r.actor.as_deref()),
        metadata: &n.content.metadata,
        attachments: attachment_rows(&n.content),
    }
}

pub(super) fn attachment_rows(content: &Content) -> Vec<AttachmentRow<'_>> {
    content.attachments.iter().map(attachment_row).collect()
}

fn attachment_row(Attachment { name, mime, place }: &Attachment) -> AttachmentRow<'_> {
    AttachmentRow { name, mime, bytes: place.bytes }
}

/// What a notification's caller said of the request, also of each of its deliveries.
pub fn asked_into(delivery: &mut Value, notification: &Value) {
    for field in ["correlation_id", "request_id", "tenant", "actor", "metadata", "attachments", "subject"] {
        if let Some(said) = notification.get(field) {
            delivery[field] = said.clone();
        }
    }
}

/// Rows are plain values with names: they always are a tree.
fn tree(row: &impl Serialize) -> Value {
    serde_json::to_value(row).unwrap_or_default()
}

/// Why it is where it is: the reason of its end, or what it waits for.
fn reason(d: &Delivery) -> Option<&str> {
    match d.status {
        Status::Backoff | Status::Waiting | Status::Unknown => d.detail.as_deref(),
        _ => d.reason.as_deref(),
    }
}

fn is_for(d: &Delivery, contact: &Contact) -> bool {
    match contact {
        Contact::Person(name) => d.who.as_ref() == Some(name),
        Contact::Address(address) => d.address.as_ref() == Some(address),
    }
}

/// Also when the word of it came after the end.
fn delivered_at(d: &Delivery) -> Option<Timestamp> {
    let ended = d.ended_at.filter(|_| d.status == Status::Delivered);
    ended.or_else(|| d.attempts.iter().filter_map(|a| a.confirm.as_ref()?.delivered_at).min())
}
