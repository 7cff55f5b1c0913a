//! Requests as events: what another program puts on a bus to have something sent, `sms.send_request` and
//! the like, in the form in which it is told what became of it.
//!
//! The family says by which channel. The event's id is the idempotency key where none is given, since a bus
//! delivers at least once, and `ttl` counts from its `timestamp`: what has waited too long is refused.

use super::Api;
use super::body::Laden;
use super::fault::Fault;
use super::intake::notify;
use super::params::Params;
use crate::channel::KINDS;
use crate::config::Config;
use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::who::Who;
use crate::engine::{self, Ask, Caller, Code, LevelWord, Refusal, SendRequest, SpanWord, TimeWord, Upload};
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What follows the family in a kind.
const ASKS: &str = ".send_request";
/// Characters of a subject; of a text without one, that many and the rest is its body.
const SUBJECT: usize = 1_000;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Event {
    kind: String,
    event_id: String,
    timestamp: Option<TimeWord>,
    correlation_id: Option<String>,
    request_id: Option<String>,
    #[serde(alias = "tenant")]
    tenant_id: Option<String>,
    actor: Option<String>,
    idempotency_key: Option<String>,
    #[serde(deserialize_with = "engine::seconds_or_span")]
    ttl: Option<SpanWord>,
    metadata: Option<BTreeMap<String, String>>,
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Data {
    to: Option<Vec<Who>>,
    to_number: Option<Who>,
    to_address: Option<Who>,
    channel: Option<String>,
    level: Option<LevelWord>,
    subject: Option<String>,
    body: Option<String>,
    #[serde(rename = "type")]
    kind_of: Option<String>,
    labels: Option<Labels>,
    at: Option<TimeWord>,
    template: Option<String>,
    vars: Option<Labels>,
    attachments: Option<Vec<Upload>>,
}

impl engine::Laden for Event {
    fn brings_files(&self) -> bool {
        self.data.attachments.as_ref().is_some_and(|files| !files.is_empty())
    }
}

pub async fn take(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    Laden { request, place }: Laden<Event>,
) -> Result<Response, Fault> {
    let request = request.read(&api.handle.config())?;
    notify(&api, by, params, Ask::Send(request), place).await
}

impl Event {
    fn read(self, config: &Config) -> Result<SendRequest, Refusal> {
        let family = family(&self.kind)?;
        if self.event_id.is_empty() {
            return Err(Refusal::field("event_id", "an event has an id, by which it is known when it comes again"));
        }
        let Data { to, to_number, to_address, channel, level, subject, body, kind_of, labels, at, .. } = self.data;
        let wrong = |who: &Option<Who>, is: fn(&Who) -> bool| who.as_ref().is_some_and(|who| !is(who));
        // A national form is a name until the engine knows its country.
        if wrong(&to_number, |who| matches!(who, Who::Phone(_) | Who::Person(_))) {
            return Err(Refusal::field("data.to_number", "this is no number; write it as \"+15550100\""));
        }
        if wrong(&to_address, |who| matches!(who, Who::Email(_))) {
            return Err(Refusal::field("data.to_address", "this is no address; write it as \"ops@example.org\""));
        }
        let to: Vec<Who> = to.into_iter().flatten().chain(to_number).chain(to_address).collect();
        let channel = channel_of(config, family, channel, level.map_or(Level::Normal, |l| l.0))?;
        let (subject, body) = words(subject, body.unwrap_or_default(), self.data.template.is_some());
        Ok(SendRequest {
            level,
            subject,
            body,
            to: (!to.is_empty()).then_some(to),
            channels: Some(vec![channel]),
            kind_of,
            labels: labels.unwrap_or_default(),
            tenant: self.tenant_id,
            idempotency_key: self.idempotency_key.or_else(|| Some(self.event_id.clone())),
            correlation_id: self.correlation_id.or_else(|| Some(self.event_id.clone())),
            request_id: self.request_id.or(Some(self.event_id)),
            actor: self.actor,
            metadata: self.metadata.unwrap_or_default(),
            ttl: self.ttl,
            asked_at: self.timestamp.map(|t| t.0),
            at,
            template: self.data.template,
            vars: self.data.vars.unwrap_or_default(),
            attachments: self.data.attachments.unwrap_or_default(),
            ..SendRequest::default()
        })
    }
}

/// `sms` of `sms.send_request`.
fn family(kind: &str) -> Result<&str, Refusal> {
    let families: BTreeSet<&str> = KINDS.iter().map(|kind| kind.family()).collect();
    kind.strip_suffix(ASKS).filter(|family| families.contains(family)).ok_or_else(|| {
        let all: Vec<String> = families.iter().map(|family| format!("{family}{ASKS}")).collect();
        Refusal::field("kind", format!("{kind:?} asks for nothing; there are {}", all.join(", ")))
    })
}

/// The one that is named; else the level's of this family; else the only one that stands behind no other.
fn channel_of(config: &Config, family: &str, named: Option<String>, level: Level) -> Result<String, Refusal> {
    let of_family = |name: &&String| config.channels.get(*name).is_some_and(|c| c.kind.family() == family);
    if let Some(name) = named {
        return match config.channels.get(&name) {
            Some(channel) if channel.kind.family() != family => {
                let words = format!("{name:?} is of the family {}, not {family}", channel.kind.family());
                Err(Refusal::field("data.channel", words))
            }
            // The engine says which ones there are.
            _ => Ok(name),
        };
    }
    let of_level = config.levels.get(&level).and_then(|l| l.channels.iter().find(of_family));
    if let Some(name) = of_level {
        return Ok(name.clone());
    }
    let behind: BTreeSet<&String> = config.channels.values().flat_map(|c| c.fallback.iter().chain(&c.via)).collect();
    let own: Vec<&String> = config.channels.keys().filter(of_family).filter(|name| !behind.contains(name)).collect();
    match &own[..] {
        [only] => Ok((*only).clone()),
        [] => {
            let message = format!("there is no channel of the family {family}");
            Err(Refusal { field: Some("kind".into()), ..Refusal::new(Code::NotFound, message) })
        }
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            let words = format!("level {level} has none of the family {family}; name one of {}", names.join(", "));
            Err(Refusal::field("data.channel", words))
        }
    }
}

