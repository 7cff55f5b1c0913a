//! What the doors may ask of the engine, and what it tells them back.

use crate::channel::{Found, Probed};
use crate::config::Config;
use crate::domain::event::{AttemptResult, HookMoved, Place};
use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::matcher::Matcher;
use crate::domain::time::{Span, Timestamp};
use crate::domain::who::Who;
use crate::engine::asked::{OpenRequest, SendRequest};
use crate::engine::called::Called;
use crate::engine::report::Reports;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use ulid::Ulid;

/// One thing for the engine to decide about, with the time and the randomness it may use.
#[derive(Debug)]
pub struct Input {
    pub now: Timestamp,
    pub seed: [u8; 16],
    pub by: Caller,
    pub ask: Ask,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// As the ledger names the initiator: `alice`, `uid 1000`, `engine`, `heartbeat twilio`.
    pub name: String,
    /// The person of the config, by `login`.
    pub person: Option<String>,
    pub role: Role,
}

impl Caller {
    /// stentor itself.
    pub fn engine() -> Caller {
        Caller { name: "engine".into(), person: None, role: Role::Admin }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// No role at all, but perhaps a person who may acknowledge what they were told of.
    None,
    Viewer,
    Operator,
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::None => "none",
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

/// How one attempt ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub delivery: DeliveryId,
    pub n: u32,
    pub result: AttemptResult,
}

/// The questions and commands.
#[derive(Clone, Debug)]
pub enum Ask {
    // ---- intake
    Send(SendRequest),
    Open(OpenRequest),
    /// Alerts from outside.
    Report(Reports),
    // ---- control
    /// No id: the only unacknowledged one.
    Acknowledge {
        id: Option<String>,
        note: Option<String>,
        by: Option<String>,
        via: String,
    },
    Unacknowledge {
        id: String,
    },
    Resolve {
        id: String,
        note: Option<String>,
    },
    Escalate {
        id: String,
    },
    Snooze {
        id: String,
        span: Span,
    },
    AddSilence {
        matchers: Vec<Matcher>,
        span: Span,
        comment: String,
        author: Option<String>,
    },
    ExpireSilence {
        id: String,
    },
    Requeue {
        id: Option<String>,
    },
    Drop {
        id: String,
    },
    StopSound,
    RunHeartbeat {
        name: String,
    },
    Ping {
        name: String,
        fail: bool,
    },
    SetMetric {
        name: String,
        value: f64,
    },
    PushFomo {
        deal: String,
        remaining: f64,
        tiers: Vec<String>,
    },
    Test {
        channels: Vec<String>,
        to: Vec<Who>,
        force: bool,
    },
    /// Refused by a door for lack of rights.
    Denied {
        action: String,
    },
    // ---- outcomes and triggers
    /// Those that ended together are one question.
    Finished(Vec<Outcome>),
    /// The provider was asked whether it has a message whose answer was lost.
    Inquired {
        delivery: DeliveryId,
        n: u32,
        found: Found,
    },
    /// Something from outside: a provider called, somebody pressed a key or wrote.
    Called(Called),
    HeartbeatDone {
        name: String,
        result: Probed,
    },
    /// What the probe of a dead channel said.
    Looked {
        channel: String,
        result: Probed,
    },
    /// A text that `Effect::ReadText` asked for, or why it cannot be had.
    TextRead {
        place: Place,
        text: Result<Arc<str>, String>,
    },
    /// The trigger says: look whether this heartbeat is due.
    Trigger {
        name: String,
    },
    /// A finite sound ended by itself.
    SoundEnded {
        channel: String,
        delivery: DeliveryId,
    },
    /// Something is due by the clock.
    Wake,
    ClockStepped {
        by: Span,
    },
    // ---- life of the daemon
    /// Before [`Ask::Started`], where there is something to know of the last life: its alarms may have left without a
    /// record; the config was changed since, so that nothing begins before [`Ask::Apply`].
    Begin {
        unrecorded: bool,
        renewed: bool,
    },
    Started {
        version: String,
        /// Which boot of the machine this is; empty: nobody knows.
        boot: String,
        /// How long it has been up.
        up: Option<Span>,
    },
    Stopping {
        why: String,
    },
    Apply {
        config: Arc<Config>,
        changed: Vec<String>,
        kept: bool,
    },
    ConfigRefused {
        hash: String,
        errors: Vec<String>,
    },
    /// The daemon starts in safe mode, and why; `None`: it started as it should.
    Broken {
        words: Option<String>,
    },
    StorageTroubled {
        part: String,
        words: String,
        well: bool,
    },
    /// How far a receiver of events has come.
    HookMoved(HookMoved),
    /// Where the chain is, once a day.
    Checkpoint {
        seq: u64,
        hash: String,
    },
    /// Texts were removed from the ledger; these ids had them.
    Erased {
        from_seq: u64,
        to_seq: u64,
        because: String,
        ids: Vec<Ulid>,
    },
    /// The journal begins after this event now.
    Forgotten {
        to_seq: u64,
        because: String,
    },
    // ---- reads
    Read(Read),
}

/// Live reads: at most 200 rows a turn.
#[derive(Clone, Debug)]
pub enum Read {
    Status,
    Deliveries(DeliveryFilter),
    Delivery(String),
    Incidents {
        all: bool,
    },
    Incident(String),
    Heartbeats,
    Watches,
    Fomo,
    Metric(String),
    Channels,
    /// Receivers of events.
    Hooks,
    Silences,
    /// Oldest first, from after this one on.
    DeadLetters {
        limit: usize,
        after: Option<DeliveryId>,
    },
    /// Alerts that are open, by fingerprint, from behind this one on.
    Alerts {
        after: Option<u64>,
    },
    /// The notification with its deliveries, as `send` answers it.
    Notification(String),
    /// Those whose id is smaller, newest first: the next page of [`Read::Incidents`].
    IncidentsBefore {
        all: bool,
        id: IncidentId,
    },
    /// What an outcome of this delivery is told with: its message, and the incident it is about.
    Message(DeliveryId),
    /// The incidents' numbers of these ids of incidents, notifications and deliveries.
    Numbers(Vec<Ulid>),
    /// Who wrote to us, and what was said with one number or person.
    Inbox {
        limit: usize,
    },
    Conversation(String),
    /// What is counted: for metrics.
    Gauges,
    /// Nothing; the answer proves that the engine goes round and the journal follows.
    Pulse,
}

/// Whom a delivery is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// A person, by name.
    Person(String),
    /// An e-mail address, or a number in E.164; whoever's it is.
    Address(String),
}

#[derive(Debug, Default, Clone)]
pub struct DeliveryFilter {
    pub status: Option<String>,
    pub channel: Option<String>,
    pub incident: Option<String>,
    pub tenant: Option<String>,
    pub contact: Option<Contact>,
    /// Made from then on, and before then.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub limit: Option<usize>,
    pub cursor: Option<String>,
}
