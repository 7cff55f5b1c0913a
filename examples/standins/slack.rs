//! Slack: an incoming webhook (plain text answers with a real status, `ok` for a success), and the
//! Web API (status 200 for nearly everything, JSON with `ok`).

use super::Shared;
use super::http::{Reply, Request};
use serde_json::{Value, json};

/// The path of the webhook; any other is `no_service`.
pub const PATH: &str = "/services/T00000001/B00000001/standInSecretOfTheHook24";
/// What the Web API wants to see.
pub const TOKEN: &str = "xoxb-standInTokenOfTheBot-0000000017";
/// The channel that the bot is in, by its name and its id.
pub const CHANNEL: (&str, &str) = ("#alarms", "C00000017");

pub fn answer(_shared: &Shared, request: &Request) -> Reply {
    if request.path != PATH {
        return Reply::text(404, "no_service");
    }
    if request.method != "POST" || !request.header("content-type").starts_with("application/json") {
        return Reply::text(400, "invalid_payload");
    }
    let Ok(payload) = serde_json::from_str::<Value>(&request.body) else {
        return Reply::text(400, "invalid_payload");
    };
    let known = ["text", "blocks", "attachments", "thread_ts", "unfurl_links", "username", "icon_emoji", "icon_url"];
    if payload.as_object().is_none_or(|fields| fields.keys().any(|field| !known.contains(&field.as_str()))) {
        return Reply::text(400, "invalid_payload");
    }
    match payload["text"].as_str() {
        Some(text) if !text.is_empty() => Reply::text(200, "ok"),
        _ => Reply::text(400, "no_text"),
    }
}

/// The Web API. The `ts` of a message is made from how many there were.
pub fn web(shared: &Shared, request: &Request) -> Reply {
    if request.method != "POST" || !request.header("content-type").starts_with("application/json") {
        return error("invalid_post_type");
    }
    if request.header("authorization") != format!("Bearer {TOKEN}") {
        return error(if request.header("authorization").is_empty() { "not_authed" } else { "invalid_auth" });
    }
    let Ok(body) = serde_json::from_str::<Value>(&request.body) else { return error("invalid_json") };
    let made: Vec<String> = shared
        .log
        .of("slack-web")
        .iter()
        .filter(|r| r.path == "/api/chat.postMessage" && r.status == 200)
        .enumerate()
        .map(|(n, _)| ts(n + 1))
        .collect();
    let warning =
        if request.header("content-type").contains("charset") { Value::Null } else { "missing_charset".into() };
    let fine = |mut document: Value| {
        document["ok"] = true.into();
        document["warning"] = warning.clone();
        Reply::json(200, document)
    };
    match request.path.as_str() {
        "/api/auth.test" => {
            fine(json!({ "team": "stand-ins", "user": "stentor", "bot_id": "B17", "url": "https://x/" }))
        }
        "/api/chat.postMessage" => match wrong(&body, &made) {
            Some(code) => error(code),
            None => {
                fine(json!({ "channel": CHANNEL.1, "ts": ts(made.len() + 1), "message": { "text": body["text"] } }))
            }
        },
        "/api/chat.update" if !made.iter().any(|ts| body["ts"] == ts.as_str()) => error("message_not_found"),
        "/api/chat.update" if body["channel"] != CHANNEL.1 => error("channel_not_found"),
        "/api/chat.update" => match wrong_text(&body) {
            Some(code) => error(code),
            None => fine(json!({ "channel": CHANNEL.1, "ts": body["ts"], "text": body["text"] })),
        },
        _ => error("unknown_method"),
    }
}

fn ts(n: usize) -> String {
    format!("1503435956.{n:06}")
}

fn wrong(body: &Value, made: &[String]) -> Option<&'static str> {
    let known = [
        "channel",
        "text",
        "blocks",
        "attachments",
        "thread_ts",
        "reply_broadcast",
        "username",
        "icon_emoji",
        "icon_url",
        "unfurl_links",
        "metadata",
    ];
    let channel = body["channel"].as_str().unwrap_or_default();
    if body.as_object()?.keys().any(|key| !known.contains(&key.as_str())) {
        return Some("invalid_arguments");
    }
    if channel != CHANNEL.0 && channel != CHANNEL.1 {
        return Some("channel_not_found");
    }
    let thread = &body["thread_ts"];
    if !thread.is_null() && !made.iter().any(|ts| thread == ts.as_str()) {
        return Some("thread_not_found");
    }
    wrong_text(body)
}

fn wrong_text(body: &Value) -> Option<&'static str> {
    let text = body["text"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Some("no_text");
    }
    if text.chars().count() > 40_000 {
        return Some("msg_too_long");
    }
    let attachments = body["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    if attachments.len() > 100 {
        return Some("too_many_attachments");
    }
    let block = |block: &Value| {
        let text = block["text"]["text"].as_str().map_or(0, |t| t.chars().count());
        block["type"] == "section" && block["text"]["type"] == "mrkdwn" && (1..=3000).contains(&text)
    };
    let attachment = |a: &Value| a["blocks"].as_array().is_some_and(|b| b.len() <= 50 && b.iter().all(block));
    (!attachments.iter().all(attachment)).then_some("invalid_blocks")
}

pub fn error(code: &str) -> Reply {
    Reply::json(200, json!({ "ok": false, "error": code }))
}

/// What the Web API says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        429 => Reply::json(429, json!({ "ok": false, "error": "ratelimited" })).with("Retry-After", "30"),
        _ => Reply::text(status, "stand-in error"),
    }
}
