//! A server of ntfy that wants a token.

use super::Shared;
use super::http::{Reply, Request};
use serde_json::{Value, json};

pub const TOPIC: &str = "standInTopicOfNtfy17";
pub const TOKEN: &str = "tk_standInTokenOfNtfy0000000017";

pub fn answer(shared: &Shared, request: &Request) -> Reply {
    if (request.method.as_str(), request.path.as_str()) == ("GET", "/v1/health") {
        return Reply::json(200, json!({ "healthy": true }));
    }
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/") {
        return error(404, 40401, "page not found");
    }
    if request.header("authorization") != format!("Bearer {TOKEN}") {
        return error(401, 40101, "unauthorized");
    }
    let Ok(message) = serde_json::from_str::<Value>(&request.body) else {
        return error(400, 40024, "invalid request: body must be message JSON");
    };
    let known = ["topic", "message", "title", "priority", "tags", "click", "actions", "delay"];
    let text = message["message"].as_str().unwrap_or_default();
    match message.as_object() {
        None => error(400, 40024, "invalid request: body must be message JSON"),
        Some(fields) if fields.keys().any(|key| !known.contains(&key.as_str())) => {
            error(400, 40024, "invalid request: there is a field that is not known")
        }
        Some(_) if message["topic"] != TOPIC => error(403, 40301, "forbidden"),
        Some(_) if !message["priority"].as_u64().is_some_and(|p| (1..=5).contains(&p)) => {
            error(400, 40007, "invalid priority parameter")
        }
        Some(_) if text.is_empty() || text.len() > 4096 => {
            error(413, 41301, "attachment too large, or bandwidth limit reached")
        }
        Some(_) => {
            let n = shared.log.of("ntfy").iter().filter(|r| r.status == 200 && r.method == "POST").count() + 1;
            let id = format!("standIn{n:05}");
            Reply::json(
                200,
                json!({ "id": id, "time": 1_763_640_000, "event": "message", "topic": TOPIC, "message": text }),
            )
        }
    }
}

pub fn error(status: u16, code: u32, words: &str) -> Reply {
    let link = "https://ntfy.sh/docs/publish/";
    Reply::json(status, json!({ "code": code, "http": status, "error": words, "link": link }))
}

/// What ntfy says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        401 => error(401, 40101, "unauthorized"),
        403 => error(403, 40301, "forbidden"),
        429 => error(429, 42901, "limit reached: too many requests"),
        500 => error(500, 50001, "internal server error"),
        507 => error(507, 50701, "cannot publish to UnifiedPush topic without previously active subscriber"),
        _ => error(status, 40024, "stand-in error"),
    }
}
