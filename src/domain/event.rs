//! What the ledger is made of: everything that can have happened, as it is written.
//!
//! An event is a *head* (kind, ids, times, decision; JSON with a `kind`) and, where it has one, a
//! *payload* (subject, body, addresses, texts) that retention or erasure may blank later. Events
//! carry results, never names to look up, so that folding them needs no config. Fields are only
//! added, with a default; a changed meaning is a new kind.

use crate::domain::Labels;
use crate::domain::delivery::{ChannelStatus, Medium, Status};
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::domain::matcher::Matcher;
use crate::domain::time::{EngineTime, Span, Timestamp};
use crate::domain::who::Who;
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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Labels,
    /// Where a delivery goes: an e-mail address or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The finished text of an attempt, or what somebody wrote to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Rendered>,
    /// Subject, body and addresses were removed on purpose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// The finished text for one medium. A channel escapes only its own wire format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// Mail's subject line; empty where the medium has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Mail body, SMS, words to speak, chat text, or a webhook's whole body.
    pub text: String,
}

/// Why a notification exists; also what a webhook's `kind` is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "origin", rename_all = "snake_case")]
pub enum Origin {
    /// `send`, or the message of a heartbeat of kind `notification`.
    OneShot,
    /// A message marked `[TEST]`.
    Test,
    /// `fomo push` without a watch to push.
    Fomo,
    /// The one sending of an incident without a policy, or the round that reached nobody.
    Opening {
        incident: IncidentId,
    },
    /// Rounds and steps count from 0 here, from 1 for people.
    Step {
        incident: IncidentId,
        round: u32,
        step: u32,
    },
    Reminder {
        incident: IncidentId,
    },
    Acknowledged {
        incident: IncidentId,
    },
    Resolved {
        incident: IncidentId,
    },
}

impl Origin {
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            Origin::OneShot | Origin::Test | Origin::Fomo => None,
            Origin::Opening { incident }
            | Origin::Step { incident, .. }
            | Origin::Reminder { incident }
            | Origin::Acknowledged { incident }
            | Origin::Resolved { incident } => Some(*incident),
        }
    }

    /// A notice of the acknowledgement or the end: sent at level low, never failed over.
    pub fn is_notice(&self) -> bool {
        matches!(self, Origin::Acknowledged { .. } | Origin::Resolved { .. })
    }

    /// The `kind` of CLI.md's webhook document.
    pub fn webhook_kind(&self) -> &'static str {
        match self {
            Origin::OneShot | Origin::Fomo => "notification",
            Origin::Test => "test",
            Origin::Opening { .. } => "incident.opened",
            Origin::Step { .. } => "incident.step",
            Origin::Reminder { .. } => "incident.reminder",
            Origin::Acknowledged { .. } => "incident.acknowledged",
            Origin::Resolved { .. } => "incident.resolved",
        }
    }
}

/// A caller's key under which the same request gives the first answer again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    pub caller: String,
    pub key: String,
    /// BLAKE3 (hex) of the request's content.
    pub content: String,
}

/// What an incident does next by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    pub due: EngineTime,
    #[serde(flatten)]
    pub what: NextWhat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum NextWhat {
    /// Counted from 0.
    Step {
        round: u32,
        step: u32,
    },
    /// The one sending of an incident without a policy, after a silence or an `unack`.
    Opening,
    Reminder,
    /// The acknowledgement, or the snooze, is withdrawn.
    Restart,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AttemptResult {
    /// The far end has it for good: a webhook's 2xx, a sound's first samples.
    Delivered {
        provider_id: Option<String>,
        detail: String,
    },
    /// Accepted; no confirmation can be had.
    Sent {
        provider_id: Option<String>,
        detail: String,
    },
    /// The provider has it and will say how it ended.
    Submitted {
        provider_id: Option<String>,
        detail: String,
    },
    /// `simulate = true`: exactly the request that would have gone out, without secrets.
    Simulated {
        detail: String,
    },
    Failed(Failure),
    /// We stopped before the answer came: it may have been sent.
    Lost {
        words: String,
    },
}

impl AttemptResult {
    /// The delivery status that a success leads to; `None` for a failure.
    pub fn success(&self) -> Option<Status> {
        match self {
            AttemptResult::Delivered { .. } => Some(Status::Delivered),
            AttemptResult::Sent { .. } => Some(Status::Sent),
            AttemptResult::Submitted { .. } => Some(Status::Submitted),
            AttemptResult::Simulated { .. } => Some(Status::Simulated),
            AttemptResult::Failed(_) | AttemptResult::Lost { .. } => None,
        }
    }
}

/// Whether a channel takes attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    #[default]
    Closed,
    /// Nothing is tried but one attempt each time the pause is over; messages go another way.
    Open,
    /// No other way is left: one attempt at a time, the most urgent first, a growing gap between.
    Narrow,
}

