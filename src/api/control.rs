//! What people do to incidents, silences, sounds and the config.

use super::Api;
use super::access::Peer;
use super::body::Sent;
use super::fault::Fault;
use super::guard;
use super::intake::{Nothing, accepted};
use super::params::{Named, Params};
use crate::domain::matcher::Matcher;
use crate::engine::{Ask, Caller, Code, Refusal, Role, SpanWord};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acknowledgement {
    note: Option<String>,
    by: Option<String>,
}

pub async fn acknowledge(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Extension(peer): Extension<Peer>,
    Named(id): Named,
    params: Params,
    Sent(request): Sent<Acknowledgement>,
) -> Result<Response, Fault> {
    params.done()?;
    acknowledge_it(&api, by, peer, Some(id), request).await
}

/// The only one that waits for it.
pub async fn acknowledge_only(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Extension(peer): Extension<Peer>,
    params: Params,
    Sent(request): Sent<Acknowledgement>,
) -> Result<Response, Fault> {
    params.done()?;
    acknowledge_it(&api, by, peer, None, request).await
}

/// Whether a person without a role may, the engine decides by whom it told.
async fn acknowledge_it(
    api: &Api,
    by: Caller,
    peer: Peer,
    id: Option<String>,
    request: Acknowledgement,
) -> Result<Response, Fault> {
    let Acknowledgement { note, by: in_name_of } = request;
    let what = id.as_ref().map_or_else(String::new, |id| format!(" {id:.40}"));
    let other = in_name_of.is_some() && in_name_of != by.person;
    let answer = if other && by.role < Role::Operator {
        Err(Refusal::new(Code::Forbidden, "acknowledging in another's name needs the role operator"))
    } else {
        let ask = Ask::Acknowledge { id, note, by: in_name_of, via: "control".to_owned() };
        api.handle.ask(by.clone(), ask).await
    };
    if answer.as_ref().is_err_and(|r| r.code == Code::Forbidden) {
        guard::record(api, peer.uid, by, &format!("acknowledge{what}")).await;
    }
    Ok(accepted(answer?))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resolution {
    note: Option<String>,
}

pub async fn resolve(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
    Sent(Resolution { note }): Sent<Resolution>,
) -> Result<Response, Fault> {
    params.done()?;
    Ok(accepted(api.handle.ask(by, Ask::Resolve { id, note }).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snooze {
    #[serde(rename = "for")]
    span: SpanWord,
}

pub async fn snooze(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
    Sent(Snooze { span }): Sent<Snooze>,
) -> Result<Response, Fault> {
    params.done()?;
    Ok(accepted(api.handle.ask(by, Ask::Snooze { id, span: span.0 }).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilenceRequest {
    matchers: Vec<Matcher>,
    #[serde(rename = "for")]
    span: SpanWord,
    comment: String,
    author: Option<String>,
}

pub async fn silence(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    Sent(request): Sent<SilenceRequest>,
) -> Result<Response, Fault> {
    params.done()?;
    let SilenceRequest { matchers, span, comment, author } = request;
    let silence = api.handle.ask(by, Ask::AddSilence { matchers, span: span.0, comment, author }).await?;
    Ok((StatusCode::CREATED, Json(silence)).into_response())
}

pub async fn expire_silence(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
) -> Result<Response, Fault> {
    params.done()?;
    Ok(accepted(api.handle.ask(by, Ask::ExpireSilence { id }).await?))
}

/// A refused config is an answer, too: `ok` is false.
pub async fn reload(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    _: Sent<Nothing>,
) -> Result<Response, Fault> {
    params.done()?;
    Ok(Json(api.reloader.reload(by).await).into_response())
}
