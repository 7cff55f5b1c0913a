//! SendGrid's v3 API, as far as alarms use it: sending a mail, and the rights of a key.

use super::Shared;
use super::http::{Reply, Request};
use serde_json::{Value, json};

pub const API_KEY: &str = "SG.standInApiKeyOfSendGrid.000000000017";
/// May read, but not send.
pub const READ_ONLY_KEY: &str = "SG.standInReadOnlyKeyOfSendGrid.0000017";
/// The one sender that is verified.
pub const SENDER: &str = "stentor@example.org";

pub fn answer(shared: &Shared, request: &Request) -> Reply {
    let key = request.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    if key != API_KEY && key != READ_ONLY_KEY {
        return error(401, "The provided authorization grant is invalid, expired, or revoked", None);
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v3/scopes") if key == READ_ONLY_KEY => Reply::json(200, json!({ "scopes": ["stats.read"] })),
        ("GET", "/v3/scopes") => Reply::json(200, json!({ "scopes": ["mail.send", "stats.read"] })),
        ("POST", "/v3/mail/send") if key == READ_ONLY_KEY => error(403, "access forbidden", None),
        ("POST", "/v3/mail/send") => send(shared, request),
        (_, "/v3/mail/send") => error(405, "method not allowed", None),
        _ => error(404, "not found", None),
    }
}

fn send(shared: &Shared, request: &Request) -> Reply {
    if request.header("content-type") != "application/json" {
        return error(415, "Content-Type should be application/json.", None);
    }
    if request.body.len() > 30_000_000 {
        return error(413, "The total size of your message is too large.", None);
    }
    let Ok(mail) = serde_json::from_str::<Value>(&request.body) else {
        return error(400, "Bad Request", None);
    };
    if let Some((field, words)) = wrong(&mail) {
        return error(400, words, Some(field));
    }
    if mail["from"]["email"] != SENDER {
        return error(403, "The from address does not match a verified Sender Identity.", Some("from"));
    }
    let sent = shared.log.of("sendgrid").iter().filter(|r| r.status == 202).count();
    Reply::text(202, "").with("X-Message-Id", &format!("standInMessageId{:06}", sent + 1))
}

fn wrong(mail: &Value) -> Option<(&'static str, &'static str)> {
    let known = [
        "personalizations",
        "from",
        "reply_to",
        "subject",
        "content",
        "attachments",
        "headers",
        "categories",
        "custom_args",
        "send_at",
        "mail_settings",
    ];
    let reserved = ["to", "from", "subject", "reply-to", "cc", "bcc", "content-type", "content-transfer-encoding"];
    let filled = |value: &Value| value.as_str().is_some_and(|t| !t.is_empty());
    let address = |value: &Value| {
        value.as_str().is_some_and(|t| t.split_once('@').is_some_and(|(l, d)| !l.is_empty() && d.contains('.')))
    };
    let people = mail["personalizations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let to = |person: &Value| {
        person["to"].as_array().is_some_and(|to| !to.is_empty() && to.iter().all(|t| address(&t["email"])))
    };
    let content = mail["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    let header = |name: &String| reserved.contains(&name.to_lowercase().as_str());
    match mail.as_object() {
        None => Some(("", "Bad Request")),
        Some(fields) if fields.keys().any(|key| !known.contains(&key.as_str())) => Some(("", "Invalid field")),
        Some(_) if people.is_empty() || people.len() > 1000 => Some((
            "personalizations",
            "The personalizations field is required and must have at least one personalization.",
        )),
        Some(_) if !people.iter().all(to) => {
            Some(("personalizations.0.to.0.email", "Does not contain a valid address."))
        }
        Some(_) if !address(&mail["from"]["email"]) => {
            Some(("from.email", "The from email does not contain a valid address."))
        }
        Some(_) if !filled(&mail["subject"]) => Some(("subject", "The subject is required.")),
        Some(_) if content.is_empty() || content.iter().any(|c| !filled(&c["value"])) => {
            Some(("content.0.value", "The content value must be a string at least one character in length."))
        }
        Some(_) if content[0]["type"] != "text/plain" => {
            Some(("content", "The content types must be ordered: text/plain first."))
        }
        Some(_) if mail["headers"].as_object().is_some_and(|h| h.keys().any(header)) => {
            Some(("headers", "The header is reserved."))
        }
        Some(_) => None,
    }
}

pub fn error(status: u16, message: &str, field: Option<&str>) -> Reply {
    Reply::json(status, json!({ "errors": [{ "message": message, "field": field, "help": null }] }))
}

/// What SendGrid says when it is told to answer such a status.
pub fn error_of_status(status: u16) -> Reply {
    match status {
        401 => error(401, "The provided authorization grant is invalid, expired, or revoked", None),
        403 => error(403, "The from address does not match a verified Sender Identity.", Some("from")),
        413 => error(413, "The total size of your message is too large.", None),
        // Long past: the limit has begun anew.
        429 => error(429, "too many requests", None)
            .with("X-RateLimit-Limit", "600")
            .with("X-RateLimit-Remaining", "0")
            .with("X-RateLimit-Reset", "1605855600"),
        _ => error(status, "stand-in error", None),
    }
}
