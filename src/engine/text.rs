//! From state to the words of a message: what the message floor is told.

use super::alert::NO_LONGER_REPORTED;
use super::state::{Delivery, Incident, Templated};
use super::turn::Turn;
use crate::channel::{Format, Matter, Occasion, Subject};
use crate::config::{ChannelConfig, Config};
use crate::domain::Labels;
use crate::domain::delivery::Sort;
use crate::domain::event::{Origin, Rendered};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::message::{About, Author, Checked, Context, render_by, transliterated};

/// Who makes the text for this channel: what the request named, else what the channel has or names,
/// else what the level names; the first that has a text for it.
pub fn author<'c>(
    config: &'c Config,
    channel: &'c ChannelConfig,
    asked: Option<&Templated>,
    level: Level,
) -> Author<'c> {
    let find = |name: &str| config.templates.get(name)?.find(level, channel.kind.name, channel.format());
    let of_level = || config.levels.get(&level)?.template.as_deref();
    if let Some(chosen) = asked.and_then(|asked| find(&asked.name)) {
        return Author::Named(chosen);
    }
    if let Some(body) = &channel.body {
        return Author::Body(body);
    }
    let chosen = channel.template.as_deref().and_then(find).or_else(|| of_level().and_then(find));
    chosen.map_or(Author::BuiltIn, Author::Named)
}

/// As `TemplateFailed` names it: where it stands in the config.
fn template_of(author: &Author<'_>, channel: &ChannelConfig) -> Option<String> {
    match author {
        Author::BuiltIn => None,
        Author::Body(_) => Some(format!("channels.{}.body", channel.name)),
        Author::Named(chosen) => Some(format!("templates.{}", chosen.name)),
    }
}

/// Under which a text is kept for further attempts: by its form, and one from a template only for
/// those for whom the same template makes it.
fn text_key(author: &Author<'_>, channel: &ChannelConfig) -> String {
    let form = match channel.format() {
        Format::Mail => "mail",
        Format::Sms if channel.transliterate => "sms in GSM letters",
        Format::Sms => "sms",
        Format::Speech => "speech",
        Format::Chat => "chat",
        Format::Document => "document",
        Format::Alertmanager => "alertmanager",
        Format::None => "none",
    };
    match author {
        Author::BuiltIn => form.to_owned(),
        Author::Body(_) => format!("{form} of {}", channel.name),
        Author::Named(chosen) => format!("{form} by {}", chosen.key),
    }
}

