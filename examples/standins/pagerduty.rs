//! PagerDuty's Events API v2. Stricter than the original: a wrong routing key is always refused, and
//! so is a field that it does not know.

use super::Shared;
use super::http::{Reply, Request};
use serde_json::{Value, json};

pub const ROUTING_KEY: &str = "standinroutingkeyofpagerduty0017";

const EVENT: &[&str] =
    &["routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"];
const PAYLOAD: &[&str] =
    &["summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"];

pub fn answer(_shared: &Shared, request: &Request) -> Reply {
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/v2/enqueue") {
        return Reply::text(404, "Not Found");
    }
    let json = request.header("content-type") == "application/json";
    let Some(event) = serde_json::from_str::<Value>(&request.body).ok().filter(|_| json) else {
        return invalid(&["Could not parse the JSON"]);
    };
    if request.body.len() > 512 * 1024 {
        return Reply::json(413, json!({ "status": "invalid event", "message": "Event size exceeds size limit" }));
    }
    match wrong(&event) {
        Some(words) => invalid(&[words]),
        None => Reply::json(
            202,
            json!({ "status": "success", "message": "Event processed", "dedup_key": event["dedup_key"] }),
        ),
    }
}

fn wrong(event: &Value) -> Option<&'static str> {
    let text = |value: &Value, most: usize| value.as_str().is_some_and(|t| (1..=most).contains(&t.chars().count()));
    let unknown = |value: &Value, known: &[&str]| {
        value.as_object().is_some_and(|fields| fields.keys().any(|key| !known.contains(&key.as_str())))
    };
    let payload = &event["payload"];
    match event["event_action"].as_str() {
        _ if event["routing_key"].as_str().is_none_or(|key| key.len() != 32) => {
            Some("Length of 'routing_key' is incorrect (should be 32 characters)")
        }
        _ if event["routing_key"] != ROUTING_KEY => Some("Invalid routing key"),
        _ if unknown(event, EVENT) || unknown(payload, PAYLOAD) => Some("there is a field that is not known"),
        _ if !text(&event["dedup_key"], 255) => Some("'dedup_key' is missing or too long"),
        Some("acknowledge" | "resolve") if !payload.is_null() => Some("'payload' is for triggers"),
        Some("acknowledge" | "resolve") => None,
        Some("trigger") if !text(&payload["summary"], 1024) => Some("'payload.summary' is missing or blank"),
        Some("trigger") if !text(&payload["source"], 1024) => Some("'payload.source' is missing or blank"),
        Some("trigger") => match payload["severity"].as_str() {
            Some("critical" | "error" | "warning" | "info") => None,
            _ => Some(
                "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
            ),
        },
        _ => Some("'event_action' is missing or invalid"),
    }
}

fn invalid(errors: &[&str]) -> Reply {
    let body = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors });
    Reply::json(400, body)
}

/// What PagerDuty says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        400 => invalid(&["'payload.summary' is missing or blank"]),
        429 => Reply::json(
            429,
            json!({ "status": "throttle exceeded", "message": "Requests for this service are arriving too quickly." }),
        ),
        _ => Reply::json(status, json!({ "status": "error", "message": "Internal Server Error" })),
    }
}
