//! One message to one place: by which medium, and where in its life it is.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a delivery did not go out that a silence holds back.
pub const SILENCED: &str = "silenced";

/// What an addressed channel sends to: a person's address of this medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    Mail,
    Sms,
    Voice,
}

impl Medium {
    /// The first word of the events about its deliveries.
    pub fn family(self) -> &'static str {
        match self {
            Medium::Mail => "email",
            Medium::Sms => "sms",
            Medium::Voice => "voice",
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Medium::Mail => "mail",
            Medium::Sms => "sms",
            Medium::Voice => "voice",
        }
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The two sorts of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// One delivery for each person or address.
    Addressed(Medium),
    /// One delivery, to the place in the config.
    Fixed,
}

impl Sort {
    pub fn medium(self) -> Option<Medium> {
        match self {
            Sort::Addressed(m) => Some(m),
            Sort::Fixed => None,
        }
    }
    pub fn as_str(self) -> &'static str {
        match self {
            Sort::Addressed(_) => "addressed",
            Sort::Fixed => "fixed",
        }
    }
}

/// The form in which a channel wants its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Subject line and plain body.
    Mail,
    /// Short plain text.
    Sms,
    /// Words to speak.
    Speech,
    /// Chat text, a few lines, plain.
    Chat,
    /// The JSON document of CLI.md, one outcome of `events`.
    Document,
    /// The JSON document that Prometheus' Alertmanager posts, version 4.
    Alertmanager,
    /// Nothing: a sound.
    None,
}

/// The status of a delivery, as CLI and API print it. [`MOVES`] says what may follow what; the page
/// `docs/deliveries.md` draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Scheduled,
    Ready,
    Sending,
    Submitted,
    Backoff,
    Waiting,
    Unknown,
    Delivered,
    Sent,
    Superseded,
    Expired,
    Dead,
    Skipped,
    Simulated,
}

impl Status {
    pub const ALL: [Status; 14] = [
        Status::Scheduled,
        Status::Ready,
        Status::Sending,
        Status::Submitted,
        Status::Backoff,
        Status::Waiting,
        Status::Unknown,
        Status::Delivered,
        Status::Sent,
        Status::Superseded,
        Status::Expired,
        Status::Dead,
        Status::Skipped,
        Status::Simulated,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Status::Scheduled => "scheduled",
            Status::Ready => "ready",
            Status::Sending => "sending",
            Status::Submitted => "submitted",
            Status::Backoff => "backoff",
            Status::Waiting => "waiting",
            Status::Unknown => "unknown",
            Status::Delivered => "delivered",
            Status::Sent => "sent",
            Status::Superseded => "superseded",
            Status::Expired => "expired",
            Status::Dead => "dead",
            Status::Skipped => "skipped",
            Status::Simulated => "simulated",
        }
    }

    pub fn parse(word: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Nothing more will happen to it by itself.
    pub fn is_end(self) -> bool {
        use Status::*;
        matches!(self, Delivered | Sent | Superseded | Expired | Dead | Skipped | Simulated)
    }

    /// It got out: the provider has it, or would have it.
    pub fn got_out(self) -> bool {
        matches!(self, Status::Submitted | Status::Delivered | Status::Sent | Status::Simulated)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Every move that a delivery may make: the one table that the fold goes by. A move that is not in it
/// never happened.
pub const MOVES: &[(Status, &[Status])] = {
    use Status::*;
    &[
        (Scheduled, &[Ready, Superseded, Expired, Skipped]),
        (Ready, &[Ready, Sending, Submitted, Delivered, Sent, Waiting, Superseded, Expired, Dead, Skipped]),
        (
            Sending,
            &[
                Submitted, Delivered, Sent, Simulated, Ready, Backoff, Waiting, Unknown, Superseded, Expired, Dead,
                Skipped,
            ],
        ),
        (Submitted, &[Submitted, Delivered, Sent, Ready, Backoff, Waiting, Superseded, Expired, Dead, Skipped]),
        (Backoff, &[Ready, Waiting, Submitted, Delivered, Sent, Superseded, Expired, Dead, Skipped]),
        (Waiting, &[Ready, Waiting, Sending, Submitted, Delivered, Sent, Superseded, Expired, Dead, Skipped]),
        (Unknown, &[Unknown, Submitted, Delivered, Sent, Ready, Backoff, Waiting, Superseded, Expired, Dead, Skipped]),
        // Only by somebody's order.
        (Dead, &[Ready]),
        (Delivered, &[]),
        (Sent, &[]),
        (Superseded, &[]),
        (Expired, &[]),
        (Skipped, &[]),
        (Simulated, &[]),
    ]
};

impl Status {
    /// What may come next.
    pub fn next(self) -> &'static [Status] {
        MOVES.iter().find(|(from, _)| *from == self).map_or(&[], |(_, to)| to)
    }

    /// Whether a delivery may go from this to that.
    pub fn may_become(self, to: Status) -> bool {
        self.next().contains(&to)
    }

    /// What a delivery may begin with.
    pub fn is_beginning(self) -> bool {
        matches!(self, Status::Scheduled | Status::Ready | Status::Skipped)
    }
}

/// How healthy a channel is, as SEMANTICS says: *unknown* before the first result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelStatus {
    #[default]
    Unknown,
    Ok,
    Suspect,
    Dead,
}

impl ChannelStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            ChannelStatus::Unknown => "unknown",
            ChannelStatus::Ok => "ok",
            ChannelStatus::Suspect => "suspect",
            ChannelStatus::Dead => "dead",
        }
    }
}
