//! What is derived from the state: who is due when, who waits for which channel, names to ids.

use super::State;
use super::entity::*;
use crate::domain::delivery::Status;
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::domain::time::EngineTime;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Whose time it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    Delivery(DeliveryId),
    Incident(IncidentId),
    Silence(String),
    Sound(String, DeliveryId),
}

/// Priority, then time of acceptance, then tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueKey {
    pub level: Reverse<Level>,
    pub order: u64,
    pub rank: u32,
    pub id: DeliveryId,
}

#[derive(Debug, Default)]
pub(in crate::engine) struct Index {
    pub timers: BTreeSet<(EngineTime, Timer)>,
    pub due: HashMap<Timer, EngineTime>,
    pub queues: BTreeMap<String, BTreeSet<QueueKey>>,
    pub by_fingerprint: HashMap<String, IncidentId>,
    pub by_number: HashMap<u64, IncidentId>,
    pub live: BTreeMap<u64, IncidentId>,
    pub pending_by_incident: HashMap<IncidentId, BTreeSet<DeliveryId>>,
    pub pending: usize,
    pub dead: BTreeSet<DeliveryId>,
    /// Ended, oldest first; the oldest leave the state when there are many.
    pub ended_incidents: VecDeque<IncidentId>,
    pub ended_notifications: VecDeque<NotificationId>,
    /// When an idempotency key may be forgotten.
    pub keys: BTreeSet<(EngineTime, String)>,
    /// The notification accepted last: its deliveries may still be coming.
    pub unsettled: Option<NotificationId>,
}

impl Index {
    pub fn set_timer(&mut self, timer: Timer, due: Option<EngineTime>) {
        let old = match due {
            Some(due) => self.due.insert(timer.clone(), due),
            None => self.due.remove(&timer),
        };
        if old == due {
            return;
        }
        if let Some(old) = old {
            self.timers.remove(&(old, timer.clone()));
        }
        if let Some(due) = due {
            self.timers.insert((due, timer));
        }
    }
}

/// When a delivery wants to be looked at.
pub(super) fn delivery_due(d: &Delivery) -> Option<EngineTime> {
    match d.status {
        Status::Scheduled | Status::Backoff | Status::Waiting | Status::Unknown => {
            Some(d.until.map_or(d.expires, |u| u.min(d.expires)))
        }
        Status::Ready | Status::Submitted => Some(d.expires),
        _ => None,
    }
}

/// In a channel's queue: ready, or waiting for the channel without a time of its own.
pub(super) fn is_queued(d: &Delivery) -> bool {
    d.status == Status::Ready || (d.status == Status::Waiting && d.until.is_none())
}

pub(super) fn queue_key(d: &Delivery) -> QueueKey {
    QueueKey { level: Reverse(d.level), order: d.order, rank: d.rank, id: d.id }
}

pub(super) fn incident_due(i: &Incident) -> Option<EngineTime> {
    if !i.is_live() || i.silenced_by.is_some() && i.status == IncidentStatus::Open {
        return None;
    }
    i.next.map(|n| n.due)
}

impl State {
    /// Rebuilds every index; after a snapshot was read.
    pub fn reindex(&mut self) {
        self.index = Index::default();
        let deliveries: Vec<Delivery> = self.deliveries.values().cloned().collect();
        for d in &deliveries {
            self.index_delivery(d);
        }
        let mut incidents: Vec<Incident> = self.incidents.values().cloned().collect();
        incidents.sort_by_key(|i| (i.resolved_at, i.number));
        for i in &incidents {
            self.index_incident(i);
            if !i.is_live() {
                self.index.ended_incidents.push_back(i.id);
            }
        }
        let mut ended: Vec<_> = self.notifications.values().filter(|n| n.retired).map(|n| (n.order, n.id)).collect();
        ended.sort();
        self.index.ended_notifications.extend(ended.into_iter().map(|(_, id)| id));
        for id in self.silences.keys().cloned().collect::<Vec<_>>() {
            self.index_silence(&id);
        }
        for (channel, sounds) in &self.sounding {
            for (id, s) in sounds {
                self.index.set_timer(Timer::Sound(channel.clone(), *id), Some(s.until));
            }
        }
        let keys = self.idempotency.iter().filter_map(|(key, r)| Some((r.forget_at?, key.clone())));
        self.index.keys = keys.collect();
    }

    pub(super) fn index_delivery(&mut self, d: &Delivery) {
        self.index.set_timer(Timer::Delivery(d.id), delivery_due(d));
        if is_queued(d) {
            self.index.queues.entry(d.channel().to_owned()).or_default().insert(queue_key(d));
        }
        if !d.status.is_end() {
            self.index.pending += 1;
            if let Some(incident) = d.incident {
                self.index.pending_by_incident.entry(incident).or_default().insert(d.id);
            }
        }
        if d.status == Status::Dead {
            self.index.dead.insert(d.id);
        }
    }

    pub(super) fn unindex_delivery(&mut self, d: &Delivery) {
        if is_queued(d)
            && let Some(queue) = self.index.queues.get_mut(d.channel())
        {
            queue.remove(&queue_key(d));
        }
        if !d.status.is_end() {
            self.index.pending -= 1;
            if let Some(incident) = d.incident
                && let Some(set) = self.index.pending_by_incident.get_mut(&incident)
            {
                set.remove(&d.id);
                if set.is_empty() {
                    self.index.pending_by_incident.remove(&incident);
                }
            }
        }
        self.index.dead.remove(&d.id);
    }

    pub(super) fn index_incident(&mut self, i: &Incident) {
        self.index.set_timer(Timer::Incident(i.id), incident_due(i));
        self.index.by_number.insert(i.number, i.id);
        if i.is_live() {
            self.index.by_fingerprint.insert(i.fingerprint.clone(), i.id);
            self.index.live.insert(i.number, i.id);
        } else {
            if self.index.by_fingerprint.get(&i.fingerprint) == Some(&i.id) {
                self.index.by_fingerprint.remove(&i.fingerprint);
            }
            self.index.live.remove(&i.number);
        }
    }

    pub(super) fn index_silence(&mut self, id: &str) {
        let Some(s) = self.silences.get(id) else { return };
        let due = (!s.expired).then_some(if s.begun { s.ends } else { s.starts });
        self.index.set_timer(Timer::Silence(id.to_owned()), due);
    }
}
