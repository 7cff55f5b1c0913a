//! From state to the words of a message: what the message floor is told.

use super::alert::NO_LONGER_REPORTED;
use super::state::{Delivery, Finished, Incident, Notification, Templated};
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
fn form_key(author: &Author<'_>, channel: &ChannelConfig, repeat: bool) -> String {
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
    // It says how it can be answered.
    let answers = if channel.adapter.confirmer().is_some_and(|c| c.inbound()) { " with answers" } else { "" };
    // Short texts have no room for it.
    let says = |form| matches!(form, Format::Mail | Format::Chat | Format::Document);
    let of_ours = matches!(author, Author::BuiltIn);
    let again = if repeat && (!of_ours || says(channel.format())) { " again" } else { "" };
    match author {
        Author::BuiltIn => format!("{form}{answers}{again}"),
        Author::Body(_) => format!("{form}{answers}{again} of {}", channel.name),
        Author::Named(chosen) => format!("{form}{answers}{again} by {}", chosen.key),
    }
}

/// An incident opens once for those who are told of it: where it begins anew (a silence, a snooze or an
/// acknowledgement is over, or it was raised), that is a further step.
fn kind(n: &Notification, incident: Option<&Incident>) -> &'static str {
    match n.origin.webhook_kind() {
        "incident.opened" if incident.is_some_and(|i| i.notifications.first() != Some(&n.id)) => "incident.step",
        kind => kind,
    }
}

impl<'e> Turn<'e> {
    /// Who makes the text of this delivery for this channel.
    fn author_of<'c>(&self, d: &Delivery, channel: &'c ChannelConfig) -> Author<'c>
    where
        'e: 'c,
    {
        let Some(n) = self.state.notifications.get(&d.notification) else { return Author::BuiltIn };
        let incident = n.origin.incident().and_then(|i| self.state.incidents.get(&i));
        let level = incident.map_or(n.level, |i| i.level);
        author(self.config, channel, n.content.templated.as_deref(), level)
    }

    /// Under which a text for this channel is kept, by who makes it and in which form.
    pub fn form_key(&self, d: &Delivery, channel: &ChannelConfig, repeat: bool) -> String {
        form_key(&self.author_of(d, channel), channel, repeat)
    }

    /// The text that this delivery last went by this channel with.
    pub fn text_sent<'d>(&self, d: &'d Delivery, channel: &ChannelConfig) -> Option<&'d Finished> {
        let last = d.attempts.iter().rev().find(|a| *a.channel == *channel.name);
        d.texts.get(&self.text_key(d, channel, last.is_some_and(|a| a.possibly_duplicate)))
    }

    /// The finished text of this delivery for this channel.
    pub fn render(&mut self, id: DeliveryId, channel: &ChannelConfig) -> Rendered {
        let Some(d) = self.state.deliveries.get(&id) else { return Rendered::default() };
        let Some(n) = self.state.notifications.get(&d.notification) else { return Rendered::default() };
        let incident = n.origin.incident().and_then(|i| self.state.incidents.get(&i));
        let author =
            author(self.config, channel, n.content.templated.as_deref(), incident.map_or(n.level, |i| i.level));
        let reader = d.who.as_ref().and_then(|w| self.config.people.get(w)).and_then(|p| p.timezone.clone());
        let no_vars = Labels::new();
        let body = self.body(&n.content);
        let context = Context {
            from: &self.config.daemon.name,
            kind: kind(n, incident),
            level: incident.map_or(n.level, |i| i.level),
            kind_of: &n.kind_of,
            subject: &n.content.subject,
            body: &body,
            labels: &n.labels,
            annotations: &n.content.annotations,
            vars: n.content.templated.as_ref().map_or(&no_vars, |t| &t.vars),
            incident: incident.map(|i| about(i, &n.origin)),
            id: n.id.to_string(),
            delivery: id.to_string(),
            at: self.wall,
            zone: reader.unwrap_or_else(|| self.config.daemon.timezone.clone()),
            link: self.link(id, channel),
            reply: self.reply_code(id, channel),
            keys: self.offers_keys(id, channel),
            possibly_duplicate: d.maybe_sent,
            enclosures: self.enclosures(n, channel),
        };
        let Checked { rendered, failure } = render_by(&author, channel.format(), &context);
        match (template_of(&author, channel), failure) {
            (Some(template), Some(failure)) => self.template_failed(template, failure.to_string()),
            (Some(template), None) => self.template_works(&template),
            (None, _) => {}
        }
        if channel.transliterate { transliterated(rendered) } else { rendered }
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
            body: self.body(&n.content).into_owned(),
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
