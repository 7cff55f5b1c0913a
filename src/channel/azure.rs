//! A text message by Azure Communication Services: `POST /sms?api-version=2021-03-07`.
//!
//! Each request is signed with the resource's access key (HMAC-SHA256 over method, path, date, host
//! and the body's hash). 202 outside says nothing: what counts is `successful` of the recipient. The
//! delivery's id makes `repeatabilityRequestId`, so that a retry is the same message to Azure
//! (learn.microsoft.com/rest/api/communication/sms). Delivery reports come by Event Grid only, so
//! what was accepted ends as `sent`.
//!
//! Settings: `connection_string` (`endpoint=https://...;accesskey=...`), or `endpoint` and
//! `access_key`; `from` (a number of the resource), `base_url` (in place of the endpoint), and those
//! of [`http`].

use crate::channel::http::{self, Way};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed, sign};
use crate::domain::clock;
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::net::{Answer, Endpoint, Method};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::sync::Arc;

pub const KIND: Kind =
    Kind { name: "azure-sms", sort: Sort::Addressed(Medium::Sms), provider: "azure", format: Format::Sms, read };

const VERSION: &str = "2021-03-07";
/// Characters of a text; Azure takes 2048, a chain of providers fewer.
const LONGEST: usize = 1600;
const CONNECTION: &str = "endpoint=https://NAME.communication.azure.com/;accesskey=...";

#[derive(Debug)]
struct Azure {
    url: Endpoint,
    key: Vec<u8>,
    from: String,
    way: Way,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let from = table.require_text("from", "+15550199");
    table.known(&["connection_string", "endpoint", "access_key", "base_url"]);
    let own = table.has("endpoint") || table.has("access_key");
    let (endpoint, key) = if own { pair(table) } else { connection(table) }?;
    let base = if table.has("base_url") || endpoint.is_empty() {
        http::base_url(table, "https://simulated.invalid", way.reach)
    } else {
        let key = if own { "endpoint" } else { "connection_string" };
        Endpoint::parse(&endpoint, way.reach).map_err(|why| table.error(key, why, format!("write {CONNECTION}"))).ok()
    };
    let Some(bytes) = sign::from_base64(key.reveal()) else {
        let place = if own { "access_key" } else { "connection_string" };
        table.error(place, "the access key is not base64", "copy it whole, with the = at its end");
        return None;
    };
    way.hide([key.reveal()]);
    let url = base?.join(&["sms"]).with("api-version", VERSION);
    Some(Arc::new(Azure { url, key: bytes, from: from?, way }))
}

fn pair(table: &mut Table<'_>) -> Option<(String, Secret)> {
    if table.has("connection_string") {
        let hint = "leave out connection_string, or endpoint and access_key";
        table.error("connection_string", "either a connection string, or an endpoint and its key", hint);
    }
    let endpoint = table.require_text("endpoint", "https://NAME.communication.azure.com");
    let key = table.require_secret("access_key", "${AZURE_ACCESS_KEY}");
    Some((endpoint?, key?))
}

fn connection(table: &mut Table<'_>) -> Option<(String, Secret)> {
    let whole = table.require_secret("connection_string", "${AZURE_CONNECTION_STRING}")?;
    if whole.is_empty() {
        return Some((String::new(), whole));
    }
    // The key may hold an = of its own.
    let part = |name: &str| {
        let parts = whole.reveal().split(';').filter_map(|part| part.split_once('='));
        parts.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
    };
    match (part("endpoint"), part("accesskey")) {
        (Some(endpoint), Some(key)) => Some((endpoint, Secret::new(key))),
        _ => {
            table.error("connection_string", "this is not a connection string", format!("write {CONNECTION}"));
            None
        }
    }
}

/// Date, hash of the body, and authorization, for a POST.
fn signed(key: &[u8], url: &Endpoint, date: &str, body: &str) -> (String, String) {
    let hash = sign::base64(sign::sha256(body));
    let text = format!("POST\n{}\n{date};{};{hash}", url.path_and_query(), url.authority());
    let signature = sign::base64(sign::hmac_sha256(key, text));
    let how = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256";
    (hash, format!("{how}&Signature={signature}"))
}

