//! The past, answered from the ledger.

use super::history::{
    Charges, Counted, Erased, Facts, Format, History, Key, Link, Older, Page, Person, Tally, Thing, Tip, Verified,
};
use super::params::ROWS;
use crate::domain::clock;
use crate::domain::delivery::Status;
use crate::domain::event::Place;
use crate::domain::time::Timestamp;
use crate::engine::{Code, Refusal, asked_into};
use crate::ledger::export::Export;
use crate::ledger::history::{DocumentQuery, EntryQuery, HistoryError, Phase, Shortened};
use crate::ledger::{DocumentKind, Ledger};
use crate::message::links::Links;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use ulid::Ulid;

/// The documents are those that the engine shows: an incident, or a notification with its deliveries.
pub struct Record {
    ledger: Arc<Ledger>,
    zone: TimeZone,
    /// What links to attachments are signed with; without it there are none.
    links: Option<Links>,
    verified_at: Mutex<Option<Timestamp>>,
}

impl Record {
    /// `zone` is for the times in exports.
    pub fn new(ledger: Arc<Ledger>, zone: TimeZone, links: Option<Links>) -> Record {
        Record { ledger, zone, links, verified_at: Mutex::new(None) }
    }

    /// Runs what blocks on a thread that may.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Ledger) -> Result<T, String> + Send + 'static,
    ) -> Result<T, Refusal> {
        let ledger = self.ledger.clone();
        match tokio::task::spawn_blocking(move || work(&ledger)).await {
            Ok(done) => done.map_err(|words| Refusal::new(Code::FinalFailure, words)),
            Err(_) => Err(Refusal::new(Code::FinalFailure, "reading the ledger failed inside (a bug in stentor)")),
        }
    }

    /// The id instead of the end of one; `None`: nothing has it, or more than one.
    async fn whole(&self, thing: Thing, by: Key) -> Result<Option<Key>, HistoryError> {
        let (of, ending) = match (thing, by) {
            (Thing::Incident, Key::Ending(ending)) => (Shortened::Incident, ending),
            (Thing::Delivery, Key::Ending(ending)) => (Shortened::Delivery, ending),
            (Thing::Notification, Key::Ending(ending)) => (Shortened::Notification, ending),
            (_, by) => return Ok(Some(by)),
        };
        Ok(self.ledger.history().ending(of, ending).await?.map(Key::Id))
    }

    async fn document(&self, kind: DocumentKind, by: Key) -> Result<Option<Value>, HistoryError> {
        let history = self.ledger.history();
        let json = match (kind, by) {
            (DocumentKind::Incident, Key::Id(id)) => history.document(kind, id).await?,
            (DocumentKind::Incident, Key::Number(number)) => history.incident(number).await?,
            (DocumentKind::Notification, Key::Id(id)) => history.document(kind, id).await?,
            (DocumentKind::Notification, _) | (DocumentKind::Incident, Key::Ending(_)) => None,
        };
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }
}

