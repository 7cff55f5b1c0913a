//! A text message by any provider with an HTTP API: address, body and what counts as a success are
//! written in the config.
//!
//! In `url` and `body` stand `{to}`, `{from}`, `{text}` and `{id}` (the delivery's id); they are
//! written as the place needs it: percent-encoded in the URL and in a form, escaped in JSON. Each
//! request has the header `Idempotency-Key`, the same at each attempt. Whether a message arrives
//! nobody says, so what was accepted ends as `sent`.
//!
//! Settings: `url` (a secret, it may hold a key), `from`, `method` (default "POST"), `content_type`
//! (default "application/json", or "application/x-www-form-urlencoded"), `body` (default: to, from
//! and text under these names), `success` (`["200", "202"]`; default: any 2xx), `id_path` (where the
//! answer's JSON has the message's id: "messages.0.id"), `failure = { path = "status", values =
//! ["failed"] }` (a refusal inside of a success), those of [`request`] and those of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::places::{Address, Values, fill};
use crate::channel::request::{self, Dress};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::{Answer, Method, percent};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;

pub const KIND: Kind =
    Kind { name: "http-sms", sort: Sort::Addressed(Medium::Sms), provider: "http", format: Format::Sms, read };

/// Characters of a text.
const LONGEST: usize = 1600;
const FORM: &str = "application/x-www-form-urlencoded";
const PLACES: [&str; 4] = ["to", "from", "text", "id"];

#[derive(Debug)]
struct HttpSms {
    url: Address,
    from: String,
    method: Method,
    content_type: String,
    body: String,
    success: Vec<u16>,
    id_path: Option<String>,
    failure: Option<Inside>,
    dress: Dress,
    way: Way,
}

/// A refusal inside of a success.
#[derive(Debug)]
struct Inside {
    path: String,
    values: Vec<String>,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let from = table.text("from").unwrap_or_default();
    let method = table.choice("method", &["POST", "PUT", "PATCH", "GET"]).unwrap_or("POST");
    let content_type = table.parsed("content_type", |t| request::header_value(t).map(|()| t.to_owned()));
    let content_type = content_type.unwrap_or_else(|| "application/json".into());
    let body = table.parsed("body", |body| checked(body, &content_type));
    let success = table.parsed_list("success", |word| match word.parse() {
        Ok(status @ 100..=599) => Ok(status),
        _ => Err(format!("{word:?} is not a status; write success = [\"200\", \"202\"]")),
    });
    let id_path = table.text("id_path").filter(|path| !path.is_empty());
    let failure = inside(table);
    let url = Address::read(table, "https://sms.example.org/send", &PLACES, way.reach);
    let dress = Dress::read(table, &mut way);
    let (url, dress) = (url?, dress?);
    way.hide(url.place().hidden());
    let default = match content_type.starts_with(FORM) {
        true => "to={to}&from={from}&text={text}",
        false => "{\"to\": \"{to}\", \"from\": \"{from}\", \"text\": \"{text}\"}",
    };
    Some(Arc::new(HttpSms {
        url,
        from,
        method: Method::from_bytes(method.as_bytes()).unwrap_or(Method::POST),
        body: body.unwrap_or_else(|| default.into()),
        content_type,
        success: success.unwrap_or_default(),
        id_path,
        failure,
        dress,
        way,
    }))
}

/// A body of JSON must be JSON whatever stands in its places.
fn checked(body: &str, content_type: &str) -> Result<String, String> {
    let sample = fill(body, &PLACES.map(|name| (name, "x\"\n")), writer(content_type));
    match is_json(content_type).then(|| serde_json::from_str::<Value>(&sample)) {
        Some(Err(e)) => {
            Err(format!("the body is not JSON ({e}); write {{\"to\": \"{{to}}\", \"text\": \"{{text}}\"}}"))
        }
        _ => Ok(body.to_owned()),
    }
}

fn inside(table: &mut Table<'_>) -> Option<Inside> {
    let mut inner = table.table("failure")?;
    let path = inner.require_text("path", "status");
    let values = inner.texts("values").unwrap_or_default();
    if values.is_empty() {
        inner.error("values", "no value means a failure", "write values = [\"failed\"]");
    }
    Some(Inside { path: path?, values })
}

fn is_json(content_type: &str) -> bool {
    content_type.contains("json")
}

/// How a value is written in a body of this type.
fn writer(content_type: &str) -> fn(&str) -> String {
    match content_type {
        t if is_json(t) => in_json,
        t if t.starts_with(FORM) => percent::encoded,
        _ => str::to_owned,
    }
}

