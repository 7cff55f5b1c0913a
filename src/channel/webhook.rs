//! Any HTTP receiver: a fixed URL gets the finished text as its body.
//!
//! The body is the JSON document that `events` shows, too, or what the template in `body` makes; the
//! text arrives finished, so this only sends it. Any 2xx is a delivery. The header `Idempotency-Key` is
//! the delivery's id, the same at each attempt, so that a receiver can tell a repetition.
//!
//! Settings: `url` (a secret, it may hold a token), `method` (default "POST"), `headers`,
//! `auth = { bearer = "..." }` or `auth = { username = "...", password = "..." }`, `content_type`
//! (default "application/json"), `body` (a template), and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::net::base64;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use reqwest::RequestBuilder;
use reqwest::header::{HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const KIND: Kind = Kind { name: "webhook", sort: Sort::Fixed, provider: "webhook", format: Format::Document, read };

#[derive(Debug)]
struct Webhook {
    url: Endpoint,
    method: Method,
    headers: BTreeMap<String, Secret>,
    auth: Auth,
    content_type: String,
    way: Way,
}

#[derive(Debug)]
enum Auth {
    None,
    Bearer(Secret),
    Basic(String, Secret),
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let method = table.choice("method", &["POST", "PUT", "PATCH", "GET"]).unwrap_or("POST");
    let headers = headers(table);
    let auth = auth(table);
    let content_type = table.parsed("content_type", |t| header_value(t).map(|()| t.to_owned()));
    // The template is the message floor's; here it is only a key that is known.
    table.known(&["body"]);
    let url = http::secret_url(table, "url", "https://example.org/hook", way.reach)?;
    let (headers, auth) = (headers?, auth?);
    way.hide(url.hidden());
    way.hide(headers.values().map(Secret::reveal));
    way.hide(auth.secrets());
    let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::POST);
    let content_type = content_type.unwrap_or_else(|| "application/json".into());
    Some(Arc::new(Webhook { url, method, headers, auth, content_type, way }))
}

fn headers(table: &mut Table<'_>) -> Option<BTreeMap<String, Secret>> {
    let headers = table.secret_map("headers").unwrap_or_default();
    let wrong = headers.iter().find_map(|(name, value)| {
        let well = HeaderName::try_from(name.as_str()).is_ok() && header_value(value.reveal()).is_ok();
        (!well).then(|| format!("{name:?} is not a header's name, or its value holds a line break"))
    });
    match wrong {
        None => Some(headers),
        Some(words) => {
            table.error("headers", words, "write headers = { \"X-Team\" = \"ops\" }");
            None
        }
    }
}

fn header_value(text: &str) -> Result<(), String> {
    HeaderValue::try_from(text)
        .map(|_| ())
        .map_err(|_| "not the value of a header; it holds a control character".into())
}

fn auth(table: &mut Table<'_>) -> Option<Auth> {
    let Some(mut auth) = table.table("auth") else { return (!table.has("auth")).then_some(Auth::None) };
    let (bearer, username, password) = (auth.secret("bearer"), auth.text("username"), auth.secret("password"));
    let said = ["bearer", "username", "password"].map(|key| auth.has(key));
    if said != [bearer.is_some(), username.is_some(), password.is_some()] {
        // What is wrong with it has been said.
        return None;
    }
    match (bearer, username, password) {
        (Some(token), None, None) => Some(Auth::Bearer(token)),
        (None, Some(username), Some(password)) => Some(Auth::Basic(username, password)),
        _ => {
            let hint = "write auth = { bearer = \"...\" } or auth = { username = \"...\", password = \"...\" }";
            auth.error("", "either a bearer token, or a username and a password", hint);
            None
        }
    }
}

impl Auth {
    /// In each form in which the far end gets to see them.
    fn secrets(&self) -> Vec<String> {
        match self {
            Auth::None => Vec::new(),
            Auth::Bearer(token) => vec![token.reveal().to_owned()],
            Auth::Basic(username, password) => {
                let login = base64::encode(&format!("{username}:{}", password.reveal()));
                vec![password.reveal().to_owned(), login]
            }
        }
    }
}

impl Webhook {
    fn dress(&self, request: RequestBuilder, out: &Outgoing) -> RequestBuilder {
        let mut request = request.header("Idempotency-Key", &out.key);
        if self.method != Method::GET {
            request = request.header("Content-Type", &self.content_type).body(out.text.text.clone());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value.reveal());
        }
        match &self.auth {
            Auth::None => request,
            Auth::Bearer(token) => request.bearer_auth(token.reveal()),
            Auth::Basic(username, password) => request.basic_auth(username, Some(password.reveal())),
        }
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            let sent = self.way.send(self.method.clone(), &self.url, |r| self.dress(r, out)).await;
            http::attempt(sent.and_then(judge))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let connected = self.way.connect(&self.url).await?;
            Ok(format!("{connected}; whether the receiver accepts shows only when a message is sent"))
        })
    }

    fn describe(&self, out: &Outgoing) -> String {
        let mut lines = vec![format!("{} {}/[secret]", self.method, self.url.place())];
        lines.push(format!("Idempotency-Key: {}", out.key));
        lines.extend(self.headers.keys().map(|name| format!("{name}: [secret]")));
        match &self.auth {
            Auth::None => {}
            Auth::Bearer(_) => lines.push("Authorization: Bearer [secret]".into()),
            Auth::Basic(..) => lines.push("Authorization: Basic [secret]".into()),
        }
        if self.method != Method::GET {
            lines.push(format!("Content-Type: {}\n\n{}", self.content_type, out.text.text));
        }
        lines.join("\n")
    }
}

fn judge(answer: Answer) -> Result<AttemptResult, Failure> {
    match answer.status {
        200..=299 => Ok(AttemptResult::Delivered { provider_id: None, detail: format!("answered {}", answer.status) }),
        // What we sent is at fault; no other way would make it better.
        400 | 413 | 415 | 422 => {
            Err(Failure::new(FailureClass::ValidationError, Blame::Message, answer.words()).code(answer.status))
        }
        _ => Err(http::by_status(&answer, answer.words())),
    }
}
