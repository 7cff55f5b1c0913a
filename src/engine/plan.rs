//! Which deliveries a sending makes: channels, recipients, preferences (S1, S2 and P).
//!
//! One for each fixed channel; for each addressed channel one for each address. Whoever cannot or
//! does not want to be told that way becomes a delivery `skipped`, never nothing.

use super::oncall::on_call;
use super::turn::Turn;
use crate::config::ChannelConfig;
use crate::domain::delivery::{Medium, Sort};
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::domain::who::Who;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is asked of one sending, before names are resolved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// `None`: the level's.
    pub channels: Option<Vec<String>>,
    /// `None`: the level's, else each channel's own.
    pub to: Option<Vec<Who>>,
    /// Each channel's own `to`, whatever the level says.
    pub own_to: bool,
    /// The channel that it is about.
    pub about: Option<String>,
    /// A message marked `[TEST]`: the wanted types are not asked.
    pub test: bool,
    /// No preference is asked (`test --force`).
    pub forced: bool,
    /// `None`: now.
    pub at: Option<Timestamp>,
}

/// One delivery to be.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub channel: String,
    pub medium: Option<Medium>,
    /// The person, or a WHO that nobody stands behind.
    pub who: Option<String>,
    pub address: Option<String>,
    /// The person's addresses of other media, for fallbacks.
    pub others: BTreeMap<Medium, String>,
    pub on_call: bool,
    pub forced: bool,
    pub rank: u32,
    /// Why it is not sent at all.
    pub skip: Option<String>,
}

impl Planned {
    /// To the place in the channel's config.
    pub fn fixed(channel: &str) -> Planned {
        Planned {
            channel: channel.to_owned(),
            medium: None,
            who: None,
            address: None,
            others: BTreeMap::new(),
            on_call: false,
            forced: false,
            rank: 0,
            skip: None,
        }
    }
}

/// Somebody a WHO stands for at this moment.
#[derive(Clone, Debug, Default)]
struct Target {
    person: Option<String>,
    address: Option<(Medium, String)>,
    on_call: bool,
    rank: u32,
    /// A WHO that nobody stands behind, for the record.
    nobody: Option<String>,
}

