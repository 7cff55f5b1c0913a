//! A sending: which channels, which people, and so which deliveries (S1 to S4 and P).
//!
//! One delivery for each fixed channel; for each addressed channel one for each address. Whoever
//! cannot or does not want to be told that way becomes a delivery `skipped`, never nothing.

use super::oncall::on_call;
use super::turn::Turn;
use crate::config::{ChannelConfig, Person, Wanted};
use crate::domain::Labels;
use crate::domain::delivery::{Medium, Sort, Status};
use crate::domain::event::{EventKind, Idempotency, Origin, Payload};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span};
use crate::domain::who::Who;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of one sending, before names are resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// `None`: the level's.
    pub channels: Option<Vec<String>>,
    /// `None`: the level's, else each channel's own.
    pub to: Option<Vec<Who>>,
    /// The channel that it is about.
    pub about: Option<String>,
    /// Preferences and quiet hours are not asked (`test --force`).
    pub force: bool,
}

/// One delivery to be.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub channel: String,
    pub medium: Option<Medium>,
    pub who: Option<String>,
    pub address: Option<String>,
    pub others: BTreeMap<Medium, String>,
    pub rank: u32,
    pub skip: Option<String>,
}

/// Somebody a WHO stands for at this moment.
struct Target {
    person: Option<String>,
    address: Option<(Medium, String)>,
    on_call: bool,
    rank: u32,
    /// For the record, when nobody stands behind the WHO.
    shown: String,
}

/// A notification to be made.
pub(crate) struct Message {
    pub origin: Origin,
    pub level: Level,
    pub kind_of: String,
    pub labels: Labels,
    pub payload: Payload,
    pub correlation_id: Option<String>,
    pub tenant: Option<String>,
    pub initiator: String,
    pub idempotency: Option<Idempotency>,
    pub ttl: Span,
    pub not_before: Option<EngineTime>,
    pub heartbeat: Option<String>,
}

