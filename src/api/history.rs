//! What the API asks of the past. [`super::Record`] answers it from the ledger.

use crate::domain::event::{Event, EventKind, Payload, Place};
use crate::domain::id::Ending;
use crate::domain::time::Timestamp;
use crate::engine::{Code, Refusal};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::RangeInclusive;
use ulid::Ulid;

pub use crate::ledger::export::Format;
pub use crate::ledger::extract::{ChargeSum, Charged};
pub use crate::ledger::history::{Charges, Entry, EntryQuery, Page};
pub use crate::ledger::retention::Person;
pub use crate::ledger::verify::Verified;
pub use crate::ledger::{Erased, Tip};

/// The past, as far as it is durable. Each answer may be REBUILDING (503), and then alarms go on.
pub trait History: Send + Sync {
    /// Everything that was durable when it was asked is in it, also what sled has not got yet.
    fn entries(&self, query: EntryQuery) -> BoxFuture<'_, Result<Page, Refusal>>;

    /// Counters by channel in this time, in whole hours, or of all times.
    fn stats(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> BoxFuture<'_, Result<Counted, Refusal>>;

    /// What was spent on these days (`2026-11-20`, by the daemon's zone), the last one included.
    fn charges(&self, days: RangeInclusive<String>) -> BoxFuture<'_, Result<Charges, Refusal>>;

    /// Reads the whole chain, which must contain these.
    fn verify(&self, anchors: Vec<Tip>) -> BoxFuture<'_, Result<Verified, Refusal>>;

    /// Writes all entries, one a line; an error of `out` ends it.
    fn export(&self, format: Format, out: Box<dyn Write + Send>) -> BoxFuture<'_, Result<(), Refusal>>;

    /// Writes a copy of the files, while they are written on; an error of `out` ends it.
    fn backup(&self, out: Box<dyn Write + Send>) -> BoxFuture<'_, Result<(), Refusal>>;

    /// Removes a person's texts; what was removed, and how many were left because they are still needed.
    fn erase(&self, person: Person, because: String) -> BoxFuture<'_, Result<(Option<Erased>, u64), Refusal>>;

    /// The event of what was removed last is durable.
    fn recorded(&self) -> BoxFuture<'_, Result<(), Refusal>>;

    /// The document of one that ended, as the engine shows it.
    fn find(&self, thing: Thing, by: Key) -> BoxFuture<'_, Result<Option<Value>, Refusal>>;

    /// Documents of ended ones whose id is smaller than `before`, newest (by id) first.
    fn older(&self, thing: Thing, before: Option<Ulid>) -> BoxFuture<'_, Result<Older, Refusal>>;

    /// The whole text at this place of the ledger.
    fn text(&self, place: Place) -> BoxFuture<'_, Result<String, Refusal>> {
        let words = format!("the text of event {} cannot be read here", place.seq);
        Box::pin(async { Err(Refusal::new(Code::NotFound, words)) })
    }

    /// Whether the ledger's disk has room for so many bytes.
    fn has_room(&self, _bytes: u64) -> BoxFuture<'_, bool> {
        Box::pin(async { true })
    }

    /// What a link to an attachment leads to.
    fn attachment(&self, _: Link) -> BoxFuture<'_, Result<Vec<u8>, Refusal>> {
        Box::pin(async { Err(Refusal::new(Code::NotFound, "there are no attachments here")) })
    }

    /// At once, from memory.
    fn facts(&self) -> Facts;
}

/// Counters by channel; they are kept by the hour.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// What ended from then on is in it; `None`: everything.
    pub from: Option<Timestamp>,
    pub by_channel: BTreeMap<String, Tally>,
}

/// What has documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Incident,
    Delivery,
    /// By its id alone.
    Notification,
}

/// A link to an attachment, as it was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: String,
    pub name: String,
    /// Seconds since 1970.
    pub expires: i64,
    pub signature: String,
}

/// By what a document is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Id(Ulid),
    /// An incident's.
    Number(u64),
    /// The end of an id, where no other has it.
    Ending(Ending),
}

/// A page of documents.
#[derive(Clone, Debug, Default)]
pub struct Older {
    pub documents: Vec<Value>,
    /// `before` of the next page; `None`: there is no more.
    pub next: Option<Ulid>,
}

/// Deliveries of one channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// By status; those that have ended.
    pub ended: BTreeMap<String, u64>,
    /// Sum of the times from creation to delivery, and of how many.
    pub seconds: f64,
    pub timed: u64,
    /// Millionths by currency.
    pub cost: BTreeMap<String, i64>,
}

/// What `status` tells of the ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub events: u64,
    /// Hex, of the last durable frame.
    pub head: String,
    pub durable_seq: u64,
    pub applied_seq: u64,
    pub verified_at: Option<Timestamp>,
    /// The history cannot be asked now, and why.
    pub unavailable: Option<String>,
}

/// One event, read from the past or seen as it became durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    pub seq: u64,
    pub at: Timestamp,
    pub head: EventKind,
    pub payload: Option<Payload>,
}

impl Happened {
    pub fn of(entry: &Entry) -> Happened {
        let Event { head, payload } = entry.event();
        let payload = payload.map(|p| *p);
        Happened { seq: entry.seq, at: entry.at, head, payload }
    }
}
