//! Dead letters: what could not be delivered, and what shall become of it.

use super::Api;
use super::body::Sent;
use super::fault::Fault;
use super::intake::{Nothing, accepted};
use super::lists::cursor;
use super::params::{Named, Params};
use crate::domain::id::DeliveryId;
use crate::engine::{Ask, Caller, Read};
use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::Value;
use std::sync::Arc;

pub async fn list(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    mut params: Params,
) -> Result<Json<Value>, Fault> {
    let limit = params.limit()?;
    let after = cursor(&mut params)?.map(DeliveryId);
    params.done()?;
    Ok(Json(api.read(&by, Read::DeadLetters { limit, after }).await?))
}

pub async fn requeue(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
    _: Sent<Nothing>,
) -> Result<Response, Fault> {
    params.done()?;
    Ok(accepted(api.handle.ask(by, Ask::Requeue { id: Some(id) }).await?))
}

pub async fn requeue_all(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    _: Sent<Nothing>,
) -> Result<Response, Fault> {
    params.done()?;
    Ok(accepted(api.handle.ask(by, Ask::Requeue { id: None }).await?))
}

pub async fn drop(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
    _: Sent<Nothing>,
) -> Result<Response, Fault> {
    params.done()?;
    Ok(accepted(api.handle.ask(by, Ask::Drop { id }).await?))
}
