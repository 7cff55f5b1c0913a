//! `send` and `test`: one-shots, refused before anything is recorded, or accepted whole.

use super::asked::SendRequest;
use super::labels::{OwnLabels, type_of};
use super::limit::Claim;
use super::particulars::{self, content_hash};
use super::plan::{Planned, Terms};
use super::refusal::{Answer, Code, Refusal};
use super::scheduled::later;
use super::sending::{Message, TTL};
use super::turn::{Turn, refuse};
use crate::domain::Labels;
use crate::domain::delivery::Format;
use crate::domain::event::{Idempotency, KEPT, Origin, Payload, Request};
use crate::domain::id::NotificationId;
use crate::domain::level::Level;
use crate::domain::matcher::is_label_name;
use crate::domain::phone;
use crate::domain::time::Span;
use crate::domain::who::Who;

/// Bytes of what all messages and incidents at hand say, as far as it is in memory: of long texts the
/// beginning.
const TEXTS: u64 = 128 << 20;
/// Bytes of a body, whatever goes along with it.
const BODY: usize = 1 << 20;
/// Labels of one request.
const LABELS: usize = 64;
/// Characters of a body that goes by SMS and nothing else.
const LONGEST_SMS: usize = 1600;
/// The type of a test.
const TEST: &str = "test";

/// Whether one more fits; the last tenth is for urgent.
pub(super) fn has_room(held: u64, level: Level, body: &str) -> bool {
    let room = if level == Level::Urgent { TEXTS } else { TEXTS - TEXTS / 10 };
    held + body.len().min(KEPT) as u64 <= room
}

