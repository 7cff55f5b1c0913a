//! Heartbeats: the list, a run by hand, a ping.

use super::Api;
use super::body::Sent;
use super::fault::Fault;
use super::intake::{Nothing, accepted};
use super::params::{Named, Params};
use super::wait::touched;
use crate::domain::event::{EventKind, Frame, Gone};
use crate::domain::time::Span;
use crate::engine::{Ask, Caller, Read, Refusal};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// So much longer than its own timeout a run is waited for.
const SLACK: Span = Span::secs(5);

pub async fn list(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    Ok(Json(api.read(&by, Read::Heartbeats).await?))
}

/// Runs it and waits for its end: 200; 202 when it still runs (`running`).
pub async fn run(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(name): Named,
    params: Params,
    _: Sent<Nothing>,
) -> Result<Response, Fault> {
    params.done()?;
    let mut frames = api.handle.subscribe();
    let mut heartbeat = api.handle.ask(by.clone(), Ask::RunHeartbeat { name: name.clone() }).await?;
    let longest = api.handle.config().heartbeats.get(&name).map_or(Span::ZERO, |h| h.timeout) + SLACK;
    let watching = async {
        while heartbeat["running"] == true {
            if !touched(&mut frames, |frame| finishes(frame, &name)).await {
                return;
            }
            match one(&api, &by, &name).await {
                Ok(Some(now)) => heartbeat = now,
                // A reload took it away meanwhile, or the daemon stops: what was seen last stands.
                Ok(None) | Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = watching => {}
        () = tokio::time::sleep(longest.to_std()) => {}
        () = api.stopped() => {}
    }
    if heartbeat["running"] == true { Ok(accepted(heartbeat)) } else { Ok(Json(heartbeat).into_response()) }
}

/// Also by being taken out of the config.
fn finishes(frame: &Frame, wanted: &str) -> bool {
    frame.events.iter().any(|e| match &e.head {
        EventKind::HeartbeatFinished(h) => h.name == wanted,
        EventKind::HeartbeatForgotten(Gone { name }) => name == wanted,
        _ => false,
    })
}

async fn one(api: &Api, by: &Caller, name: &str) -> Result<Option<Value>, Refusal> {
    let mut all = api.read(by, Read::Heartbeats).await?;
    let rows = all["heartbeats"].as_array_mut().into_iter().flatten();
    Ok(rows.into_iter().find(|h| h["name"] == name).map(Value::take))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ping {
    fail: bool,
}

pub async fn ping(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(name): Named,
    params: Params,
    Sent(Ping { fail }): Sent<Ping>,
) -> Result<Response, Fault> {
    params.done()?;
    Ok(accepted(api.handle.ask(by, Ask::Ping { name, fail }).await?))
}
