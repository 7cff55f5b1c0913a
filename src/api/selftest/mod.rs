//! `selftest`: for each channel, would it work at three in the morning?
//!
//! The connection and the credentials are probed as a heartbeat does it. The text and what follows on a failure
//! come from an engine of its own, with the config in force and an empty state: what is asked there happens
//! nowhere. Only `send` sends, a message marked `[TEST]` by the way of all messages.

mod rehearsal;

use super::Api;
use super::body::{Place, Sent};
use super::fault::Fault;
use super::params::Params;
use super::wait;
use crate::config::check::report;
use crate::config::{ChannelConfig, Config, LoadOptions, ProcessEnvironment};
use crate::domain::time::Span;
use crate::domain::who::Who;
use crate::engine::{Ask, Caller, Code, Refusal};
use axum::extract::State;
use axum::{Extension, Json};
use futures_util::future::join_all;
use rehearsal::rehearse;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// A probe, and a message that is sent.
const PATIENCE: Span = Span::secs(30);

/// Of `POST /selftest`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelftestRequest {
    channels: Option<Vec<String>>,
    send: bool,
    to: Option<Vec<Who>>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    /// ok, warning, failed, skipped.
    status: &'static str,
    detail: String,
}

impl Check {
    fn of(name: &'static str, result: Result<String, String>) -> Check {
        match result {
            Ok(detail) => Check { name, status: "ok", detail },
            Err(detail) => Check { name, status: "failed", detail },
        }
    }

    fn skipped(name: &'static str, why: &str) -> Check {
        Check { name, status: "skipped", detail: why.to_owned() }
    }
}

pub async fn run(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    Sent(request): Sent<SelftestRequest>,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    if request.to.is_some() && !request.send {
        return Err(Refusal::field("to", "to is for send: without it nothing is sent").into());
    }
    let config = api.handle.config();
    let names = named(&config, request.channels)?;
    let said = warnings(config.clone()).await;
    let tested = names.iter().map(|name| channel(&api, &by, &config, name, &said, request.send.then_some(&request.to)));
    let channels: Vec<Value> = join_all(tested).await;
    let ok = channels.iter().all(|channel| channel["ok"] == true);
    Ok(Json(json!({ "ok": ok, "channels": channels })))
}

/// All of them, or those that are asked for, which there must be.
fn named(config: &Config, asked: Option<Vec<String>>) -> Result<Vec<String>, Refusal> {
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return Ok(config.channels.keys().cloned().collect());
    };
    match asked.iter().find(|name| !config.channels.contains_key(*name)) {
        Some(name) => {
            let message = format!("there is no channel {name:?}");
            Err(Refusal { field: Some("channels".into()), ..Refusal::new(Code::NotFound, message) })
        }
        None => Ok(asked),
    }
}

async fn channel(
    api: &Api,
    by: &Caller,
    config: &Arc<Config>,
    name: &str,
    said: &[String],
    send: Option<&Option<Vec<Who>>>,
) -> Value {
    let Some(channel) = config.channels.get(name) else { return Value::Null };
    let mut checks = vec![settings(config, channel, said), connection(channel).await];
    checks.extend(rehearse(config, channel));
    checks.push(match send {
        Some(to) => sending(api, by, channel, to.clone().unwrap_or_default()).await,
        None => Check::skipped("send", "nothing was sent; --send sends a message marked [TEST]"),
    });
    let ok = checks.iter().all(|check| check.status != "failed");
    json!({ "channel": name, "kind": channel.kind.name, "simulate": channel.simulate, "ok": ok, "checks": checks })
}

/// Its limits, and what `check-config` warns of.
fn settings(config: &Config, channel: &ChannelConfig, said: &[String]) -> Check {
    let of_it = format!("channels.{}.", channel.name);
    let mut warnings: Vec<String> = said.iter().filter(|words| words.starts_with(&of_it)).cloned().collect();
    let alone: Vec<&str> = config
        .levels
        .iter()
        .filter(|(_, level)| level.channels == [channel.name.as_str()] && channel.fallback.is_none())
        .map(|(level, _)| level.as_str())
        .collect();
    if !alone.is_empty() {
        warnings.push(format!("the only way of level {} and without a fallback", alone.join(", ")));
    }
    let (slots, timeout, times) = (channel.slots, channel.timeout, channel.retry.times);
    let limits = format!("{slots} at once, {timeout} each, {times} retries");
    if warnings.is_empty() {
        return Check::of("settings", Ok(limits));
    }
    Check { name: "settings", status: "warning", detail: format!("{limits}; {}", warnings.join("; ")) }
}

async fn connection(channel: &ChannelConfig) -> Check {
    if channel.simulate {
        return Check::skipped("connection", "it is simulated");
    }
    let probe = tokio::time::timeout(channel.timeout.min(PATIENCE).to_std(), channel.adapter.probe());
    let result = match probe.await {
        Ok(Ok(words)) => Ok(words),
        Ok(Err(failure)) => Err(failure.to_string()),
        Err(_) => Err(format!("TIMEOUT (no answer within {})", channel.timeout.min(PATIENCE))),
    };
    Check::of("connection", result)
}

/// A real message, waited for.
async fn sending(api: &Api, by: &Caller, channel: &ChannelConfig, to: Vec<Who>) -> Check {
    // A fixed channel tells its own place, whoever is named.
    let to = if channel.medium().is_some() { to } else { Vec::new() };
    let ask = Ask::Test { channels: vec![channel.name.clone()], to, force: true };
    let result = match wait::ask(api, by.clone(), ask, Some(PATIENCE), Place::default()).await {
        Err(refusal) => Err(refusal.message),
        Ok(sent) => {
            let rows = sent["deliveries"].as_array().into_iter().flatten();
            let words: Vec<String> = rows.map(outcome).collect();
            if sent["status"] == "delivered" { Ok(words.join("; ")) } else { Err(words.join("; ")) }
        }
    };
    Check::of("send", result)
}

/// `sent to bob (SM7f1d...)`, or why not.
fn outcome(delivery: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let to = text(&delivery["recipient"]).map(|to| format!(" to {to}")).unwrap_or_default();
    let attempt = delivery["attempts"].as_array().and_then(|all| all.last()).unwrap_or(&Value::Null);
    let why = text(&delivery["reason"]).or_else(|| text(&attempt["error"]));
    let id = text(&attempt["provider_message_id"]);
    let more = why.or(id).map(|words| format!(" ({words})")).unwrap_or_default();
    format!("{}{to}{more}", delivery["status"].as_str().unwrap_or_default())
}

/// What the files on disk are warned about.
async fn warnings(config: Arc<Config>) -> Vec<String> {
    let look = move || {
        let options = LoadOptions { without_secrets: true, ..LoadOptions::default() };
        let report = report(&config.source.path, &ProcessEnvironment, &options);
        report.warnings.into_iter().map(|problem| problem.message).collect()
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}
