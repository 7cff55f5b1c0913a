//! The folds of notifications, deliveries, attempts and incidents.

use super::State;
use super::entity::*;
use crate::domain::delivery::{Medium, Status};
use crate::domain::event::{AttemptResult, EventKind, Next, NextWhat, Payload};
use crate::domain::id::DeliveryId;
use crate::domain::time::{EngineTime, Span, Timestamp};

/// Attempts kept in the state for each delivery; all of them stand in the ledger.
const ATTEMPTS_KEPT: usize = 20;
/// Rates are asked for at most this far back.
const MINUTES_KEPT: usize = 24 * 60;

fn content(payload: Option<&Payload>) -> Content {
    match payload {
        Some(p) if p.erased => Content { subject: "[erased]".into(), ..Content::default() },
        Some(p) => Content { subject: p.subject.clone(), body: p.body.clone(), annotations: p.annotations.clone() },
        None => Content::default(),
    }
}

impl State {
    pub(super) fn fold_notification(&mut self, at: Timestamp, head: &EventKind, payload: Option<&Payload>) {
        let EventKind::NotificationAccepted {
            id,
            origin,
            level,
            kind_of,
            labels,
            correlation_id,
            tenant,
            initiator,
            idempotency,
            expires,
            not_before,
            heartbeat,
        } = head
        else {
            return;
        };
        self.order += 1;
        self.settle();
        self.index.unsettled = Some(*id);
        if let Some(key) = idempotency {
            let remembered = Remembered { content: key.content.clone(), notification: *id, forget_at: None };
            self.idempotency.insert(State::idempotency_key(tenant.as_deref(), &key.caller, &key.key), remembered);
        }
        if let Some(incident) = origin.incident() {
            self.change_incident(incident, |i| i.notifications.push(*id));
        }
        let notification = Notification {
            id: *id,
            origin: origin.clone(),
            level: *level,
            kind_of: kind_of.clone(),
            labels: labels.clone(),
            content: content(payload),
            correlation_id: correlation_id.clone(),
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
        self.notifications.insert(*id, notification);
    }

    pub(super) fn fold_delivery(&mut self, at: Timestamp, head: &EventKind, payload: Option<&Payload>) -> bool {
        let EventKind::DeliveryCreated {
            id,
            notification,
            incident,
            chain,
            start,
            medium,
            who,
            others,
            rank,
            status,
            reason,
        } = head
        else {
            return false;
        };
        let Some(n) = self.notifications.get_mut(notification) else { return false };
        n.deliveries.push(*id);
        let ended = status.is_end();
        if !ended {
            n.open += 1;
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
            others: others.clone(),
            status: *status,
            reason: reason.clone(),
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
        };
        self.index_delivery(&delivery);
        self.deliveries.insert(*id, delivery);
        true
    }

    pub(super) fn fold_attempt(&mut self, at: Timestamp, head: &EventKind, payload: Option<&Payload>) -> bool {
        match head {
            EventKind::AttemptStarted { delivery, n, channel, medium, format, possibly_duplicate } => {
                let attempt = Attempt {
                    n: *n,
                    channel: channel.clone(),
                    started_at: at,
                    finished_at: None,
                    class: None,
                    error: None,
                    provider_id: None,
                    possibly_duplicate: *possibly_duplicate,
                };
                let known = self.change_delivery(*delivery, |d| {
                    d.status = Status::Sending;
                    d.until = None;
                    d.n = *n;
                    d.attempts.push(attempt);
                    if d.attempts.len() > ATTEMPTS_KEPT {
                        d.attempts.remove(0);
                    }
                    if let (Some(format), Some(text)) = (format, payload.and_then(|p| p.text.clone())) {
                        d.texts.insert(format.clone(), text);
                    }
                });
                self.change_channel(channel, |c| {
                    c.in_flight.insert(*delivery);
                });
                self.fold_told(*delivery, channel, *medium);
                known
            }
            EventKind::AttemptFinished { delivery, n, channel, result } => {
                let now = self.engine_time(at);
                self.change_channel(channel, |c| {
                    c.in_flight.remove(delivery);
                    if matches!(result.success(), Some(Status::Delivered | Status::Sent | Status::Submitted)) {
                        c.width = c.width.saturating_mul(2);
                        c.last_success = Some(now);
                        c.last_proof_at = Some(at);
                    }
                });
                self.change_delivery(*delivery, |d| finish_attempt(d, *n, at, result))
            }
            _ => false,
        }
    }

    /// An attempt was begun there, so notices will go there.
    fn fold_told(&mut self, delivery: DeliveryId, channel: &str, medium: Option<Medium>) {
        let Some(d) = self.deliveries.get(&delivery) else { return };
        let Some(incident) = d.incident else { return };
        let notice = self.notifications.get(&d.notification).is_some_and(|n| n.origin.is_notice());
        if notice {
            return;
        }
        let address = medium.and_then(|m| d.address_for(m)).map(str::to_owned);
        let told = Told { channel: channel.to_owned(), address, medium, who: d.who.clone() };
        self.change_incident(incident, |i| {
            i.told.insert(told);
        });
    }

    pub(super) fn fold_end(&mut self, at: Timestamp, id: DeliveryId, status: Status, reason: Option<String>) -> bool {
        let now = self.engine_time(at);
        let known = self.change_delivery(id, |d| {
            d.status = status;
            d.reason = reason;
            d.until = None;
            d.ended_at = Some(at);
            d.texts.clear();
            if status.got_out() && d.sent_at.is_none() {
                d.sent_at = Some(at);
            }
        });
        if known {
            self.count_end(now, status);
            if let Some(n) = self.deliveries.get(&id).map(|d| d.notification) {
                self.retire(n);
            }
        }
        known
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

    pub(super) fn fold_opened(&mut self, at: Timestamp, head: &EventKind, payload: Option<&Payload>) {
        let EventKind::IncidentOpened {
            id,
            number,
            fingerprint,
            level,
            kind_of,
            labels,
            opened_by,
            base,
            policy,
            rounds,
            channels,
            to,
            about,
            silenced_by,
            once,
            tenant,
            next,
        } = head
        else {
            return;
        };
        let incident = Incident {
            id: *id,
            number: *number,
            fingerprint: fingerprint.clone(),
            level: *level,
            kind_of: kind_of.clone(),
            labels: labels.clone(),
            content: content(payload),
            opened_by: opened_by.clone(),
            opened_at: at,
            status: IncidentStatus::Open,
            count: 1,
            tenant: tenant.clone(),
            policy: policy.clone(),
            rounds: *rounds,
            base: *base,
            saved: Span::ZERO,
            fired: None,
            round_reached: false,
            next: *next,
            channels: channels.clone(),
            to: to.clone(),
            about: about.clone(),
            once: *once,
            silenced_by: silenced_by.clone(),
            snoozed_until: None,
            acknowledged_by: None,
            acknowledged_at: None,
            resolved_at: None,
            resolved_by: None,
            because: None,
            told: Default::default(),
            notifications: Vec::new(),
        };
        self.last_number = self.last_number.max(*number);
        if let Some(s) = silenced_by.as_ref().and_then(|s| self.silences.get_mut(s)) {
            s.held += 1;
        }
        self.index_incident(&incident);
        self.incidents.insert(*id, incident);
    }

    pub(super) fn fold_incident(&mut self, at: Timestamp, head: &EventKind) -> bool {
        match head {
            EventKind::IncidentRaised { id, level, base, policy, rounds, next } => self.change_incident(*id, |i| {
                i.level = *level;
                i.labels.insert("level".into(), level.to_string());
                i.policy = policy.clone();
                i.rounds = *rounds;
                begin_anew(i, *base, *next);
            }),
            EventKind::IncidentStepped { id, round, step, saved, next, reached_nobody, .. } => {
                self.change_incident(*id, |i| {
                    let same_round = i.fired.is_some_and(|(r, _)| r == *round);
                    i.round_reached = (same_round && i.round_reached) || !reached_nobody;
                    i.fired = Some((*round, *step));
                    i.rounds = i.rounds.max(round + 1);
                    i.saved = i.saved + *saved;
                    i.next = *next;
                })
            }
            EventKind::IncidentReminded { id, next } => self.change_incident(*id, |i| i.next = *next),
            EventKind::IncidentAcknowledged { id, by, next, .. } => {
                self.last_acknowledged = Some(*id);
                self.change_incident(*id, |i| {
                    i.status = IncidentStatus::Acknowledged;
                    i.acknowledged_by = Some(by.clone());
                    i.acknowledged_at = Some(at);
                    i.next = *next;
                })
            }
            EventKind::IncidentUnacknowledged { id, base, next, .. } => {
                self.change_incident(*id, |i| begin_anew(i, *base, *next))
            }
            EventKind::IncidentSnoozed { id, by, until } => {
                self.last_acknowledged = Some(*id);
                self.change_incident(*id, |i| {
                    i.status = IncidentStatus::Acknowledged;
                    i.acknowledged_by.get_or_insert_with(|| by.clone());
                    i.acknowledged_at.get_or_insert(at);
                    i.snoozed_until = Some(*until);
                    i.next = Some(Next { due: *until, what: NextWhat::Restart });
                })
            }
            EventKind::IncidentSilenced { id, silence } => {
                if let Some(s) = self.silences.get_mut(silence) {
                    s.held += 1;
                }
                self.change_incident(*id, |i| i.silenced_by = Some(silence.clone()))
            }
            EventKind::IncidentUnsilenced { id, base, next, .. } => self.change_incident(*id, |i| {
                i.silenced_by = None;
                if i.status == IncidentStatus::Open {
                    begin_anew(i, *base, *next);
                }
            }),
            EventKind::IncidentResolved { id, by, because, .. } => self.change_incident(*id, |i| {
                i.status = IncidentStatus::Resolved;
                i.resolved_at = Some(at);
                i.resolved_by = Some(by.clone());
                i.because = Some(because.clone());
                i.next = None;
            }),
            _ => false,
        }
    }

    pub(super) fn fold_silence(&mut self, head: &EventKind) -> bool {
        let id = match head {
            EventKind::SilenceAdded { id, matchers, starts, ends, comment, created_by } => {
                let silence = Silence {
                    id: id.clone(),
                    matchers: matchers.clone(),
                    starts: *starts,
                    ends: *ends,
                    comment: comment.clone(),
                    created_by: created_by.clone(),
                    begun: false,
                    expired: false,
                    held: 0,
                };
                self.silences.insert(id.clone(), silence);
                id
            }
            EventKind::SilenceBegan { id } => {
                let Some(s) = self.silences.get_mut(id) else { return false };
                s.begun = true;
                id
            }
            EventKind::SilenceExpired { id, .. } => {
                let now = self.engine_time(self.last_at);
                let Some(s) = self.silences.get_mut(id) else { return false };
                s.expired = true;
                s.ends = s.ends.min(now);
                id
            }
            _ => return false,
        };
        self.index_silence(id);
        true
    }
}

/// From the first step, round 0, as if opened now.
fn begin_anew(i: &mut Incident, base: EngineTime, next: Option<Next>) {
    i.status = IncidentStatus::Open;
    i.acknowledged_by = None;
    i.acknowledged_at = None;
    i.snoozed_until = None;
    i.base = base;
    i.saved = Span::ZERO;
    i.fired = None;
    i.round_reached = false;
    i.next = next;
}

fn finish_attempt(d: &mut Delivery, n: u32, at: Timestamp, result: &AttemptResult) {
    let (class, error, provider) = match result {
        AttemptResult::Failed(f) => {
            d.maybe_sent |= f.unknown;
            d.detail = Some(f.to_string());
            (Some(f.class), Some(f.words.clone()), None)
        }
        AttemptResult::Lost { words } => {
            d.maybe_sent = true;
            d.detail = Some(words.clone());
            (None, Some(words.clone()), None)
        }
        AttemptResult::Delivered { provider_id, detail }
        | AttemptResult::Sent { provider_id, detail }
        | AttemptResult::Submitted { provider_id, detail } => {
            d.detail = Some(detail.clone());
            (None, None, provider_id.clone())
        }
        AttemptResult::Simulated { detail } => {
            d.detail = Some(detail.clone());
            (None, None, None)
        }
    };
    if let Some(a) = d.attempts.iter_mut().rfind(|a| a.n == n) {
        a.finished_at = Some(at);
        a.class = class;
        a.error = error;
        a.provider_id = provider;
    }
    match result.success() {
        Some(Status::Submitted) => {
            d.status = Status::Submitted;
            d.sent_at = Some(at);
        }
        Some(_) => d.sent_at = Some(at),
        // Between two events of one frame; the decision that follows moves or ends it.
        None => d.status = Status::Unknown,
    }
}
