//! Notifications and their deliveries: accepted, created, moved, ended, taken up again.

use super::content;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Payload, Said};
use crate::domain::id::DeliveryId;
use crate::domain::time::{EngineTime, Span, Timestamp};
use crate::engine::state::share::shared;
use crate::engine::state::{Content, Delivery, Minute, Notification, Remembered, State, Templated};
use std::sync::Arc;

/// Rates are asked for at most this far back.
const MINUTES_KEPT: usize = 24 * 60;

/// With the template that was named and what it was given; an erased message has neither.
fn templated(mut content: Arc<Content>, template: &Option<String>, payload: Option<&Payload>) -> Arc<Content> {
    if let (Some(name), Some(payload)) = (template, payload.filter(|p| !p.erased)) {
        let templated = Templated { name: name.clone(), vars: payload.vars.clone() };
        Arc::make_mut(&mut content).templated = Some(Box::new(templated));
    }
    content
}

impl State {
    pub(in crate::engine::state) fn fold_notification(
        &mut self,
        at: Timestamp,
        head: &EventKind,
        payload: Option<&Payload>,
    ) -> bool {
        let EventKind::NotificationAccepted {
            id,
            origin,
            level,
            kind_of,
            labels,
            correlation_id,
            request,
            tenant,
            initiator,
            idempotency,
            expires,
            not_before,
            heartbeat,
            silenced_by,
            template,
        } = head
        else {
            return false;
        };
        if self.notifications.contains_key(id) {
            return false;
        }
        self.order += 1;
        if let Some(key) = idempotency {
            let remembered = Remembered { content: key.content.clone(), notification: *id, forget_at: None };
            let key = State::idempotency_key(tenant.as_deref(), &key.caller, &key.key);
            let before = self.idempotency.insert(key.clone(), remembered);
            if let Some(due) = before.and_then(|r| r.forget_at) {
                self.index.keys.remove(&(due, key));
            }
        }
        if let Some(s) = silenced_by.as_ref().and_then(|s| self.silences.get_mut(s)) {
            s.held += 1;
        }
        if let Some(i) = origin.incident().and_then(|i| self.incidents.get_mut(&i)) {
            if i.notifications.is_empty() {
                i.notifications.reserve_exact(1);
            }
            i.notifications.push(*id);
        }
        let incident = origin.incident().and_then(|i| self.incidents.get(&i));
        let notification = Notification {
            id: *id,
            origin: origin.clone(),
            level: *level,
            kind_of: kind_of.clone(),
            labels: shared(labels.clone(), incident.map(|i| &i.labels)),
            content: shared(
                templated(content(payload, self.last_seq), template, payload),
                incident.map(|i| &i.content),
            ),
            correlation_id: correlation_id.clone(),
            request: request.clone(),
            tenant: tenant.clone(),
            initiator: initiator.clone(),
            idempotency: idempotency.clone(),
            heartbeat: heartbeat.clone(),
            accepted_at: at,
            expires: *expires,
            not_before: *not_before,
            order: self.order,
            deliveries: Vec::new(),
            open: 0,
            retired: false,
        };
        self.index.text_bytes += notification.content.bytes();
        self.notifications.insert(*id, notification);
        self.settle(*id);
        true
    }

    pub(in crate::engine::state) fn fold_delivery(
        &mut self,
        at: Timestamp,
        head: &EventKind,
        payload: Option<&Payload>,
    ) -> bool {
        let EventKind::DeliveryCreated {
            id,
            notification,
            incident,
            chain,
            start,
            medium,
            who,
            on_call,
            forced,
            rank,
            status,
            reason,
        } = head
        else {
            return false;
        };
        if self.deliveries.contains_key(id) || !status.is_beginning() {
            return false;
        }
        let Some(n) = self.notifications.get_mut(notification) else { return false };
        if n.deliveries.is_empty() {
            n.deliveries.reserve_exact(1);
        }
        n.deliveries.push(*id);
        let ended = status.is_end();
        if !ended {
            n.open += 1;
            n.retired = false;
        }
        let delivery = Delivery {
            id: *id,
            notification: *notification,
            incident: *incident,
            level: n.level,
            order: n.order,
            rank: *rank,
            chain: chain.clone(),
            at: *start,
            lap: 0,
            medium: *medium,
            who: who.clone(),
            address: payload.and_then(|p| p.address.clone()),
            elsewhere: payload.map(|p| &p.others).filter(|o| !o.is_empty()).cloned().map(Box::new),
            on_call: *on_call,
            forced: *forced,
            status: *status,
            reason: reason.as_deref().map(Box::from),
            until: n.not_before.filter(|_| *status == Status::Scheduled),
            expires: n.expires,
            attempts: Vec::new(),
            n: 0,
            counted: 0,
            pause: Span::ZERO,
            maybe_sent: false,
            texts: Default::default(),
            created_at: at,
            sent_at: None,
            ended_at: ended.then_some(at),
            detail: None,
            dropped: false,
            ordered: false,
            weight: n.content.bytes(),
            crashes: 0,
            limited: false,
            charges: None,
        };
        self.index.add_delivery(&delivery);
        self.deliveries.insert(*id, delivery);
        true
    }

