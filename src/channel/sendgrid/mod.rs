//! Mail by SendGrid: `POST /v3/mail/send`.
//!
//! `Authorization: Bearer`, JSON; 202 with an empty body is an acceptance, `X-Message-Id` its id
//! (docs of the v3 Mail Send API). It is not a delivery: bounces come later, to whoever has set up the
//! event webhook; with its `public_key` a mail is `submitted` until then, else it is `sent`. There is no
//! idempotency: a lost answer may mean a second mail, whose `Message-ID` is the same.
//!
//! Settings: `api_key`, `from` ("Stentor <stentor@example.org>", a sender that SendGrid has
//! verified), `base_url` (default `https://api.sendgrid.com`; in the EU
//! `https://api.eu.sendgrid.com`), `public_key` and `public_key_2` (the event webhook's verification key,
//! and the next one), `attachments_mib`, and those of `http`.

mod callback;

pub use callback::read as read_events;

use crate::channel::http::{self, Way};
use crate::channel::sign::base64;
use crate::channel::{Channel, Confirmer, Enclosed, Format, Incoming, Kind, Outgoing, Probed};
use crate::domain::clock;
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::domain::time::{Span, Timestamp};
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use lettre::Address;
use lettre::message::Mailbox;
use serde_json::{Value, json};
use std::sync::Arc;

pub const KIND: Kind =
    Kind { name: "sendgrid", sort: Sort::Addressed(Medium::Mail), provider: "sendgrid", format: Format::Mail, read };

/// The right that a key needs.
const SCOPE: &str = "mail.send";

#[derive(Debug)]
struct SendGrid {
    /// Bytes of files in one mail.
    attaches: u64,
    base: Endpoint,
    api_key: Secret,
    from: Mailbox,
    way: Way,
    /// What its calls to us are signed with.
    keys: Option<callback::Keys>,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let base = http::base_url(table, "https://api.sendgrid.com", way.reach);
    let api_key = table.require_secret("api_key", "${SENDGRID_API_KEY}");
    let from = table.require_parsed("from", "Stentor <stentor@example.org>", http::mailbox);
    let from = from.or_else(|| table.simulated().then(|| http::mailbox("stentor@simulated.invalid").ok()).flatten());
    let attaches = http::attachments(table);
    let keys = callback::Keys::read(table);
    let api_key = api_key?;
    way.hide([api_key.reveal()]);
    Some(Arc::new(SendGrid { attaches, base: base?, api_key, from: from?, way, keys }))
}

impl SendGrid {
    fn document(&self, out: &Outgoing) -> Result<Value, Failure> {
        let to = out.address.as_deref().unwrap_or_default();
        let to: Address = to.parse().map_err(|_| {
            let words = format!("{to:?} is not an e-mail address");
            Failure::new(FailureClass::ValidationError, Blame::Message, words)
        })?;
        let mut from = json!({ "email": self.from.email.to_string() });
        if let Some(name) = &self.from.name {
            from["name"] = name.as_str().into();
        }
        // Neither may be empty.
        let subject = one_line(if out.text.subject.is_empty() { "(no subject)" } else { &out.text.subject });
        let text = if out.text.text.is_empty() { &subject } else { &out.text.text };
        let mut content = vec![json!({ "type": "text/plain", "value": text })];
        if !out.text.html.is_empty() {
            // The richer one last.
            content.push(json!({ "type": "text/html", "value": out.text.html }));
        }
        let mut document = json!({
            "personalizations": [{ "to": [{ "email": to.to_string() }] }],
            "from": from,
            "subject": subject,
            "content": content,
            "headers": { "Auto-Submitted": "auto-generated", "Message-ID": self.message_id(&out.key) },
            "custom_args": { "stentor_delivery": out.key },
        });
        let file = |(file, bytes): (&Enclosed, &Arc<[u8]>)| json!({ "content": base64(bytes), "type": file.mime, "filename": file.name, "disposition": "attachment" });
        let files: Vec<Value> = out.files().map(file).collect();
        if !files.is_empty() {
            document["attachments"] = files.into();
        }
        if let Some(callback) = &out.callback {
            document["custom_args"][callback::ARGUMENT] = callback.key.as_str().into();
        }
        Ok(document)
    }

    /// The same for every attempt of a delivery.
    fn message_id(&self, key: &str) -> String {
        let safe: String = key.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
        format!("<{safe}@{}>", self.from.email.domain())
    }