impl Turn<'_> {
    /// The text that this delivery went by this channel with.
    pub fn text_sent(&self, d: &Delivery, channel: &ChannelConfig) -> Option<&Rendered> {
        let n = self.state.notifications.get(&d.notification)?;
        let incident = n.origin.incident().and_then(|i| self.state.incidents.get(&i));
        let level = incident.map_or(n.level, |i| i.level);
        let author = author(self.config, channel, n.content.templated.as_deref(), level);
        self.state.deliveries.get(&d.id)?.texts.get(&text_key(&author, channel))
    }

    /// The finished text of this delivery for this channel: the one that is there already, else a new
    /// one and the key under which it is kept.
    pub fn text_for(&mut self, id: DeliveryId, channel: &ChannelConfig) -> (Rendered, Option<String>) {
        let nothing = (Rendered::default(), None);
        if channel.format() == Format::None {
            return nothing;
        }
        let Some(d) = self.state.deliveries.get(&id) else { return nothing };
        let Some(n) = self.state.notifications.get(&d.notification) else { return nothing };
        let incident = n.origin.incident().and_then(|i| self.state.incidents.get(&i));
        let level = incident.map_or(n.level, |i| i.level);
        let author = author(self.config, channel, n.content.templated.as_deref(), level);
        let key = text_key(&author, channel);
        if let Some(ready) = d.texts.get(&key) {
            return (ready.clone(), None);
        }
        let reader = d.who.as_ref().and_then(|w| self.config.people.get(w)).and_then(|p| p.timezone.clone());
        let no_vars = Labels::new();
        let context = Context {
            from: &self.config.daemon.name,
            kind: n.origin.webhook_kind(),
            level,
            kind_of: &n.kind_of,
            subject: &n.content.subject,
            body: &n.content.body,
            labels: &n.labels,
            annotations: &n.content.annotations,
            vars: n.content.templated.as_ref().map_or(&no_vars, |t| &t.vars),
            incident: incident.map(|i| about(i, &n.origin)),
            id: n.id.to_string(),
            delivery: id.to_string(),
            at: self.wall,
            zone: reader.unwrap_or_else(|| self.config.daemon.timezone.clone()),
            // No page and no reply can acknowledge yet, so none is offered.
            link: None,
            reply: None,
            keys: false,
            possibly_duplicate: d.maybe_sent,
        };
        let Checked { rendered, failure } = render_by(&author, channel.format(), &context);
        match (template_of(&author, channel), failure) {
            (Some(template), Some(failure)) => self.template_failed(template, failure.to_string()),
            (Some(template), None) => self.template_works(&template),
            (None, _) => {}
        }
        let text = if channel.transliterate { transliterated(rendered) } else { rendered };
        (text, Some(key))
    }

    /// What this delivery is about, for a channel that carries more than text.
    pub fn matter(&self, id: DeliveryId, channel: &ChannelConfig) -> Matter {
        let notification = self.state.deliveries.get(&id).and_then(|d| self.state.notifications.get(&d.notification));
        let Some(n) = notification.filter(|_| channel.kind.sort == Sort::Fixed) else { return Matter::default() };
        let incident = n.origin.incident().and_then(|i| self.state.incidents.get(&i));
        Matter {
            from: self.config.daemon.name.clone(),
            occasion: occasion(&n.origin),
            kind_of: n.kind_of.clone(),
            subject: n.content.subject.clone(),
            body: n.content.body.clone(),
            labels: n.labels.clone(),
            incident: incident.map(|i| Subject {
                id: i.id.to_string(),
                number: i.number,
                first: i.firsts.get(&channel.name).map(str::to_owned),
            }),
        }
    }
}

fn occasion(origin: &Origin) -> Occasion {
    match origin {
        Origin::OneShot | Origin::Fomo => Occasion::Message,
        Origin::Test => Occasion::Test,
        Origin::Opening { .. } | Origin::Step { round: 0, step: 0, .. } => Occasion::Opened,
        Origin::Step { .. } => Occasion::Step,
        Origin::Reminder { .. } => Occasion::Reminder,
        Origin::Acknowledged { .. } => Occasion::Acknowledged,
        Origin::Resolved { .. } => Occasion::Resolved,
    }
}

fn about<'a>(i: &'a Incident, origin: &Origin) -> About<'a> {
    let (round, step) = match origin {
        Origin::Step { round, step, .. } => (round + 1, step + 1),
        _ => i.fired.map_or((0, 0), |(r, s)| (r + 1, s + 1)),
    };
    About {
        number: i.number,
        id: i.id.to_string(),
        fingerprint: &i.fingerprint,
        status: i.status.as_str(),
        step,
        round,
        opened_at: i.opened_at,
        since: since(i),
        by: match origin {
            Origin::Acknowledged { .. } => i.acknowledged_by.as_deref(),
            Origin::Resolved { .. } => i.resolved_by.as_deref(),
            _ => None,
        },
        no_longer_reported: i.alert.is_some() && i.because.as_deref() == Some(NO_LONGER_REPORTED),
        lasted: i.resolved_at.map(|t| t - i.opened_at),
    }
}

/// A heartbeat says when it failed first; all else is broken since it was reported.
fn since(i: &Incident) -> Timestamp {
    let by_heartbeat = i.labels.get("source").is_some_and(|source| source == "heartbeat");
    let said = i.content.annotations.get("since").filter(|_| by_heartbeat);
    said.and_then(|text| Timestamp::parse(text).ok()).unwrap_or(i.opened_at)
}
