//! Telnyx calling us: `telnyx-signature-ed25519` over `<timestamp>|<body>`, and what such a call says.

use crate::channel::Incoming;
use crate::channel::sign::{self, PublicKeys};
use crate::channel::telnyx::judge;
use crate::domain::event::{Heard, Price, Said};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::money::Money;
use crate::domain::time::Span;
use crate::settings::Table;
use ring::signature::ED25519;
use serde_json::Value;

/// A call that is older is no news but a repetition by somebody; one from so far ahead is neither.
const FRESH: Span = Span::secs(300);

/// The account's public keys.
#[derive(Debug)]
pub(super) struct Keys(PublicKeys);

impl Keys {
    /// `None` where nothing could be checked.
    pub fn read(table: &mut Table<'_>) -> Option<Keys> {
        let key = |text: &str| sign::from_base64(text).filter(|key| key.len() == 32);
        let wrong = "a public key of Telnyx; write the 44 characters of base64 that its portal shows";
        PublicKeys::read(table, key, wrong).map(Keys)
    }

    /// # Errors
    /// What is wrong with the signature.
    pub fn verify(&self, call: &Incoming<'_>) -> Result<(), String> {
        let timestamp = call.header("telnyx-timestamp").ok_or("it does not say when it was signed")?;
        let at = timestamp.parse::<i64>().map_err(|_| "it does not say when it was signed")?;
        let data = [timestamp.as_bytes(), b"|", call.body].concat();
        self.0.verify(&ED25519, &data, call.header("telnyx-signature-ed25519"))?;
        let age = call.now.0.div_euclid(1_000_000).saturating_sub(at);
        match age.saturating_abs() <= FRESH.as_secs() {
            true => Ok(()),
            false => Err(format!("it was signed {age} s ago")),
        }
    }
}

/// What a call says.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// Of a message that we sent.
    Heard(Heard),
    /// Somebody wrote to us.
    Received { provider_id: String, from: String, to: String, text: String },
    /// Nothing that we need to know.
    Other,
}

/// `{"data": {"event_type", "payload"}}`; `None` for what is not Telnyx' form.
pub fn read(body: &[u8]) -> Option<Event> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let data = &document["data"];
    let kind = data["event_type"].as_str()?;
    let payload = &data["payload"];
    Some(match kind {
        "message.received" => received(payload)?,
        _ => heard(payload).map_or(Event::Other, Event::Heard),
    })
}

fn received(payload: &Value) -> Option<Event> {
    let number = |value: &Value| value["phone_number"].as_str().or(value.as_str()).map(str::to_owned);
    Some(Event::Received {
        provider_id: payload["id"].as_str()?.to_owned(),
        from: number(&payload["from"])?,
        to: number(&payload["to"][0]).or_else(|| number(&payload["to"])).unwrap_or_default(),
        text: payload["text"].as_str().unwrap_or_default().to_owned(),
    })
}

/// How a message is: the same in a call and in the answer to a question.
pub(super) fn heard(message: &Value) -> Option<Heard> {
    let status = message["to"][0]["status"].as_str().or(message["status"].as_str())?;
    let said = match status {
        "queued" | "sending" | "scheduled" => Said::Queued,
        // Never more than this will be known of the last one.
        "sent" | "delivery_unconfirmed" => Said::Sent,
        "delivered" | "read" => Said::Delivered,
        "delivery_failed" | "sending_failed" | "expired" => Said::Failed(failure(message, status)),
        _ => return None,
    };
    let provider_id = message["id"].as_str()?.to_owned();
    Some(Heard { provider_id, status: status.to_owned(), said, price: price(message) })
}

fn failure(message: &Value, status: &str) -> Failure {
    judge(&message["errors"], format!("Telnyx says {status}"))
        .unwrap_or_else(|words| Failure::new(FailureClass::ProviderError, Blame::Provider, words).code(status))
}

/// `{"cost": {"amount": "0.0040", "currency": "USD"}, "parts": 1}`; the cost is often not known yet.
pub(super) fn price(message: &Value) -> Option<Price> {
    let cost = &message["cost"];
    let money = Money::reported(cost["amount"].as_str()?, cost["currency"].as_str()?)?;
    Some(Price { money, segments: message["parts"].as_u64().and_then(|parts| u32::try_from(parts).ok()) })
}