/// RFC 1123: `Thu, 20 Nov 2025 12:00:00 GMT`.
fn http_date(at: Timestamp) -> String {
    at.zoned(&TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// 36 letters as Azure wants them, the same for every attempt of a delivery.
fn request_id(key: &str) -> String {
    let hex = sign::hex(&sign::sha256(key));
    // Version and variant of a UUID made from a hash (RFC 9562, 5.8).
    format!("{}-{}-8{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// When the delivery was made, which its id says; the same for every attempt.
fn first_sent(key: &str) -> Timestamp {
    let made = ulid::Ulid::from_string(key).ok().and_then(|id| i64::try_from(id.timestamp_ms()).ok());
    made.map_or_else(clock::wall, |ms| Timestamp(ms.saturating_mul(1000)))
}

impl Azure {
    fn document(&self, out: &Outgoing) -> Result<Value, Failure> {
        let recipient = json!({
            "to": http::number(out)?,
            "repeatabilityRequestId": request_id(&out.key),
            "repeatabilityFirstSent": http_date(first_sent(&out.key)),
        });
        Ok(json!({
            "from": self.from,
            "smsRecipients": [recipient],
            "message": http::shorten(&out.text.text, LONGEST),
            "smsSendOptions": { "enableDeliveryReport": true, "tag": out.key },
        }))
    }

    async fn post(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let body = self.document(out)?.to_string();
        let date = http_date(clock::wall());
        let (hash, authorization) = signed(&self.key, &self.url, &date, &body);
        let dress = |r: crate::net::RequestBuilder| {
            r.header("x-ms-date", &date)
                .header("x-ms-content-sha256", &hash)
                .header("Authorization", &authorization)
                .header("Content-Type", "application/json")
                .body(body.clone())
        };
        judge(&self.way.send(Method::POST, &self.url, dress).await?)
    }
}

impl Channel for Azure {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.post(out).await) })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let connected = self.way.connect(&self.url).await?;
            Ok(format!("{connected}; whether the key is right shows only when a message is sent"))
        })
    }

    fn sender(&self) -> Option<&str> {
        Some(&self.from)
    }

    fn describe(&self, out: &Outgoing) -> String {
        match self.document(out) {
            Ok(document) => format!(
                "POST {}{}\nx-ms-date: ...\nx-ms-content-sha256: ...\nAuthorization: HMAC-SHA256 [secret]\n\
                 Content-Type: application/json\n\n{document:#}",
                self.url.place(),
                self.url.path_and_query()
            ),
            Err(failure) => failure.to_string(),
        }
    }
}

/// 202 `{"value": [{"to", "messageId", "httpStatusCode", "successful", "errorMessage"}]}`.
fn judge(answer: &Answer) -> Result<AttemptResult, Failure> {
    let document = answer.json().unwrap_or_default();
    if !answer.is_success() {
        let error = &document["error"];
        let words = error["message"].as_str().map_or_else(|| answer.words(), str::to_owned);
        let failure = match answer.status {
            400 | 413 => Failure::new(FailureClass::ValidationError, Blame::Message, words),
            404 => Failure::new(FailureClass::ProviderError, Blame::Account, words),
            _ => http::by_status(answer, words),
        };
        return Err(failure.code(error["code"].as_str().map_or_else(|| answer.status.to_string(), str::to_owned)));
    }
    let recipient = &document["value"][0];
    match recipient["successful"].as_bool() {
        Some(true) => Ok(AttemptResult::Sent {
            provider_id: recipient["messageId"].as_str().map(str::to_owned),
            detail: "Azure has accepted it".into(),
        }),
        Some(false) => Err(of_recipient(answer, recipient)),
        None => Err(http::not_theirs(answer, "Azure")),
    }
}

fn of_recipient(answer: &Answer, recipient: &Value) -> Failure {
    use FailureClass::{AuthError, ProviderError, RateLimited, ValidationError};
    let status = recipient["httpStatusCode"].as_u64().unwrap_or_default();
    let words = recipient["errorMessage"].as_str().unwrap_or("Azure says that it was not successful");
    let (class, blame) = match status {
        400 => (ValidationError, Blame::Message),
        401 | 403 => (AuthError, Blame::Account),
        429 => (RateLimited, Blame::Channel),
        500.. => (ProviderError, Blame::Channel),
        // 404: our number is not one of this resource; another provider may do it.
        _ => (ProviderError, Blame::Provider),
    };
    let failure = Failure::new(class, blame, words).code(status).retry_after(answer.retry_after);
    if status >= 500 { failure.unknown() } else { failure }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::Reach;

    #[test]
    fn a_request_is_signed_as_azures_own_library_does() {
        let key = sign::from_base64("Y29udHJhY3QtZXhhbXBsZS1rZXk=").unwrap();
        let url = "https://acme.communication.azure.com/sms?api-version=2021-03-07";
        let url = Endpoint::parse(url, Reach::default()).unwrap();
        let body =
            "{\"from\":\"+18005551234\",\"message\":\"disk full\",\"smsRecipients\":[{\"to\":\"+14255550123\"}]}";
        let (hash, authorization) = signed(&key, &url, "Thu, 20 Nov 2025 12:00:00 GMT", body);
        assert_eq!(hash, "j3IovHHPXM4e9jQ/LMiu918kYQZ7WT6BTsLXrNCTnRc=");
        assert_eq!(
            authorization,
            "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=yCVNwHI5J/A8wdPj0kAXr+Hu26wcqOGQH0lave1wbSY="
        );
        assert_eq!(http_date(Timestamp::parse("2025-11-20T12:00:00Z").unwrap()), "Thu, 20 Nov 2025 12:00:00 GMT");
    }

    #[test]
    fn every_attempt_of_a_delivery_has_the_same_id_and_time() {
        let key = "01JD4VZKC0000000000000000A";
        assert_eq!((request_id(key).len(), request_id(key)), (36, request_id(key)));
        assert_ne!(request_id(key), request_id("01JD4VZKC0000000000000000B"));
        assert_eq!(first_sent(key), first_sent("01JD4VZKC0000000000000000B"));
    }
}
