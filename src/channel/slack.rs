//! Slack by an incoming webhook: one fixed place, the URL is the credential.
//!
//! `POST`, JSON `{"text": ...}`; 200 and the two letters `ok` are a success, errors are plain text
//! with a real status (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). There is
//! no idempotency: a lost answer may mean a second message.
//!
//! Settings: `webhook_url` (the whole URL, a secret), and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::sync::Arc;

pub const KIND: Kind = Kind { name: "slack", sort: Sort::Fixed, provider: "slack", format: Format::Chat, read };

/// Slack advises against longer texts and cuts them itself at ten times as much.
const LONGEST: usize = 4000;

#[derive(Debug)]
struct Slack {
    url: Endpoint,
    way: Way,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let url = http::secret_url(table, "webhook_url", "https://hooks.slack.com/services/T.../B.../...", way.reach)?;
    way.hide(url.hidden());
    Some(Arc::new(Slack { url, way }))
}

impl Channel for Slack {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            let body = document(out);
            let dress = |r: reqwest::RequestBuilder| {
                r.header("Content-Type", "application/json; charset=utf-8").body(body.to_string())
            };
            http::attempt(self.way.send(Method::POST, &self.url, dress).await.and_then(judge))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let connected = self.way.connect(&self.url).await?;
            Ok(format!("{connected}; whether the webhook is still accepted shows only when a message is sent"))
        })
    }

    fn describe(&self, out: &Outgoing) -> String {
        format!("POST {}/[secret]\n\n{:#}", self.url.place(), document(out))
    }
}

fn document(out: &Outgoing) -> serde_json::Value {
    serde_json::json!({ "text": escape(&http::shorten(&out.text.text, LONGEST)) })
}

/// The three characters that mean something to Slack, so that no text makes a link or a mention.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn judge(answer: Answer) -> Result<AttemptResult, Failure> {
    let words = answer.words();
    match answer.status {
        200..=299 if answer.body.trim_ascii() == b"ok" => {
            Ok(AttemptResult::Delivered { provider_id: None, detail: "Slack says ok".into() })
        }
        200..=299 => Err(http::not_theirs(&answer, "Slack")),
        // The webhook or its channel is gone: nothing works until somebody mends the config.
        404 | 410 => Err(Failure::new(FailureClass::ProviderError, Blame::Account, &words).code(words)),
        400 | 413 => Err(Failure::new(FailureClass::ValidationError, Blame::Message, &words).code(words)),
        _ => Err(http::by_status(&answer, words)),
    }
}
