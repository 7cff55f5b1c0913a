//! Which events are worth a line, and its words.

use super::{Line, REMEMBERED};
use crate::domain::delivery::{ChannelStatus, Status};
use crate::domain::event::{AttemptResult, Event, EventKind, HeartbeatStatus, WatchStatus};
use crate::domain::failure::cut;
use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::phone;
use std::collections::HashMap;
use tracing::Level;

/// Letters of foreign text in one line.
const LONGEST: usize = 200;
/// Letters of a request that was not sent.
const REQUEST: usize = 4_000;

/// What was told before, as far as later lines need it.
#[derive(Default)]
pub struct Told {
    /// Deliveries that got out are told, too.
    verbose: bool,
    pub(super) numbers: HashMap<IncidentId, u64>,
    deliveries: HashMap<DeliveryId, Sent>,
    channels: HashMap<String, ChannelStatus>,
    heartbeats: HashMap<String, HeartbeatStatus>,
    watches: HashMap<String, WatchStatus>,
}

struct Sent {
    /// `sms for alice`
    name: String,
    incident: Option<IncidentId>,
    /// For nothing but to keep it out of what the provider says.
    address: Option<String>,
}

/// The incident of an event that does not bring its number along.
pub(super) fn incident_of(event: &Event) -> Option<IncidentId> {
    use EventKind::*;
    match &event.head {
        IncidentRaised { id, .. }
        | IncidentStepped { id, .. }
        | IncidentReminded { id, .. }
        | IncidentReplanned { id, .. }
        | IncidentAcknowledged { id, .. }
        | IncidentUnacknowledged { id, .. }
        | IncidentSnoozed { id, .. }
        | IncidentSilenced { id, .. }
        | IncidentUnsilenced { id, .. }
        | IncidentResolved { id, .. } => Some(*id),
        DeliveryCreated { incident, .. } => *incident,
        _ => None,
    }
}

impl Told {
    /// Tells of deliveries that got out only when it is to be verbose.
    pub(super) fn new(verbose: bool) -> Told {
        Told { verbose, ..Told::default() }
    }

    /// `None` for what is no news.
    pub(super) fn line(&mut self, event: &Event) -> Option<Line> {
        use EventKind::*;
        match &event.head {
            IncidentOpened { id, number, level, opened_by, .. } => {
                self.numbers.insert(*id, *number);
                let subject = event.payload.as_ref().map_or("", |p| p.subject.as_str());
                let words = format!("#{number} {level} opened by {opened_by}: {}", cut(subject, LONGEST));
                Some(Line { incident: Some(*number), ..warn(words) })
            }
            DeliveryCreated { id, incident, chain, who, .. } => {
                let channel = chain.first().map_or("-", String::as_str);
                let name = who.as_ref().map_or_else(|| channel.to_owned(), |who| format!("{channel} for {who}"));
                if self.deliveries.len() > REMEMBERED {
                    self.deliveries.clear();
                }
                let address = event.payload.as_ref().and_then(|p| p.address.clone());
                self.deliveries.insert(*id, Sent { name, incident: *incident, address });
                None
            }
            AttemptFinished { delivery, n, channel, result, .. } => {
                let why = match result {
                    AttemptResult::Simulated { detail } => {
                        let said = event.payload.as_ref().map_or(detail, |payload| &payload.body);
                        let request = cut(said, REQUEST);
                        let words =
                            |name: &str| info(format!("{name}: {channel} is simulated, and sent nothing: {request}"));
                        return Some(Line { channel: Some(channel.clone()), ..self.about(*delivery, words) });
                    }
                    AttemptResult::Failed(failure) => failure.to_string(),
                    AttemptResult::Lost { words } => words.clone(),
                    _ => return None,
                };
                let line =
                    self.about(*delivery, |name| warn(format!("{name}: attempt {n} by {channel} failed: {why}")));
                Some(Line { channel: Some(channel.clone()), ..line })
            }
            DeliveryEnded { id, status, reason } => self.ended(*id, *status, reason.as_deref()),
            DeadLetterRequeued { id } => {
                Some(self.about(*id, |name| info(format!("{name}: the dead letter goes once more"))))
            }
            DeadLetterDropped { id } => {
                Some(self.about(*id, |name| info(format!("{name}: the dead letter is given up"))))
            }
            UrgentUnheard(u) if u.heard => Some(info("something urgent is heard of again, or it is over".to_owned())),
            UrgentUnheard(_) => Some(warn("nobody can be told of something urgent: every way of it fails".to_owned())),
            ChannelChanged(c) => self.channel(&c.channel, c.status, &c.detail),
            HeartbeatFinished(h) => self.heartbeat(&h.name, h.status, &h.detail),
            HeartbeatLate { name } => self.heartbeat(name, HeartbeatStatus::Late, "no ping in time"),
            WatchChanged { name, status, detail, .. } => self.watch(name, *status, detail),
            TemplateFailed { template, words } => {
                Some(warn(format!("the text {template} fails, the built-in one goes out: {words}")))
            }
            SilenceAdded(crate::domain::event::SilenceAdded { created_by, comment, .. }) => {
                Some(info(format!("a silence was added by {created_by}: {}", cut(comment, LONGEST))))
            }
            SilenceExpired { by, .. } => Some(info(format!("a silence has ended ({by})"))),
            head => {
                let id = incident_of(event)?;
                let number = self.numbers.get(&id).copied();
                let name = number.map_or_else(|| id.to_string(), |n| format!("#{n}"));
                Some(Line { incident: number, ..of_incident(head, &name)? })
            }
        }
    }

