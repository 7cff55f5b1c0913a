//! What the ledger is made of: everything that can have happened, as it is written.
//!
//! An event is a *head* (kind, ids, times, decision; JSON with a `kind`) and, where it has one, a
//! *payload* (subject, body, addresses, texts) that retention or erasure may blank later. Events
//! carry results, never names to look up, so that folding them needs no config. Fields are only
//! added, with a default; a changed meaning is a new kind.

mod alert;
mod health;
mod heartbeat;
mod hook;
mod kind;
mod limit;
mod parts;
mod place;
mod price;
mod removed;
mod rendered;
mod report;

pub use alert::{AlertReported, AlertsAwaited};
pub use health::ChannelChanged;
pub use heartbeat::HeartbeatFinished;
pub use hook::{HookFailing, HookMoved};
pub use kind::EventKind;
pub use limit::{BudgetPassed, Counted};
pub use parts::{
    AttemptResult, Breaker, HeartbeatStatus, Idempotency, Later, Next, NextWhat, Origin, Request, SilenceAdded,
    Started, Unheard, WatchStatus,
};
pub use place::{Attachment, Blob, Carriage, Carried, IN_EVENT, KEPT, Place, beginning};
pub use price::{Instead, Price, Priced};
pub use removed::{Erased, Gone};
pub use rendered::Rendered;
pub use report::{DeliveryReported, Heard, InboundReceived, Said};

use crate::domain::Labels;
use crate::domain::delivery::Medium;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All events of one decision; in the journal a frame is there whole or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Sequence number of the first event; the others follow by one.
    pub seq: u64,
    /// Wall clock of the decision.
    pub at: Timestamp,
    /// Who or what caused it: `alice (uid 1000)`, `heartbeat twilio`, `engine`.
    pub by: String,
    /// It acted before it was durable (emergency mode).
    pub recorded_late: bool,
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub head: EventKind,
    pub payload: Option<Box<Payload>>,
}

/// What may be blanked without breaking the chain. After erasure every field is absent, and
/// folding must cope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// What the request gave its template.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub vars: Labels,
    /// What a caller gave along with its request, and gets back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Where a delivery goes: an e-mail address or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The same person's addresses of other media, for fallbacks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<Medium, String>,
    /// The finished text of an attempt, or what somebody wrote to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Rendered>,
    /// Body or text are longer than what stands here, and this is where the whole is. Absent as well
    /// where the whole stands here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<Place>,
    /// Files that go along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Subject, body and addresses were removed on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl Payload {
    /// The blobs that this event brought itself.
    pub fn own_blobs(&self) -> impl Iterator<Item = &Place> {
        let attached = self.attachments.iter().map(|attachment| &attachment.place);
        self.more.iter().chain(attached).filter(|place| place.seq == 0 && place.blob.is_some())
    }
}

impl EventKind {
    /// The `kind` as it is written, for filters and counters.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    pub fn bare(self) -> Event {
        Event { head: self, payload: None }
    }

    pub fn with(self, payload: Payload) -> Event {
        Event { head: self, payload: Some(Box::new(payload)) }
    }
}
