//! Incidents: opened, going on by the clock, acknowledged, silenced, resolved.

use super::content;
use crate::domain::event::{EventKind, Next, NextWhat, Payload};
use crate::domain::time::{EngineTime, Span, Timestamp};
use crate::engine::state::{Incident, IncidentStatus, State, own_name};
use std::sync::Arc;

impl State {
    pub(in crate::engine::state) fn fold_opened(
        &mut self,
        at: Timestamp,
        head: &EventKind,
        payload: Option<&Payload>,
    ) -> bool {
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
            return false;
        };
        // One at a time under a fingerprint, and a number is never used twice.
        if self.incidents.contains_key(id) || *number <= self.last_number || self.live_incident(fingerprint).is_some() {
            return false;
        }
        let incident = Incident {
            id: *id,
            number: *number,
            fingerprint: fingerprint.as_str().into(),
            level: *level,
            kind_of: self.names.of(kind_of),
            labels: labels.clone(),
            content: content(payload, self.last_seq),
            opened_by: self.names.of(opened_by),
            opened_at: at,
            status: IncidentStatus::Open,
            count: 1,
            tenant: self.names.of_any(tenant.as_deref()),
            policy: self.names.of_any(policy.as_deref()),
            rounds: *rounds,
            base: *base,
            saved: Span::ZERO,
            fired: None,
            round_reached: false,
            next: *next,
            channels: channels.clone(),
            to: to.clone(),
            about: self.names.of_any(about.as_deref()),
            once: *once,
            silenced_by: self.names.of_any(silenced_by.as_deref()),
            snoozed_until: None,
            acknowledged_by: None,
            acknowledged_at: None,
            resolved_at: None,
            resolved_by: None,
            because: None,
            told: Default::default(),
            firsts: Default::default(),
            notifications: Vec::new(),
            notified: Vec::new(),
            alert: None,
        };
        self.last_number = *number;
        if let Some(s) = silenced_by.as_ref().and_then(|s| self.silences.get_mut(s)) {
            s.held += 1;
        }
        self.index.text_bytes += incident.text_bytes();
        self.index.add_incident(&incident);
        self.incidents.insert(*id, incident);
        true
    }

    pub(in crate::engine::state) fn fold_incident(&mut self, at: Timestamp, head: &EventKind) -> bool {
        match head {
            EventKind::IncidentRepeated { id } => self.change_incident(*id, |i| i.count += 1),
            EventKind::IncidentRaised { id, level, base, policy, rounds, channels, to, next } => {
                let policy = self.names.of_any(policy.as_deref());
                self.change_incident(*id, |i| {
                    i.level = *level;
                    let kept = i.alert.as_ref().map_or(&[][..], |a| &a.kept);
                    if let Some(name) = own_name("level", kept) {
                        Arc::make_mut(&mut i.labels).insert(name.into_owned(), level.to_string());
                    }
                    i.policy = policy;
                    i.rounds = *rounds;
                    i.channels = channels.clone();
                    i.to = to.clone();
                    begin_anew(i, *base, *next);
                })
            }
            EventKind::IncidentStepped { id, round, step, saved, next, reached_nobody, .. } => {
                self.change_incident(*id, |i| {
                    let same_round = i.fired.is_some_and(|(r, _)| r == *round);
                    i.round_reached = (same_round && i.round_reached) || !reached_nobody;
                    i.fired = Some((*round, *step));
                    i.saved = i.saved + *saved;
                    i.next = *next;
                })
            }
            EventKind::IncidentReminded { id, next } => self.change_incident(*id, |i| i.next = *next),
            EventKind::IncidentReplanned { id, rounds, next } => self.change_incident(*id, |i| {
                i.rounds = *rounds;
                i.next = *next;
            }),
            EventKind::IncidentAcknowledged { id, by, next, .. } => {
                let by = self.names.of(by);
                let known = self.change_incident(*id, |i| {
                    i.status = IncidentStatus::Acknowledged;
                    i.acknowledged_by = Some(by);
                    i.acknowledged_at = Some(at);
                    i.snoozed_until = None;
                    i.next = *next;
                });
                if known {
                    self.last_acknowledged = Some(*id);
                }
                known
            }
            EventKind::IncidentUnacknowledged { id, base, next, .. } => {
                self.change_incident(*id, |i| begin_anew(i, *base, *next))
            }
            EventKind::IncidentSnoozed { id, by, until } => {
                let by = self.names.of(by);
                self.change_incident(*id, |i| {
                    i.status = IncidentStatus::Acknowledged;
                    i.acknowledged_by.get_or_insert(by);
                    i.acknowledged_at.get_or_insert(at);
                    i.snoozed_until = Some(*until);
                    i.next = Some(Next { due: *until, what: NextWhat::Restart });
                })
            }
            EventKind::IncidentSilenced { id, silence } => {
                let name = self.names.of(silence);
                let known = self.change_incident(*id, |i| i.silenced_by = Some(name));
                if let Some(s) = self.silences.get_mut(silence).filter(|_| known) {
                    s.held += 1;
                }
                known
            }
            EventKind::IncidentUnsilenced { id, base, next, .. } => self.change_incident(*id, |i| {
                i.silenced_by = None;
                if i.status == IncidentStatus::Open {
                    begin_anew(i, *base, *next);
                }
            }),
            EventKind::IncidentResolved { id, by, because, .. } => {
                let (by, because) = (self.names.of(by), self.names.of(because));
                let known = self.change_incident(*id, |i| {
                    i.status = IncidentStatus::Resolved;
                    i.resolved_at = Some(at);
                    i.resolved_by = Some(by);
                    i.because = Some(because);
                    i.next = None;
                });
                if known {
                    self.retire_incident(*id);
                }
                known
            }
            _ => false,
        }
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
