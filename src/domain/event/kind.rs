//! Every kind of event, as the ledger writes it.

use crate::domain::Labels;
use crate::domain::delivery::{Medium, Status};
use crate::domain::event::alert::{AlertReported, AlertsAwaited};
use crate::domain::event::health::ChannelChanged;
use crate::domain::event::heartbeat::HeartbeatFinished;
use crate::domain::event::hook::HookMoved;
use crate::domain::event::limit::{BudgetPassed, Counted};
use crate::domain::event::parts::{
    AttemptResult, Idempotency, Next, Origin, Request, SilenceAdded, Started, Unheard, WatchStatus,
};
use crate::domain::event::place::Carriage;
use crate::domain::event::price::Priced;
use crate::domain::event::removed::{Erased, Gone};
use crate::domain::event::report::{DeliveryReported, InboundReceived};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span, Timestamp};
use crate::domain::who::Who;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that can have happened. The name in the ledger is the variant in snake case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventKind {
    // ---- the daemon itself
    Started(Started),
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
        #[serde(deserialize_with = "crate::domain::event::parts::finite")]
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
        field: Option<String>,
    },
    /// The journal or the history cannot be written as it should (`well` = it can again).
    StorageTroubled {
        part: String,
        words: String,
        well: bool,
    },
    /// Alarms of the life before may have left without a record: what waits now may have been sent.
    Unrecorded,
    /// Payloads that were removed on purpose.
    Erased(Erased),
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
    /// Payload: subject, body, annotations, vars, metadata.
    NotificationAccepted {
        id: NotificationId,
        #[serde(flatten)]
        origin: Origin,
        level: Level,
        #[serde(rename = "type")]
        kind_of: String,
        labels: Arc<Labels>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Box<Request>>,
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
        /// The silence that holds all of it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silenced_by: Option<String>,
        /// The template that the request named; the payload has its vars.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<String>,
    },
    /// Payload: address, others. `who` is the person's name, if it is one.
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
        /// Reached through a schedule: on call means reachable, also in quiet hours.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        on_call: bool,
        /// Sent whatever the person prefers (`test --force`).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forced: bool,
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
        /// What this channel's provider called our first message about the incident: what it answers to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<String>,
        /// What the provider's callbacks about this attempt carry; without it nobody calls back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nonce: Option<String>,
        /// How the files of its message go, where there are any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        files: Option<Carriage>,
    },
    /// Payload: what a simulated channel would have sent, in `body`.
    AttemptFinished {
        delivery: DeliveryId,
        n: u32,
        channel: String,
        /// Of the payload, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        medium: Option<Medium>,
        #[serde(flatten)]
        result: AttemptResult,
    },
    /// To a status that is no end: ready, submitted, backoff, waiting, unknown; by which channel from now on.
    DeliveryMoved {
        id: DeliveryId,
        status: Status,
        at: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<EngineTime>,
        /// The chain has been gone through once more.
        #[serde(default)]
        lap: u32,
        because: String,
    },
    /// A reload gave its channel other fallbacks; `at` is where in the new chain it stands.
    DeliveryRerouted {
        id: DeliveryId,
        chain: Vec<String>,
        at: usize,
    },
    DeliveryEnded {
        id: DeliveryId,
        status: Status,
        reason: Option<String>,
    },
    /// What the provider said later, by callback or when asked.
    DeliveryReported(DeliveryReported),
    /// What an attempt cost: by the config when it was sent, later by the provider.
    DeliveryPriced(Box<Priced>),
    DeliveryCounted(Counted),
    BudgetPassed(BudgetPassed),
    DeadLetterRequeued {
        id: DeliveryId,
    },
    DeadLetterDropped {
        id: DeliveryId,
    },
    UrgentUnheard(Unheard),
    /// The built-in text went out in its place. `template`: `templates.outage`, `channels.hook.body`.
    TemplateFailed {
        template: String,
        words: String,
    },
    /// Somebody wrote to us. Payload: address, text.
    InboundReceived(InboundReceived),
    ChannelChanged(ChannelChanged),
    HookMoved(HookMoved),
    // ---- incidents
    /// Payload: subject, body, annotations.
    IncidentOpened {
        id: IncidentId,
        number: u64,
        fingerprint: String,
        level: Level,
        #[serde(rename = "type")]
        kind_of: String,
        labels: Arc<Labels>,
        opened_by: String,
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
        policy: Option<String>,
        #[serde(default)]
        rounds: u32,
        /// As the report that raised it named them; `None`: by level.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<Vec<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Vec<Who>>,
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
        next: Option<Next>,
        /// The last reachable sending of this round reached nobody so far.
        #[serde(default)]
        reached_nobody: bool,
    },
    IncidentReminded {
        id: IncidentId,
        next: Option<Next>,
    },
    /// A new config gives it more or fewer rounds, or another reminder.
    IncidentReplanned {
        id: IncidentId,
        rounds: u32,
        next: Option<Next>,
    },
    IncidentAcknowledged {
        id: IncidentId,
        by: String,
        via: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        next: Option<Next>,
    },
    IncidentUnacknowledged {
        id: IncidentId,
        by: String,
        because: String,
        base: EngineTime,
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
        next: Option<Next>,
    },
    /// What its source says of an alert: at the opening, and each time again. Payload: what has changed.
    AlertReported(AlertReported),
    /// No source could be heard for a while: what is to be reported again has until then, at the least.
    AlertsAwaited(AlertsAwaited),
    IncidentResolved {
        id: IncidentId,
        by: String,
        because: String,
        note: Option<String>,
    },
    // ---- silences
    SilenceAdded(SilenceAdded),
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
    HeartbeatFinished(HeartbeatFinished),
    HeartbeatPinged {
        name: String,
        ok: bool,
    },
    HeartbeatLate {
        name: String,
    },
    /// It was taken out of the config: what was known of it is forgotten.
    HeartbeatForgotten(Gone),
    // ---- watches and sound
    WatchChanged {
        name: String,
        status: WatchStatus,
        value: Option<f64>,
        detail: String,
    },
    /// As a heartbeat is.
    WatchForgotten(Gone),
    /// It was not set for a day, no watch is about it, and its place was needed.
    MetricForgotten(Gone),
    /// It should sound from now on; the player is made to match.
    SoundStarted {
        channel: String,
        delivery: DeliveryId,
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
