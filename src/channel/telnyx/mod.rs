//! A text message by Telnyx: `POST /v2/messages`.
//!
//! `Authorization: Bearer`, JSON, and the delivery's id as `Idempotency-Key`, so that a retry after a
//! lost answer is the same message to Telnyx; 200 and `data.id` are an acceptance
//! (developers.telnyx.com/docs/messaging). Where it can call us back and `public_key` is known, what it
//! accepted is `submitted` until it says how that ended; else it is `sent`. Error codes are texts, and
//! several can come: the first that we know decides.
//!
//! Settings: `api_key`, `from` (a number, a short code or a name of letters) or
//! `messaging_profile_id`, or both; `base_url` (default `https://api.telnyx.com/v2`), `public_key` and
//! `public_key_2` (what it signs with), `confirm` (how long its word is waited for before it is asked),
//! `inbound` (what comes in at that number is sent to us), and those of `http`.

mod callback;

pub use callback::{Event, read as read_event};

use crate::channel::http::{self, Way};
use crate::channel::{Channel, Confirmer, Format, Incoming, Kind, Outgoing, Probed};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::{AttemptResult, Heard};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::domain::time::Span;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;

pub const KIND: Kind =
    Kind { name: "telnyx-sms", sort: Sort::Addressed(Medium::Sms), provider: "telnyx", format: Format::Sms, read };

/// Characters of a text: ten parts, as every provider takes them.
const LONGEST: usize = 1600;

#[derive(Debug)]
struct Telnyx {
    base: Endpoint,
    api_key: Secret,
    from: Option<String>,
    profile: Option<String>,
    way: Way,
    /// What its calls to us are signed with.
    keys: Option<callback::Keys>,
    patience: Span,
    inbound: bool,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let base = http::base_url(table, "https://api.telnyx.com/v2", way.reach);
    let api_key = table.require_secret("api_key", "${TELNYX_API_KEY}");
    let keys = callback::Keys::read(table);
    let patience = http::patience(table);
    let inbound = table.flag("inbound").unwrap_or(false);
    if inbound && keys.is_none() {
        table.error("inbound", "inbound without public_key", "write public_key = \"...\": what comes in is signed");
    }
    let profile = table.text("messaging_profile_id");
    let unreadable = profile.is_none() && table.has("messaging_profile_id");
    let profile = profile.filter(|p| !p.is_empty());
    table.known(&["from"]);
    let from = match &profile {
        _ if unreadable => return None,
        Some(_) => table.text("from").filter(|f| !f.is_empty()),
        None => Some(table.require_text("from", "${TELNYX_PHONE_NUMBER}")?),
    };
    let api_key = api_key?;
    way.hide([api_key.reveal()]);
    Some(Arc::new(Telnyx { base: base?, api_key, from, profile, way, keys, patience, inbound }))
}

impl Telnyx {
    fn document(&self, out: &Outgoing) -> Result<Value, Failure> {
        let text = http::shorten(&out.text.text, LONGEST);
        let mut document = json!({ "to": http::number(out)?, "text": text, "type": "SMS" });
        for (key, value) in [("from", &self.from), ("messaging_profile_id", &self.profile)] {
            if let Some(value) = value {
                document[key] = value.as_str().into();
            }
        }
        if let Some(callback) = &out.callback {
            document["webhook_url"] = callback.url("telnyx").into();
        }
        Ok(document)
    }

    async fn post(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let document = self.document(out)?;
        let dress = |r: crate::net::RequestBuilder| {
            r.bearer_auth(self.api_key.reveal()).header("Idempotency-Key", &out.key).json(&document)
        };
        let result = accepted(&self.way.send(Method::POST, &self.base.join(&["messages"]), dress).await?)?;
        Ok(http::confirmed_later(result, out.callback.is_some()))
    }

    /// `GET /messages/{id}`: the same as it calls us with.
    async fn look_up(&self, id: &str) -> Result<Heard, Failure> {
        let from = self.base.join(&["messages", id]);
        let answer = self.way.send(Method::GET, &from, |r| r.bearer_auth(self.api_key.reveal())).await?;
        if !answer.is_success() {
            return Err(refused(&answer));
        }
        let document = answer.json().unwrap_or_default();
        let heard = callback::heard(&document["data"]).filter(|heard| heard.provider_id == id);
        heard.ok_or_else(|| http::not_theirs(&answer, "Telnyx"))
    }

    /// The balance of the account; nothing is sent.
    async fn balance(&self) -> Probed {
        let from = self.base.join(&["balance"]);
        let answer = self.way.send(Method::GET, &from, |r| r.bearer_auth(self.api_key.reveal())).await?;
        if !answer.is_success() {
            return Err(refused(&answer));
        }
        let document = answer.json().unwrap_or_default();
        let data = &document["data"];
        match (data["balance"].as_str(), data["currency"].as_str()) {
            (Some(balance), Some(currency)) => Ok(format!("API key accepted, balance {balance} {currency}")),
            _ => Err(http::not_theirs(&answer, "Telnyx")),
        }
    }
}

impl Channel for Telnyx {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.post(out).await) })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move { self.balance().await.map_err(http::harmless) })
    }

    fn confirmer(&self) -> Option<&dyn Confirmer> {
        self.keys.as_ref().map(|_| self as &dyn Confirmer)
    }

    fn sender(&self) -> Option<&str> {
        self.from.as_deref()
    }

    fn describe(&self, out: &Outgoing) -> String {
        let document = match self.document(out) {
            Ok(document) => document,
            Err(failure) => return failure.to_string(),
        };
        let to = self.base.join(&["messages"]).shown();
        let head = format!("POST {to}\nAuthorization: Bearer [secret]");
        format!("{head}\nIdempotency-Key: {}\nContent-Type: application/json\n\n{document:#}", out.key)
    }
}