    pub(in crate::engine::state) fn fold_move(&mut self, at: Timestamp, head: &EventKind) -> bool {
        let EventKind::DeliveryMoved { id, status, at: place, until, lap, because } = head else { return false };
        // An end is told by an event of its own.
        if status.is_end() {
            return false;
        }
        let now = self.engine_time(at);
        self.move_delivery(*id, *status, |d| {
            if d.at != *place || d.lap != *lap {
                d.counted = 0;
            } else if *status == Status::Backoff {
                d.counted += 1;
            }
            if let Some(until) = until.filter(|_| !matches!(status, Status::Unknown | Status::Submitted)) {
                d.pause = until - now;
            }
            let failed = || matches!(d.confirm(d.n).and_then(|c| c.said.as_ref()), Some(Said::Failed(_)));
            if d.status == Status::Submitted && *status != Status::Submitted && !failed() {
                // Nobody says that its provider does not deliver it after all.
                d.maybe_sent = true;
            }
            if *status == Status::Submitted && d.sent_at.is_none() {
                d.sent_at = Some(at);
            }
            d.at = *place;
            d.until = *until;
            d.lap = *lap;
            d.detail = Some(because.as_str().into());
        })
    }

    pub(in crate::engine::state) fn fold_end(
        &mut self,
        at: Timestamp,
        id: DeliveryId,
        status: Status,
        reason: Option<String>,
    ) -> bool {
        if !status.is_end() {
            return false;
        }
        let known = self.move_delivery(id, status, |d| {
            d.reason = reason.map(Box::from);
            d.until = None;
            d.ended_at = Some(at);
            // A dead letter may go once more, under the same key with the same text.
            if status != Status::Dead {
                d.texts.clear();
            }
            if status.got_out() && d.sent_at.is_none() {
                d.sent_at = Some(at);
            }
        });
        if known {
            self.count_end(self.engine_time(at), status);
            if let Some(n) = self.deliveries.get(&id).map(|d| d.notification) {
                self.retire(n);
            }
        }
        known
    }

    /// Taken up again from its first way, with as much time as it had.
    pub(in crate::engine::state) fn fold_requeued(&mut self, at: Timestamp, id: DeliveryId) -> bool {
        let now = self.engine_time(at);
        let Some(n) = self.deliveries.get(&id).and_then(|d| self.notifications.get(&d.notification)) else {
            return false;
        };
        let from = n.not_before.unwrap_or_else(|| self.engine_time(n.accepted_at));
        let (notification, ttl) = (n.id, (n.expires - from).max(Span::hours(1)));
        let known = self.move_delivery(id, Status::Ready, |d| {
            d.reason = None;
            d.ended_at = None;
            d.until = None;
            d.dropped = false;
            d.ordered = true;
            (d.at, d.lap, d.counted, d.pause, d.crashes) = (0, 0, 0, Span::ZERO, 0);
            d.expires = now + ttl;
        });
        if known {
            self.remember_again(notification);
        }
        known
    }

    pub(in crate::engine::state) fn fold_dropped(&mut self, id: DeliveryId) -> bool {
        let mut notification = None;
        let known = self.index.dead.contains(&id)
            && self.change_delivery(id, |d| {
                d.dropped = true;
                d.texts.clear();
                d.reason = Some(format!("{} (dropped)", d.reason.as_deref().unwrap_or("dead")).into());
                notification = Some(d.notification);
            });
        if let Some(n) = notification {
            self.retire(n);
        }
        known
    }

    /// A time that was given by the wall clock stays there when the clock is set.
    pub(in crate::engine::state) fn fold_step(&mut self, by: Span) {
        self.offset = self.offset + by;
        for id in self.index.scheduled.clone() {
            self.change_delivery(id, |d| {
                d.until = d.until.map(|t| t - by);
                d.expires = d.expires - by;
            });
        }
    }

    fn count_end(&mut self, now: EngineTime, status: Status) {
        let minute = now.0.div_euclid(Span::mins(1).0);
        let minutes = &mut self.rates.minutes;
        if minutes.back().is_none_or(|m| m.minute < minute) {
            minutes.push_back(Minute { minute, ..Minute::default() });
        }
        if minutes.len() > MINUTES_KEPT {
            minutes.pop_front();
        }
        if let Some(m) = minutes.back_mut() {
            m.ended += 1;
            match status {
                Status::Delivered | Status::Sent => m.delivered += 1,
                Status::Dead | Status::Expired => m.failed += 1,
                _ => {}
            }
        }
    }
}
