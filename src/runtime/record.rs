//! What the history keeps beside the events of a frame: documents of what ended, and counters.

use crate::config::Config;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Frame, Priced};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::time::Timestamp;
use crate::engine::{Engine, State};
use crate::ledger::extract::{
    Charge, ChargeSum, Charged, Cost, Count, Document, DocumentKind, Extract, Extractor, Json, MakeExtractor,
};
use crate::ledger::fold::{Fold, MakeFold};
use crate::ledger::snapshot::Snapshot;
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};
use std::io::{self, Write};
use std::sync::Arc;
use ulid::Ulid;

/// What follows from a frame whose events the engine's state has folded already.
pub fn extract(engine: &mut Engine, frame: &Frame) -> Extract {
    let mut extract = Extract::default();
    let mut ended: BTreeSet<NotificationId> = BTreeSet::new();
    let mut incidents: BTreeSet<IncidentId> = BTreeSet::new();
    for event in &frame.events {
        match &event.head {
            EventKind::NotificationAccepted { id, .. } => {
                ended.insert(*id);
            }
            EventKind::DeliveryCreated { chain, status, .. } => {
                let channel = chain.first().cloned().unwrap_or_default();
                extract.counts.push(one(frame.at, &channel, "created"));
                if status.is_end() {
                    extract.counts.push(one(frame.at, &channel, status.as_str()));
                }
            }
            EventKind::DeliveryEnded { id, status, .. } => {
                count_end(&engine.state, frame.at, *id, *status, &mut extract);
                ended.extend(engine.state.deliveries.get(id).map(|d| d.notification));
            }
            EventKind::DeliveryPriced(priced) => {
                charge(frame.at, priced, &mut extract);
                // What ended is shown with its price.
                ended.extend(engine.state.deliveries.get(&priced.id).map(|d| d.notification));
            }
            EventKind::DeadLetterRequeued { id } => take_back(&engine.state, frame.at, *id, &mut extract),
            EventKind::DeadLetterDropped { id } => {
                ended.extend(engine.state.deliveries.get(id).map(|d| d.notification));
            }
            EventKind::IncidentResolved { id, .. } => {
                incidents.insert(*id);
            }
            _ => {}
        }
    }
    add_documents(engine, frame, ended, incidents, &mut extract);
    extract
}

fn add_documents(
    engine: &mut Engine,
    frame: &Frame,
    ended: BTreeSet<NotificationId>,
    mut incidents: BTreeSet<IncidentId>,
    extract: &mut Extract,
) {
    for id in ended {
        let Some(n) = engine.state.notifications.get(&id).filter(|n| n.open == 0) else { continue };
        let parts = n.deliveries.iter().map(|d| d.0).collect();
        incidents.extend(n.origin.incident());
        if let Some(make) = engine.notification_document(frame.at, id) {
            let json = Json::later(make);
            extract.documents.push(Document { kind: DocumentKind::Notification, id: id.0, number: None, parts, json });
        }
    }
    for id in incidents {
        let Some(number) = engine.state.incidents.get(&id).filter(|i| !i.is_live()).map(|i| i.number) else { continue };
        if let Some(json) = engine.incident_document(frame, id) {
            let parts = Vec::new();
            extract.documents.push(Document {
                kind: DocumentKind::Incident,
                id: id.0,
                number: Some(number),
                parts,
                json: json.into(),
            });
        }
    }
}

fn one(at: Timestamp, channel: &str, status: &str) -> Count {
    Count { at, channel: channel.to_owned(), status: status.to_owned(), n: 1, took: None, cost: None }
}

fn count_end(state: &State, at: Timestamp, id: DeliveryId, status: Status, extract: &mut Extract) {
    let Some(d) = state.deliveries.get(&id) else { return };
    let channel = d.chain.first().map_or("", String::as_str);
    let took = matches!(status, Status::Delivered | Status::Sent).then(|| at - d.created_at);
    extract.counts.push(Count { took, ..one(at, channel, status.as_str()) });
}

