//! Messages that never were: one of each occasion, to try templates with and to show what they make.

use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::message::context::{About, Context};
use jiff::tz::TimeZone;

/// Every reason why people are told something, by the `kind` that a webhook gets.
pub const OCCASIONS: [&str; 7] = [
    "incident.opened",
    "incident.step",
    "incident.reminder",
    "incident.acknowledged",
    "incident.resolved",
    "notification",
    "test",
];

/// 02:41 in a night of November, and what was when.
const SINCE: Timestamp = Timestamp(1_795_138_860_000_000);
const OPENED: Timestamp = Timestamp(SINCE.0 + 300_000_000);
const NOW: Timestamp = Timestamp(SINCE.0 + 363_000_000);

/// What a sample says; change what you like.
#[derive(Clone, Debug)]
pub struct Sample {
    pub from: String,
    /// One of [`OCCASIONS`].
    pub occasion: String,
    pub level: Level,
    pub subject: String,
    pub body: String,
    pub labels: Labels,
    pub annotations: Labels,
    pub vars: Labels,
    pub zone: TimeZone,
    pub link: Option<String>,
}

impl Sample {
    pub fn of(occasion: &str, level: Level) -> Sample {
        let labels = [("level", level.as_str()), ("name", "twilio"), ("source", "heartbeat"), ("type", "probe")];
        Sample {
            from: "prague-1".into(),
            occasion: occasion.to_owned(),
            level,
            subject: "Twilio credentials refused".into(),
            body: "401 Authenticate".into(),
            labels: labels.into(),
            annotations: Labels::new(),
            vars: Labels::new(),
            zone: TimeZone::UTC,
            link: None,
        }
    }

    pub fn context(&self) -> Context<'_> {
        Context {
            from: &self.from,
            kind: &self.occasion,
            level: self.level,
            kind_of: self.labels.get("type").unwrap_or("message"),
            subject: &self.subject,
            body: &self.body,
            labels: &self.labels,
            annotations: &self.annotations,
            vars: &self.vars,
            incident: self.occasion.starts_with("incident.").then(|| self.about()),
            id: "01M7V90VPG0000000000000002".into(),
            delivery: "01M7V90VPG0000000000000003".into(),
            at: NOW,
            zone: self.zone.clone(),
            link: self.link.clone(),
            reply: None,
            keys: false,
            possibly_duplicate: false,
            enclosures: Default::default(),
        }
    }

    fn about(&self) -> About<'_> {
        let (status, by, lasted) = match self.occasion.as_str() {
            "incident.acknowledged" => ("acknowledged", Some("bob"), None),
            "incident.resolved" => ("resolved", Some("heartbeat twilio"), Some(Span::mins(12))),
            _ => ("open", None, None),
        };
        About {
            number: 417,
            id: "01M7V90VPG0000000000000001".into(),
            fingerprint: "heartbeat/twilio",
            status,
            step: 1,
            round: 1,
            opened_at: OPENED,
            since: SINCE,
            by,
            no_longer_reported: false,
            lasted,
        }
    }
}
