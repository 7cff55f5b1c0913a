//! Telnyx' API v2, as far as alarms use it: messages and the balance.
//!
//! The same `Idempotency-Key` gives the first answer again. Numbers of one's choice fail as told:
//! `+1500555` and a code of five digits fails with that code, as `40310`.

use super::Shared;
use super::http::{Reply, Request};
use serde_json::{Value, json};

pub const API_KEY: &str = "KEYstandInApiKeyOfTelnyx00000017";

pub fn answer(shared: &Shared, request: &Request) -> Reply {
    if request.header("authorization") != format!("Bearer {API_KEY}") {
        return error(401, "10009", "Authentication failed", "The required authentication headers were invalid.");
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v2/balance") => {
            let data = json!({
                "record_type": "balance", "balance": "300.00", "credit_limit": "100.00", "available_credit": "400.00",
                "currency": "USD",
            });
            Reply::json(200, json!({ "data": data }))
        }
        ("POST", "/v2/messages") => send(shared, request),
        ("GET", path) if path.starts_with("/v2/messages/") => {
            let (status, code) = shared.twilio.later().unwrap_or_else(|| ("delivered".to_owned(), None));
            let errors: Vec<Value> =
                code.iter().map(|c| json!({ "code": c.to_string(), "title": "as told" })).collect();
            let data = json!({ "id": path.trim_start_matches("/v2/messages/"), "to": [{ "status": status }],
                "parts": 1, "cost": { "amount": "0.0040", "currency": "USD" }, "errors": errors });
            Reply::json(200, json!({ "data": data }))
        }
        _ => error(404, "10005", "Resource not found", "The requested resource or URL could not be found."),
    }
}

fn send(shared: &Shared, request: &Request) -> Reply {
    let key = request.header("idempotency-key");
    let Some(document) = serde_json::from_str::<Value>(&request.body)
        .ok()
        .filter(|_| request.header("content-type") == "application/json" && !key.is_empty())
    else {
        return error(400, "10015", "Bad Request", "The request failed because it was not well-formed.");
    };
    if let Some((code, title)) = wrong(&document) {
        return error(if code == "10004" { 422 } else { 400 }, code, title, "stand-in");
    }
    let to = document["to"].as_str().unwrap_or_default();
    if let Some(code) = to.strip_prefix("+1500555").filter(|code| code.len() == 5 && !code.starts_with("00")) {
        return error(400, code, "As asked for", "stand-in");
    }
    // The first answer again.
    let earlier = shared
        .log
        .of("telnyx")
        .iter()
        .filter(|r| r.status == 200 && r.method == "POST")
        .position(|r| r.headers.get("idempotency-key").is_some_and(|k| k == key));
    let made = shared.log.of("telnyx").iter().filter(|r| r.status == 200 && r.method == "POST").count();
    let n = earlier.unwrap_or(made) + 1;
    let data = json!({
        "record_type": "message", "direction": "outbound", "id": format!("40385f64-5717-4562-b3fc-{n:012}"),
        "type": "SMS", "from": { "phone_number": document["from"], "carrier": "Telnyx" }, "text": document["text"],
        "to": [{ "phone_number": to, "status": "queued", "carrier": "T-MOBILE USA, INC.", "line_type": "Wireless" }],
        "encoding": "GSM-7", "parts": 1, "cost": cost(to), "errors": [], "wait_seconds": null,
    });
    Reply::json(200, json!({ "data": data }))
}

/// Most often it is not known yet.
fn cost(to: &str) -> Value {
    if to.ends_with("0042") { json!({ "amount": "0.0050", "currency": "USD" }) } else { Value::Null }
}

fn wrong(document: &Value) -> Option<(&'static str, &'static str)> {
    let known = ["to", "from", "messaging_profile_id", "text", "type", "webhook_url", "encoding"];
    let text = |key: &str| document[key].as_str().is_some_and(|t| !t.is_empty());
    let digits = document["to"].as_str().and_then(|to| to.strip_prefix('+')).unwrap_or_default();
    let number = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    match document.as_object() {
        None => Some(("10015", "Bad Request")),
        Some(fields) if fields.keys().any(|key| !known.contains(&key.as_str())) => {
            Some(("10015", "There is a field that is not known"))
        }
        Some(_) if !text("text") => Some(("10004", "Missing required parameter: text")),
        Some(_) if !text("from") && !text("messaging_profile_id") => {
            Some(("10004", "Missing required parameter: from"))
        }
        Some(_) if !number => Some(("40310", "Invalid 'to' address")),
        Some(_) if document["text"].as_str().is_some_and(|t| t.chars().count() > 1600) => {
            Some(("40302", "Message too large"))
        }
        Some(_) => None,
    }
}

pub fn error(status: u16, code: &str, title: &str, detail: &str) -> Reply {
    let error = json!({ "code": code, "title": title, "detail": detail, "source": { "pointer": "/to" } });
    Reply::json(status, json!({ "errors": [error] }))
}

/// What Telnyx says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        401 => error(401, "10009", "Authentication failed", "No key found matching the ID."),
        403 => error(403, "10010", "Authorization failed", "You do not have permission."),
        429 => error(429, "10011", "Too many requests", "You have exceeded the maximum number of allowed requests.")
            .with("x-ratelimit-limit", "50")
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-reset", "13"),
        500 => error(500, "10007", "Unexpected error", "An unexpected error occurred."),
        504 => error(504, "10008", "Request timed out", "The request timed out."),
        _ => error(status, "99999", "Stand-in error", "as told"),
    }
}

/// 200, and failed already.
pub fn failed_at_once() -> Reply {
    let data = json!({
        "id": "40385f64-5717-4562-b3fc-ffffffffffff", "to": [{ "phone_number": "+1", "status": "sending_failed" }],
        "errors": [{ "code": "40010", "title": "Not 10DLC registered", "detail": "Not 10DLC registered" }],
    });
    Reply::json(200, json!({ "data": data }))
}
