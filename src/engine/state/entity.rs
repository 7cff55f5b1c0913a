//! The things that the state is made of.

use super::alert::Alert;
use super::content::Content;
use super::finished::Finished;
use super::name::Name;
use super::spent::Charges;
use crate::domain::Labels;
use crate::domain::delivery::{Medium, Status};
use crate::domain::event::{Idempotency, Next, Origin, Request, Said};
use crate::domain::failure::FailureClass;
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
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

/// Rows are many, and most of what they could say is not said.
fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

/// Where somebody was told of an incident: a channel, and the address there if it has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    pub channel: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<Medium>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Name>,
}

/// How a delivery ended whose message has left the state before its incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notified {
    pub delivery: DeliveryId,
    pub notification: NotificationId,
    /// A notice of the acknowledgement or the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notice: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Name>,
    /// The channel asked for, and the one that it went by where that is another.
    pub channel: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Name>,
    pub status: Status,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Name>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub number: u64,
    pub fingerprint: Box<str>,
    pub level: Level,
    pub kind_of: Name,
    pub labels: Arc<Labels>,
    pub content: Arc<Content>,
    pub opened_by: Name,
    pub opened_at: Timestamp,
    pub status: IncidentStatus,
    /// Times that it was reported, the first included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Name>,
    /// Rounds in all; 0 without a policy.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rounds: u32,
    /// Start of the policy's clock, or of the reminders', and by how much its times have moved earlier.
    pub base: EngineTime,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub saved: Span,
    /// The step fired last, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired: Option<(u32, u32)>,
    /// Whether any step of the current round reached somebody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub round_reached: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<Who>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Name>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silenced_by: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<EngineTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Name>,
    /// Where an attempt was begun, and so where notices go.
    /// Each once, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// What the provider of a fixed channel called its first message, by channel.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub firsts: Labels,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<NotificationId>,
    /// What became of those of them that have left the state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notified: Vec<Notified>,
    /// Its source is an alert from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Box<Alert>>,
}

impl Incident {
    pub fn is_live(&self) -> bool {
        self.status != IncidentStatus::Resolved
    }

    /// Bytes of what it says, and of what else the source of an alert chose.
    pub fn text_bytes(&self) -> u64 {
        self.content.bytes() + self.alert.as_ref().map_or(0, |alert| alert.bytes() + self.labels.bytes() as u64)
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
    #[serde(default)]
    pub request: Option<Box<Request>>,
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
    /// This way refuses the message for good; another one may take it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// Where the provider calls back about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Box<Confirm>>,
}

/// What is known of an attempt from the provider's callbacks, or by asking.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Confirm {
    /// Each callback about it carries this.
    pub nonce: String,
    pub said: Option<Said>,
    /// In the provider's own word.
    pub status: String,
    pub delivered_at: Option<Timestamp>,
    /// When the provider took it; `sent_at` is for people, and moves when the clock is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<EngineTime>,
    /// A key was pressed, and was acted on.
    pub spent: bool,
    /// It was final, and something else was said after that.
    pub contradicted: bool,
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
    /// The same person's addresses of other media, see [`Delivery::others`].
    #[serde(default, rename = "others")]
    pub elsewhere: Option<Box<BTreeMap<Medium, String>>>,
    pub on_call: bool,
    pub forced: bool,
    pub status: Status,
    pub reason: Option<Box<str>>,
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
    pub texts: BTreeMap<String, Finished>,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub detail: Option<Box<str>>,
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
    /// It counts against limits.
    #[serde(default)]
    pub limited: bool,
    /// What its attempts cost, where that is known.
    #[serde(default)]
    pub charges: Option<Box<Charges>>,
}

/// In flight at so many crashes in a row, a message may be what ends the daemon.
const SUSPECT: u32 = 2;
/// In flight alone at one more, it is.
const POISON: u32 = 3;

impl Delivery {
    /// One of its attempts that are at hand.
    pub fn attempt(&self, n: u32) -> Option<&Attempt> {
        self.attempts.iter().rfind(|a| a.n == n)
    }

    /// What the provider said of this attempt, as far as it can say anything.
    pub fn confirm(&self, n: u32) -> Option<&Confirm> {
        self.attempt(n)?.confirm.as_deref()
    }

    /// Its provider says of one of its attempts that it is there.
    pub fn has_arrived(&self) -> bool {
        let mut said = self.attempts.iter().filter_map(|a| a.confirm.as_ref()?.said.as_ref());
        said.any(|said| *said == Said::Delivered)
    }

    /// The way at this place of its chain refused it for good when it was tried last.
    pub fn was_refused(&self, place: usize) -> bool {
        let way = self.chain.get(place);
        self.attempts.iter().rfind(|a| Some(&a.channel) == way).is_some_and(|a| a.refused)
    }

    /// It goes last and alone.
    pub fn is_suspect(&self) -> bool {
        self.crashes >= SUSPECT
    }

    /// Enough crashes that it is condemned when it was alone.
    pub fn is_condemned(&self) -> bool {
        self.crashes >= POISON
    }

    /// Bytes of its finished texts.
    pub fn text_bytes(&self) -> u64 {
        self.texts.values().map(|t| (t.subject.len() + t.text.len() + t.html.len()) as u64).sum()
    }

    /// The channel that it goes by now.
    pub fn channel(&self) -> &str {
        self.chain.get(self.at).map_or("", String::as_str)
    }

    /// The same person's addresses of other media; most have none.
    pub fn others(&self) -> &BTreeMap<Medium, String> {
        static NONE: BTreeMap<Medium, String> = BTreeMap::new();
        self.elsewhere.as_deref().unwrap_or(&NONE)
    }

    /// The address for a channel of this medium; `None` where the person has none.
    pub fn address_for(&self, medium: Medium) -> Option<&str> {
        if self.medium == Some(medium) {
            self.address.as_deref()
        } else {
            self.others().get(&medium).map(String::as_str)
        }
    }
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
