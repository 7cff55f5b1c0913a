//! What events are made of: why a message exists, how an attempt ended, what comes next.

use crate::domain::delivery::Status;
use crate::domain::event::price::Price;
use crate::domain::failure::Failure;
use crate::domain::id::{IncidentId, NotificationId};
use crate::domain::matcher::Matcher;
use crate::domain::time::{EngineTime, Span};
use crate::domain::who::Who;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
            Origin::Opening { .. } | Origin::Step { round: 0, step: 0, .. } => "incident.opened",
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

/// A life of the daemon has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub version: String,
    #[serde(default)]
    pub boot: String,
    /// How long the machine had been up, suspends included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<Span>,
}

/// What of a request is kept beside what is sent: how its caller names it, who caused it there, and whom it is for
/// at a later time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Later>,
}

impl Request {
    /// `None` when there is nothing of it to keep.
    pub fn of(id: Option<String>, actor: Option<String>, later: Option<Later>) -> Option<Box<Request>> {
        (id.is_some() || actor.is_some() || later.is_some()).then(|| Box::new(Request { id, actor, later }))
    }
}

/// Whom a message with a time of its own is for, as its request named them. Bare addresses are left out: they mean
/// the same at any time, and what is personal stands in the deliveries' payloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// `None`: the level's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// `None`: the level's, else each channel's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<Who>>,
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

/// What matches is held back from `starts` to `ends`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SilenceAdded {
    /// A UUID.
    pub id: String,
    pub matchers: Vec<Matcher>,
    pub starts: EngineTime,
    pub ends: EngineTime,
    pub comment: String,
    pub created_by: String,
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
    /// `simulate = true`: exactly the request that would have gone out, without secrets. In the ledger it stands in the
    /// event's payload, where an erasure reaches it.
    Simulated {
        detail: String,
    },
    Failed(Failure),
    /// We stopped before the answer came: it may have been sent.
    Lost {
        words: String,
    },
    /// A success whose answer had the price. It is split on its way into the ledger, which has the
    /// price as an event of its own.
    Priced {
        price: Price,
        result: Box<AttemptResult>,
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
            AttemptResult::Priced { result, .. } => result.success(),
        }
    }

    /// The result alone, and the price if it came with it.
    pub fn split(self) -> (AttemptResult, Option<Price>) {
        match self {
            AttemptResult::Priced { price, result } => (result.split().0, Some(price)),
            alone => (alone, None),
        }
    }

    /// With the price, if the answer had one.
    pub fn priced(self, price: Option<Price>) -> AttemptResult {
        match price {
            Some(price) => AttemptResult::Priced { price, result: Box::new(self) },
            None => self,
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

/// JSON has no infinity and no NaN; one that slipped in was written as `null` and is left out.
pub(super) fn finite<'de, D: serde::Deserializer<'de>>(d: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let values = BTreeMap::<String, Option<f64>>::deserialize(d)?;
    Ok(values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

/// Every way of an urgent message has failed for a minute (`heard`: not any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unheard {
    pub notification: NotificationId,
    pub heard: bool,
    /// It sounds until then at the longest.
    pub until: EngineTime,
}
