//! Templates by name: which there are, and what one makes. Nothing is sent.

use super::Api;
use super::body::Sent;
use super::fault::Fault;
use super::params::{Named, Params};
use crate::config::preview::{self, Wanted};
use crate::engine::{Code, Refusal};
use axum::Json;
use axum::extract::State;
use serde_json::Value;
use std::sync::Arc;

pub async fn list(State(api): State<Arc<Api>>, params: Params) -> Result<Json<Value>, Fault> {
    params.done()?;
    Ok(Json(preview::list(&api.handle.config())))
}

pub async fn render(
    State(api): State<Arc<Api>>,
    Named(name): Named,
    params: Params,
    Sent(wanted): Sent<Wanted>,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    let made = preview::render(&api.handle.config(), &name, wanted);
    made.map(Json).map_err(|wrong| match wrong.field {
        Some(field) => Refusal::field(field, wrong.message).into(),
        None => Refusal::new(Code::NotFound, wrong.message).into(),
    })
}
