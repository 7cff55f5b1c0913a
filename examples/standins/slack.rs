//! Slack's incoming webhook: plain text answers with a real status, `ok` for a success.

use super::Shared;
use super::http::{Reply, Request};

/// The path of the webhook; any other is `no_service`.
pub const PATH: &str = "/services/T00000001/B00000001/standInSecretOfTheHook24";

pub fn answer(_shared: &Shared, request: &Request) -> Reply {
    if request.path != PATH {
        return Reply::text(404, "no_service");
    }
    if request.method != "POST" || !request.header("content-type").starts_with("application/json") {
        return Reply::text(400, "invalid_payload");
    }
    let Ok(payload) = serde_json::from_str::<serde_json::Value>(&request.body) else {
        return Reply::text(400, "invalid_payload");
    };
    match payload["text"].as_str() {
        Some(text) if !text.is_empty() => Reply::text(200, "ok"),
        _ => Reply::text(400, "no_text"),
    }
}
