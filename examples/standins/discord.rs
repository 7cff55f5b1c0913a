//! A webhook of Discord. Stricter than the original: a field that it does not know is refused, and
//! so is a message that could ping.

use super::Shared;
use super::http::{Reply, Request};
use serde_json::{Value, json};

/// Id and token of the webhook.
pub const PATH: &str = "/api/v10/webhooks/223704706495545344/standInTokenOfTheDiscordWebhook17";
/// The id of every message that it keeps.
pub const MESSAGE: &str = "1310000000000000017";
/// The channel of the webhook, and a thread of it that somebody has deleted.
pub const CHANNEL: &str = "1310000000000000001";
pub const GONE: &str = "1310000000000000404";

pub fn answer(_shared: &Shared, request: &Request) -> Reply {
    let (folder, token) = PATH.rsplit_once('/').unwrap();
    match request.path.rsplit_once('/') {
        Some((here, given)) if here == folder && given == token => {}
        Some((here, _)) if here == folder => return error(401, 50027, "Invalid Webhook Token"),
        _ => return error(404, 10015, "Unknown Webhook"),
    }
    match request.method.as_str() {
        "GET" => Reply::json(200, json!({ "id": "223704706495545344", "type": 1, "name": "stand-in", "token": token })),
        "POST" => post(request),
        _ => error(405, 0, "405: Method Not Allowed"),
    }
}

fn post(request: &Request) -> Reply {
    if request.header("content-type") != "application/json" {
        return error(400, 50109, "The request body contains invalid JSON.");
    }
    let Ok(message) = serde_json::from_str::<Value>(&request.body) else {
        return error(400, 50109, "The request body contains invalid JSON.");
    };
    if let Some(field) = wrong(&message) {
        return invalid(field);
    }
    if message["content"].as_str().unwrap_or_default().is_empty() && message["embeds"].is_null() {
        return error(400, 50006, "Cannot send an empty message");
    }
    let named = !message["thread_name"].is_null();
    match request.query.get("thread_id").map(String::as_str) {
        Some(_) if named => return invalid("thread_name"),
        Some(GONE) => return error(404, 10003, "Unknown Channel"),
        _ => {}
    }
    // The first message of a post has the post's own id.
    let post = request.query.get("thread_id").cloned().or(named.then(|| MESSAGE.to_owned()));
    let limits = |reply: Reply| {
        let headers = [("Limit", "5"), ("Remaining", "4"), ("Reset-After", "0.5"), ("Bucket", "b17")];
        headers.iter().fold(reply, |reply, (name, value)| reply.with(&format!("X-RateLimit-{name}"), value))
    };
    match request.query.get("wait").map(String::as_str) {
        Some("true") => limits(Reply::json(
            200,
            json!({
                "id": MESSAGE, "channel_id": post.unwrap_or_else(|| CHANNEL.to_owned()), "content": message["content"], "type": 0
            }),
        )),
        _ => limits(Reply::text(204, "")),
    }
}

fn wrong(message: &Value) -> Option<&'static str> {
    let known = ["content", "embeds", "username", "avatar_url", "allowed_mentions", "thread_name", "flags"];
    let length = |text: &Value| text.as_str().map_or(0, |t| t.encode_utf16().count());
    let fields = message.as_object()?;
    let name = message["username"].as_str().unwrap_or("Captain Hook").to_lowercase();
    if fields.keys().any(|key| !known.contains(&key.as_str())) {
        return Some("_unknown");
    }
    if message["allowed_mentions"] != json!({ "parse": [] }) {
        return Some("allowed_mentions");
    }
    if !message["thread_name"].is_null() && !(1..=100).contains(&length(&message["thread_name"])) {
        return Some("thread_name");
    }
    if length(&message["content"]) > 2000 {
        return Some("content");
    }
    if name.is_empty() || name.chars().count() > 80 || name.contains("discord") || name.contains("clyde") {
        return Some("username");
    }
    let embeds = message["embeds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let long = |e: &Value| length(&e["description"]) > 4096 || length(&e["title"]) > 256;
    let colour = |e: &Value| e["color"].as_u64().is_some_and(|c| c <= 0xff_ffff);
    let sum: usize = embeds.iter().map(|e| length(&e["description"]) + length(&e["title"])).sum();
    (embeds.len() > 10 || sum > 6000 || embeds.iter().any(|e| long(e) || !colour(e))).then_some("embeds")
}

fn invalid(field: &str) -> Reply {
    let errors = json!({ field: { "_errors": [{ "code": "BASE_TYPE_BAD_LENGTH", "message": "Must be shorter." }] } });
    Reply::json(400, json!({ "message": "Invalid Form Body", "code": 50035, "errors": errors }))
}

pub fn error(status: u16, code: u32, message: &str) -> Reply {
    Reply::json(status, json!({ "message": message, "code": code }))
}

/// What Discord says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        400 => invalid("content"),
        401 => error(401, 50027, "Invalid Webhook Token"),
        404 => error(404, 10015, "Unknown Webhook"),
        429 => {
            let body = json!({ "message": "You are being rate limited.", "retry_after": 64.57, "global": false });
            Reply::json(429, body).with("Retry-After", "65").with("X-RateLimit-Remaining", "0")
        }
        204 => Reply::text(204, ""),
        _ => error(status, 0, &format!("{status}: stand-in error")),
    }
}