impl Confirmer for Telnyx {
    fn verify(&self, call: &Incoming<'_>) -> Result<(), String> {
        self.keys.as_ref().ok_or("there is nothing to check it with")?.verify(call)
    }

    fn ask<'a>(&'a self, provider_id: &'a str) -> Option<BoxFuture<'a, Result<Heard, Failure>>> {
        Some(Box::pin(self.look_up(provider_id)))
    }

    fn inbound(&self) -> bool {
        self.inbound
    }

    fn has(&self, number: &str) -> bool {
        self.from.as_deref() == Some(number)
    }

    fn prices(&self) -> bool {
        true
    }

    fn patience(&self) -> Span {
        self.patience
    }
}

/// `{"data": {"id", "to": [{"status"}], "errors"}}`; some answers have one text as `to`.
fn accepted(answer: &Answer) -> Result<AttemptResult, Failure> {
    if !answer.is_success() {
        return Err(refused(answer));
    }
    let document = answer.json().unwrap_or_default();
    let data = &document["data"];
    let status = data["to"][0]["status"].as_str().or(data["status"].as_str()).unwrap_or("queued");
    let failed = matches!(status, "delivery_failed" | "sending_failed" | "expired");
    let errors = data["errors"].as_array().is_some_and(|errors| !errors.is_empty());
    if failed || errors || document["errors"].is_array() {
        let list = if errors { &data["errors"] } else { &document["errors"] };
        return Err(judged(answer, list, format!("Telnyx says {status}"))
            .unwrap_or_else(|words| Failure::new(FailureClass::ProviderError, Blame::Provider, words).code(status)));
    }
    match data["id"].as_str() {
        Some(id) => {
            let provider_id = Some(id.to_owned());
            let result = AttemptResult::Sent { provider_id, detail: format!("Telnyx says {status}") };
            Ok(result.priced(callback::price(data)))
        }
        None => Err(http::not_theirs(answer, "Telnyx")),
    }
}

fn refused(answer: &Answer) -> Failure {
    let document = answer.json().unwrap_or_default();
    let judged = judged(answer, &document["errors"], answer.words());
    let known = judged.is_ok();
    let failure = judged.unwrap_or_else(|words| http::by_status(answer, words).retry_after(wait(answer)));
    match (known, document["errors"][0]["code"].as_str()) {
        (false, Some(code)) => failure.code(code),
        _ => failure,
    }
}

/// By the first code of the list that we know; the words of the list where there is none.
fn judged(answer: &Answer, errors: &Value, otherwise: String) -> Result<Failure, String> {
    let failure = judge(errors, otherwise)?.retry_after(wait(answer));
    let lost = matches!(failure.code.as_deref(), Some("10007" | "10008")) || answer.status >= 500;
    Ok(if lost { failure.unknown() } else { failure })
}

/// The same of what failed later.
fn judge(errors: &Value, otherwise: String) -> Result<Failure, String> {
    let errors = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let code =
        |error: &Value| error["code"].as_str().map(str::to_owned).or(error["code"].as_u64().map(|n| n.to_string()));
    let known = errors.iter().find_map(|error| code(error).and_then(|code| Some((error, meaning(&code)?, code))));
    let Some((error, (class, blame), code)) = known else {
        return Err(errors.first().and_then(words).unwrap_or(otherwise));
    };
    Ok(Failure::new(class, blame, words(error).unwrap_or(otherwise)).code(&code))
}

/// `Authentication failed: No key found`.
fn words(error: &Value) -> Option<String> {
    let said = [error["title"].as_str(), error["detail"].as_str()];
    let said: Vec<&str> = said.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    (!said.is_empty()).then(|| said.join(": "))
}

/// `Retry-After`, or Telnyx' own header: seconds until the limit begins anew.
fn wait(answer: &Answer) -> Option<Span> {
    let seconds = || answer.header("x-ratelimit-reset")?.trim().parse::<u32>().ok();
    answer.retry_after.or_else(|| (answer.status == 429).then(seconds)?.map(|s| Span::secs(s.into())))
}

fn meaning(code: &str) -> Option<(FailureClass, Blame)> {
    use FailureClass::{AuthError, ProviderError, RateLimited, Timeout, ValidationError};
    Some(match code {
        // Wrong key, or no right to do this.
        "10009" | "10010" => (AuthError, Blame::Account),
        // Requests, or messages of this sender, come too fast.
        "10011" | "40011" => (RateLimited, Blame::Channel),
        "10007" => (ProviderError, Blame::Channel),
        "10008" => (Timeout, Blame::Channel),
        // The number: not one, not a destination, a landline, opted out.
        "10002" | "10016" | "40310" | "40012" | "40001" | "40300" => (ValidationError, Blame::Message),
        // Our sender or our settings: another provider may do it.
        "10001" | "10004" | "10005" | "10006" | "10015" | "40305" | "40013" => (ProviderError, Blame::Provider),
        // Not now by this way: spam filter, rejected, expired, the other network.
        "40002" | "40004" | "40005" | "40006" | "40008" | "40014" => (ProviderError, Blame::Provider),
        // Blocked for good, filtered, not registered.
        "40003" | "40010" | "40015" => (ProviderError, Blame::Provider),
        // The balance is spent, or the account is off.
        "20012" | "20100" => (ProviderError, Blame::Account),
        _ => return None,
    })
}