/// As it stands between the quotes of a JSON text.
fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// What stands at `messages.0.id`, as text.
fn at_path(document: &Value, path: &str) -> Option<String> {
    let step = |value: &Value, key: &str| match key.parse::<usize>() {
        Ok(n) if value.is_array() => value.get(n).cloned(),
        _ => value.get(key).cloned(),
    };
    let found = path.split('.').try_fold(document.clone(), |value, key| step(&value, key))?;
    match found {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

impl HttpSms {
    /// What this message puts into each place.
    fn filled<T>(&self, out: &Outgoing, with: impl FnOnce(&Values<'_>) -> T) -> Result<T, Failure> {
        let text = http::shorten(&out.text.text, LONGEST);
        Ok(with(&[("to", http::number(out)?), ("from", &self.from), ("text", &text), ("id", &out.key)]))
    }

    fn body(&self, values: &Values<'_>) -> String {
        match self.method {
            Method::GET => String::new(),
            _ => fill(&self.body, values, writer(&self.content_type)),
        }
    }

    async fn post(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let (url, body) = self.filled(out, |values| (self.url.to(values), self.body(values)))?;
        let url = url?;
        let dress = |r: crate::net::RequestBuilder| {
            let r = self.dress.put_on(r.header("Idempotency-Key", &out.key), &body);
            if self.method == Method::GET { r } else { r.header("Content-Type", &self.content_type).body(body.clone()) }
        };
        self.judge(&self.way.send(self.method.clone(), &url, dress).await?)
    }

    fn judge(&self, answer: &Answer) -> Result<AttemptResult, Failure> {
        let words = answer.words();
        let fine = if self.success.is_empty() { answer.is_success() } else { self.success.contains(&answer.status) };
        if !fine && answer.is_success() {
            return Err(Failure::new(FailureClass::ProviderError, Blame::Provider, words).code(answer.status));
        }
        if !fine {
            return Err(request::refused(answer, words));
        }
        let document = answer.json().unwrap_or_default();
        if let Some(inside) = &self.failure {
            let said = at_path(&document, &inside.path).unwrap_or_default();
            if inside.values.contains(&said) {
                return Err(Failure::new(FailureClass::ProviderError, Blame::Provider, words).code(said));
            }
        }
        let provider_id = self.id_path.as_ref().and_then(|path| at_path(&document, path));
        if self.id_path.is_some() && provider_id.is_none() {
            return Err(http::not_theirs(answer, "this provider"));
        }
        Ok(AttemptResult::Sent { provider_id, detail: format!("answered {}", answer.status) })
    }
}

impl Channel for HttpSms {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.post(out).await) })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let connected = self.way.connect(self.url.place()).await?;
            Ok(format!("{connected}; whether the provider accepts shows only when a message is sent"))
        })
    }

    fn sender(&self) -> Option<&str> {
        Some(self.from.as_str()).filter(|from| !from.is_empty())
    }

    fn describe(&self, out: &Outgoing) -> String {
        let (to, body) = match self.filled(out, |values| (self.url.shown(values), self.body(values))) {
            Ok(request) => request,
            Err(failure) => return failure.to_string(),
        };
        let mut lines = vec![format!("{} {to}", self.method)];
        lines.push(format!("Idempotency-Key: {}", out.key));
        lines.extend(self.dress.lines());
        if self.method != Method::GET {
            lines.push(format!("Content-Type: {}\n\n{body}", self.content_type));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_escaped_for_json() {
        let values = [("to", "+1555"), ("text", "a\"{to}\n&=ü")];
        assert_eq!(
            fill("{\"x\": \"{to}\", \"t\": \"{text}\"}", &values, in_json),
            "{\"x\": \"+1555\", \"t\": \"a\\\"{to}\\n&=ü\"}"
        );
    }

    #[test]
    fn a_path_leads_through_lists_and_tables() {
        let document = serde_json::json!({ "messages": [{ "id": 17, "0": "x" }], "ok": false });
        assert_eq!(at_path(&document, "messages.0.id").as_deref(), Some("17"));
        assert_eq!(at_path(&document, "messages.0.0").as_deref(), Some("x"));
        assert_eq!(at_path(&document, "ok").as_deref(), Some("false"));
        assert_eq!(at_path(&document, "messages.1.id"), None);
        assert_eq!(at_path(&document, "messages"), None);
    }
}
