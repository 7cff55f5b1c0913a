//! The page behind a link in a message: it shows what is wrong, and one button.
//!
//! Looking changes nothing, since mail scanners and previews look at every link; only the button acknowledges.
//! Plain HTML, no script, everything escaped. A link that is not ours, was changed or is too old is the same to
//! whoever asks.

use super::{Api, guard};
use crate::domain::clock;
use crate::engine::{Ask, Caller, Code, Read, Role};
use crate::message::Link;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::Arc;

const POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Links that are none are counted as one caller.
const STRANGER: u32 = u32::MAX - 1;

/// What is wrong, and the button.
pub async fn show(State(api): State<Arc<Api>>, Path(token): Path<String>) -> Response {
    let Some(link) = link(&api, &token) else { return invalid(&api).await };
    match api.read(&caller(&link), Read::Incident(link.number.to_string())).await {
        Ok(incident) => page(StatusCode::OK, &shown(&incident)),
        Err(_) => page(StatusCode::GONE, "<p>This alarm is over.</p>"),
    }
}

/// The button.
pub async fn acknowledge(State(api): State<Arc<Api>>, Path(token): Path<String>) -> Response {
    let Some(link) = link(&api, &token) else { return invalid(&api).await };
    let ask = Ask::Acknowledge { id: Some(link.number.to_string()), note: None, by: None, via: "link".to_owned() };
    match api.handle.ask(caller(&link), ask).await {
        Ok(answer) => page(StatusCode::OK, &shown(&answer["incidents"][0])),
        Err(refusal) => {
            let status = match refusal.code {
                Code::Forbidden => StatusCode::FORBIDDEN,
                Code::NotFound | Code::Conflict => StatusCode::GONE,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            page(status, &format!("<p>{}</p>", escaped(&refusal.message)))
        }
    }
}

fn link(api: &Api, token: &str) -> Option<Link> {
    api.links.get()?.read(token, clock::wall())
}

fn caller(link: &Link) -> Caller {
    Caller { name: link.person.clone(), person: Some(link.person.clone()), role: Role::None }
}

async fn invalid(api: &Api) -> Response {
    let by = Caller { name: "over TCP".to_owned(), person: None, role: Role::None };
    guard::record(api, STRANGER, by, "acknowledge by a link that is not valid").await;
    page(StatusCode::FORBIDDEN, "<p>This link is not valid, or not any more.</p>")
}

fn shown(incident: &Value) -> String {
    let text = |key: &str| escaped(incident[key].as_str().unwrap_or_default());
    let head = format!("<h1>#{} {}</h1><p>{}</p>", incident["number"], text("level"), text("subject"));
    let rest = match incident["status"].as_str() {
        Some("open") => "<form method=\"post\"><button>Acknowledge</button></form>".to_owned(),
        Some("acknowledged") => format!("<p>Acknowledged by {}.</p>", text("acknowledged_by")),
        _ => "<p>This alarm is over.</p>".to_owned(),
    };
    head + &rest
}

fn page(status: StatusCode, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Alarm</title></head><body>{body}</body></html>"
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, html).into_response()
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}
