//! What the history keeps beside the events: made by whoever folds them, since the ledger knows no
//! state.

use crate::domain::event::{Blob, Frame};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::codec::Tip;
use crate::ledger::snapshot::Snapshot;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::{Arc, LazyLock};
use ulid::Ulid;

/// What follows from one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extract {
    /// Notifications and incidents that ended with it.
    pub documents: Vec<Document>,
    pub counts: Vec<Count>,
    pub charges: Vec<Charge>,
}

/// What sums of costs change by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub of: Charged,
    pub sum: ChargeSum,
}

/// Whose money, and by which way; in order of days.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Charged {
    /// `2026-11-20`, by the daemon's zone.
    pub day: String,
    /// Empty: without one.
    pub tenant: String,
    pub channel: String,
    pub provider: String,
    pub currency: String,
}

/// Attempts that cost something, their parts, and millionths of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeSum {
    pub messages: i64,
    pub segments: i64,
    pub millionths: i64,
}

impl ChargeSum {
    pub fn add(&mut self, more: ChargeSum) {
        self.messages = self.messages.saturating_add(more.messages);
        self.segments = self.segments.saturating_add(more.segments);
        self.millionths = self.millionths.saturating_add(more.millionths);
    }
}

/// A notification or incident that ended, as it is to be shown from now on. A later one with the
/// same id takes its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub kind: DocumentKind,
    pub id: Ulid,
    /// An incident's number.
    pub number: Option<u64>,
    /// Ids of parts (deliveries) that lead to it.
    pub parts: Vec<Ulid>,
    /// Opaque here.
    pub json: Json,
}

/// The text of a document, made when it is first read: that can be later, and elsewhere, than what it is made of.
#[derive(Clone)]
pub struct Json(Arc<LazyLock<String, Make>>);

type Make = Box<dyn FnOnce() -> String + Send>;

impl Json {
    pub fn later(make: impl FnOnce() -> String + Send + 'static) -> Json {
        Json(Arc::new(LazyLock::new(Box::new(make))))
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::later(move || text)
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// About what a document takes in memory, made or not.
const DOCUMENT: usize = 1_500;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocumentKind {
    Notification,
    Incident,
}

/// One step of the hourly counters.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// Which hour it counts in.
    pub at: Timestamp,
    pub channel: String,
    /// A delivery status, or what else is counted by channel (`created`).
    pub status: String,
    /// How much; negative to take back what was counted under another status.
    pub n: i64,
    /// From creation to this status, where that is to be averaged.
    pub took: Option<Span>,
    pub cost: Option<Cost>,
}

/// Money in millionths of the currency, so that sums are exact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    pub currency: String,
    pub millionths: i64,
}

/// Folds the journal again for a history that has to catch up.
pub trait Extractor: Send {
    /// What follows from the next frame.
    fn extract(&mut self, frame: &Frame) -> Extract;
}

/// Begins a fold: from a snapshot's state, or from nothing.
///
/// # Errors
/// (of the closure) a sentence, when the snapshot's state cannot be read.
pub type MakeExtractor = Arc<dyn Fn(Option<&Snapshot>) -> Result<Box<dyn Extractor>, String> + Send + Sync>;

/// For a ledger whose history keeps the events alone.
pub fn events_only() -> MakeExtractor {
    struct Nothing;
    impl Extractor for Nothing {
        fn extract(&mut self, _: &Frame) -> Extract {
            Extract::default()
        }
    }
    Arc::new(|_| Ok(Box::new(Nothing)))
}

impl Extract {
    /// About what it takes in memory.
    pub fn weight(&self) -> usize {
        let documents = self.documents.iter().map(|d| DOCUMENT + 16 * d.parts.len());
        documents.sum::<usize>() + 150 * (self.counts.len() + self.charges.len())
    }

    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.counts.is_empty() && self.charges.is_empty()
    }
}

/// Frames that became durable together, on their way to the history.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Whole frames, one after the other.
    pub bytes: Vec<u8>,
    /// The first event.
    pub first: u64,
    /// The last one.
    pub tip: Tip,
    /// By the last event of their frame.
    pub extracts: Vec<(u64, Extract)>,
    /// To be kept before the frames are.
    pub blobs: Vec<Blob>,
}

impl Group {
    pub fn weight(&self) -> usize {
        self.bytes.len() + self.extracts.iter().map(|(_, e)| e.weight()).sum::<usize>() + 100
    }

    pub fn events(&self) -> u64 {
        if self.bytes.is_empty() { 0 } else { self.tip.seq + 1 - self.first }
    }
}
