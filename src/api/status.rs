//! `status`: the engine's picture, and what only the door knows: readiness, the ledger, the tasks.

use super::Api;
use super::fault::Fault;
use super::health::readiness;
use super::params::Params;
use crate::domain::time::Timestamp;
use crate::engine::{Caller, Read};
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};
use std::sync::Arc;

pub async fn status(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    let mut status = api.read(&by, Read::Status).await?;
    let facts = api.history.facts();
    let zone = api.handle.config().daemon.timezone.clone();
    let at = |t: Timestamp| t.rfc3339(&zone);
    status["ready"] = readiness(&api).await.is_ok().into();
    status["tasks"] = api.overseer.tasks();
    status["ledger"] = json!({
        "events": facts.events,
        "head": facts.head,
        "durable_seq": facts.durable_seq,
        "applied_seq": facts.applied_seq,
        "verified_at": facts.verified_at.map(at),
    });
    if let Some(why) = facts.unavailable {
        degrade(&mut status, format!("the history cannot be asked: {why}"));
    }
    Ok(Json(status))
}

/// One more reason why not all is well.
fn degrade(status: &mut Value, reason: String) {
    if status["state"] == "ok" {
        status["state"] = "degraded".into();
    }
    if let Some(reasons) = status["reasons"].as_array_mut() {
        reasons.push(reason.into());
    }
}