    async fn post(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let document = self.document(out)?;
        let to = self.base.join(&["v3", "mail", "send"]);
        let dress = |r: crate::net::RequestBuilder| r.bearer_auth(self.api_key.reveal()).json(&document);
        let result = accepted(&self.way.send(Method::POST, &to, dress).await?)?;
        Ok(http::confirmed_later(result, out.callback.is_some()))
    }

    /// What the key may do; nothing is sent.
    async fn scopes(&self) -> Probed {
        let from = self.base.join(&["v3", "scopes"]);
        let answer = self.way.send(Method::GET, &from, |r| r.bearer_auth(self.api_key.reveal())).await?;
        if !answer.is_success() {
            return Err(refused(&answer));
        }
        let document = answer.json().unwrap_or_default();
        let Some(scopes) = document["scopes"].as_array() else { return Err(http::not_theirs(&answer, "SendGrid")) };
        if scopes.iter().any(|scope| scope == SCOPE) {
            return Ok("API key accepted".into());
        }
        let words = format!("the API key has no right to send (scope {SCOPE})");
        Err(Failure::new(FailureClass::AuthError, Blame::Account, words))
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Channel for SendGrid {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            let mut done = self.post(out).await;
            // An alarm without its files is better than none.
            let too_large = |failure: &Failure| failure.code.as_deref() == Some("413");
            if !out.attachments.is_empty() && done.as_ref().is_err_and(too_large) {
                done = self.post(&out.without_files("SendGrid finds them too large.")).await;
            }
            http::attempt(done)
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move { self.scopes().await.map_err(http::harmless) })
    }

    fn confirmer(&self) -> Option<&dyn Confirmer> {
        self.keys.as_ref().map(|_| self as &dyn Confirmer)
    }

    fn sender(&self) -> Option<&str> {
        Some(self.from.email.as_ref())
    }

    fn describe(&self, out: &Outgoing) -> String {
        match self.document(out) {
            Ok(mut document) => {
                let files = document.get_mut("attachments").and_then(Value::as_array_mut);
                for file in files.into_iter().flatten() {
                    file["content"] =
                        format!("[{} letters of base64]", file["content"].as_str().map_or(0, str::len)).into();
                }
                let to = self.base.join(&["v3", "mail", "send"]).shown();
                let head = format!("POST {to}\nAuthorization: Bearer [secret]");
                format!("{head}\nContent-Type: application/json\n\n{document:#}")
            }
            Err(failure) => failure.to_string(),
        }
    }

    fn attaches(&self) -> Option<u64> {
        Some(self.attaches)
    }
}

/// It tells, but cannot be asked.
impl Confirmer for SendGrid {
    fn verify(&self, call: &Incoming<'_>) -> Result<(), String> {
        self.keys.as_ref().ok_or("there is nothing to check it with")?.verify(call)
    }

    fn patience(&self) -> Span {
        Span::days(1)
    }
}

/// 202 is the only acceptance: a 200 is what the sandbox says, or somebody else.
fn accepted(answer: &Answer) -> Result<AttemptResult, Failure> {
    match answer.status {
        202 => {
            let provider_id = answer.header("x-message-id").map(str::to_owned);
            Ok(AttemptResult::Sent { provider_id, detail: "SendGrid has taken it".into() })
        }
        200..=299 => Err(http::not_theirs(answer, "SendGrid")),
        _ => Err(refused(answer)),
    }
}

/// `{"errors": [{"message", "field", "help"}]}`.
fn refused(answer: &Answer) -> Failure {
    let document = answer.json().unwrap_or_default();
    let error = &document["errors"][0];
    let field = error["field"].as_str().unwrap_or_default();
    let words = match error["message"].as_str() {
        Some(message) if field.is_empty() => message.to_owned(),
        Some(message) => format!("{message} ({field})"),
        None => answer.words(),
    };
    match answer.status {
        // The sender is ours, not the message's.
        400 if field.starts_with("from") => Failure::new(FailureClass::ProviderError, Blame::Provider, words).code(400),
        400 | 413 => Failure::new(FailureClass::ValidationError, Blame::Message, words).code(answer.status),
        429 => http::by_status(answer, words).retry_after(wait(answer, clock::wall())),
        _ => http::by_status(answer, words),
    }
}

/// SendGrid says when its limit begins anew, in seconds since 1970, and no Retry-After.
fn wait(answer: &Answer, now: Timestamp) -> Option<Span> {
    let reset = || answer.header("x-ratelimit-reset")?.trim().parse::<i64>().ok();
    answer.retry_after.or_else(|| {
        let at = Timestamp(reset()?.checked_mul(1_000_000)?);
        Some((at - now).max(Span::ZERO))
    })
}
