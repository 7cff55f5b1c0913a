//! Requests that say no more than which one, or not even that: their bodies are empty, and what they
//! ask of the engine is all there is to them. They are answered with 202 once it is durable.

use super::Api;
use super::body::Sent;
use super::fault::Fault;
use super::intake::{Nothing, accepted};
use super::params::{Named, Params};
use crate::engine::{Ask, Caller};
use axum::Extension;
use axum::extract::State;
use axum::routing::{MethodRouter, post};
use std::sync::Arc;

/// About the one that the path names.
pub fn one(ask: fn(String) -> Ask) -> MethodRouter<Arc<Api>> {
    let handler = move |State(api): State<Arc<Api>>,
                        Extension(by): Extension<Caller>,
                        Named(id): Named,
                        params: Params,
                        _: Sent<Nothing>| async move {
        params.done()?;
        Ok::<_, Fault>(accepted(api.handle.ask(by, ask(id)).await?))
    };
    post(handler)
}

/// About all that there are.
pub fn all(ask: fn() -> Ask) -> MethodRouter<Arc<Api>> {
    let handler = move |State(api): State<Arc<Api>>,
                        Extension(by): Extension<Caller>,
                        params: Params,
                        _: Sent<Nothing>| async move {
        params.done()?;
        Ok::<_, Fault>(accepted(api.handle.ask(by, ask()).await?))
    };
    post(handler)
}
