//! What outcomes are told with, and how it is read from the documents of what a reader has not seen itself.

use crate::domain::Labels;
use crate::domain::delivery::Medium;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Failure, FailureClass, cut};
use crate::domain::id::IncidentId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Characters of a body.
const BODY: usize = 1_000;

/// What a message is about.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub level: String,
    pub kind_of: String,
    pub subject: String,
    pub body: String,
    pub labels: Labels,
    pub asked: Asked,
}

/// What the caller said of its request; what it did not say is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// The incident, as it was then.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct About {
    pub number: u64,
    pub id: String,
    pub fingerprint: String,
    pub status: String,
    pub step: u32,
    pub round: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Subject {
    pub message: Message,
    /// Its `status` is the one that was known last.
    pub about: About,
}

#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub notification: String,
    pub incident: Option<IncidentId>,
    /// By which it goes now.
    pub channel: Option<String>,
    pub recipient: Option<String>,
    pub message: Message,
    /// Of the address asked for.
    pub medium: Option<Medium>,
    pub addresses: BTreeMap<Medium, String>,
    pub last: Last,
    pub price: Price,
}

impl Sent {
    pub fn address(&self, medium: Medium) -> Option<String> {
        self.addresses.get(&medium).cloned()
    }
}

/// The last attempt.
#[derive(Clone, Debug, Default)]
pub struct Last {
    pub n: u32,
    pub message_id: Option<String>,
    pub possibly_duplicate: bool,
    pub error: Option<Error>,
}

/// Why an attempt failed.
#[derive(Clone, Debug, Serialize)]
pub struct Error {
    pub class: String,
    pub message: String,
}

/// What it cost, where that is known.
#[derive(Clone, Debug, Default)]
pub struct Price {
    pub cost: Option<String>,
    pub currency: Option<String>,
    pub segments: Option<u32>,
}

pub fn text(document: &Value, field: &str) -> String {
    document[field].as_str().unwrap_or_default().to_owned()
}

pub fn message_of(document: &Value) -> Message {
    Message {
        level: text(document, "level"),
        kind_of: text(document, "type"),
        subject: text(document, "subject"),
        body: short(document["body"].as_str().unwrap_or_default()),
        labels: serde_json::from_value(document["labels"].clone()).unwrap_or_default(),
        asked: Asked::default(),
    }
}

pub fn asked_of(delivery: &Value) -> Asked {
    Asked::deserialize(delivery).unwrap_or_default()
}

pub fn subject_of(incident: &Value) -> Subject {
    let count = |field: &str| incident[field].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
    Subject {
        message: message_of(incident),
        about: About {
            number: incident["number"].as_u64().unwrap_or_default(),
            id: text(incident, "id"),
            fingerprint: text(incident, "fingerprint"),
            status: text(incident, "status"),
            step: count("step"),
            round: count("round"),
        },
    }
}

pub fn sent_of(delivery: &Value) -> Sent {
    let some = |field: &str| delivery[field].as_str().map(str::to_owned);
    let attempt = delivery["attempts"].as_array().and_then(|all| all.last()).unwrap_or(&Value::Null);
    let of_attempt = |field: &str| attempt[field].as_str().map(str::to_owned);
    let count = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
    let address = some("address");
    let medium = address.as_ref().map(|a| if a.contains('@') { Medium::Mail } else { Medium::Sms });
    Sent {
        notification: text(delivery, "notification"),
        incident: None,
        channel: some("via").or_else(|| some("channel")),
        recipient: some("recipient"),
        message: Message { asked: asked_of(delivery), ..Message::default() },
        medium,
        addresses: address.into_iter().flat_map(|a| same(&a)).collect(),
        last: Last {
            n: count(&attempt["n"]).unwrap_or_default(),
            message_id: of_attempt("provider_message_id"),
            possibly_duplicate: attempt["possibly_duplicate"].as_bool().unwrap_or_default(),
            error: of_attempt("class").map(|class| Error { class, message: of_attempt("error").unwrap_or_default() }),
        },
        price: Price { cost: some("cost"), currency: some("currency"), segments: count(&delivery["segments"]) },
    }
}

/// A document names the address alone.
fn same(address: &str) -> Vec<(Medium, String)> {
    let media: &[Medium] = if address.contains('@') { &[Medium::Mail] } else { &[Medium::Sms, Medium::Voice] };
    media.iter().map(|medium| (*medium, address.to_owned())).collect()
}

impl Last {
    /// At once, or as its provider says later.
    pub fn failed(&mut self, failure: &Failure) {
        self.error = Some(Error { class: failure.class.to_string(), message: failure.said() });
    }

    /// How it ended.
    pub fn learn(&mut self, result: &AttemptResult) {
        match result {
            AttemptResult::Delivered { provider_id, .. }
            | AttemptResult::Sent { provider_id, .. }
            | AttemptResult::Submitted { provider_id, .. } => {
                self.message_id.clone_from(provider_id);
                self.error = None;
            }
            AttemptResult::Failed(failure) => self.failed(failure),
            AttemptResult::Lost { words } => {
                self.error = Some(Error { class: FailureClass::Timeout.to_string(), message: words.clone() });
            }
            AttemptResult::Priced { result, .. } => self.learn(result),
            AttemptResult::Simulated { .. } => {}
        }
    }
}

/// Not a line break of it is changed.
pub fn short(body: &str) -> String {
    if body.chars().nth(BODY).is_none() { body.to_owned() } else { cut(body, BODY) }
}