/// A text message has no subject: its text is one, as far as that goes.
fn words(subject: Option<String>, body: String, templated: bool) -> (String, String) {
    match subject {
        Some(subject) => (subject, body),
        None if templated => (String::new(), body),
        None => {
            let line = body.lines().next().unwrap_or_default();
            let end = line.char_indices().nth(SUBJECT).map_or(line.len(), |(end, _)| end);
            let end = if end < line.len() { line[..end].rfind(' ').unwrap_or(end) } else { end };
            (body[..end].to_owned(), body[end..].trim_start().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::body::strict;
    use crate::config::testing::from_toml;
    use serde_json::json;

    const CONFIG: &str = "[channels.sms]\nkind = 'twilio-sms'\nfallback = 'sms-telnyx'\n[channels.sms-telnyx]\nkind = 'telnyx-sms'\n\
        [channels.mail]\nkind = 'smtp'\n[channels.team]\nkind = 'slack'\n[channels.other]\nkind = 'slack'\n\
        [levels.low]\nchannels = ['mail', 'other']\nto = ['ops@example.org']\n[levels.high]\nchannels = ['mail']\nto = ['ops@example.org']\n";

    fn read(event: serde_json::Value) -> Result<SendRequest, Refusal> {
        strict::parse::<Event>(event.to_string().as_bytes())?.read(&from_toml(CONFIG))
    }

    fn field(event: serde_json::Value) -> String {
        read(event).unwrap_err().field.unwrap()
    }

    #[test]
    fn an_event_is_a_request_that_names_itself() {
        let request = read(json!({
            "kind": "sms.send_request", "event_id": "e-1", "timestamp": "2026-11-20T02:47:03Z", "tenant_id": "acme",
            "actor": "billing", "metadata": { "campaign": "autumn" }, "ttl": 90,
            "data": { "to_number": "+1 555 010 0", "body": "your order is on its way", "level": "low" }
        }));
        let request = request.unwrap();
        assert_eq!(request.channels, Some(vec!["sms".to_owned()]), "the one that stands behind no other");
        assert_eq!(request.to, Some(vec![Who::Phone("+15550100".into())]));
        assert_eq!((request.subject.as_str(), request.body.as_str()), ("your order is on its way", ""));
        let name = Some("e-1".to_owned());
        assert_eq!((&request.idempotency_key, &request.correlation_id, &request.request_id), (&name, &name, &name));
        assert!(request.asked_at.is_some() && request.ttl.is_some());
    }

    #[test]
    fn the_family_finds_its_channel() {
        let of = |kind: &str, level: &str, channel: Option<&str>| {
            let data = json!({ "body": "x", "level": level, "channel": channel });
            read(json!({ "kind": kind, "event_id": "e", "data": data })).map(|r| r.channels.unwrap().remove(0))
        };
        assert_eq!(of("email.send_request", "high", None).unwrap(), "mail");
        assert_eq!(of("slack.send_request", "low", None).unwrap(), "other", "the level's");
        assert_eq!(of("slack.send_request", "high", Some("team")).unwrap(), "team");
        let refused = of("slack.send_request", "high", None).unwrap_err();
        assert!(refused.message.ends_with("name one of other, team"), "{}", refused.message);
        assert_eq!(of("voice.send_request", "low", None).unwrap_err().code, Code::NotFound);
        assert_eq!(of("slack.send_request", "low", Some("mail")).unwrap_err().field.as_deref(), Some("data.channel"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(field(json!({ "kind": "sms.sent", "event_id": "e" })), "kind");
        assert_eq!(field(json!({ "kind": "pigeon.send_request", "event_id": "e" })), "kind");
        assert_eq!(field(json!({ "kind": "sms.send_request" })), "event_id");
        let of = |data: serde_json::Value| json!({ "kind": "sms.send_request", "event_id": "e", "data": data });
        assert_eq!(field(of(json!({ "to_number": "a@example.org" }))), "data.to_number");
        assert_eq!(field(of(json!({ "to_address": "+15550100" }))), "data.to_address");
        assert_eq!(field(of(json!({ "to_nubmer": "+15550100" }))), "to_nubmer");
        assert_eq!(field(json!({ "kind": "sms.send_request", "event_id": "e", "ttl": "soon" })), "ttl");
    }

    #[test]
    fn a_long_text_goes_on_in_the_body() {
        let (subject, body) = words(None, "word ".repeat(300), false);
        assert!(subject.chars().count() <= SUBJECT && subject.ends_with("word") && body.starts_with("word"));
        assert_eq!(words(None, "one\ntwo".into(), false), ("one".into(), "two".into()));
        assert_eq!(words(Some("s".into()), "b".into(), false), ("s".into(), "b".into()));
    }
}
