//! PagerDuty by its Events API v2: one alert there for each incident here.
//!
//! `POST /v2/enqueue`, JSON; the routing key in it is the credential; 202 is an acceptance
//! (developer.pagerduty.com/docs/events-api-v2). The dedup key is the incident's id from the first
//! trigger on, so that a repetition changes nothing, and the acknowledgement and the end reach the
//! same alert. What belongs to no incident is an alert by itself, under the delivery's id.
//! A wrong routing key of the right length can be accepted all the same: `test` shows it.
//!
//! Settings: `routing_key` (a secret), `base_url` (default `https://events.pagerduty.com`; in the EU
//! `https://events.eu.pagerduty.com`), and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::matter::Occasion;
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::level::Level;
use crate::domain::secret::Secret;
use crate::domain::time::Span;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;

pub const KIND: Kind = Kind { name: "pagerduty", sort: Sort::Fixed, provider: "pagerduty", format: Format::Chat, read };

/// Letters of a summary.
const SUMMARY: usize = 1024;
/// Bytes of a whole event, and letters of the texts in it that always fit.
const LONGEST: usize = 512 * 1024;
const TEXT: usize = 60_000;
/// PagerDuty asks for a pause of minutes after a 429, and says so nowhere in it.
const PAUSE: Span = Span::mins(1);

#[derive(Debug)]
struct PagerDuty {
    url: Endpoint,
    routing_key: Secret,
    way: Way,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let base = http::base_url(table, "https://events.pagerduty.com", way.reach);
    let routing_key = table.require_secret("routing_key", "${PAGERDUTY_ROUTING_KEY}")?;
    if !routing_key.is_empty() && routing_key.reveal().chars().count() != 32 {
        let hint = "it is the 32 letters of an integration of kind Events API v2";
        table.warning("routing_key", "this does not look like a routing key of PagerDuty", hint);
    }
    way.hide([routing_key.reveal()]);
    Some(Arc::new(PagerDuty { url: base?.join(&["v2", "enqueue"]), routing_key, way }))
}

impl PagerDuty {
    fn event(&self, out: &Outgoing, key: &str) -> Value {
        let incident = out.matter.incident.as_ref();
        let dedup_key = incident.map_or(&out.key, |incident| &incident.id);
        let event = json!({ "routing_key": key, "event_action": action(out), "dedup_key": dedup_key });
        match action(out) {
            "trigger" => triggered(event, out),
            _ => event,
        }
    }
}

fn action(out: &Outgoing) -> &'static str {
    match (out.matter.occasion, &out.matter.incident) {
        (Occasion::Acknowledged, Some(_)) => "acknowledge",
        (Occasion::Resolved, Some(_)) => "resolve",
        _ => "trigger",
    }
}

fn triggered(mut event: Value, out: &Outgoing) -> Value {
    let matter = &out.matter;
    let summary = if matter.subject.trim().is_empty() { &out.text.text } else { &matter.subject };
    let summary: String = summary.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let source = if matter.from.is_empty() { "stentor" } else { &matter.from };
    let mut details = json!({
        "message": http::shorten(&out.text.text, TEXT), "level": out.level.as_str(), "delivery": out.key,
    });
    if !matter.body.is_empty() {
        details["body"] = http::shorten(&matter.body, TEXT).into();
    }
    if let Some(incident) = &matter.incident {
        details["incident"] = format!("#{}", incident.number).into();
    }
    let mut payload =
        json!({ "summary": http::shorten(&summary, SUMMARY), "source": source, "severity": severity(out) });
    for (field, label) in [("component", "name"), ("group", "source"), ("class", "type")] {
        if let Some(value) = matter.labels.get(label) {
            payload[field] = http::shorten(value, 255).into();
        }
    }
    payload["custom_details"] = details;
    event["client"] = "stentor".into();
    event["payload"] = payload;
    // The labels are the only part without a bound of its own.
    let mut labelled = event.clone();
    labelled["payload"]["custom_details"]["labels"] = json!(matter.labels);
    if labelled.to_string().len() <= LONGEST { labelled } else { event }
}

fn severity(out: &Outgoing) -> &'static str {
    match out.level {
        Level::Urgent => "critical",
        Level::High => "error",
        Level::Normal => "warning",
        Level::Low => "info",
    }
}

impl Channel for PagerDuty {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            let event = self.event(out, self.routing_key.reveal());
            let sent = self.way.send(Method::POST, &self.url, |r| r.json(&event)).await;
            // The same event once more under its key changes nothing.
            http::attempt(sent.and_then(judge).map_err(http::harmless))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let connected = self.way.connect(&self.url).await?;
            Ok(format!("{connected}; whether the routing key is right shows only when an event is sent"))
        })
    }

    fn describe(&self, out: &Outgoing) -> String {
        format!("POST {}\nContent-Type: application/json\n\n{:#}", self.url.shown(), self.event(out, "[secret]"))
    }

    fn follows_incidents(&self) -> bool {
        true
    }
}

/// 202 `{"status": "success", "message", "dedup_key"}`; errors `{"status", "message", "errors": []}`.
fn judge(answer: Answer) -> Result<AttemptResult, Failure> {
    let document = answer.json().unwrap_or_default();
    if answer.is_success() {
        let words = document["message"].as_str().unwrap_or_default();
        return match document["status"].as_str() {
            Some("success") => Ok(AttemptResult::Delivered {
                provider_id: document["dedup_key"].as_str().map(str::to_owned),
                detail: format!("PagerDuty says {words}"),
            }),
            _ => Err(http::not_theirs(&answer, "PagerDuty")),
        };
    }
    let mut words = document["message"].as_str().map_or_else(|| answer.words(), str::to_owned);
    let errors = document["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    for error in errors.iter().filter_map(Value::as_str) {
        words += &format!("; {error}");
    }
    Err(match answer.status {
        // Everything is refused until somebody mends it, not this event.
        400 if words.to_lowercase().replace(' ', "_").contains("routing_key") => {
            Failure::new(FailureClass::AuthError, Blame::Account, words).code(answer.status)
        }
        400 | 413 => Failure::new(FailureClass::ValidationError, Blame::Message, words).code(answer.status),
        429 => http::by_status(&answer, words).retry_after(answer.retry_after.or(Some(PAUSE))),
        _ => http::by_status(&answer, words),
    })
}
