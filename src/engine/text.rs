//! From state to the words of a message: what the message floor is told.

use super::alert::NO_LONGER_REPORTED;
use super::state::Incident;
use super::turn::Turn;
use crate::channel::{Matter, Occasion, Subject};
use crate::config::ChannelConfig;
use crate::domain::delivery::Sort;
use crate::domain::event::{EventKind, Origin, Rendered};
use crate::domain::id::DeliveryId;
use crate::domain::time::Timestamp;
use crate::message::{About, Context};

impl Turn<'_> {
    /// The finished text of this delivery for this channel.
    pub fn render(&mut self, id: DeliveryId, channel: &ChannelConfig) -> Rendered {
        let Some(d) = self.state.deliveries.get(&id) else { return Rendered::default() };
        let Some(n) = self.state.notifications.get(&d.notification) else { return Rendered::default() };
        let incident = n.origin.incident().and_then(|i| self.state.incidents.get(&i));
        let reader = d.who.as_ref().and_then(|w| self.config.people.get(w)).and_then(|p| p.timezone.clone());
        let body = self.body(&n.content);
        let context = Context {
            from: &self.config.daemon.name,
            kind: n.origin.webhook_kind(),
            level: incident.map_or(n.level, |i| i.level),
            kind_of: &n.kind_of,
            subject: &n.content.subject,
            body: &body,
            labels: &n.labels,
            annotations: &n.content.annotations,
            incident: incident.map(|i| about(i, &n.origin)),
            id: n.id.to_string(),
            delivery: id.to_string(),
            at: self.wall,
            zone: reader.unwrap_or_else(|| self.config.daemon.timezone.clone()),
            link: self.link(id, channel),
            reply: self.reply_code(id, channel),
            keys: self.offers_keys(id, channel),
            possibly_duplicate: d.maybe_sent,
            enclosures: self.enclosures(&n.content, channel),
        };
        let checked = crate::message::render_checked(channel.format(), channel.template.as_deref(), &context);
        if let Some(words) = checked.failure {
            self.emit(EventKind::TemplateFailed { template: channel.name.clone(), words });
        }
        if channel.transliterate { crate::message::transliterated(checked.rendered) } else { checked.rendered }
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