impl Turn<'_> {
    /// Resolves a sending at this instant.
    pub fn plan(&self, level: Level, kind_of: &str, terms: &Terms) -> Vec<Planned> {
        let defaults = self.config.levels.get(&level);
        let mut names: Vec<&String> = match &terms.channels {
            Some(given) => given.iter().collect(),
            None => defaults.map(|l| l.channels.iter().collect()).unwrap_or_default(),
        };
        if let Some(about) = &terms.about
            && names.iter().any(|n| *n != about)
        {
            names.retain(|n| *n != about);
        }
        let to = terms.to.as_ref().or_else(|| defaults.and_then(|l| l.to.as_ref()));
        let mut planned = Vec::new();
        let mut seen = BTreeSet::new();
        for channel in names.into_iter().filter_map(|n| self.config.channels.get(n)) {
            match channel.sort() {
                Sort::Fixed => {
                    if seen.insert((channel.name.clone(), None)) {
                        planned.push(fixed(channel));
                    }
                }
                Sort::Addressed(medium) => {
                    for target in self.targets(to.unwrap_or(&channel.to)) {
                        let one = self.address(channel, medium, &target, level, kind_of, terms.force);
                        if one.address.is_none() || seen.insert((channel.name.clone(), one.address.clone())) {
                            planned.push(one);
                        }
                    }
                }
            }
        }
        planned
    }

    fn targets(&self, to: &[Who]) -> Vec<Target> {
        let mut targets = Vec::new();
        for (rank, who) in to.iter().enumerate() {
            let rank = rank as u32;
            let person = |name: &str, on_call: bool| Target {
                person: Some(name.to_owned()),
                address: None,
                on_call,
                rank,
                shown: name.to_owned(),
            };
            let before = targets.len();
            match who {
                Who::Person(name) => targets.push(person(name, false)),
                Who::Group(name) => {
                    targets.extend(self.config.groups.get(name).into_iter().flatten().map(|m| person(m, false)));
                }
                Who::Tier(tier) => {
                    let of_tier = self.config.people.values().filter(|p| p.tier.as_ref() == Some(tier));
                    targets.extend(of_tier.map(|p| person(&p.name, false)));
                }
                Who::Schedule(name) => {
                    let member = self.config.schedules.get(name).and_then(|s| on_call(s, self.wall));
                    targets.extend(member.map(|m| person(m, true)));
                }
                Who::Email(address) => targets.push(bare(Medium::Mail, address, rank)),
                Who::Phone(number) => targets.push(bare(Medium::Sms, number, rank)),
            }
            if targets.len() == before {
                targets.push(Target { person: None, address: None, on_call: false, rank, shown: who.to_string() });
            }
        }
        targets
    }

    fn address(
        &self,
        channel: &ChannelConfig,
        medium: Medium,
        target: &Target,
        level: Level,
        kind_of: &str,
        force: bool,
    ) -> Planned {
        let mut one = Planned {
            channel: channel.name.clone(),
            medium: Some(medium),
            who: target.person.clone(),
            address: None,
            others: BTreeMap::new(),
            rank: target.rank,
            skip: None,
        };
        let Some(person) = target.person.as_ref().and_then(|name| self.config.people.get(name)) else {
            match &target.address {
                Some((of, address)) if fits(*of, medium) => one.address = Some(address.clone()),
                _ => {
                    one.who = Some(target.shown.clone());
                    one.skip = Some("no-address".into());
                }
            }
            return one;
        };
        one.address = person.address(medium).map(str::to_owned);
        for other in [Medium::Mail, Medium::Sms, Medium::Voice] {
            // A wish not to be told this way holds for a fallback of that medium, too.
            let wished = force || self.held_back(person, other, level, kind_of, target.on_call).is_none();
            if other != medium && wished {
                one.others.extend(person.address(other).map(|a| (other, a.to_owned())));
            }
        }
        one.skip = match &one.address {
            None => Some("no-address".into()),
            Some(_) if force => None,
            Some(_) => self.held_back(person, medium, level, kind_of, target.on_call),
        };
        one
    }

    /// P: why this person is not told by this medium now; first reason wins.
    pub fn held_back(&self, p: &Person, medium: Medium, level: Level, kind_of: &str, on_call: bool) -> Option<String> {
        match p.preferences.media.get(&medium) {
            Some(Wanted::Off) => return Some("preference".into()),
            // A test is a test: only the types are not asked.
            Some(Wanted::Types(types)) if kind_of != "test" && !types.iter().any(|t| t == kind_of) => {
                return Some("preference".into());
            }
            _ => {}
        }
        let quiet = p.preferences.quiet.as_ref()?;
        if medium == Medium::Mail || level >= quiet.until || on_call {
            return None;
        }
        let local = self.wall.zoned(p.timezone.as_ref().unwrap_or(&self.config.daemon.timezone));
        let window = quiet.hours.iter().find(|w| w.contains(local.weekday(), local.time()))?;
        Some(format!("quiet-hours until {}", window.end()))
    }

    /// The channel with its fallbacks, in order.
    pub fn chain(&self, channel: &str) -> Vec<String> {
        let mut chain = vec![channel.to_owned()];
        while let Some(next) = self.config.channels.get(&chain[chain.len() - 1]).and_then(|c| c.fallback.clone()) {
            if chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
        chain
    }

    /// Whether a planned delivery could go by this channel of its chain.
    pub fn can_take(&self, planned: &Planned, channel: &str) -> bool {
        let Some(config) = self.config.channels.get(channel) else { return false };
        match config.medium() {
            None => true,
            Some(m) if planned.medium == Some(m) => true,
            Some(m) => planned.others.contains_key(&m),
        }
    }

    /// Whether no way of it is alive.
    pub fn all_ways_dead(&self, planned: &Planned, fallbacks: bool) -> bool {
        let chain = if fallbacks { self.chain(&planned.channel) } else { vec![planned.channel.clone()] };
        chain.iter().filter(|c| self.can_take(planned, c)).all(|c| self.state.channel(c).is_dead())
    }

    /// Makes the notification and its deliveries.
    pub fn make(&mut self, message: Message, planned: Vec<Planned>, silenced: bool) -> NotificationId {
        let id = NotificationId(self.ids.ulid());
        let incident = message.origin.incident();
        let fallbacks = !message.origin.is_notice();
        let scheduled = message.not_before.is_some_and(|t| t > self.now);
        let begin = message.not_before.unwrap_or(self.now).0.max(self.now.0);
        self.emit_with(
            EventKind::NotificationAccepted {
                id,
                origin: message.origin,
                level: message.level,
                kind_of: message.kind_of,
                labels: message.labels,
                correlation_id: message.correlation_id,
                tenant: message.tenant,
                initiator: message.initiator,
                idempotency: message.idempotency,
                expires: EngineTime(begin) + message.ttl,
                not_before: message.not_before.filter(|_| scheduled),
                heartbeat: message.heartbeat,
            },
            message.payload,
        );
        for mut one in planned {
            if silenced && one.skip.is_none() {
                one.skip = Some("silenced".into());
            }
            self.deliver(id, incident, one, fallbacks, scheduled);
        }
        id
    }

    fn deliver(
        &mut self,
        notification: NotificationId,
        incident: Option<IncidentId>,
        one: Planned,
        fallbacks: bool,
        scheduled: bool,
    ) {
        let id = DeliveryId(self.ids.ulid());
        let chain = if fallbacks { self.chain(&one.channel) } else { vec![one.channel.clone()] };
        let alive = |c: &String| self.can_take(&one, c) && self.usable(c);
        let start = chain.iter().position(alive).unwrap_or(0);
        let status = match () {
            () if one.skip.is_some() => Status::Skipped,
            () if scheduled => Status::Scheduled,
            () => Status::Ready,
        };
        if let Some(incident) = incident
            && one.skip.is_none()
        {
            self.supersede_older(incident, &one);
        }
        let payload = Payload { address: one.address, ..Payload::default() };
        self.emit_with(
            EventKind::DeliveryCreated {
                id,
                notification,
                incident,
                chain,
                start,
                medium: one.medium,
                who: one.who,
                others: one.others,
                rank: one.rank,
                status,
                reason: one.skip,
            },
            payload,
        );
    }

    /// A newer delivery of the same incident to the same place ends one that still waits.
    fn supersede_older(&mut self, incident: IncidentId, one: &Planned) {
        for id in self.state.pending_of(incident) {
            let older = self.state.deliveries.get(&id).is_some_and(|d| {
                d.chain.first() == Some(&one.channel)
                    && d.address == one.address
                    && !matches!(d.status, Status::Sending | Status::Submitted)
            });
            if older {
                self.end_delivery(id, Status::Superseded, "by a newer one");
            }
        }
    }
}

fn fits(of: Medium, wanted: Medium) -> bool {
    (of == Medium::Mail) == (wanted == Medium::Mail)
}

fn bare(medium: Medium, address: &str, rank: u32) -> Target {
    Target {
        person: None,
        address: Some((medium, address.to_owned())),
        on_call: false,
        rank,
        shown: address.to_owned(),
    }
}

fn fixed(channel: &ChannelConfig) -> Planned {
    Planned {
        channel: channel.name.clone(),
        medium: None,
        who: None,
        address: None,
        others: BTreeMap::new(),
        rank: 0,
        skip: None,
    }
}
