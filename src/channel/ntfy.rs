//! A push message by ntfy, on ntfy.sh or a server of one's own: `POST /`, JSON with a topic.
//!
//! 200 and the message's `id` are a success (docs.ntfy.sh/publish). On a public server whoever knows
//! the topic can read it, so it is a secret. There is no idempotency: a lost answer may mean a second
//! message.
//!
//! Settings: `topic`, `token` or `username` and `password`, `base_url` (default `https://ntfy.sh`),
//! and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::matter::Occasion;
use crate::channel::{Channel, Format, Kind, Outgoing, Probed, markdown};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::level::Level;
use crate::domain::secret::Secret;
use crate::net::RequestBuilder;
use crate::net::{Answer, Endpoint, Method, base64};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;

pub const KIND: Kind = Kind { name: "ntfy", sort: Sort::Fixed, provider: "ntfy", format: Format::Chat, read };

/// Bytes of a message; a longer one would become an attachment. And letters of a title.
const LONGEST: usize = 4096;
const TITLE: usize = 250;

#[derive(Debug)]
struct Ntfy {
    base: Endpoint,
    topic: Secret,
    auth: Auth,
    way: Way,
}

#[derive(Debug)]
enum Auth {
    None,
    Token(Secret),
    Basic(String, Secret),
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let base = http::base_url(table, "https://ntfy.sh", way.reach);
    let topic = table.require_secret("topic", "${NTFY_TOPIC}");
    let auth = auth(table);
    let (topic, auth) = (topic?, auth?);
    let well = topic.reveal().bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !well || topic.reveal().len() > 64 {
        table.error("topic", "this is not a topic", "it is at most 64 letters, digits, dashes and underscores");
        return None;
    }
    way.hide([topic.reveal()]);
    match &auth {
        Auth::None => {}
        Auth::Token(token) => way.hide([token.reveal()]),
        Auth::Basic(username, password) => {
            way.hide([base64::encode(&format!("{username}:{}", password.reveal()))]);
            way.hide([password.reveal()]);
        }
    }
    Some(Arc::new(Ntfy { base: base?, topic, auth, way }))
}

fn auth(table: &mut Table<'_>) -> Option<Auth> {
    let (token, username, password) = (table.secret("token"), table.text("username"), table.secret("password"));
    let said = ["token", "username", "password"].map(|key| table.has(key));
    if said != [token.is_some(), username.is_some(), password.is_some()] {
        // What is wrong with it has been said.
        return None;
    }
    let token = token.filter(|t| !t.is_empty());
    let username = username.filter(|u| !u.is_empty());
    let password = password.filter(|p| !p.is_empty());
    match (token, username, password) {
        (None, None, None) => Some(Auth::None),
        (Some(token), None, None) => Some(Auth::Token(token)),
        (None, Some(username), Some(password)) => Some(Auth::Basic(username, password)),
        _ if table.simulated() => Some(Auth::None),
        _ => {
            let hint = "write token = \"...\", or username = \"...\" and password = \"...\"";
            table.error("", "either a token, or a username and a password", hint);
            None
        }
    }
}

impl Ntfy {
    fn document(&self, out: &Outgoing, topic: &str) -> Value {
        let (first, rest) = markdown::headline(&out.text.text);
        let mut document = json!({ "topic": topic, "title": http::shorten(first, TITLE), "priority": priority(out) });
        // Without a message ntfy would write one of its own.
        document["message"] = within(if rest.is_empty() { first } else { rest }, LONGEST).into();
        if let Some(tag) = tag(out) {
            document["tags"] = json!([tag]);
        }
        document
    }

    fn dress(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.auth {
            Auth::None => request,
            Auth::Token(token) => request.bearer_auth(token.reveal()),
            Auth::Basic(username, password) => request.basic_auth(username, Some(password.reveal())),
        }
    }

    async fn healthy(&self) -> Probed {
        let from = self.base.join(&["v1", "health"]);
        let answer = self.way.send(Method::GET, &from, |r| r).await?;
        if !answer.is_success() {
            return Err(refused(&answer));
        }
        match answer.json().unwrap_or_default()["healthy"].as_bool() {
            Some(true) => Ok("the server is well; whether it takes a message shows only when one is sent".into()),
            Some(false) => {
                let words = "the server says that it is not well";
                Err(Failure::new(FailureClass::ProviderError, Blame::Channel, words))
            }
            None => Err(http::not_theirs(&answer, "ntfy")),
        }
    }
}

/// At most so many bytes, ending between letters.
fn within(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

/// From 5, which breaks through a phone's silence, to 2; a notice disturbs nobody.
fn priority(out: &Outgoing) -> u8 {
    match out.level {
        _ if matches!(out.matter.occasion, Occasion::Acknowledged | Occasion::Resolved) => 2,
        Level::Urgent => 5,
        Level::High => 4,
        Level::Normal => 3,
        Level::Low => 2,
    }
}

/// Shown as a picture beside the title.
fn tag(out: &Outgoing) -> Option<&'static str> {
    match (out.matter.occasion, out.level) {
        (Occasion::Resolved, _) => Some("white_check_mark"),
        (Occasion::Acknowledged, _) => Some("eyes"),
        (_, Level::Urgent) => Some("rotating_light"),
        (_, Level::High) => Some("warning"),
        _ => None,
    }
}

impl Channel for Ntfy {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            let document = self.document(out, self.topic.reveal());
            let dress = |r: RequestBuilder| self.dress(r).json(&document);
            http::attempt(self.way.send(Method::POST, &self.base, dress).await.and_then(judge))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move { self.healthy().await.map_err(http::harmless) })
    }

    fn describe(&self, out: &Outgoing) -> String {
        let auth = match &self.auth {
            Auth::None => "",
            Auth::Token(_) => "Authorization: Bearer [secret]\n",
            Auth::Basic(..) => "Authorization: Basic [secret]\n",
        };
        format!(
            "POST {}\n{auth}Content-Type: application/json\n\n{:#}",
            self.base.shown(),
            self.document(out, "[secret]")
        )
    }
}

/// 200 and the message with its `id`.
fn judge(answer: Answer) -> Result<AttemptResult, Failure> {
    if !answer.is_success() {
        return Err(refused(&answer));
    }
    let document = answer.json().unwrap_or_default();
    match (document["id"].as_str(), document["event"].as_str()) {
        (Some(id), Some("message")) => {
            Ok(AttemptResult::Delivered { provider_id: Some(id.to_owned()), detail: "ntfy has it".into() })
        }
        _ => Err(http::not_theirs(&answer, "ntfy")),
    }
}

/// `{"code": 42901, "http": 429, "error": "limit reached: ..."}`.
fn refused(answer: &Answer) -> Failure {
    let document = answer.json().unwrap_or_default();
    let words = document["error"].as_str().map_or_else(|| answer.words(), str::to_owned);
    let code = document["code"].as_u64();
    let failure = match (answer.status, code) {
        // The day's messages are spent.
        (429, Some(42908)) => Failure::new(FailureClass::RateLimited, Blame::Account, words),
        (400 | 413, _) => Failure::new(FailureClass::ValidationError, Blame::Message, words),
        (404, _) => Failure::new(FailureClass::ProviderError, Blame::Account, words),
        _ => http::by_status(answer, words),
    };
    failure.retry_after(answer.retry_after).code(code.unwrap_or(answer.status.into()))
}
