//! Twilio: what its two channels share: credentials, one request, its answers, the probe.
//!
//! HTTP Basic with AccountSid and AuthToken, or with an API key and its secret; bodies are forms;
//! 201 and a `sid` are an acceptance (twilio.com/docs/usage/api, spec twilio_api_v2010.json). There
//! is no idempotency for creating: after a lost answer Twilio is asked whether it has it. Where it can
//! call us back, what it accepted is `submitted` until it says how that ended; else it is `sent`.
//!
//! Settings: `account_sid`, `auth_token` or (`api_key`, `api_secret`), `from`, `base_url` (default
//! `https://api.twilio.com`), `confirm` (how long its word is waited for before it is asked, default
//! "30s"), those of `signature`, and those of `http`.

mod errors;
mod inquiry;
mod said;
mod signature;
pub mod sms;
pub mod voice;

use crate::channel::http::{self, Way};
use crate::channel::{Incoming, Probed};
use crate::domain::event::{AttemptResult, Heard};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::domain::time::Span;
use crate::net::base64;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use signature::Keys;

type Form = Vec<(&'static str, String)>;

/// What a callback about a message says.
pub fn message_in(form: &[(String, String)]) -> Option<Heard> {
    said::in_form(form, false)
}

/// What a callback about a call says.
pub fn call_in(form: &[(String, String)]) -> Option<Heard> {
    said::in_form(form, true)
}

/// Who we are at Twilio, and the way there.
#[derive(Debug)]
struct Account {
    sid: String,
    user: String,
    password: Secret,
    base: Endpoint,
    way: Way,
    /// What its calls to us are signed with.
    keys: Option<Keys>,
    /// How long its word is waited for.
    patience: Span,
}

impl Account {
    fn read(table: &mut Table<'_>) -> Option<Account> {
        let mut way = Way::read(table);
        let base = http::base_url(table, "https://api.twilio.com", way.reach);
        let sid = table.require_text("account_sid", "${TWILIO_ACCOUNT_SID}");
        let (user, password) = credentials(table, sid.as_deref()).unzip();
        let own_token = password.as_ref().filter(|_| user == sid);
        let keys = Keys::read(table, own_token);
        let patience = http::patience(table);
        let (sid, password) = (sid?, password?);
        warn_of_odd_sid(table, "account_sid", &sid, "AC");
        let user = user?;
        way.hide([password.reveal(), &base64::encode(&format!("{user}:{}", password.reveal()))]);
        way.hide(keys.iter().flat_map(Keys::secrets));
        Some(Account { sid, user, password, base: base?, way, keys, patience })
    }

    /// Signed with our keys, and of our account.
    ///
    /// # Errors
    /// Why not.
    fn verify(&self, call: &Incoming<'_>) -> Result<(), String> {
        self.keys.as_ref().ok_or("there is nothing to check it with")?.verify(call)?;
        let form = call.form();
        let account = form.iter().find(|(name, _)| name == "AccountSid").map(|(_, sid)| sid);
        match account {
            Some(sid) if *sid != self.sid => Err("it is of another account".to_owned()),
            _ => Ok(()),
        }
    }

    fn resource(&self, name: &[&str]) -> Endpoint {
        self.base.join(&["2010-04-01", "Accounts"]).join(name)
    }

    /// Makes a message or a call.
    async fn create(&self, name: &str, form: &Form, awaited: bool) -> AttemptResult {
        let dress = |r: crate::net::RequestBuilder| r.basic_auth(&self.user, Some(self.password.reveal())).form(form);
        let to = self.resource(&[&self.sid, name]);
        http::confirmed_later(http::attempt(self.way.send(Method::POST, &to, dress).await.and_then(accepted)), awaited)
    }

    /// Credentials only, nothing is sent. An API key may not read the account, so with one the list
    /// of messages is asked for.
    async fn probe(&self) -> Probed {
        let own_token = self.user == self.sid;
        let from = if own_token {
            self.resource(&[&format!("{}.json", self.sid)])
        } else {
            self.resource(&[&self.sid, "Messages.json"]).with("PageSize", "1")
        };
        let dress = |r: crate::net::RequestBuilder| r.basic_auth(&self.user, Some(self.password.reveal()));
        let answer = self.way.send(Method::GET, &from, dress).await.map_err(http::harmless)?;
        healthy(&answer, own_token).map_err(http::harmless)
    }

    fn describe(&self, name: &str, form: &Form) -> String {
        let fields: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let to = self.resource(&[&self.sid, name]).shown();
        let head = "Authorization: Basic [secret]\nContent-Type: application/x-www-form-urlencoded";
        format!("POST {to}\n{head}\n\n{}", fields.join("\n"))
    }
}

/// The account's own token, or an API key and its secret.
fn credentials(table: &mut Table<'_>, sid: Option<&str>) -> Option<(String, Secret)> {
    let api_key = table.text("api_key");
    let well = api_key.is_some() || !table.has("api_key");
    let api_key = api_key.filter(|k| !k.is_empty());
    if well && api_key.is_none() {
        if table.secret("api_secret").is_some_and(|s| !s.is_empty()) {
            table.error("api_secret", "api_secret without api_key", "write api_key = \"SK...\"");
        }
        let token = table.require_secret("auth_token", "${TWILIO_AUTH_TOKEN}");
        return Some((sid?.to_owned(), token?));
    }
    if table.secret("auth_token").is_some() {
        table.error("auth_token", "either auth_token, or api_key and api_secret", "leave one of them out");
    }
    let secret = table.require_secret("api_secret", "${TWILIO_API_SECRET}");
    Some((api_key?, secret?))
}

/// A SID of another shape is a warning only: Twilio is the judge.
fn warn_of_odd_sid(table: &mut Table<'_>, key: &str, sid: &str, prefix: &str) {
    let hex = sid.strip_prefix(prefix).unwrap_or_default();
    if !sid.is_empty() && (hex.len() != 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit())) {
        table.warning(key, "this does not look like a SID of Twilio", format!("it is {prefix} and 32 hex digits"));
    }
}

