//! The settings of a channel: shown without secrets, and, where `[access] channel_settings` allows it,
//! written to a file of its own.

use super::Api;
use super::body::Sent;
use super::fault::Fault;
use super::params::{Named, Params};
use crate::engine::{Caller, Code, Refusal};
use crate::settings::written;
use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// As TOML, placeholders as they are written, secret literals blanked.
pub async fn show(State(api): State<Arc<Api>>, Named(name): Named, params: Params) -> Result<Json<Value>, Fault> {
    params.done()?;
    let config = api.handle.config();
    match table_of(&config.source.masked, &name) {
        Some(text) => Ok(Json(json!({ "name": name, "text": text }))),
        None => {
            let message = format!("there is no channel {name:?}");
            Err(Refusal { field: Some("name".into()), ..Refusal::new(Code::NotFound, message) }.into())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    settings: Map<String, Value>,
}

/// All of them, in place of what was written here before.
pub async fn write(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(name): Named,
    params: Params,
    Sent(Settings { settings }): Sent<Settings>,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    allowed(&api)?;
    let text = written(&["channels", &name], &settings).map_err(|path| {
        Refusal::field(&format!("settings.{path}"), "a setting is a text, a number, a flag, a list or an object")
    })?;
    Ok(Json(api.reloader.write_channel(by, name, Some(text)).await?))
}

pub async fn remove(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(name): Named,
    params: Params,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    allowed(&api)?;
    Ok(Json(api.reloader.write_channel(by, name, None).await?))
}

/// Who writes a channel can send secrets of the config elsewhere, and start programs.
fn allowed(api: &Api) -> Result<(), Refusal> {
    if api.handle.config().access.channel_settings {
        return Ok(());
    }
    let message = "channels are written in the config's files; [access] channel_settings = true allows it here, too";
    Err(Refusal::new(Code::Forbidden, message))
}

/// The lines of `[channels.NAME]`, and of the tables in it.
fn table_of(masked: &str, name: &str) -> Option<String> {
    let head = written(&["channels", name], &Map::new()).ok()?;
    let head = head.trim_end().trim_end_matches(']');
    let mut inside = false;
    let mut lines = Vec::new();
    for line in masked.lines() {
        if line.starts_with('[') {
            let rest = line.strip_prefix(head);
            inside = rest.is_some_and(|rest| rest.starts_with([']', '.']));
        }
        if inside {
            lines.push(line);
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n").trim_end().to_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_of_many() {
        let masked = "\n[channels.sms]\nkind = \"x\"\n\n[channels.sms.retry]\ntimes = 3\n\n[channels.sms-telnyx]\nkind = \"y\"\n\n[levels.low]\na = 1\n";
        assert_eq!(
            table_of(masked, "sms").unwrap(),
            "[channels.sms]\nkind = \"x\"\n\n[channels.sms.retry]\ntimes = 3\n"
        );
        assert_eq!(table_of(masked, "sms-telnyx").unwrap(), "[channels.sms-telnyx]\nkind = \"y\"\n");
        assert_eq!(table_of(masked, "sm"), None);
    }
}
