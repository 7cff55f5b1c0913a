//! `send` and `test`: one-shots, refused before anything is recorded, or accepted whole.

use super::input::{Answer, Code, Refusal, SendRequest};
use super::sending::{Message, Planned, Terms};
use super::turn::{Turn, refuse};
use crate::domain::Labels;
use crate::domain::event::{EventKind, Idempotency, Origin, Payload};
use crate::domain::level::Level;
use crate::domain::matcher::is_label_name;
use crate::domain::time::Span;
use crate::domain::who::Who;

/// Idempotency keys that are remembered at the most.
const KEYS: usize = 100_000;
/// Labels of one request.
const LABELS: usize = 64;

impl Turn<'_> {
    pub fn send(&mut self, request: SendRequest) -> Answer {
        if let Some(first) = self.same_as_before(&request)? {
            return first;
        }
        self.check_text(&request.subject, &request.labels)?;
        self.check_names(request.channels.as_deref(), request.to.as_deref())?;
        let level = request.level.map_or(Level::Normal, |l| l.0);
        let kind_of = type_of(&request.kind_of, &request.labels);
        let terms = Terms { channels: request.channels.clone(), to: request.to.clone(), ..Terms::default() };
        let planned = self.plan(level, &kind_of, &terms);
        if planned.iter().all(|p| p.skip.is_some()) {
            return refuse(self.nobody(level, &planned));
        }
        let content = content_hash(&request);
        let source = if request.heartbeat.is_some() { "heartbeat" } else { "manual" };
        let labels = own_labels(
            request.labels,
            source,
            request.heartbeat.as_deref(),
            level,
            &kind_of,
            request.tenant.as_deref(),
        );
        let silenced = self.silence_for(&labels, &kind_of).is_some();
        let message = Message {
            origin: Origin::OneShot,
            level,
            kind_of,
            labels,
            payload: Payload { subject: request.subject, body: request.body, ..Payload::default() },
            correlation_id: request.correlation_id,
            tenant: request.tenant,
            initiator: request.initiator.unwrap_or_else(|| self.by.name.clone()),
            idempotency: request.idempotency_key.map(|key| Idempotency { caller: self.by.name.clone(), key, content }),
            ttl: request.ttl.map_or(Span::days(1), |t| t.0),
            not_before: request.at.map(|t| self.state.engine_time(t.0)),
            heartbeat: request.heartbeat,
        };
        let id = self.make(message, planned, silenced);
        self.pump();
        self.notification_view(id)
    }

    /// The first answer, when the key was seen before with the same content.
    fn same_as_before(&mut self, request: &SendRequest) -> Result<Option<Answer>, Refusal> {
        let Some(key) = &request.idempotency_key else { return Ok(None) };
        if key.is_empty() || key.len() > 255 {
            return refuse(Refusal::field("idempotency_key", "an idempotency key has 1 to 255 bytes"));
        }
        let full = super::State::idempotency_key(request.tenant.as_deref(), &self.by.name, key);
        match self.state.idempotency.get(&full) {
            Some(first) if first.content == content_hash(request) => {
                let id = first.notification;
                Ok(Some(self.notification_view(id)))
            }
            Some(_) => refuse(Refusal {
                field: Some("idempotency_key".into()),
                ..Refusal::new(Code::Conflict, "this idempotency key was used before with another content")
            }),
            None if self.state.idempotency.len() >= KEYS => refuse(
                Refusal::new(Code::RateLimited, "100000 idempotency keys are remembered; none is forgotten early")
                    .retry_after(60),
            ),
            None => Ok(None),
        }
    }

    fn nobody(&mut self, level: Level, planned: &[Planned]) -> Refusal {
        let reasons: Vec<String> = planned.iter().map(reason_line).collect();
        let mut message = if planned.is_empty() {
            format!("level {level} has no channel; add --channel")
        } else {
            "nobody to send to".to_owned()
        };
        if planned.iter().any(|p| p.skip.as_deref() == Some("no-address")) {
            let channels = self.config.levels.get(&level).map(|l| l.channels.join(", ")).unwrap_or_default();
            message += &format!(" (level {level} has {channels}; another way is named with --channel)");
        }
        let told = if reasons.is_empty() { message.clone() } else { format!("{message}: {}", reasons.join("; ")) };
        let code = Code::Nobody.as_str().into();
        self.emit(EventKind::RequestRefused { code, message: told, field: None });
        Refusal { reasons, ..Refusal::new(Code::Nobody, message) }
    }

    /// `test`: a message marked `[TEST]`; no channel: every addressed one on which WHO has an address.
    pub fn test_channels(&mut self, channels: Vec<String>, to: Vec<Who>, force: bool) -> Answer {
        self.check_names(Some(&channels), Some(&to))?;
        if channels.is_empty() && to.is_empty() {
            return refuse(Refusal::field("channels", "name a channel, or somebody with --to"));
        }
        let all = || self.config.channels.values().filter(|c| c.medium().is_some()).map(|c| c.name.clone()).collect();
        let by_person = channels.is_empty();
        let terms = Terms {
            channels: Some(if by_person { all() } else { channels }),
            to: (!to.is_empty()).then_some(to),
            about: None,
            force,
        };
        let mut planned = self.plan(Level::Low, "test", &terms);
        if by_person {
            planned.retain(|p| p.skip.as_deref() != Some("no-address"));
        }
        if planned.iter().all(|p| p.skip.is_some()) {
            return refuse(self.nobody(Level::Low, &planned));
        }
        let labels = own_labels(Labels::new(), "manual", None, Level::Low, "test", None);
        let message = Message {
            origin: Origin::Test,
            level: Level::Low,
            kind_of: "test".into(),
            labels,
            payload: Payload {
                subject: format!("Test from {}", self.config.daemon.name),
                body: "Nothing is wrong: somebody asked for this test message.".into(),
                ..Payload::default()
            },
            correlation_id: None,
            tenant: None,
            initiator: self.by.name.clone(),
            idempotency: None,
            ttl: Span::hours(1),
            not_before: None,
            heartbeat: None,
        };
        let id = self.make(message, planned, false);
        self.pump();
        self.notification_view(id)
    }

    pub fn check_text(&self, subject: &str, labels: &Labels) -> Result<(), Refusal> {
        if subject.trim().is_empty() {
            return refuse(Refusal::field("subject", "a subject is needed"));
        }
        if subject.chars().count() > 1_000 {
            return refuse(Refusal::field(
                "subject",
                "a subject has at most 1000 characters; put the rest in the body",
            ));
        }
        if labels.len() > LABELS {
            return refuse(Refusal::field("labels", format!("{} labels; at most {LABELS} are taken", labels.len())));
        }
        match labels.iter().find(|(name, value)| !is_label_name(name) || value.len() > 1024) {
            Some((name, _)) => refuse(Refusal::field(
                "labels",
                format!(
                    "label {name:?}: a name has letters, digits and _, not first a digit; a value at most 1024 bytes"
                ),
            )),
            None => Ok(()),
        }
    }

    /// Unknown names are refused before anything happens.
    pub fn check_names(&self, channels: Option<&[String]>, to: Option<&[Who]>) -> Result<(), Refusal> {
        for name in channels.unwrap_or_default() {
            if !self.config.channels.contains_key(name) {
                let known: Vec<&str> = self.config.channels.keys().map(String::as_str).collect();
                let message = format!("there is no channel {name:?}; there are {}", known.join(", "));
                return refuse(Refusal { field: Some("channels".into()), ..Refusal::new(Code::NotFound, message) });
            }
        }
        for who in to.unwrap_or_default() {
            let known = match who {
                Who::Person(n) => self.config.people.contains_key(n),
                Who::Group(n) => self.config.groups.contains_key(n),
                Who::Schedule(n) => self.config.schedules.contains_key(n),
                Who::Tier(n) => self.config.people.values().any(|p| p.tier.as_ref() == Some(n)),
                Who::Email(_) | Who::Phone(_) => true,
            };
            if !known {
                let message = format!("{who} is nobody in the config");
                return refuse(Refusal { field: Some("to".into()), ..Refusal::new(Code::NotFound, message) });
            }
        }
        Ok(())
    }
}

