//! Any HTTP receiver: a URL gets the finished text as its body.
//!
//! In `url` may stand `{subject}`, `{body}`, `{level}`, `{type}`, `{from}`, `{number}` (of the incident, or
//! nothing), `{id}` (the delivery's) and `{text}` (what a POST has as its body), percent-encoded, each of at most 1,000
//! letters: so a GET tells something, too.
//!
//! The body is the JSON document that `events` shows, too, or what the template in `body` makes; the
//! text arrives finished, so this only sends it. Any 2xx is a delivery. The header `Idempotency-Key` is
//! the delivery's id, the same at each attempt, so that a receiver can tell a repetition.
//!
//! Settings: `url` (a secret, it may hold a token), `method` (default "POST"), `content_type`
//! (default "application/json"), `body` (a template), `format` ("stentor", or "alertmanager": what
//! Prometheus' Alertmanager posts), those of [`request`] and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::places::{Address, Values};
use crate::channel::request::{self, Dress};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::Failure;
use crate::net::RequestBuilder;
use crate::net::{Answer, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::sync::Arc;

pub const KIND: Kind = Kind { name: "webhook", sort: Sort::Fixed, provider: "webhook", format: Format::Document, read };

/// Names of the places in the URL, and letters that each takes.
const PLACES: &[&str] = &["subject", "body", "level", "type", "from", "number", "id", "text"];
const LONGEST: usize = 1_000;

#[derive(Debug)]
struct Webhook {
    url: Address,
    method: Method,
    dress: Dress,
    content_type: String,
    format: Format,
    way: Way,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let method = table.choice("method", &["POST", "PUT", "PATCH", "GET"]).unwrap_or("POST");
    let dress = Dress::read(table, &mut way);
    let content_type = table.parsed("content_type", |t| request::header_value(t).map(|()| t.to_owned()));
    // The template is the message floor's; here it is only a key that is known.
    table.known(&["body"]);
    let format = match table.choice("format", &["stentor", "alertmanager"]) {
        Some("alertmanager") => Format::Alertmanager,
        _ => Format::Document,
    };
    let url = Address::read(table, "https://example.org/hook", PLACES, way.reach)?;
    let dress = dress?;
    way.hide(url.place().hidden());
    let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::POST);
    let content_type = content_type.unwrap_or_else(|| "application/json".into());
    Some(Arc::new(Webhook { url, method, dress, content_type, format, way }))
}

impl Webhook {
    /// What this message puts into each place of the URL.
    fn filled<T>(&self, out: &Outgoing, with: impl FnOnce(&Values<'_>) -> T) -> T {
        let matter = &out.matter;
        let short = |text: &str| http::shorten(text, LONGEST);
        let (subject, body, text) = (short(&matter.subject), short(&matter.body), short(&out.text.text));
        let number = matter.incident.as_ref().map(|i| i.number.to_string()).unwrap_or_default();
        with(&[
            ("subject", &subject),
            ("body", &body),
            ("level", out.level.as_str()),
            ("type", &matter.kind_of),
            ("from", &matter.from),
            ("number", &number),
            ("id", &out.key),
            ("text", &text),
        ])
    }

    fn dressed(&self, request: RequestBuilder, out: &Outgoing) -> RequestBuilder {
        let request = request.header("Idempotency-Key", &out.key);
        if self.method == Method::GET {
            return self.dress.put_on(request, "");
        }
        let body = &out.text.text;
        self.dress.put_on(request.header("Content-Type", &self.content_type).body(body.clone()), body)
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            let filled = (!self.url.is_fixed()).then(|| self.filled(out, |values| self.url.to(values)));
            let url = match &filled {
                None => self.url.place(),
                Some(Ok(url)) => url,
                Some(Err(failure)) => return AttemptResult::Failed(failure.clone()),
            };
            let sent = self.way.send(self.method.clone(), url, |r| self.dressed(r, out)).await;
            http::attempt(sent.and_then(judge))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let connected = self.way.connect(self.url.place()).await?;
            Ok(format!("{connected}; whether the receiver accepts shows only when a message is sent"))
        })
    }

    fn format(&self) -> Option<Format> {
        Some(self.format)
    }

    /// A program takes what comes as quickly as it is told, and each attempt is durable before it begins: with
    /// few at once it would wait for the disk. Alertmanager has no bound at all.
    fn slots(&self) -> usize {
        64
    }

    fn describe(&self, out: &Outgoing) -> String {
        let to = self.filled(out, |values| self.url.shown(values));
        let mut lines = vec![format!("{} {to}", self.method)];
        lines.push(format!("Idempotency-Key: {}", out.key));
        lines.extend(self.dress.lines());
        if self.method != Method::GET {
            lines.push(format!("Content-Type: {}\n\n{}", self.content_type, out.text.text));
        }
        lines.join("\n")
    }
}

fn judge(answer: Answer) -> Result<AttemptResult, Failure> {
    match answer.status {
        200..=299 => Ok(AttemptResult::Delivered { provider_id: None, detail: format!("answered {}", answer.status) }),
        _ => Err(request::refused(&answer, answer.words())),
    }
}