impl Turn<'_> {
    pub fn send(&mut self, request: SendRequest) -> Answer {
        if let Some(first) = self.same_as_before(&request)? {
            return first;
        }
        self.has_room(request.level.map_or(Level::Normal, |l| l.0))?;
        let id = self.accept(request)?;
        self.pump();
        self.notification_view(id)
    }

    /// Makes its one sending.
    ///
    /// # Errors
    /// What is wrong with the request, or that it reaches nobody.
    pub fn accept(&mut self, mut request: SendRequest) -> Result<NotificationId, Refusal> {
        self.read_national(request.to.as_mut());
        let content = request.idempotency_key.as_ref().map(|_| content_hash(&request));
        request.kind_of = particulars::named("type", request.kind_of)?;
        request.initiator = particulars::named("initiator", request.initiator)?;
        let level = request.level.map_or(Level::Normal, |l| l.0);
        let kind_of = type_of(&request.kind_of, &request.labels);
        let templated = self.templated(&mut request, level, &kind_of)?;
        self.check_text(&request.subject, &request.labels)?;
        particulars::check(&request)?;
        check_body(&request.body)?;
        self.check_attachments(&request.attachments)?;
        self.check_names(request.channels.as_deref(), request.to.as_deref())?;
        if request.ttl.is_some_and(|t| t.0 < Span::secs(1)) {
            return refuse(Refusal::field("ttl", "a time to live is at least 1s"));
        }
        let ttl = self.time_left(&request)?;
        self.check_room(level, &request.body)?;
        let at = request.at.map(|t| t.0).filter(|t| *t > self.wall);
        let terms = Terms { channels: request.channels.clone(), to: request.to.clone(), at, ..Terms::default() };
        let planned = self.plan(level, &kind_of, &terms);
        if planned.iter().all(|p| p.skip.is_some()) {
            return refuse(self.nobody(level, &terms, &planned));
        }
        self.check_length(&request.body, &planned)?;
        if let Some(templated) = &templated {
            self.try_texts(&request, level, &kind_of, templated, &planned)?;
        }
        let labels = std::mem::take(&mut request.labels);
        let labels = own_labels(&request).over(labels, level, &kind_of);
        // What is to come is looked at when its time has come.
        let silenced_by = if at.is_none() { self.silence_for(&labels) } else { None };
        if at.is_none() && silenced_by.is_none() {
            let tenant = request.tenant.as_deref().unwrap_or_default();
            self.check_limits(&planned, Claim { tenant, level, kind_of: &kind_of })?;
        }
        let later = at.map(|_| later(terms));
        let (template, vars) = templated.map(|t| (t.name, t.vars)).unzip();
        let vars = vars.unwrap_or_default();
        let attachments = self.take_attachments(request.attachments);
        let payload = Payload {
            subject: request.subject,
            body: request.body,
            vars,
            metadata: request.metadata,
            attachments,
            ..Payload::default()
        };
        let message = Message {
            silenced_by,
            correlation_id: request.correlation_id,
            request: Request::of(request.request_id, request.actor, later),
            tenant: request.tenant,
            initiator: request.initiator.unwrap_or_else(|| self.by.name.clone()),
            idempotency: request.idempotency_key.zip(content).map(|(key, content)| Idempotency {
                caller: self.by.name.clone(),
                key,
                content,
            }),
            ttl,
            not_before: at.map(|t| self.state.engine_time(t)),
            heartbeat: request.heartbeat,
            template,
            ..Message::new(Origin::OneShot, level, kind_of, labels, payload)
        };
        Ok(self.make(message, planned))
    }

    /// What has waited for longer than it makes sense does not go out late.
    fn time_left(&self, request: &SendRequest) -> Result<Span, Refusal> {
        let waited = request.asked_at.map_or(Span::ZERO, |asked| (self.wall - asked).max(Span::ZERO));
        match request.ttl.map(|ttl| ttl.0 - waited) {
            Some(left) if left < Span::secs(1) => refuse(Refusal::field(
                "ttl",
                format!("its time to live was over {} before it came here", Span::ZERO - left),
            )),
            Some(left) => Ok(left),
            None => Ok(TTL),
        }
    }

    /// `test`: a message marked `[TEST]`; no channel: every addressed one on which WHO has an address.
    pub fn test_channels(&mut self, channels: Vec<String>, mut to: Vec<Who>, force: bool) -> Answer {
        self.read_national(Some(&mut to));
        self.has_room(Level::Low)?;
        self.check_names(Some(&channels), Some(&to))?;
        if channels.is_empty() && to.is_empty() {
            return refuse(Refusal::field("channels", "name a channel, or somebody with --to"));
        }
        let all = || self.config.channels.values().filter(|c| c.medium().is_some()).map(|c| c.name.clone()).collect();
        let by_person = channels.is_empty();
        let terms = Terms {
            channels: Some(if by_person { all() } else { channels }),
            to: (!to.is_empty()).then_some(to),
            test: true,
            forced: force,
            ..Terms::default()
        };
        let mut planned = self.plan(Level::Low, TEST, &terms);
        if by_person {
            planned.retain(|p| p.skip.as_deref() != Some("no-address"));
        }
        if planned.iter().all(|p| p.skip.is_some()) {
            return refuse(self.nobody(Level::Low, &terms, &planned));
        }
        self.check_limits(&planned, Claim { tenant: "", level: Level::Low, kind_of: TEST })?;
        let labels = OwnLabels { source: "manual", ..OwnLabels::default() }.over(Labels::new(), Level::Low, TEST);
        let who = self.by.person.as_ref().unwrap_or(&self.by.name);
        let subject = format!("Nothing is wrong, {who} asked for this message");
        let payload = Payload { subject, ..Payload::default() };
        let message = Message {
            initiator: self.by.name.clone(),
            ttl: Span::hours(1),
            ..Message::new(Origin::Test, Level::Low, TEST.into(), labels, payload)
        };
        let id = self.make(message, planned);
        self.pump();
        self.notification_view(id)
    }

    /// What messages say is in memory as long as they are at hand.
    pub fn check_room(&self, level: Level, body: &str) -> Result<(), Refusal> {
        if has_room(self.state.text_bytes(), level, body) {
            return Ok(());
        }
        let message = format!("the texts of what is open take {} MiB, which is as much as may be", TEXTS >> 20);
        refuse(Refusal::new(Code::Overloaded, message).retry_after(30))
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

    /// What goes by SMS alone has 1600 letters at the most; beside other ways it is cut there.
    fn check_length(&self, body: &str, planned: &[Planned]) -> Result<(), Refusal> {
        let is_sms = |p: &Planned| self.config.channels.get(&p.channel).is_some_and(|c| c.format() == Format::Sms);
        let letters = body.chars().count();
        if letters <= LONGEST_SMS || !planned.iter().filter(|p| p.skip.is_none()).all(is_sms) {
            return Ok(());
        }
        let message = format!("{letters} characters; a text message takes {LONGEST_SMS} at the most");
        refuse(Refusal::field("body", message))
    }

    /// Where a region is configured, a name that nobody has may be a number of that country.
    pub fn read_national(&self, to: Option<&mut Vec<Who>>) {
        let Some(region) = self.config.daemon.region else { return };
        for who in to.into_iter().flatten() {
            if let Who::Person(text) = who
                && !self.config.people.contains_key(text)
                && phone::is_like_one(text)
                && let Ok(number) = phone::e164(text, Some(region))
            {
                *who = Who::Phone(number);
            }
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

/// # Errors
/// It is too long, whatever goes along with it.
pub(super) fn check_body(body: &str) -> Result<(), Refusal> {
    if body.len() <= BODY {
        return Ok(());
    }
    let words = format!("the body has {} bytes; at most 1 MiB is taken", body.len());
    refuse(Refusal { field: Some("body".into()), ..Refusal::new(Code::TooLarge, words) })
}

/// What stentor itself says of a one-shot.
pub(super) fn own_labels(request: &SendRequest) -> OwnLabels<'_> {
    OwnLabels {
        source: if request.heartbeat.is_some() { "heartbeat" } else { "manual" },
        name: request.heartbeat.as_deref(),
        tenant: request.tenant.as_deref(),
        ..OwnLabels::default()
    }
}