impl Turn<'_> {
    /// Resolves a sending at its instant.
    pub fn plan(&self, level: Level, kind_of: &str, terms: &Terms) -> Vec<Planned> {
        let of_level = self.config.levels.get(&level).and_then(|l| l.to.as_ref());
        let to = terms.to.as_ref().or(of_level).filter(|_| !terms.own_to);
        let mut plan = Plan::default();
        for channel in self.channels_for(level, terms) {
            match channel.sort() {
                Sort::Fixed => plan.add(Planned::fixed(&channel.name)),
                Sort::Addressed(medium) => {
                    for target in self.targets(to.unwrap_or(&channel.to), terms.at.unwrap_or(self.wall)) {
                        plan.add(self.planned(channel, medium, target, level, kind_of, terms));
                    }
                }
            }
        }
        // A tier is told by all its ways before the next one.
        if to.is_some_and(|to| to.iter().any(|who| matches!(who, Who::Tier(_)))) {
            plan.made.sort_by_key(|one| one.rank);
        }
        plan.made
    }

    /// The channels named, each once; without the one that it is about, if another is left.
    fn channels_for(&self, level: Level, terms: &Terms) -> Vec<&ChannelConfig> {
        let of_level = self.config.levels.get(&level).map(|l| &l.channels);
        let names = terms.channels.as_ref().or(of_level).into_iter().flatten();
        let mut seen = BTreeSet::new();
        let mut channels: Vec<&ChannelConfig> =
            names.filter(|n| seen.insert(*n)).filter_map(|n| self.config.channels.get(n)).collect();
        if let Some(about) = &terms.about
            && channels.iter().any(|c| c.name != *about)
        {
            channels.retain(|c| c.name != *about);
        }
        channels
    }

    /// What an incident was opened with, as far as reloads left anything of it. Where all that it names is gone nobody
    /// meant that nobody is told: the level's own is used.
    pub fn remaining(&self, terms: Terms) -> Terms {
        let any_channel = |names: &Vec<String>| names.iter().any(|name| self.config.channels.contains_key(name));
        Terms {
            channels: terms.channels.filter(|names| names.is_empty() || any_channel(names)),
            to: terms.to.filter(|to| to.is_empty() || self.any_exists(to)),
            ..terms
        }
    }

    fn any_exists(&self, to: &[Who]) -> bool {
        to.iter().any(|who| match who {
            Who::Person(name) => self.config.people.contains_key(name),
            Who::Group(name) => self.config.groups.contains_key(name),
            Who::Schedule(name) => self.config.schedules.contains_key(name),
            Who::Tier(tier) => self.config.people.values().any(|p| p.tier.as_ref() == Some(tier)),
            Who::Email(_) | Who::Phone(_) => true,
        })
    }

    fn targets(&self, to: &[Who], at: Timestamp) -> Vec<Target> {
        let mut targets = Vec::new();
        for (rank, who) in to.iter().enumerate() {
            let rank = rank as u32;
            let person = |name: &str| Target { person: Some(name.to_owned()), rank, ..Target::default() };
            let bare = |medium, address: &str| Target {
                address: Some((medium, address.to_owned())),
                rank,
                ..Target::default()
            };
            let before = targets.len();
            match who {
                Who::Person(name) => targets.push(person(name)),
                Who::Group(name) => {
                    targets.extend(self.config.groups.get(name).into_iter().flatten().map(|m| person(m)));
                }
                Who::Tier(tier) => {
                    let of_tier = self.config.people.values().filter(|p| p.tier.as_ref() == Some(tier));
                    targets.extend(of_tier.map(|p| person(&p.name)));
                }
                Who::Schedule(name) => {
                    let member = self.config.schedules.get(name).and_then(|s| on_call(s, at));
                    targets.extend(member.map(|m| Target { on_call: true, ..person(m) }));
                }
                Who::Email(address) => targets.push(bare(Medium::Mail, address)),
                Who::Phone(number) => targets.push(bare(Medium::Sms, number)),
            }
            if targets.len() == before {
                targets.push(Target { nobody: Some(who.to_string()), rank, ..Target::default() });
            }
        }
        targets
    }

    fn planned(
        &self,
        channel: &ChannelConfig,
        medium: Medium,
        target: Target,
        level: Level,
        kind_of: &str,
        terms: &Terms,
    ) -> Planned {
        let mut one = Planned {
            medium: Some(medium),
            who: target.person.clone().or(target.nobody),
            on_call: target.on_call,
            forced: terms.forced,
            rank: target.rank,
            ..Planned::fixed(&channel.name)
        };
        if let Some(person) = target.person.as_ref().and_then(|name| self.config.people.get(name)) {
            one.address = person.address(medium).map(str::to_owned);
            let others = [Medium::Mail, Medium::Sms, Medium::Voice].into_iter().filter(|m| *m != medium);
            one.others = others.filter_map(|m| Some((m, person.address(m)?.to_owned()))).collect();
        } else if let Some((of, address)) = target.address {
            one.skip = (!fits(of, medium)).then(|| "no-address".into());
            one.address = Some(address);
        }
        if one.address.is_none() {
            one.skip = Some("no-address".into());
        } else if one.skip.is_none() {
            one.skip = self.held_back(&one.reader(level, kind_of, terms.test), medium, terms.at.unwrap_or(self.wall));
        }
        one
    }
}

/// Deliveries to be, equal (channel, address) once.
#[derive(Default)]
struct Plan {
    made: Vec<Planned>,
    places: HashMap<(String, Option<String>), usize>,
    nowhere: BTreeSet<(String, Option<String>)>,
}

impl Plan {
    fn add(&mut self, one: Planned) {
        if one.medium.is_some() && one.address.is_none() {
            if self.nowhere.insert((one.channel.clone(), one.who.clone())) {
                self.made.push(one);
            }
            return;
        }
        let key = (one.channel.clone(), one.address.clone());
        let Some(place) = self.places.get(&key).copied() else {
            self.places.insert(key, self.made.len());
            return self.made.push(one);
        };
        let before = &mut self.made[place];
        match (before.who == one.who, before.skip.is_some(), one.skip.is_some()) {
            // Named twice: whoever is on call at that moment is reachable, also when named beside it.
            (true, true, false) => *before = Planned { rank: before.rank.min(one.rank), ..one },
            (true, ..) => before.on_call |= one.on_call,
            (false, true, false) => {
                self.places.insert(key, self.made.len());
                self.made.push(one);
            }
            (false, ..) => self.made.push(Planned { skip: Some("duplicate".into()), ..one }),
        }
    }
}

/// A number is one for texts and calls.
fn fits(of: Medium, wanted: Medium) -> bool {
    (of == Medium::Mail) == (wanted == Medium::Mail)
}
