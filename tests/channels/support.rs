//! Channels from their settings, messages for them, and what came of it.

use crate::standins::record::Recorded;
use std::sync::Arc;
use stentor::channel::{self, Channel, Matter, Occasion, Outgoing, Subject};
use stentor::domain::event::{AttemptResult, Rendered};
use stentor::domain::failure::{Blame, Failure, FailureClass};
use stentor::domain::level::Level;
use stentor::domain::time::Span;
use stentor::settings::testing;

/// The delivery's id in all tests.
pub const KEY: &str = "01KTESTDELIVERY0000000017";

pub fn channel(kind: &str, toml: &str) -> Arc<dyn Channel> {
    let (channel, problems) = testing::table(toml, channel::kind(kind).unwrap().read);
    assert_eq!(testing::told(&problems), "");
    channel.unwrap()
}

/// What the settings are complained about.
pub fn told(kind: &str, toml: &str) -> String {
    let (channel, problems) = testing::table(toml, channel::kind(kind).unwrap().read);
    assert!(channel.is_some() || !problems.errors.is_empty(), "refused without a word");
    testing::told(&problems)
}

pub fn out(address: Option<&str>, subject: &str, text: &str) -> Outgoing {
    Outgoing {
        key: KEY.into(),
        attempt: 1,
        address: address.map(str::to_owned),
        text: Rendered { subject: subject.into(), text: text.into(), ..Rendered::default() },
        level: Level::Urgent,
        ttl: Span::hours(1),
        matter: Matter::default(),
        sound: None,
        attachments: Vec::new(),
        callback: None,
    }
}

/// The incident of all tests.
pub const INCIDENT: &str = "01KTESTINCIDENT0000000417";

/// A message about incident 417, for a fixed channel.
pub fn about(occasion: Occasion, text: &str) -> Outgoing {
    let labels = [("level", "urgent"), ("source", "heartbeat"), ("name", "twilio"), ("type", "probe")];
    let matter = Matter {
        from: "prague-1".into(),
        occasion,
        kind_of: "probe".into(),
        subject: "Twilio credentials refused".into(),
        body: "401 Authenticate".into(),
        labels: Arc::new(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        incident: Some(Subject { id: INCIDENT.into(), number: 417, first: None }),
    };
    Outgoing { matter, ..out(None, "", text) }
}

/// What was sent as JSON.
#[track_caller]
pub fn json(recorded: &Recorded) -> serde_json::Value {
    serde_json::from_str(&recorded.body).unwrap_or_else(|e| panic!("{e}: {}", recorded.body))
}

#[track_caller]
pub fn failure(result: AttemptResult) -> Failure {
    match result {
        AttemptResult::Failed(failure) => failure,
        other => panic!("not a failure: {other:?}"),
    }
}

/// Class, blame, and whether it may have been processed.
#[track_caller]
pub fn is(result: AttemptResult, class: FailureClass, blame: Blame, unknown: bool) -> Failure {
    let failure = failure(result);
    assert_eq!((failure.class, failure.blame, failure.unknown), (class, blame, unknown), "{failure}");
    failure
}
