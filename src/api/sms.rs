//! Text messages as conversations.

use super::Api;
use super::fault::Fault;
use super::params::{Named, Params};
use crate::engine::{Caller, Read};
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;
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

pub async fn conversation(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(with): Named,
    params: Params,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    Ok(Json(api.read(&by, Read::Conversation(with)).await?))
}
