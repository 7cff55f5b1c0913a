//! One sending: a notification and its deliveries, as planned.

use super::plan::Planned;
use super::state::Notification;
use super::turn::Turn;
use crate::domain::Labels;
use crate::domain::delivery::{SILENCED, Status};
use crate::domain::event::{EventKind, Idempotency, Origin, Payload, Request};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a delivery of an incident ends whose place another one takes.
pub(super) const NEWER: &str = "by a newer one";
/// The time to live of what says nothing else.
pub(crate) const TTL: Span = Span::days(1);

/// A notification to be made.
pub(crate) struct Message {
    pub origin: Origin,
    pub level: Level,
    pub kind_of: String,
    pub labels: Arc<Labels>,
    pub payload: Payload,
    pub correlation_id: Option<String>,
    pub request: Option<Box<Request>>,
    pub tenant: Option<String>,
    pub initiator: String,
    pub idempotency: Option<Idempotency>,
    pub ttl: Span,
    pub not_before: Option<EngineTime>,
    pub heartbeat: Option<String>,
    /// The channel that it is about: deliveries by it begin with its fallback.
    pub about: Option<String>,
    /// The silence that holds all of it back.
    pub silenced_by: Option<String>,
    /// What the request wants it said with.
    pub template: Option<String>,
}

impl Message {
    /// The least that a message says.
    pub fn new(
        origin: Origin,
        level: Level,
        kind_of: String,
        labels: impl Into<Arc<Labels>>,
        payload: Payload,
    ) -> Message {
        Message {
            origin,
            level,
            kind_of,
            labels: labels.into(),
            payload,
            correlation_id: None,
            request: None,
            tenant: None,
            initiator: String::new(),
            idempotency: None,
            ttl: TTL,
            not_before: None,
            heartbeat: None,
            about: None,
            silenced_by: None,
            template: None,
        }
    }
}

/// What the deliveries of one sending have in common.
pub(super) struct Sending {
    id: NotificationId,
    incident: Option<IncidentId>,
    level: Level,
    kind_of: String,
    about: Option<String>,
    /// A notice and a test go by the channel named or not at all.
    fallbacks: bool,
    test: bool,
    scheduled: bool,
}

impl Sending {
    /// One that was accepted for a later time, when that has come.
    pub fn due(n: &Notification) -> Sending {
        Sending {
            id: n.id,
            incident: None,
            level: n.level,
            kind_of: n.kind_of.clone(),
            about: None,
            fallbacks: true,
            test: false,
            scheduled: false,
        }
    }
}

impl Turn<'_> {
    /// Makes the notification and its deliveries.
    pub fn make(&mut self, message: Message, planned: Vec<Planned>) -> NotificationId {
        let not_before = message.not_before.filter(|t| *t > self.now);
        let sending = Sending {
            id: NotificationId(self.ids.ulid()),
            incident: message.origin.incident(),
            level: message.level,
            kind_of: message.kind_of.clone(),
            about: message.about,
            fallbacks: !message.origin.is_notice() && message.origin != Origin::Test,
            test: message.origin == Origin::Test,
            scheduled: not_before.is_some(),
        };
        let silenced = message.silenced_by.is_some();
        self.emit_with(
            EventKind::NotificationAccepted {
                id: sending.id,
                origin: message.origin,
                level: message.level,
                kind_of: message.kind_of,
                labels: message.labels,
                correlation_id: message.correlation_id,
                request: message.request,
                tenant: message.tenant,
                initiator: message.initiator,
                idempotency: message.idempotency,
                expires: not_before.unwrap_or(self.now) + message.ttl,
                not_before,
                heartbeat: message.heartbeat,
                silenced_by: message.silenced_by,
                template: message.template,
            },
            message.payload,
        );
        let mut older = sending.incident.map(|i| self.still_waiting(i)).unwrap_or_default();
        for mut one in planned {
            if silenced && one.skip.is_none() {
                one.skip = Some(SILENCED.into());
            }
            let mut counted = None;
            if one.skip.is_none() {
                for id in older.remove(&(one.channel.clone(), one.address.clone())).unwrap_or_default() {
                    counted = counted.or(self.state.deliveries.get(&id).filter(|d| d.limited).map(|d| d.id));
                    self.end_delivery(id, Status::Superseded, NEWER);
                }
            }
            self.deliver(&sending, one, counted);
        }
        self.listen_for(sending.id);
        sending.id
    }

    /// `counted` is one that counts already, and whose place it takes.
    pub(super) fn deliver(&mut self, sending: &Sending, one: Planned, counted: Option<DeliveryId>) {
        let chain = if sending.fallbacks { self.chain(&one.channel) } else { vec![one.channel.clone()] };
        let about = sending.about.as_ref().is_some_and(|about| *about == one.channel);
        let reader = one.reader(sending.level, &sending.kind_of, sending.test);
        let start = if sending.scheduled { 0 } else { self.first_way(&chain, &reader, sending.level, about) };
        let status = match () {
            () if one.skip.is_some() => Status::Skipped,
            () if sending.scheduled => Status::Scheduled,
            () => Status::Ready,
        };
        let id = DeliveryId(self.ids.ulid());
        let head = EventKind::DeliveryCreated {
            id,
            notification: sending.id,
            incident: sending.incident,
            chain,
            start,
            medium: one.medium,
            who: one.who,
            on_call: one.on_call,
            forced: one.forced,
            rank: one.rank,
            status,
            reason: one.skip,
        };
        if one.address.is_none() && one.others.is_empty() {
            self.emit(head);
        } else {
            self.emit_with(head, Payload { address: one.address, others: one.others, ..Payload::default() });
        }
        if status == Status::Ready {
            if let Some(older) = counted {
                self.count_instead(id, older);
            }
            self.admit(id);
        }
    }

    /// What of an incident is under no attempt and not out yet, by the place it is for: a newer
    /// delivery to the same place takes its turn.
    fn still_waiting(&self, incident: IncidentId) -> BTreeMap<(String, Option<String>), Vec<DeliveryId>> {
        let mut waiting: BTreeMap<_, Vec<DeliveryId>> = BTreeMap::new();
        for id in self.state.pending_of(incident) {
            let Some(d) = self.state.deliveries.get(&id) else { continue };
            if !matches!(d.status, Status::Sending | Status::Submitted)
                && let Some(channel) = d.chain.first()
            {
                waiting.entry((channel.clone(), d.address.clone())).or_default().push(id);
            }
        }
        waiting
    }
}
