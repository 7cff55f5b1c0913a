//! The number of the incident that an entry is about, for entries that only know ids.

use super::Api;
use super::history::{Entry, Key, Thing};
use crate::domain::event::EventKind;
use crate::engine::{Caller, Read};
use std::collections::{HashMap, HashSet};
use ulid::Ulid;

/// What is remembered over the pages of one long reading.
const REMEMBERED: usize = 20_000;

/// Incident numbers by id of incident, notification or delivery.
#[derive(Debug, Default)]
pub struct Numbers(HashMap<Ulid, Option<u64>>);

impl Numbers {
    /// Finds what these entries need, at the engine first, then among the documents.
    pub async fn learn(&mut self, api: &Api, by: &Caller, entries: &[Entry]) {
        if self.0.len() > REMEMBERED {
            self.0.clear();
        }
        for entry in entries {
            if let EventKind::IncidentOpened { id, number, .. } = &entry.event.head {
                self.0.insert(id.0, Some(*number));
            }
        }
        let unknown: HashSet<Ulid> = entries
            .iter()
            .filter_map(|e| subject(&e.event.head))
            .map(Subject::id)
            .filter(|id| !self.0.contains_key(id))
            .collect();
        if unknown.is_empty() {
            return;
        }
        let live = api.read(by, Read::Numbers(unknown.iter().copied().collect())).await.unwrap_or_default();
        let live = |id: Ulid| live[id.to_string()].as_u64();
        for entry in entries {
            let Some(subject) = subject(&entry.event.head) else { continue };
            let id = subject.id();
            if self.0.contains_key(&id) {
                continue;
            }
            let number = match live(id) {
                Some(number) => Some(number),
                None => in_documents(api, subject).await,
            };
            self.0.insert(id, number);
        }
    }

    pub fn of(&self, entry: &Entry) -> Option<u64> {
        subject(&entry.event.head).and_then(|s| self.0.get(&s.id()).copied().flatten())
    }
}

async fn in_documents(api: &Api, subject: Subject) -> Option<u64> {
    let (thing, id, field) = match subject {
        Subject::Incident(id) => (Thing::Incident, id, "number"),
        Subject::Delivery(id) => (Thing::Delivery, id, "incident"),
    };
    api.history.find(thing, Key::Id(id)).await.ok()??[field].as_u64()
}

/// By what an entry leads to its incident.
#[derive(Clone, Copy)]
enum Subject {
    Incident(Ulid),
    Delivery(Ulid),
}

impl Subject {
    fn id(self) -> Ulid {
        match self {
            Subject::Incident(id) | Subject::Delivery(id) => id,
        }
    }
}

fn subject(head: &EventKind) -> Option<Subject> {
    use EventKind::*;
    match head {
        IncidentOpened { id, .. }
        | IncidentRepeated { id }
        | IncidentRaised { id, .. }
        | IncidentStepped { id, .. }
        | IncidentReminded { id, .. }
        | IncidentAcknowledged { id, .. }
        | IncidentUnacknowledged { id, .. }
        | IncidentSnoozed { id, .. }
        | IncidentSilenced { id, .. }
        | IncidentUnsilenced { id, .. }
        | IncidentResolved { id, .. } => Some(Subject::Incident(id.0)),
        NotificationAccepted { origin, .. } => origin.incident().map(|id| Subject::Incident(id.0)),
        DeliveryCreated { incident, .. } | SoundStarted { incident, .. } => incident.map(|id| Subject::Incident(id.0)),
        AttemptStarted { delivery, .. } | AttemptFinished { delivery, .. } | SoundStopped { delivery, .. } => {
            Some(Subject::Delivery(delivery.0))
        }
        DeliveryMoved { id, .. }
        | DeliveryEnded { id, .. }
        | DeliveryReported { id, .. }
        | DeliveryPriced { id, .. }
        | DeadLetterRequeued { id }
        | DeadLetterDropped { id } => Some(Subject::Delivery(id.0)),
        _ => None,
    }
}
