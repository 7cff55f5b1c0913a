//! The incoming webhook: `POST`, JSON `{"text": ...}`; 200 and the two letters `ok` are a success,
//! errors are plain text with a real status
//! (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).

use crate::channel::http::{self, Way};
use crate::channel::slack::{LONGEST, Persona, escape};
use crate::channel::{Channel, Outgoing, Probed};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;

#[derive(Debug)]
pub(super) struct Webhook {
    url: Endpoint,
    persona: Persona,
    way: Way,
}

impl Webhook {
    pub fn read(table: &mut Table<'_>, mut way: Way, persona: Persona) -> Option<Webhook> {
        let url = http::secret_url(table, "webhook_url", "https://hooks.slack.com/services/T.../B.../...", way.reach)?;
        way.hide(url.hidden());
        Some(Webhook { url, persona, way })
    }

    fn document(&self, out: &Outgoing) -> serde_json::Value {
        let mut document = serde_json::json!({ "text": escape(&http::shorten(&out.text.text, LONGEST)) });
        self.persona.sign(&mut document);
        document
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            let body = self.document(out);
            let dress = |r: crate::net::RequestBuilder| {
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
        format!(
            "POST {}/[secret]\nContent-Type: application/json; charset=utf-8\n\n{:#}",
            self.url.place(),
            self.document(out)
        )
    }
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
