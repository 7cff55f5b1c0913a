//! The number of the incident that an entry is about, for entries that only know ids.

use super::Api;
use super::history::{Entry, Key, Thing};
use crate::engine::{Caller, Read};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use ulid::Ulid;

/// Incident numbers by id of incident or delivery.
#[derive(Debug, Default)]
pub struct Numbers(HashMap<Ulid, u64>);

impl Numbers {
    /// Finds what these entries need: at the engine first, then among the documents.
    pub async fn of(api: &Api, by: &Caller, entries: &[Entry]) -> Numbers {
        let subjects: HashSet<Subject> = entries.iter().filter_map(subject).collect();
        if subjects.is_empty() {
            return Numbers::default();
        }
        let ids = subjects.iter().map(|s| s.id()).collect();
        let live = api.read(by, Read::Numbers(ids)).await.unwrap_or_default();
        let mut numbers = HashMap::new();
        for subject in subjects {
            let number = match live[subject.id().to_string()].as_u64() {
                Some(number) => Some(number),
                None => subject.number_in_documents(api).await,
            };
            numbers.extend(number.map(|n| (subject.id(), n)));
        }
        Numbers(numbers)
    }

    pub fn number(&self, entry: &Entry) -> Option<u64> {
        subject(entry).and_then(|s| self.0.get(&s.id()).copied())
    }
}

/// By what an entry leads to its incident.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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

    async fn number_in_documents(self, api: &Api) -> Option<u64> {
        let (thing, field) = match self {
            Subject::Incident(_) => (Thing::Incident, "number"),
            Subject::Delivery(_) => (Thing::Delivery, "incident"),
        };
        api.history.find(thing, Key::Id(self.id())).await.ok()??[field].as_u64()
    }
}

/// `None` when its number is in it, or it is about no incident.
fn subject(entry: &Entry) -> Option<Subject> {
    let fields = entry.to_json(&TimeZone::UTC);
    let id = |name: &str| fields.get(name).and_then(Value::as_str).and_then(|id| Ulid::from_string(id).ok());
    let is = |prefix: &str| entry.kind.starts_with(prefix);
    if fields.contains_key("number") {
        return None;
    }
    if is("incident_") {
        return id("id").map(Subject::Incident);
    }
    let own = || id("id").filter(|_| is("delivery_") || is("dead_letter_"));
    id("incident").map(Subject::Incident).or_else(|| id("delivery").or_else(own).map(Subject::Delivery))
}