    fn ended(&mut self, id: DeliveryId, status: Status, reason: Option<&str>) -> Option<Line> {
        if status.got_out() && !self.verbose {
            self.deliveries.remove(&id);
            return None;
        }
        let why = reason.map(|reason| format!(": {}", cut(reason, LONGEST))).unwrap_or_default();
        let line = self.about(id, |name| {
            let words = format!("{name}: {status}{why}");
            match status {
                Status::Dead | Status::Expired => warn(words),
                _ if status.got_out() => Line { level: Level::DEBUG, ..info(words) },
                _ => info(words),
            }
        });
        let gone = self.deliveries.remove(&id);
        let matters = line.level == Level::WARN || gone.is_none_or(|sent| sent.incident.is_some());
        Some(line).filter(|_| matters)
    }

    fn channel(&mut self, channel: &str, status: ChannelStatus, detail: &str) -> Option<Line> {
        let before = self.channels.insert(channel.to_owned(), status);
        let first = before.is_none() && matches!(status, ChannelStatus::Ok | ChannelStatus::Unknown);
        if before == Some(status) || first {
            return None;
        }
        let why = if detail.is_empty() { String::new() } else { format!(": {}", cut(detail, LONGEST)) };
        let words = format!("channel {channel} is {}{why}", status.as_str());
        let well = matches!(status, ChannelStatus::Ok | ChannelStatus::Unknown);
        Some(Line { channel: Some(channel.to_owned()), ..if well { info(words) } else { warn(words) } })
    }

    fn heartbeat(&mut self, name: &str, status: HeartbeatStatus, detail: &str) -> Option<Line> {
        let before = self.heartbeats.insert(name.to_owned(), status);
        let bad = matches!(status, HeartbeatStatus::Failing | HeartbeatStatus::Late);
        match (before == Some(status), bad) {
            (true, _) => None,
            (false, true) => Some(warn(format!("heartbeat {name} fails: {}", cut(detail, LONGEST)))),
            // The first one that passes is no news.
            (false, false) => before.map(|_| info(format!("heartbeat {name} passes"))),
        }
    }

    fn watch(&mut self, name: &str, status: WatchStatus, detail: &str) -> Option<Line> {
        let first = self.watches.insert(name.to_owned(), status).is_none();
        let detail = cut(detail, LONGEST);
        match status {
            WatchStatus::Breached => Some(warn(format!("watch {name} is breached: {detail}"))),
            // The first value that is well is no news.
            _ if first => None,
            _ => Some(info(format!("watch {name} is well again: {detail}"))),
        }
    }

    /// A line about a delivery; one from before the start is called by its id.
    fn about(&self, id: DeliveryId, line: impl FnOnce(&str) -> Line) -> Line {
        let sent = self.deliveries.get(&id);
        let incident = sent.and_then(|s| s.incident).and_then(|i| self.numbers.get(&i)).copied();
        let name = sent.map_or_else(|| id.to_string(), |s| s.name.clone());
        let name = incident.map_or(name.clone(), |n| format!("#{n} {name}"));
        let line = Line { incident, delivery: Some(id.to_string()), ..line(&name) };
        match sent.and_then(|s| s.address.as_deref()).filter(|a| !a.is_empty()) {
            Some(address) => Line { words: hidden(&line.words, address), ..line },
            None => line,
        }
    }
}

/// Without the address; of a number so much is left that one knows which.
fn hidden(words: &str, address: &str) -> String {
    match address.strip_prefix('+') {
        Some(digits) => words.replace(address, &phone::masked(address)).replace(digits, "[number]"),
        None => words.replace(address, "[address]"),
    }
}

fn of_incident(head: &EventKind, name: &str) -> Option<Line> {
    use EventKind::*;
    Some(match head {
        IncidentRaised { level, .. } => warn(format!("{name} raised to {level}")),
        IncidentStepped { round, step, because, .. } => {
            info(format!("{name} step {} of round {}: {because}", step + 1, round + 1))
        }
        // Without a next one it is the sending at the opening.
        IncidentReminded { next: Some(_), .. } => warn(format!("{name} is not acknowledged: a reminder")),
        IncidentAcknowledged { by, .. } => info(format!("{name} acknowledged by {by}")),
        IncidentUnacknowledged { by, because, .. } => {
            warn(format!("{name} is open again, the acknowledgement is withdrawn by {by}: {because}"))
        }
        IncidentSnoozed { by, .. } => info(format!("{name} snoozed by {by}")),
        IncidentSilenced { .. } => info(format!("{name} is silenced")),
        IncidentUnsilenced { because, .. } => warn(format!("{name} is no longer silenced: {because}")),
        IncidentResolved { by, because, .. } => info(format!("{name} resolved by {by}: {because}")),
        _ => return None,
    })
}

fn info(words: String) -> Line {
    Line { level: Level::INFO, incident: None, delivery: None, channel: None, words }
}

fn warn(words: String) -> Line {
    Line { level: Level::WARN, ..info(words) }
}
