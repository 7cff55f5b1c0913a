//! What the API asks of the ledger's history; whoever starts the daemon brings it.

use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use crate::engine::Refusal;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use ulid::Ulid;

/// The history, as far as it is durable. Each answer may be REBUILDING (503), and then alarms go on.
pub trait History: Send + Sync {
    /// Entries in order of their number. Everything that was durable when it was asked is in it, also
    /// what sled has not got yet.
    fn query(&self, filter: Filter) -> BoxFuture<'_, Result<Page, Refusal>>;

    /// Counters by channel since then, or of all times.
    fn stats(&self, since: Option<Timestamp>) -> BoxFuture<'_, Result<BTreeMap<String, Tally>, Refusal>>;

    /// Reads the whole chain.
    fn verify(&self) -> BoxFuture<'_, Result<Verified, Refusal>>;

    /// The document of one that ended, as the engine's lists show it.
    fn find(&self, thing: Thing, by: Key) -> BoxFuture<'_, Result<Option<Value>, Refusal>>;

    /// Documents of ended ones whose id is smaller than `before`, newest (by id) first.
    fn older(&self, thing: Thing, before: Option<Ulid>, limit: usize) -> BoxFuture<'_, Result<Vec<Value>, Refusal>>;

    /// At once, from memory.
    fn facts(&self) -> Facts;
}

/// What has documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Incident,
    Delivery,
}

/// By what a document is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Id(Ulid),
    /// An incident's.
    Number(u64),
}

/// Which entries; all conditions hold together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Any of these; empty: all.
    pub kinds: Vec<String>,
    /// About this incident, its notifications and their deliveries.
    pub incident: Option<Ulid>,
    pub delivery: Option<Ulid>,
    /// Only later ones.
    pub after_seq: u64,
    /// At most so many.
    pub limit: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// `after_seq` of the next page; `None` when there is no more now.
    pub next: Option<u64>,
}

/// One event as it lies in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub seq: u64,
    /// Of its frame, like `by`, `late` and `hash`.
    pub at: Timestamp,
    pub by: String,
    /// Acted on before it was durable.
    pub late: bool,
    /// Hex.
    pub hash: String,
    pub event: Event,
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

/// What reading the whole chain found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    pub ok: bool,
    pub events: u64,
    /// Hex, of the last frame.
    pub head: String,
    /// Sentences.
    pub faults: Vec<String>,
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
    pub rebuilding: Option<String>,
}
