//! Any HTTP receiver: a fixed URL gets the finished text as its body.
//!
//! The body is the JSON document that `events` shows, too, or what the template in `body` makes; the
//! text arrives finished, so this only sends it. Any 2xx is a delivery. The header `Idempotency-Key` is
//! the delivery's id, the same at each attempt, so that a receiver can tell a repetition.
//!
//! Settings: `url` (a secret, it may hold a token), `method` (default "POST"), `content_type`
//! (default "application/json"), `body` (a template), `format` ("stentor", or "alertmanager": what
//! Prometheus' Alertmanager posts), those of [`request`] and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::request::{self, Dress};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::Failure;
use crate::net::RequestBuilder;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::sync::Arc;

pub const KIND: Kind = Kind { name: "webhook", sort: Sort::Fixed, provider: "webhook", format: Format::Document, read };

#[derive(Debug)]
struct Webhook {
    url: Endpoint,
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
    let url = http::secret_url(table, "url", "https://example.org/hook", way.reach)?;
    let dress = dress?;
    way.hide(url.hidden());
    let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::POST);
    let content_type = content_type.unwrap_or_else(|| "application/json".into());
    Some(Arc::new(Webhook { url, method, dress, content_type, format, way }))
}

impl Webhook {
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
            let sent = self.way.send(self.method.clone(), &self.url, |r| self.dressed(r, out)).await;
            http::attempt(sent.and_then(judge))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let connected = self.way.connect(&self.url).await?;
            Ok(format!("{connected}; whether the receiver accepts shows only when a message is sent"))
        })
    }

    fn format(&self) -> Option<Format> {
        Some(self.format)
    }

    fn describe(&self, out: &Outgoing) -> String {
        let mut lines = vec![format!("{} {}/[secret]", self.method, self.url.place())];
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
