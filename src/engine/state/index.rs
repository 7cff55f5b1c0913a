//! What is derived from the state: who is due when, who waits for which channel, names to ids.
//!
//! Nothing here is a fact of its own: [`State::reindex`] makes all of it anew from the facts, and
//! what the folds keep up to date step by step is equal to that at any time.

use super::State;
use super::alert::alert_of;
use super::entity::*;
use super::silence::Silence;
use crate::domain::delivery::Status;
use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::level::Level;
use crate::domain::time::EngineTime;
use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use ulid::Ulid;

/// Whose time it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    Delivery(DeliveryId),
    /// Stands in a list of its own, see `Index::incident_timers`.
    Incident(IncidentId),
    Silence(String),
    Sound(String, DeliveryId),
}

/// Suspects last; priority, then time of acceptance, then tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueKey {
    pub suspect: bool,
    pub level: Reverse<Level>,
    pub order: u64,
    pub rank: u32,
    pub id: DeliveryId,
}

/// Sets by name; a name whose set is empty is not there.
type Sets<K, V> = BTreeMap<K, BTreeSet<V>>;

#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::engine) struct Index {
    /// When an incident goes on; there may be very many, and from the incident follows where it stands here.
    pub incident_timers: BTreeSet<(EngineTime, IncidentId)>,
    /// Of all else.
    pub timers: BTreeSet<(EngineTime, Timer)>,
    /// When silences and sounds stand there; of a delivery it follows from the delivery.
    pub due: HashMap<Timer, EngineTime>,
    /// By channel: ready, or waiting without a time of its own; the first one is next.
    pub queues: Sets<String, QueueKey>,
    /// By channel: resting until a time of its own.
    pub resting: Sets<String, DeliveryId>,
    /// By channel: waiting for that one or for another of the same chain.
    pub hoping: Sets<String, DeliveryId>,
    /// By channel: attempts under way.
    pub in_flight: Sets<String, DeliveryId>,
    /// How many have not ended, by channel and status.
    pub counts: BTreeMap<String, BTreeMap<Status, usize>>,
    /// All that have not ended.
    pub pending: BTreeSet<DeliveryId>,
    pub pending_by_incident: BTreeSet<(IncidentId, DeliveryId)>,
    pub scheduled: BTreeSet<DeliveryId>,
    /// In flight at two crashes in a row.
    pub suspects: BTreeSet<DeliveryId>,
    /// Dead letters; of how many bytes of text; and of which incidents.
    pub dead: BTreeSet<DeliveryId>,
    pub dead_bytes: u64,
    pub dead_by_incident: BTreeSet<(IncidentId, DeliveryId)>,
    /// Bytes of what messages and incidents say.
    pub text_bytes: u64,
    /// Not resolved, all but those of alerts.
    pub by_fingerprint: HashMap<Box<str>, IncidentId>,
    pub numbers: BTreeMap<u64, IncidentId>,
    /// Alerts from outside whose incident is not resolved, by fingerprint.
    pub alerts: BTreeMap<u64, IncidentId>,
    /// When an idempotency key may be forgotten.
    pub keys: BTreeSet<(EngineTime, String)>,
}

fn add<K: Ord, V: Ord>(sets: &mut Sets<K, V>, key: K, value: V) {
    sets.entry(key).or_default().insert(value);
}

/// Those of one incident.
pub fn of_incident(all: &BTreeSet<(IncidentId, DeliveryId)>, incident: IncidentId) -> impl Iterator<Item = DeliveryId> {
    let (first, last) = (DeliveryId(Ulid(0)), DeliveryId(Ulid(u128::MAX)));
    all.range((incident, first)..=(incident, last)).map(|(_, id)| *id)
}