/// The status of a heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeartbeatStatus {
    #[default]
    Unknown,
    Ok,
    Failing,
    Late,
}

/// The status of a watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WatchStatus {
    #[default]
    #[serde(rename = "no-data")]
    NoData,
    #[serde(rename = "ok")]
    Ok,
    #[serde(rename = "breached")]
    Breached,
}

/// Everything that can have happened. The name in the ledger is the variant in snake case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventKind {
    // ---- the daemon itself
    Started {
        version: String,
        #[serde(default)]
        boot: String,
    },
    Stopping {
        why: String,
    },
    /// Payload body: the config with placeholders unresolved and secret literals masked.
    ConfigApplied {
        hash: String,
        changed: Vec<String>,
        #[serde(default)]
        kept: bool,
    },
    ConfigRefused {
        hash: String,
        errors: Vec<String>,
    },
    /// The wall clock moved by this much against the time since boot.
    ClockStepped {
        by: Span,
    },
    /// Last values that changed nothing, at most once a minute.
    MetricsSeen {
        #[serde(deserialize_with = "finite")]
        values: BTreeMap<String, f64>,
    },
    /// Somebody asked for what their role does not allow.
    AuthDenied {
        role: String,
        action: String,
    },
    /// A request that was not accepted, and why (nobody to send to, limits).
    RequestRefused {
        code: String,
        message: String,
        #[serde(default)]
        field: Option<String>,
    },
    /// The journal or the history cannot be written as it should (`well` = it can again).
    StorageTroubled {
        part: String,
        words: String,
        well: bool,
    },
    /// Payloads that were removed on purpose.
    Erased {
        from_seq: u64,
        to_seq: u64,
        because: String,
    },
    /// Retention removed whole segments up to here; the snapshot is the base.
    Forgotten {
        to_seq: u64,
        because: String,
    },
    /// The head's hash, once a day, for `verify --against`.
    Checkpoint {
        seq: u64,
        hash: String,
    },

    // ---- notifications and deliveries
    /// Payload: subject, body, annotations.
    NotificationAccepted {
        id: NotificationId,
        #[serde(flatten)]
        origin: Origin,
        level: Level,
        #[serde(rename = "type")]
        kind_of: String,
        labels: Labels,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        #[serde(default)]
        initiator: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idempotency: Option<Idempotency>,
        expires: EngineTime,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<EngineTime>,
        /// The heartbeat that sent it, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heartbeat: Option<String>,
    },
    /// Payload: address. `who` is the person's name, if it is one.
    DeliveryCreated {
        id: DeliveryId,
        notification: NotificationId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
        /// The channel asked for; with its fallbacks after it, in order.
        chain: Vec<String>,
        /// Place in the chain where it begins (a dead first way is passed by).
        #[serde(default)]
        start: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        medium: Option<Medium>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<String>,
        /// The person's other addresses, for fallbacks of another medium, are looked up by this.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        others: BTreeMap<Medium, String>,
        /// An earlier tier's stand before a later one's.
        #[serde(default)]
        rank: u32,
        status: Status,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Written before any byte leaves. Payload: the finished text, when it was made for this one.
    AttemptStarted {
        delivery: DeliveryId,
        n: u32,
        channel: String,
        /// Of the way it goes now; a fallback's may differ from the delivery's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        medium: Option<Medium>,
        /// Which form the payload's text has, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<String>,
        /// An earlier attempt's answer was lost.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        possibly_duplicate: bool,
    },
    AttemptFinished {
        delivery: DeliveryId,
        n: u32,
        channel: String,
        #[serde(flatten)]
        result: AttemptResult,
    },
    /// To a status that is no end: ready, backoff, waiting, unknown; by which channel from now on.
    DeliveryMoved {
        id: DeliveryId,
        status: Status,
        /// Place in the chain.
        at: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<EngineTime>,
        /// The chain has been gone through once more.
        #[serde(default)]
        lap: u32,
        because: String,
    },
    DeliveryEnded {
        id: DeliveryId,
        status: Status,
        #[serde(default)]
        reason: Option<String>,
    },
    /// What the provider said later, by callback or when asked.
    DeliveryReported {
        id: DeliveryId,
        provider_id: String,
        status: String,
        #[serde(default)]
        late: bool,
    },
    /// A channel's own price and parts, where they are known.
    DeliveryPriced {
        id: DeliveryId,
        cost: String,
        currency: String,
        segments: u32,
    },
    DeadLetterRequeued {
        id: DeliveryId,
    },
    DeadLetterDropped {
        id: DeliveryId,
    },
    TemplateFailed {
        template: String,
        words: String,
    },
    /// Somebody wrote to us. Payload: address, text.
    InboundReceived {
        channel: String,
        provider_id: String,
    },
    ChannelChanged {
        channel: String,
        status: ChannelStatus,
        detail: String,
        breaker: Breaker,
        /// Failures of the whole channel in a row.
        failures: u32,
        /// The next attempt at the earliest, while open or narrow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<EngineTime>,
        #[serde(default)]
        gap: Span,
    },

    // ---- incidents
    /// Payload: subject, body, annotations.
    IncidentOpened {
        id: IncidentId,
        number: u64,
        fingerprint: String,
        level: Level,
        #[serde(rename = "type")]
        kind_of: String,
        labels: Labels,
        opened_by: String,
        /// Begin of the policy's clock.
        base: EngineTime,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<String>,
        #[serde(default)]
        rounds: u32,
        /// As the source named them; `None`: by level.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Vec<Who>>,
        /// The channel that it is about: it does not go by this one, if another is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silenced_by: Option<String>,
        /// Clients are told once: no notices, no reminders, no policy, no link.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        once: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Next>,
    },
    /// The same fingerprint again: counted, nothing sent.
    IncidentRepeated {
        id: IncidentId,
    },
    IncidentRaised {
        id: IncidentId,
        level: Level,
        base: EngineTime,
        #[serde(default)]
        policy: Option<String>,
        #[serde(default)]
        rounds: u32,
        #[serde(default)]
        next: Option<Next>,
    },
    IncidentStepped {
        id: IncidentId,
        round: u32,
        step: u32,
        /// Missed ones that are not made up for, as (round, step).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed_over: Vec<(u32, u32)>,
        /// By how much all later times move earlier.
        #[serde(default)]
        saved: Span,
        because: String,
        #[serde(default)]
        next: Option<Next>,
        /// The last reachable sending of this round reached nobody so far.
        #[serde(default)]
        reached_nobody: bool,
    },
    IncidentReminded {
        id: IncidentId,
        #[serde(default)]
        next: Option<Next>,
    },
    IncidentAcknowledged {
        id: IncidentId,
        by: String,
        via: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(default)]
        next: Option<Next>,
    },
    IncidentUnacknowledged {
        id: IncidentId,
        by: String,
        because: String,
        base: EngineTime,
        #[serde(default)]
        next: Option<Next>,
    },
    IncidentSnoozed {
        id: IncidentId,
        by: String,
        until: EngineTime,
    },
    IncidentSilenced {
        id: IncidentId,
        silence: String,
    },
    IncidentUnsilenced {
        id: IncidentId,
        because: String,
        base: EngineTime,
        #[serde(default)]
        next: Option<Next>,
    },
    IncidentResolved {
        id: IncidentId,
        by: String,
        because: String,
        #[serde(default)]
        note: Option<String>,
    },

    // ---- silences
    SilenceAdded {
        id: String,
        matchers: Vec<Matcher>,
        starts: EngineTime,
        ends: EngineTime,
        comment: String,
        created_by: String,
    },
    /// Its start has come.
    SilenceBegan {
        id: String,
    },
    SilenceExpired {
        id: String,
        by: String,
    },

    // ---- heartbeats
    /// A passive heartbeat was loaded for the first time: its clock begins.
    HeartbeatKnown {
        name: String,
        at: EngineTime,
    },
    HeartbeatStarted {
        name: String,
        scheduled_at: Timestamp,
    },
    HeartbeatFinished {
        name: String,
        ok: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<FailureClass>,
        detail: String,
        status: HeartbeatStatus,
        failures_in_row: u32,
        /// Of the first of these failures.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failing_since: Option<Timestamp>,
    },
    HeartbeatPinged {
        name: String,
        ok: bool,
    },
    HeartbeatLate {
        name: String,
    },

    // ---- watches and sound
    WatchChanged {
        name: String,
        status: WatchStatus,
        #[serde(default)]
        value: Option<f64>,
        detail: String,
    },
    /// It should sound from now on; the player is made to match.
    SoundStarted {
        channel: String,
        delivery: DeliveryId,
        #[serde(default)]
        incident: Option<IncidentId>,
        until: EngineTime,
    },
    SoundStopped {
        channel: String,
        delivery: DeliveryId,
        because: String,
    },
    /// From a newer stentor, or damaged: counted and skipped.
    #[serde(other)]
    Unknown,
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

/// JSON has no infinity and no NaN; one that slipped in was written as `null` and is left out.
fn finite<'de, D: serde::Deserializer<'de>>(d: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let values = BTreeMap::<String, Option<f64>>::deserialize(d)?;
    Ok(values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}
