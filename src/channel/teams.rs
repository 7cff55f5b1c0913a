//! Microsoft Teams by a workflow ("When a Teams webhook request is received"): one fixed place, the
//! whole URL is the credential and is used as it was copied, byte for byte.
//!
//! `POST`, JSON: a message with one adaptive card of version 1.4 (learn.microsoft.com,
//! webhooks-and-connectors/how-to/connectors-using). 202 means that the flow has begun, not that
//! anything was posted, so the end of it is `sent`. A flow belongs to one person and ends with that
//! account. There is no idempotency: a lost answer may mean a second card.
//!
//! Settings: `webhook_url` (the whole URL, a secret), and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::matter::Occasion;
use crate::channel::{Channel, Format, Kind, Outgoing, Probed, markdown};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::level::Level;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;

pub const KIND: Kind = Kind { name: "teams", sort: Sort::Fixed, provider: "teams", format: Format::Chat, read };

/// Bytes of a whole request.
const LONGEST: usize = 28 * 1024;
/// Letters of the text before anything has to be cut.
const TEXT: usize = 8000;
/// What a TextBlock reads as markdown.
const MARKS: &str = "\\*_[]`";
/// Labels shown, and letters of each.
const FACTS: usize = 10;
const FACT: usize = 200;

#[derive(Debug)]
struct Teams {
    url: Endpoint,
    way: Way,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let url = http::secret_url(
        table,
        "webhook_url",
        "https://prod-00.westeurope.logic.azure.com:443/workflows/...",
        way.reach,
    )?;
    way.hide(url.hidden());
    Some(Arc::new(Teams { url, way }))
}

/// Never more than Teams takes.
fn document(out: &Outgoing) -> Value {
    let mut most = TEXT;
    loop {
        let card = card(out, most);
        if card.to_string().len() <= LONGEST || most < 100 {
            return card;
        }
        most = most * 3 / 4;
    }
}

fn card(out: &Outgoing, most: usize) -> Value {
    let (first, rest) = markdown::headline(&out.text.text);
    let mut body = vec![json!({
        "type": "TextBlock", "text": markdown::escape(first, MARKS, most.min(500)), "wrap": true,
        "weight": "Bolder", "size": "Medium", "color": colour(out),
    })];
    if !rest.is_empty() {
        // One line break alone is a blank to a card.
        let text = markdown::escape(rest, MARKS, most).replace('\n', "\n\n");
        body.push(json!({ "type": "TextBlock", "text": text, "wrap": true }));
    }
    let facts = facts(out);
    if !facts.is_empty() {
        body.push(json!({ "type": "FactSet", "facts": facts }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": body,
            },
        }],
    })
}

/// Labels that the headline does not say.
fn facts(out: &Outgoing) -> Vec<Value> {
    let labels = out.matter.labels.iter().filter(|(name, value)| *name != "level" && !value.is_empty());
    let fact = |text: &str| markdown::escape(text, MARKS, FACT);
    labels.take(FACTS).map(|(name, value)| json!({ "title": fact(name), "value": fact(value) })).collect()
}

/// A colour of the card's own palette.
fn colour(out: &Outgoing) -> &'static str {
    match (out.matter.occasion, out.level) {
        (Occasion::Resolved, _) => "Good",
        (Occasion::Acknowledged, _) => "Accent",
        (_, Level::Urgent) => "Attention",
        (_, Level::High | Level::Normal) => "Warning",
        (_, Level::Low) => "Default",
    }
}

impl Channel for Teams {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            let card = document(out);
            http::attempt(self.way.send(Method::POST, &self.url, |r| r.json(&card)).await.and_then(judge))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let connected = self.way.connect(&self.url).await?;
            Ok(format!("{connected}; whether the flow still runs shows only when a message is sent"))
        })
    }

    fn describe(&self, out: &Outgoing) -> String {
        format!("POST {}/[secret]\nContent-Type: application/json\n\n{:#}", self.url.place(), document(out))
    }
}

/// 202 and nothing, of some flows 200; errors are `{"error": {"code", "message"}}`.
fn judge(answer: Answer) -> Result<AttemptResult, Failure> {
    let document = answer.json().unwrap_or_default();
    let error = &document["error"];
    if answer.is_success() && error.is_null() {
        // A web page is what a proxy answers, not a flow.
        if answer.body.trim_ascii().starts_with(b"<") {
            return Err(http::not_theirs(&answer, "Teams"));
        }
        return Ok(AttemptResult::Sent { provider_id: None, detail: "the flow has begun".into() });
    }
    let words = error["message"].as_str().map_or_else(|| answer.words(), str::to_owned);
    let code = error["code"].as_str().map_or_else(|| answer.status.to_string(), str::to_owned);
    let failure = match answer.status {
        // The flow is off, or its owner has left: nothing works until somebody mends it.
        404 | 410 => Failure::new(FailureClass::ProviderError, Blame::Account, words),
        400 | 413 => Failure::new(FailureClass::ValidationError, Blame::Message, words),
        200..=299 => Failure::new(FailureClass::ProviderError, Blame::Provider, words),
        _ => http::by_status(&answer, words),
    };
    Err(failure.code(code))
}