/// By day and tenant, and by the hour like all else.
fn charge(at: Timestamp, priced: &Priced, extract: &mut Extract) {
    let before = priced.instead.as_ref();
    let first = before.is_none();
    for (place, change) in priced.changes().into_iter().enumerate() {
        let (amount, currency) = (change.amount, change.currency);
        let cost = Some(Cost { currency: currency.clone(), millionths: amount.0 });
        extract.counts.push(Count { cost, ..one(at, &priced.channel, "charged") });
        let same = before.filter(|b| b.money.currency == currency).map_or(0, |b| i64::from(b.segments));
        let segments = if place == 0 { i64::from(priced.segments) } else { 0 } - same;
        extract.charges.push(Charge {
            of: Charged {
                day: priced.day.clone(),
                tenant: priced.tenant.clone().unwrap_or_default(),
                channel: priced.channel.clone(),
                provider: priced.provider.clone(),
                currency,
            },
            sum: ChargeSum { messages: i64::from(first), segments, millionths: amount.0 },
        });
    }
}

/// A requeued dead letter is no failure any more.
fn take_back(state: &State, at: Timestamp, id: DeliveryId, extract: &mut Extract) {
    let Some(d) = state.deliveries.get(&id) else { return };
    let channel = d.chain.first().map_or("", String::as_str);
    extract.counts.push(Count { n: -1, ..one(at, channel, Status::Dead.as_str()) });
}

/// Folds the journal again, for a history that has to catch up.
pub fn extractor(config: Arc<Config>) -> MakeExtractor {
    Arc::new(move |snapshot: Option<&Snapshot>| {
        let state = match snapshot {
            Some(snapshot) => read_state(snapshot)?,
            None => State::default(),
        };
        let engine = Engine::new(state, config.clone(), env!("CARGO_PKG_VERSION"));
        Ok(Box::new(Folding { engine }) as Box<dyn Extractor>)
    })
}

struct Folding {
    engine: Engine,
}

impl Extractor for Folding {
    fn extract(&mut self, frame: &Frame) -> Extract {
        self.engine.replay(frame);
        extract(&mut self.engine, frame)
    }
}

/// Folds the state for a snapshot, beside the engine.
pub fn state_fold() -> MakeFold {
    Arc::new(|snapshot: Option<&Snapshot>| {
        let mut state = snapshot.map_or_else(|| Ok(State::default()), read_state)?;
        state.reindex();
        Ok(Box::new(Beside { state, told: OnceCell::new() }) as Box<dyn Fold>)
    })
}

struct Beside {
    state: State,
    /// See [`State::told_of_live`]; of the state as it was when that was asked for first.
    told: OnceCell<HashSet<Ulid>>,
}

impl Fold for Beside {
    fn fold(&mut self, frame: &Frame) {
        self.told.take();
        self.state.fold(frame);
    }

    fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.state.frozen().write(out)
    }

    fn is_open(&self, id: Ulid) -> bool {
        self.state.is_open(id) || self.told.get_or_init(|| self.state.told_of_live()).contains(&id)
    }

    fn erase(&mut self, ids: &[Ulid]) {
        let (notifications, deliveries) = self.state.with_texts(ids);
        self.state.erase_texts(&notifications, &deliveries);
        let inbound = self.state.inbox.ids_among(ids);
        self.state.inbox.erase(&inbound);
    }

    fn forget_texts(&mut self) {
        self.state.forget_texts();
    }

    fn oldest_text(&self) -> Option<u64> {
        self.state.oldest_text()
    }
}

/// The state in a snapshot.
///
/// # Errors
/// A sentence, when it is not one.
pub fn read_state(snapshot: &Snapshot) -> Result<State, String> {
    let read = snapshot.read().map_err(|e| e.to_string()).and_then(|mut body| State::read(&mut body));
    read.map_err(|e| format!("the snapshot's state cannot be read: {e}"))
}
