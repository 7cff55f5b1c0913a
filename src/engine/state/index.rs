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
pub(super) type Sets<K, V> = BTreeMap<K, BTreeSet<V>>;

#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::engine) struct Index {
    /// When an incident goes on, by its number, which takes half the room of its id; there may be very many, and from
    /// the incident follows where it stands here.
    pub incident_timers: BTreeSet<(EngineTime, u64)>,
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

/// Those of one incident.
pub fn of_incident(all: &BTreeSet<(IncidentId, DeliveryId)>, incident: IncidentId) -> impl Iterator<Item = DeliveryId> {
    let (first, last) = (DeliveryId(Ulid(0)), DeliveryId(Ulid(u128::MAX)));
    all.range((incident, first)..=(incident, last)).map(|(_, id)| *id)
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
            was_due.map(|was| self.incident_timers.remove(&(was, i.number)));
            due.map(|due| self.incident_timers.insert((due, i.number)));
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
        incident_due(i).map(|due| self.incident_timers.remove(&(due, i.number)));
    }

    pub fn add_silence(&mut self, s: &Silence) {
        let due = (!s.expired).then_some(if s.begun { s.ends } else { s.starts });
        self.set_timer(Timer::Silence(s.id.clone()), due);
    }
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