/// The given type, or the given label of that name.
pub(crate) fn type_of(given: &Option<String>, labels: &Labels) -> String {
    given.clone().or_else(|| labels.get("type").cloned()).unwrap_or_else(|| "message".into())
}

fn reason_line(p: &Planned) -> String {
    let who = p.who.as_deref().or(p.address.as_deref()).unwrap_or("-");
    format!("{} {who}: {}", p.channel, p.skip.as_deref().unwrap_or("-"))
}

/// BLAKE3 (hex) of what would be sent; the key itself and who correlates it do not count.
fn content_hash(request: &SendRequest) -> String {
    let bare = SendRequest { idempotency_key: None, correlation_id: None, ..request.clone() };
    // A struct of plain values always serialises.
    blake3::hash(&serde_json::to_vec(&bare).unwrap_or_default()).to_hex().to_string()
}

/// S4: ours first, then the given ones, which cannot overwrite ours except `type`.
pub(crate) fn own_labels(
    given: Labels,
    source: &str,
    name: Option<&str>,
    level: Level,
    kind_of: &str,
    tenant: Option<&str>,
) -> Labels {
    let mut labels = given;
    labels.insert("level".into(), level.to_string());
    labels.insert("source".into(), source.into());
    labels.insert("type".into(), kind_of.into());
    if let Some(name) = name {
        labels.insert("name".into(), name.into());
    }
    if let Some(tenant) = tenant {
        labels.insert("tenant".into(), tenant.into());
    }
    labels
}