/// 201 and a `sid`; a success with an error inside is a failure.
fn accepted(answer: Answer) -> Result<AttemptResult, Failure> {
    let document = answer.json().unwrap_or_default();
    let text = |key: &str| document[key].as_str().map(str::to_owned);
    if !answer.is_success() {
        return Err(errors::refused(&answer, document["code"].as_u64(), text("message")));
    }
    let status = text("status").unwrap_or_default();
    if matches!(status.as_str(), "failed" | "undelivered" | "canceled") || document["error_code"].is_u64() {
        return Err(errors::failed(&answer, document["error_code"].as_u64(), text("error_message"), &status));
    }
    match text("sid") {
        Some(sid) => Ok(AttemptResult::Sent { provider_id: Some(sid), detail: format!("Twilio says {status}") }),
        None if document["code"].is_u64() => Err(errors::refused(&answer, document["code"].as_u64(), text("message"))),
        // 201 is Twilio's, so something was made, even if we cannot read what.
        None if answer.status == 201 => Err(http::not_theirs(&answer, "Twilio").unknown()),
        None => Err(http::not_theirs(&answer, "Twilio")),
    }
}

/// The body of the account holds the auth token: only `status` and `type` are ever looked at.
fn healthy(answer: &Answer, own_token: bool) -> Probed {
    let document = answer.json().unwrap_or_default();
    if !answer.is_success() {
        let words = document["message"].as_str().map(str::to_owned);
        return Err(errors::refused(answer, document["code"].as_u64(), words));
    }
    let wrong = || Failure::new(FailureClass::ProviderError, Blame::Channel, "the answer is not one of Twilio's");
    if !own_token {
        return document["messages"].as_array().map(|_| "API key accepted".to_owned()).ok_or_else(wrong);
    }
    match document["status"].as_str() {
        Some("active") if document["type"] == "Trial" => {
            Ok("credentials accepted; a trial account reaches verified numbers only".into())
        }
        Some("active") => Ok("credentials accepted, account active".into()),
        Some(status) => Err(Failure::new(FailureClass::AuthError, Blame::Account, format!("the account is {status}"))),
        None => Err(wrong()),
    }
}
