//! New work: messages, incidents, tests, values.

use super::Api;
use super::body::{Laden, Place, Sent};
use super::fault::Fault;
use super::params::{Named, Params};
use super::wait;
use crate::domain::who::Who;
use crate::engine::{Ask, Caller, OpenRequest, Refusal, SendRequest};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

pub async fn send(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    Laden { request, place }: Laden<SendRequest>,
) -> Result<Response, Fault> {
    notify(&api, by, params, Ask::Send(request), place).await
}

/// 202 when it is accepted; 200 with what became of it after `?wait=`.
pub async fn notify(api: &Api, by: Caller, mut params: Params, ask: Ask, place: Place) -> Result<Response, Fault> {
    let wait = params.read("wait", wait::span)?;
    params.done()?;
    let notification = wait::ask(api, by, ask, wait, place).await?;
    let status = if wait.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(notification)).into_response())
}

/// The incident itself; the engine's list has the one.
pub async fn open(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    Laden { request, place }: Laden<OpenRequest>,
) -> Result<Response, Fault> {
    params.done()?;
    let answer = api.handle.ask(by, Ask::Open(request)).await;
    drop(place);
    let mut answer = answer?;
    let mut incident = answer["incidents"][0].take();
    incident["already_open"] = (incident["count"].as_u64() > Some(1)).into();
    Ok(accepted(incident))
}

/// Of `POST /channels/test`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TestRequest {
    to: Option<Vec<Who>>,
    channels: Option<Vec<String>>,
    force: bool,
}

pub async fn test(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    Sent(request): Sent<TestRequest>,
) -> Result<Response, Fault> {
    let TestRequest { to, channels, force } = request;
    let ask = Ask::Test { channels: channels.unwrap_or_default(), to: to.unwrap_or_default(), force };
    notify(&api, by, params, ask, Place::default()).await
}

pub async fn test_one(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(name): Named,
    params: Params,
    Sent(request): Sent<TestRequest>,
) -> Result<Response, Fault> {
    if request.channels.is_some() {
        return Err(Refusal::field("channels", "the path names the channel; leave channels out").into());
    }
    let ask = Ask::Test { channels: vec![name], to: request.to.unwrap_or_default(), force: request.force };
    notify(&api, by, params, ask, Place::default()).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FomoRequest {
    deal: String,
    remaining: f64,
    tiers: Option<Vec<String>>,
}

pub async fn fomo(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    Sent(request): Sent<FomoRequest>,
) -> Result<Response, Fault> {
    let FomoRequest { deal, remaining, tiers } = request;
    let ask = Ask::PushFomo { deal, remaining, tiers: tiers.unwrap_or_default() };
    notify(&api, by, params, ask, Place::default()).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRequest {
    value: f64,
}

pub async fn set_metric(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(name): Named,
    params: Params,
    Sent(request): Sent<MetricRequest>,
) -> Result<Response, Fault> {
    params.done()?;
    let metric = api.handle.ask(by, Ask::SetMetric { name, value: request.value }).await?;
    Ok(accepted(metric))
}

/// A request's body that has no fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// 202: it is durable.
pub fn accepted(answer: Value) -> Response {
    (StatusCode::ACCEPTED, Json(answer)).into_response()
}
