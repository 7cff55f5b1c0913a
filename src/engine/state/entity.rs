//! The things that the state is made of.

use super::alert::Alert;
use super::content::Content;
use crate::domain::Labels;
use crate::domain::delivery::{ChannelStatus, Medium, Status};
use crate::domain::event::{Breaker, Idempotency, Next, Origin, Rendered};
use crate::domain::failure::FailureClass;
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::domain::matcher::Matcher;
use crate::domain::time::{EngineTime, Span, Timestamp};
use crate::domain::who::Who;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentStatus {
    Open,
    Acknowledged,
    Resolved,
}

impl IncidentStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            IncidentStatus::Open => "open",
            IncidentStatus::Acknowledged => "acknowledged",
            IncidentStatus::Resolved => "resolved",
        }
    }
}

/// Where somebody was told of an incident: a channel, and the address there if it has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    pub channel: String,
    pub address: Option<String>,
    pub medium: Option<Medium>,
    pub who: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub number: u64,
    pub fingerprint: String,
    pub level: Level,
    pub kind_of: String,
    pub labels: Arc<Labels>,
    pub content: Arc<Content>,
    pub opened_by: String,
    pub opened_at: Timestamp,
    pub status: IncidentStatus,
    /// Times that it was reported, the first included.
    pub count: u64,
    pub tenant: Option<String>,
    pub policy: Option<String>,
    /// Rounds in all; 0 without a policy.
    pub rounds: u32,
    /// Start of the policy's clock, or of the reminders', and by how much its times have moved earlier.
    pub base: EngineTime,
    pub saved: Span,
    /// The step fired last, counted from 0.
    pub fired: Option<(u32, u32)>,
    /// Whether any step of the current round reached somebody.
    pub round_reached: bool,
    pub next: Option<Next>,
    pub channels: Option<Vec<String>>,
    pub to: Option<Vec<Who>>,
    pub about: Option<String>,
    pub once: bool,
    pub silenced_by: Option<String>,
    pub snoozed_until: Option<EngineTime>,
    pub acknowledged_by: Option<String>,
    pub acknowledged_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub resolved_by: Option<String>,
    pub because: Option<String>,
    /// Where an attempt was begun, and so where notices go.
    /// Each once, in order.
    pub told: Vec<Told>,
    /// What the provider of a fixed channel called its first message, by channel.
    #[serde(default)]
    pub firsts: BTreeMap<String, String>,
    pub notifications: Vec<NotificationId>,
    /// Its source is an alert from outside.
    #[serde(default)]
    pub alert: Option<Box<Alert>>,
}

impl Incident {
    pub fn is_live(&self) -> bool {
        self.status != IncidentStatus::Resolved
    }

    /// Nobody has acknowledged it and no silence holds it.
    pub fn is_calling(&self) -> bool {
        self.status == IncidentStatus::Open && self.silenced_by.is_none()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notification {
    pub id: NotificationId,
    pub origin: Origin,
    pub level: Level,
    pub kind_of: String,
    pub labels: Arc<Labels>,
    pub content: Arc<Content>,
    pub correlation_id: Option<String>,
    pub tenant: Option<String>,
    pub initiator: String,
    pub idempotency: Option<Idempotency>,
    pub heartbeat: Option<String>,
    pub accepted_at: Timestamp,
    pub expires: EngineTime,
    pub not_before: Option<EngineTime>,
    pub order: u64,
    pub deliveries: Vec<DeliveryId>,
    /// Deliveries that have not ended.
    pub open: usize,
    /// In line to leave the state.
    pub retired: bool,
}

/// One attempt, as `deliveries show` lists it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    pub n: u32,
    pub channel: String,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub class: Option<FailureClass>,
    pub error: Option<String>,
    pub provider_id: Option<String>,
    pub possibly_duplicate: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    pub id: DeliveryId,
    pub notification: NotificationId,
    pub incident: Option<IncidentId>,
    pub level: Level,
    pub order: u64,
    pub rank: u32,
    /// The channel asked for, and its fallbacks.
    pub chain: Vec<String>,
    /// Place in the chain, and how often it was gone through before.
    pub at: usize,
    pub lap: u32,
    pub medium: Option<Medium>,
    pub who: Option<String>,
    pub address: Option<String>,
    /// The same person's addresses of other media.
    pub others: BTreeMap<Medium, String>,
    pub on_call: bool,
    pub forced: bool,
    pub status: Status,
    pub reason: Option<String>,
    pub until: Option<EngineTime>,
    pub expires: EngineTime,
    pub attempts: Vec<Attempt>,
    /// Attempts so far; the list may hold fewer.
    pub n: u32,
    /// Retries on the current way that its failures have used up.
    pub counted: u32,
    /// The last pause, from which the next is drawn.
    pub pause: Span,
    /// The provider may have it from an attempt whose answer was lost.
    pub maybe_sent: bool,
    /// Finished texts, by format, while it has not ended.
    pub texts: BTreeMap<String, Rendered>,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub detail: Option<String>,
    /// A dead letter that somebody gave up.
    pub dropped: bool,
    /// Somebody ordered it sent once more, whatever became of its incident before.
    #[serde(default)]
    pub ordered: bool,
    /// Bytes of its message's text, for the bound of what is kept of dead letters.
    #[serde(default)]
    pub weight: u64,
    /// Crashes in a row at which it was in flight.
    #[serde(default)]
    pub crashes: u32,
}

/// In flight at so many crashes in a row, a message may be what ends the daemon.
const SUSPECT: u32 = 2;
/// In flight alone at one more, it is.
const POISON: u32 = 3;

impl Delivery {
    /// It goes last and alone.
    pub fn is_suspect(&self) -> bool {
        self.crashes >= SUSPECT
    }