impl History for Record {
    fn entries(&self, query: EntryQuery) -> BoxFuture<'_, Result<Page, Refusal>> {
        Box::pin(async { self.ledger.history().entries(query).await.map_err(refusal) })
    }

    fn stats(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> BoxFuture<'_, Result<Counted, Refusal>> {
        Box::pin(async move {
            let until = until.unwrap_or_else(clock::wall);
            let stats = self.ledger.history().stats(since.unwrap_or_default(), until).await.map_err(refusal)?;
            let channels = stats.by_channel.into_iter();
            Ok(Counted {
                from: since.map(|_| stats.from),
                by_channel: channels.map(|(channel, statuses)| (channel, tally(statuses))).collect(),
            })
        })
    }

    fn charges(&self, days: RangeInclusive<String>) -> BoxFuture<'_, Result<Charges, Refusal>> {
        Box::pin(async { self.ledger.history().charges(days).await.map_err(refusal) })
    }

    fn verify(&self, anchors: Vec<Tip>) -> BoxFuture<'_, Result<Verified, Refusal>> {
        Box::pin(async {
            let verified = self.aside(move |ledger| ledger.examine(&anchors).map_err(|e| e.to_string())).await?;
            *self.verified_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock::wall());
            Ok(verified)
        })
    }

    fn text(&self, place: Place) -> BoxFuture<'_, Result<String, Refusal>> {
        Box::pin(async move { self.aside(move |ledger| ledger.text(&place)).await })
    }

    fn has_room(&self, bytes: u64) -> BoxFuture<'_, bool> {
        // Who cannot be asked is no reason to refuse anything.
        Box::pin(async move { self.aside(move |ledger| Ok(ledger.has_room(bytes))).await.unwrap_or(true) })
    }

    fn attachment(&self, link: Link) -> BoxFuture<'_, Result<Vec<u8>, Refusal>> {
        Box::pin(async move {
            let Link { id, name, expires, signature } = link;
            let now = clock::wall().0.div_euclid(1_000_000);
            let not_found = |words: &str| Refusal::new(Code::NotFound, words);
            let links = self.links.as_ref().ok_or_else(|| not_found("there are no links here"))?;
            let target = links.check(&id, &name, expires, &signature, now).map_err(not_found)?;
            let found = self.aside(move |ledger| ledger.blob(target.seq, &target.hash)).await?;
            found.ok_or_else(|| not_found("the attachment is not kept any more"))
        })
    }

    fn export(&self, format: Format, mut out: Box<dyn Write + Send>) -> BoxFuture<'_, Result<(), Refusal>> {
        let what = Export { format, zone: self.zone.clone(), since: None, until: None, through: None };
        Box::pin(async move {
            self.aside(move |ledger| {
                let exported = ledger.export(&what, &mut out).map_err(|e| e.to_string())?;
                match exported.faults.first() {
                    // Whoever reads it is not to take it for all of it.
                    Some(first) => Err(format!("the ledger is damaged, and this is not all of it: {first}")),
                    None => Ok(()),
                }
            })
            .await
        })
    }

    fn backup(&self, mut out: Box<dyn Write + Send>) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(
            async move { self.aside(move |ledger| ledger.backup(&mut out).map(drop).map_err(|e| e.to_string())).await },
        )
    }

    fn erase(&self, mut person: Person, because: String) -> BoxFuture<'_, Result<(Option<Erased>, u64), Refusal>> {
        Box::pin(async move {
            self.aside(move |ledger| {
                let erased = ledger.erase(&mut person, because)?;
                Ok((erased, person.left))
            })
            .await
        })
    }

    fn recorded(&self) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(async { self.aside(|ledger| ledger.recorded().map_err(|e| e.to_string())).await })
    }

    fn find(&self, thing: Thing, by: Key) -> BoxFuture<'_, Result<Option<Value>, Refusal>> {
        Box::pin(async move {
            let Some(by) = self.whole(thing, by).await.map_err(refusal)? else { return Ok(None) };
            match (thing, by) {
                (Thing::Incident, by) => self.document(DocumentKind::Incident, by).await.map_err(refusal),
                (Thing::Delivery, Key::Id(id)) => {
                    let json = self.ledger.history().notification_of(id).await.map_err(refusal)?;
                    let notification = json.and_then(|json| serde_json::from_str(&json).ok());
                    let wanted = id.to_string();
                    Ok(notification.and_then(|n| deliveries(n).into_iter().find(|d| d["id"] == *wanted)))
                }
                (Thing::Notification, by) => self.document(DocumentKind::Notification, by).await.map_err(refusal),
                (Thing::Delivery, _) => Ok(None),
            }
        })
    }

    fn older(&self, thing: Thing, before: Option<Ulid>) -> BoxFuture<'_, Result<Older, Refusal>> {
        Box::pin(async move {
            let kind = if thing == Thing::Incident { DocumentKind::Incident } else { DocumentKind::Notification };
            let query = DocumentQuery { kind, before, limit: ROWS };
            let page = self.ledger.history().documents(query).await.map_err(refusal)?;
            let found = page.found.into_iter().filter_map(|(_, json)| serde_json::from_str::<Value>(&json).ok());
            let documents = match thing {
                Thing::Incident | Thing::Notification => found.collect(),
                Thing::Delivery => found.flat_map(deliveries).filter(|d| is_before(d, before)).collect(),
            };
            Ok(Older { documents, next: page.next })
        })
    }

    fn facts(&self) -> Facts {
        let durable = self.ledger.durable();
        let unavailable = match self.ledger.history().phase() {
            Phase::Ready => None,
            Phase::Opening => Some("it is being opened".to_owned()),
            Phase::Rebuilding { applied, of } => Some(format!("it is being rebuilt, {applied} of {of} events are in")),
            Phase::Unavailable(words) => Some(words),
        };
        Facts {
            events: durable.seq,
            head: durable.hash.to_string(),
            durable_seq: durable.seq,
            applied_seq: self.ledger.history().applied_seq(),
            verified_at: *self.verified_at.lock().unwrap_or_else(PoisonError::into_inner),
            unavailable,
        }
    }
}

fn deliveries(mut notification: Value) -> Vec<Value> {
    let Value::Array(mut deliveries) = notification["deliveries"].take() else { return Vec::new() };
    deliveries.iter_mut().for_each(|delivery| asked_into(delivery, &notification));
    deliveries
}

fn is_before(document: &Value, before: Option<Ulid>) -> bool {
    let id = document["id"].as_str().and_then(|id| Ulid::from_string(id).ok());
    before.is_none_or(|before| id.is_some_and(|id| id < before))
}

fn tally(statuses: BTreeMap<String, crate::ledger::history::Tally>) -> Tally {
    let mut sum = Tally::default();
    for (status, counted) in statuses {
        for (currency, millionths) in counted.cost {
            *sum.cost.entry(currency).or_default() += millionths;
        }
        if !Status::parse(&status).is_some_and(Status::is_end) {
            continue;
        }
        if counted.n > 0 {
            sum.ended.insert(status, counted.n.unsigned_abs());
        }
        sum.seconds += counted.took.as_secs_f64();
        sum.timed += u64::try_from(counted.timed).unwrap_or_default();
    }
    sum
}

fn refusal(error: HistoryError) -> Refusal {
    let code = match error {
        HistoryError::Rebuilding { .. } | HistoryError::Unavailable(_) => Code::Rebuilding,
        HistoryError::Late | HistoryError::Stopped => Code::Overloaded,
    };
    Refusal::new(code, error.to_string()).retry_after(5)
}
