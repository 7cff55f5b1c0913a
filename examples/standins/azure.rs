//! Azure Communication Services: texts. Each signature is computed again and compared.
//!
//! The same `repeatabilityRequestId` is the same message. `+1425555` and a status of three digits and
//! a zero fails for that recipient with that status.

use super::Shared;
use super::http::{Reply, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};
use serde_json::{Value, json};

/// In base64, as Azure shows it.
pub const ACCESS_KEY: &str = "c3RhbmRJbktleU9mQXp1cmUwMDAwMDAwMDAwMTc=";
pub const FROM: &str = "+18005550199";

pub fn answer(_shared: &Shared, request: &Request) -> Reply {
    if request.path != "/sms" || request.method != "POST" {
        return error(404, "NotFound", "The requested resource does not exist.");
    }
    if request.query.get("api-version").map(String::as_str) != Some("2021-03-07") {
        return error(400, "UnsupportedApiVersion", "The API version is not supported.");
    }
    if !is_signed(request) {
        return error(401, "Denied", "Denied by the resource provider.");
    }
    let Ok(message) = serde_json::from_str::<Value>(&request.body) else {
        return error(400, "BadRequest", "The request body is not JSON.");
    };
    let recipients = message["smsRecipients"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = message["message"].as_str().unwrap_or_default();
    if !only(&message, &["from", "smsRecipients", "message", "smsSendOptions"])
        || !recipients.iter().all(|r| only(r, &["to", "repeatabilityRequestId", "repeatabilityFirstSent"]))
        || !only(&message["smsSendOptions"], &["enableDeliveryReport", "tag"])
    {
        return error(400, "BadRequest", "There is a field that this version does not know.");
    }
    if recipients.is_empty() || text.is_empty() || text.chars().count() > 2048 {
        return error(400, "BadRequest", "The request body is not valid.");
    }
    Reply::json(202, json!({ "value": recipients.iter().map(|r| one(&message, r)).collect::<Vec<_>>() }))
}

/// Has these fields, and no others.
fn only(value: &Value, known: &[&str]) -> bool {
    value.as_object().is_none_or(|fields| fields.keys().all(|field| known.contains(&field.as_str())))
}

fn one(message: &Value, recipient: &Value) -> Value {
    let to = recipient["to"].as_str().unwrap_or_default();
    let id = recipient["repeatabilityRequestId"].as_str().unwrap_or_default();
    let told = to.strip_prefix("+1425555").and_then(|rest| rest.strip_suffix('0')).and_then(|s| s.parse::<u16>().ok());
    let told = told.filter(|status| *status >= 200);
    let digits = to.strip_prefix('+').unwrap_or_default();
    let number = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let sent = recipient["repeatabilityFirstSent"].as_str().is_some_and(|t| t.ends_with(" GMT") && t.len() == 29);
    let (status, words) = match told {
        Some(status) => (status, "as told"),
        None if !number => (400, "Invalid To phone number format."),
        None if message["from"] != FROM => (404, "The from number was not found."),
        None if id.len() != 36 || !sent => (400, "The repeatability headers are not valid."),
        None => (202, ""),
    };
    let id = format!("Outgoing_{id}_noam");
    let mut answer = json!({ "to": to, "messageId": id, "httpStatusCode": status, "successful": status == 202 });
    if status == 202 {
        answer["repeatabilityResult"] = "accepted".into();
    } else {
        answer["errorMessage"] = words.into();
    }
    answer
}

fn is_signed(request: &Request) -> bool {
    let hash = STANDARD.encode(digest::digest(&digest::SHA256, request.body.as_bytes()));
    let (date, host) = (request.header("x-ms-date"), request.header("host"));
    let text = format!("POST\n{}\n{date};{host};{hash}", request.target);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(ACCESS_KEY).unwrap());
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let how = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256";
    request.header("authorization") == format!("{how}&Signature={signature}")
        && request.header("x-ms-content-sha256") == hash
        && date.ends_with(" GMT")
        && request.header("content-type").starts_with("application/json")
}

pub fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({ "error": { "code": code, "message": message } }))
}

/// What Azure says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        401 => error(401, "Denied", "Denied by the resource provider."),
        429 => error(429, "TooManyRequests", "Rate limit exceeded."),
        _ => error(status, "StandInError", "as told"),
    }
}

/// 202, and not accepted for the one recipient.
pub fn failed_inside() -> Reply {
    let value =
        json!([{ "to": "+1", "messageId": null, "httpStatusCode": 404, "successful": false, "errorMessage": "no" }]);
    Reply::json(202, json!({ "value": value }))
}
