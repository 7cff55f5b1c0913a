//! After a lost answer: is it there? Twilio has no idempotency for creating, but it lists what it
//! has: `GET .../Messages.json?To=...&PageSize=50` and the same for `Calls.json`, newest first
//! (spec twilio_api_v2010.json, ListMessage, ListCall).
//!
//! What counts is the number, the sender, the time of creation and, of a message, the text. The
//! list's own filter by time is not used: it goes by when something was sent, and what waits in
//! Twilio's queue was not sent yet.

use crate::channel::twilio::{Account, errors};
use crate::channel::{Found, Lost};
use crate::domain::failure::Failure;
use crate::domain::time::{Span, Timestamp};
use crate::net::Method;
use serde_json::Value;

/// Our clock and Twilio's may differ by this much.
const SKEW: Span = Span::mins(1);
/// The latest ones to a number; an alarm whose answer was just lost is among them.
const PAGE: &str = "50";

/// What it would look like.
pub(super) struct Sought<'a> {
    /// `Messages.json` or `Calls.json`, and the field of the answer that holds the list.
    pub list: (&'a str, &'a str),
    pub to: &'a str,
    /// A field and its value: the number or the service that sent it.
    pub sender: (&'a str, &'a str),
    /// Of a message.
    pub body: Option<&'a str>,
}

impl Account {
    /// Whether Twilio has it.
    pub(super) async fn inquire(&self, sought: Sought<'_>, lost: &Lost) -> Found {
        match self.list(&sought).await {
            Ok(entries) => find(&entries, &sought, lost),
            Err(failure) => Found::Unclear { words: format!("Twilio could not be asked: {failure}") },
        }
    }

    async fn list(&self, sought: &Sought<'_>) -> Result<Vec<Value>, Failure> {
        let (resource, field) = sought.list;
        let from = self.resource(&[&self.sid, resource]).with("To", sought.to).with("PageSize", PAGE);
        let dress = |r: crate::net::RequestBuilder| r.basic_auth(&self.user, Some(self.password.reveal()));
        let answer = self.way.send(Method::GET, &from, dress).await?;
        let mut document = answer.json().unwrap_or_default();
        if !answer.is_success() {
            let words = document["message"].as_str().map(str::to_owned);
            return Err(errors::refused(&answer, document["code"].as_u64(), words));
        }
        match document[field].take() {
            Value::Array(entries) => Ok(entries),
            _ => Err(crate::channel::http::not_theirs(&answer, "Twilio")),
        }
    }
}

fn find(entries: &[Value], sought: &Sought<'_>, lost: &Lost) -> Found {
    let since = lost.since - SKEW;
    let fits = |entry: &&Value| {
        let is = |field: &str, value: &str| entry[field] == *value;
        let known = entry["sid"].as_str().is_none_or(|sid| lost.known.iter().any(|k| k == sid));
        // A trial account's texts begin with a line of Twilio's own.
        let text = sought.body.is_none_or(|body| entry["body"].as_str().is_some_and(|b| b.ends_with(body)));
        let failed = ["failed", "undelivered", "canceled"].iter().any(|status| is("status", status));
        let new = created(entry).is_some_and(|at| at >= since);
        !known && !failed && new && text && is("to", sought.to) && is(sought.sender.0, sought.sender.1)
    };
    let mut found = entries.iter().filter(fits);
    // Of several the oldest: the newer ones may be another attempt's.
    match found.next_back().and_then(|entry| Some((entry, entry["sid"].as_str()?))) {
        Some((entry, sid)) => Found::Yes {
            provider_id: sid.to_owned(),
            detail: format!("Twilio has it: {}", entry["status"].as_str().unwrap_or("-")),
        },
        None => Found::No { words: "Twilio does not list it".to_owned() },
    }
}

/// `date_created`, RFC 2822.
fn created(entry: &Value) -> Option<Timestamp> {
    let at = jiff::fmt::rfc2822::parse(entry["date_created"].as_str()?).ok()?;
    Some(Timestamp(at.timestamp().as_microsecond()))
}