fn remove<K: Ord + Borrow<Q>, V: Ord, Q: Ord + ?Sized>(sets: &mut Sets<K, V>, key: &Q, value: &V) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            sets.remove(key);
        }
    }
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

    pub fn add_delivery(&mut self, d: &Delivery) {
        self.text_bytes += d.text_bytes();
        delivery_due(d).map(|due| self.timers.insert((due, Timer::Delivery(d.id))));
        if is_dead_letter(d) {
            self.add_dead_letter(d);
        }
        if d.status.is_end() {
            return;
        }
        self.pending.insert(d.id);
        if d.is_suspect() {
            self.suspects.insert(d.id);
        }
        if let Some(incident) = d.incident {
            self.pending_by_incident.insert((incident, d.id));
        }
        let channel = d.channel().to_owned();
        *self.counts.entry(channel.clone()).or_default().entry(d.status).or_default() += 1;
        match d.status {
            Status::Sending => add(&mut self.in_flight, channel, d.id),
            Status::Scheduled => {
                self.scheduled.insert(d.id);
            }
            _ if is_queued(d) => add(&mut self.queues, channel, queue_key(d)),
            _ if is_resting(d) => add(&mut self.resting, channel, d.id),
            _ => {}
        }
        if d.status == Status::Waiting {
            for way in &d.chain {
                add(&mut self.hoping, way.clone(), d.id);
            }
        }
    }

    pub fn remove_delivery(&mut self, d: &Delivery) {
        self.text_bytes -= d.text_bytes();
        delivery_due(d).map(|due| self.timers.remove(&(due, Timer::Delivery(d.id))));
        if is_dead_letter(d) {
            self.remove_dead_letter(d);
        }
        self.pending.remove(&d.id);
        self.scheduled.remove(&d.id);
        self.suspects.remove(&d.id);
        if d.status.is_end() {
            return;
        }
        if let Some(incident) = d.incident {
            self.pending_by_incident.remove(&(incident, d.id));
        }
        self.uncount(d);
        remove(&mut self.in_flight, d.channel(), &d.id);
        remove(&mut self.queues, d.channel(), &queue_key(d));
        remove(&mut self.resting, d.channel(), &d.id);
        for way in &d.chain {
            remove(&mut self.hoping, way, &d.id);
        }
    }

    fn add_dead_letter(&mut self, d: &Delivery) {
        if self.dead.insert(d.id) {
            self.dead_bytes += d.weight;
        }
        if let Some(incident) = d.incident {
            self.dead_by_incident.insert((incident, d.id));
        }
    }

    fn remove_dead_letter(&mut self, d: &Delivery) {
        if self.dead.remove(&d.id) {
            self.dead_bytes = self.dead_bytes.saturating_sub(d.weight);
        }
        if let Some(incident) = d.incident {
            self.dead_by_incident.remove(&(incident, d.id));
        }
    }

    fn uncount(&mut self, d: &Delivery) {
        let Some(of_channel) = self.counts.get_mut(d.channel()) else { return };
        if let Some(count) = of_channel.get_mut(&d.status) {
            *count = count.saturating_sub(1);
        }
        of_channel.retain(|_, count| *count > 0);
        if of_channel.is_empty() {
            self.counts.remove(d.channel());
        }
    }

    pub fn add_incident(&mut self, i: &Incident) {
        self.numbers.insert(i.number, i.id);
        if i.is_live() {
            match alert_of(&i.fingerprint) {
                Some(alert) => drop(self.alerts.insert(alert, i.id)),
                None => drop(self.by_fingerprint.insert(i.fingerprint.clone(), i.id)),
            }
        }
        self.incident_changed(i, None);
    }

    /// One that was added, and was due then. Its number and fingerprint are for ever.
    pub fn incident_changed(&mut self, i: &Incident, was_due: Option<EngineTime>) {
        let due = incident_due(i);
        if due != was_due {
            was_due.map(|was| self.incident_timers.remove(&(was, i.id)));
            due.map(|due| self.incident_timers.insert((due, i.id)));
        }
        if i.is_live() {
            return;
        }
        match alert_of(&i.fingerprint) {
            Some(alert) if self.alerts.get(&alert) == Some(&i.id) => drop(self.alerts.remove(&alert)),
            None if self.by_fingerprint.get(&i.fingerprint) == Some(&i.id) => {
                self.by_fingerprint.remove(&i.fingerprint);
            }
            _ => {}
        }
    }

    pub fn remove_incident(&mut self, i: &Incident) {
        self.numbers.remove(&i.number);
        incident_due(i).map(|due| self.incident_timers.remove(&(due, i.id)));
    }

    pub fn add_silence(&mut self, s: &Silence) {
        let due = (!s.expired).then_some(if s.begun { s.ends } else { s.starts });
        self.set_timer(Timer::Silence(s.id.clone()), due);
    }
}

/// When a delivery wants to be looked at.
fn delivery_due(d: &Delivery) -> Option<EngineTime> {
    match d.status {
        Status::Scheduled | Status::Submitted | Status::Backoff | Status::Waiting | Status::Unknown => {
            Some(d.until.map_or(d.expires, |u| u.min(d.expires)))
        }
        Status::Ready => Some(d.expires),
        _ => None,
    }
}

/// It ended dead, and nobody has given it up.
fn is_dead_letter(d: &Delivery) -> bool {
    d.status == Status::Dead && !d.dropped
}

/// In a channel's queue: ready, or waiting for the channel without a time of its own.
fn is_queued(d: &Delivery) -> bool {
    d.status == Status::Ready || (d.status == Status::Waiting && d.until.is_none())
}

/// It has a time of its own at which it tries again.
fn is_resting(d: &Delivery) -> bool {
    matches!(d.status, Status::Backoff | Status::Waiting) && d.until.is_some()
}

fn queue_key(d: &Delivery) -> QueueKey {
    QueueKey { suspect: d.is_suspect(), level: Reverse(d.level), order: d.order, rank: d.rank, id: d.id }
}

/// Its next step, or the end of an alert that is not reported again; whichever comes first.
pub fn incident_due(i: &Incident) -> Option<EngineTime> {
    let lapse = i.alert.as_ref().filter(|_| i.is_live()).map(|a| a.due);
    next_due(i).into_iter().chain(lapse).min()
}

/// What is silenced has nothing due, and what is acknowledged only its own withdrawal.
fn next_due(i: &Incident) -> Option<EngineTime> {
    let next = i.next?;
    let wanted = match i.status {
        IncidentStatus::Open => i.silenced_by.is_none(),
        IncidentStatus::Acknowledged => next.what == crate::domain::event::NextWhat::Restart,
        IncidentStatus::Resolved => false,
    };
    wanted.then_some(next.due)
}

impl State {
    /// Makes every index anew; after a snapshot was read.
    pub fn reindex(&mut self) {
        self.index = self.derived();
    }

    /// The index as it follows from the facts.
    pub(in crate::engine) fn derived(&self) -> Index {
        let mut index = Index::default();
        self.deliveries.values().for_each(|d| index.add_delivery(d));
        let contents = self.notifications.values().map(|n| &n.content);
        index.text_bytes += contents.map(|content| content.bytes()).sum::<u64>();
        index.text_bytes += self.incidents.values().map(Incident::text_bytes).sum::<u64>();
        self.incidents.values().for_each(|i| index.add_incident(i));
        self.silences.values().for_each(|s| index.add_silence(s));
        for (channel, sounds) in &self.sounding {
            for (id, s) in sounds {
                index.set_timer(Timer::Sound(channel.clone(), *id), Some(s.until));
            }
        }
        let keys = self.idempotency.iter().filter_map(|(key, r)| Some((r.forget_at?, key.clone())));
        index.keys = keys.collect();
        index
    }
}
