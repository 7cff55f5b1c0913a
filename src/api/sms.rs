//! Text messages as conversations.

use super::Api;
use super::fault::Fault;
use super::history::Thing;
use super::params::{Named, Params, ROWS};
use super::past;
use crate::config::Config;
use crate::domain::delivery::Medium;
use crate::domain::time::Timestamp;
use crate::engine::{Caller, Read};
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};
use std::sync::Arc;

pub async fn inbox(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    mut params: Params,
) -> Result<Json<Value>, Fault> {
    let limit = params.limit()?;
    params.done()?;
    Ok(Json(api.read(&by, Read::Inbox { limit }).await?))
}

/// Both sides, the latest; what is at hand, and before that what the history has.
pub async fn conversation(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(with): Named,
    params: Params,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    let mut answer = api.read(&by, Read::Conversation(with)).await?;
    let config = api.handle.config();
    let (number, known) = (answer["number"].clone(), answer["messages"].take());
    let Value::Array(mut messages) = known else { return Ok(Json(answer)) };
    let fits = |d: &Value| d["address"] == number && is_text(&config, d);
    let mut ended = past::ended(&api, Thing::Delivery, None, ROWS, fits).await.page("ended", ROWS);
    let Value::Array(ended) = ended["ended"].take() else { return Ok(Json(answer)) };
    let is_known = |d: &Value| messages.iter().any(|m| m["delivery"] == d["id"]);
    let older: Vec<Value> = ended.iter().filter(|d| !is_known(d)).map(ours).collect();
    messages.extend(older);
    messages.sort_by_key(|m| m["at"].as_str().and_then(|at| Timestamp::parse(at).ok()));
    answer["messages"] = messages.split_off(messages.len().saturating_sub(ROWS)).into();
    Ok(Json(answer))
}

/// One that was tried by a channel for texts.
fn is_text(config: &Config, delivery: &Value) -> bool {
    let channel = delivery["via"].as_str().and_then(|name| config.channels.get(name));
    let tried = delivery["attempts"].as_array().is_some_and(|attempts| !attempts.is_empty());
    tried && channel.is_some_and(|c| c.medium() == Some(Medium::Sms))
}

/// As the engine shows what is at hand.
fn ours(delivery: &Value) -> Value {
    let at = if delivery["sent_at"].is_null() { &delivery["created_at"] } else { &delivery["sent_at"] };
    json!({
        "at": at,
        "direction": "out",
        "text": delivery["subject"],
        "channel": delivery["via"],
        "status": delivery["status"],
        "delivery": delivery["id"],
        "incident": delivery["incident"],
    })
}
