//! The ledger's history as the API asks for it.

use super::Store;
use crate::api::history::{Entry, Facts, Filter, History, Key, Page, Tally, Thing, Verified};
use crate::domain::clock;
use crate::domain::delivery::Status;
use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::time::Timestamp;
use crate::engine::{Code, Refusal};
use crate::ledger::history::{DocumentQuery, Entry as Written, EntryQuery, HistoryError, Phase};
use crate::ledger::{DocumentKind, history};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use ulid::Ulid;

impl History for Store {
    fn query(&self, filter: Filter) -> BoxFuture<'_, Result<Page, Refusal>> {
        Box::pin(async move {
            let query = EntryQuery {
                from_seq: filter.after_seq + 1,
                since: filter.since,
                until: filter.until,
                kinds: filter.kinds,
                incident: filter.incident.map(IncidentId),
                delivery: filter.delivery.map(DeliveryId),
                newest_first: false,
                limit: filter.limit,
                ..EntryQuery::default()
            };
            let page = self.ledger.history().entries(query).await.map_err(refusal)?;
            // Oldest first: a page's cursor is the last event that was looked at.
            Ok(Page { entries: page.entries.into_iter().map(entry).collect(), next: page.next_cursor })
        })
    }

    fn stats(&self, since: Option<Timestamp>) -> BoxFuture<'_, Result<BTreeMap<String, Tally>, Refusal>> {
        Box::pin(async move {
            let stats = self.ledger.history().stats(since.unwrap_or_default(), clock::wall()).await.map_err(refusal)?;
            Ok(stats.by_channel.into_iter().map(|(channel, by_status)| (channel, tally(by_status))).collect())
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Verified, Refusal>> {
        let verified = tokio::task::block_in_place(|| self.ledger.verify(&[]));
        Box::pin(async move {
            let verified = verified.map_err(|e| Refusal::new(Code::FinalFailure, e.to_string()))?;
            *self.verified_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock::wall());
            let faults = verified.faults.iter().map(ToString::to_string).collect();
            Ok(Verified { ok: verified.ok, events: verified.events, head: verified.head.to_string(), faults })
        })
    }

    fn find(&self, thing: Thing, by: Key) -> BoxFuture<'_, Result<Option<Value>, Refusal>> {
        Box::pin(async move {
            let history = self.ledger.history();
            let found = match (thing, by) {
                (Thing::Incident, Key::Number(number)) => history.incident(number).await,
                (Thing::Incident, Key::Id(id)) => history.document(DocumentKind::Incident, id).await,
                (Thing::Delivery, Key::Number(_)) => return Ok(None),
                (Thing::Delivery, Key::Id(id)) => {
                    let notification = history.notification_of(id).await.map_err(refusal)?;
                    return Ok(notification.and_then(|json| delivery_in(&json, id)));
                }
            };
            Ok(found.map_err(refusal)?.and_then(|json| serde_json::from_str(&json).ok()))
        })
    }

    fn older(&self, thing: Thing, before: Option<Ulid>, limit: usize) -> BoxFuture<'_, Result<Vec<Value>, Refusal>> {
        Box::pin(async move {
            let kind = match thing {
                Thing::Incident => DocumentKind::Incident,
                Thing::Delivery => DocumentKind::Notification,
            };
            let query = DocumentQuery { kind, before, ending: None, limit };
            let found = self.ledger.history().documents(query).await.map_err(refusal)?.found;
            let documents = found.iter().filter_map(|(_, json)| serde_json::from_str::<Value>(json).ok());
            Ok(match thing {
                Thing::Incident => documents.collect(),
                Thing::Delivery => documents.flat_map(|n| deliveries_of(n).into_iter().rev()).take(limit).collect(),
            })
        })
    }

    fn facts(&self) -> Facts {
        let (durable, history) = (self.ledger.durable(), self.ledger.history());
        let rebuilding = match history.phase() {
            Phase::Ready => None,
            Phase::Opening => Some("it is being opened".to_owned()),
            Phase::Rebuilding { applied, of } => Some(format!("{applied} of {of} events are in")),
            Phase::Unavailable(words) => Some(words),
        };
        Facts {
            events: durable.seq,
            head: durable.hash.to_string(),
            durable_seq: durable.seq,
            applied_seq: history.applied_seq(),
            verified_at: *self.verified_at.lock().unwrap_or_else(PoisonError::into_inner),
            rebuilding,
        }
    }
}

fn refusal(error: HistoryError) -> Refusal {
    Refusal::new(Code::Rebuilding, error.to_string()).retry_after(1)
}

fn entry(written: Written) -> Entry {
    let event = written.event();
    let Written { seq, at, by, recorded_late, hash, .. } = written;
    Entry { seq, at, by, late: recorded_late, hash: hash.to_string(), event }
}

fn tally(by_status: BTreeMap<String, history::Tally>) -> Tally {
    let mut tally = Tally::default();
    for (status, counted) in by_status {
        tally.seconds += counted.took.as_secs_f64();
        tally.timed += u64::try_from(counted.timed).unwrap_or(0);
        for (currency, millionths) in counted.cost {
            *tally.cost.entry(currency).or_default() += millionths;
        }
        if Status::parse(&status).is_some_and(Status::is_end) {
            tally.ended.insert(status, u64::try_from(counted.n).unwrap_or(0));
        }
    }
    tally
}

fn deliveries_of(mut notification: Value) -> Vec<Value> {
    match notification["deliveries"].take() {
        Value::Array(deliveries) => deliveries,
        _ => Vec::new(),
    }
}

fn delivery_in(json: &str, id: Ulid) -> Option<Value> {
    let wanted = id.to_string();
    let notification: Value = serde_json::from_str(json).ok()?;
    deliveries_of(notification).into_iter().find(|d| d["id"].as_str() == Some(&wanted))
}