    /// Enough crashes that it is condemned when it was alone.
    pub fn is_condemned(&self) -> bool {
        self.crashes >= POISON
    }

    /// The channel that it goes by now.
    pub fn channel(&self) -> &str {
        self.chain.get(self.at).map_or("", String::as_str)
    }

    /// The address for a channel of this medium; `None` where the person has none.
    pub fn address_for(&self, medium: Medium) -> Option<&str> {
        if self.medium == Some(medium) { self.address.as_deref() } else { self.others.get(&medium).map(String::as_str) }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelState {
    pub status: ChannelStatus,
    pub detail: String,
    pub since: Timestamp,
    pub breaker: Breaker,
    pub failures: u32,
    pub retry_at: Option<EngineTime>,
    pub gap: Span,
    /// Attempts allowed at once after a recovery; doubles with each success.
    pub width: u32,
    pub last_success: Option<EngineTime>,
    /// The last success of an attempt or a probe.
    pub last_proof_at: Option<Timestamp>,
}

impl Default for ChannelState {
    fn default() -> Self {
        ChannelState {
            status: ChannelStatus::Unknown,
            detail: String::new(),
            since: Timestamp(0),
            breaker: Breaker::Closed,
            failures: 0,
            retry_at: None,
            gap: Span::ZERO,
            width: u32::MAX,
            last_success: None,
            last_proof_at: None,
        }
    }
}

impl ChannelState {
    pub fn is_dead(&self) -> bool {
        self.status == ChannelStatus::Dead
    }

    /// It takes no attempts before this time: its breaker is not closed, or it asked for a pause.
    pub fn held_until(&self, now: EngineTime) -> Option<EngineTime> {
        self.retry_at.filter(|t| *t > now)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Silence {
    pub id: String,
    pub matchers: Vec<Matcher>,
    pub starts: EngineTime,
    pub ends: EngineTime,
    pub comment: String,
    pub created_by: String,
    /// Its start has come and was acted on.
    pub begun: bool,
    pub expired: bool,
    /// Incidents and one-shots that it held back.
    pub held: u64,
}

impl Silence {
    pub fn is_active(&self, now: EngineTime) -> bool {
        !self.expired && self.starts <= now && now < self.ends
    }

    pub fn status(&self, now: EngineTime) -> &'static str {
        match () {
            () if self.expired || self.ends <= now => "expired",
            () if now < self.starts => "pending",
            () => "active",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sounding {
    pub incident: Option<IncidentId>,
    pub level: Level,
    pub until: EngineTime,
}

/// The first answer to an idempotency key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remembered {
    pub content: String,
    pub notification: NotificationId,
    /// Set 24 h after the last delivery's end.
    pub forget_at: Option<EngineTime>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigState {
    pub hash: String,
    pub loaded_at: Option<Timestamp>,
    /// The files in force are not the ones on disk.
    pub kept: bool,
    pub refused_at: Option<Timestamp>,
    pub errors: Vec<String>,
}
