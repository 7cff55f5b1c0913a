//! For whom a message is, and whether a channel is a way to them: P, the preferences, and which
//! addresses they have.

use super::plan::Planned;
use super::state::Delivery;
use super::turn::Turn;
use crate::config::Wanted;
use crate::domain::delivery::Medium;
use crate::domain::event::Origin;
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// Somebody, and the message that is for them.
pub(crate) struct Reader<'a> {
    who: Option<&'a str>,
    medium: Option<Medium>,
    others: &'a BTreeMap<Medium, String>,
    on_call: bool,
    forced: bool,
    level: Level,
    kind_of: &'a str,
    test: bool,
}

/// Why a channel is no way to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// It was taken out of the config.
    NoChannel,
    NoAddress,
    /// They do not want to be told that way now; the reason of a skipped delivery.
    Wish(String),
}

impl Planned {
    pub fn reader<'a>(&'a self, level: Level, kind_of: &'a str, test: bool) -> Reader<'a> {
        Reader {
            who: self.who.as_deref(),
            medium: self.medium,
            others: &self.others,
            on_call: self.on_call,
            forced: self.forced,
            level,
            kind_of,
            test,
        }
    }
}

impl Turn<'_> {
    pub fn reader<'a>(&'a self, d: &'a Delivery) -> Reader<'a> {
        let n = self.state.notifications.get(&d.notification);
        Reader {
            who: d.who.as_deref(),
            medium: d.medium,
            others: d.others(),
            on_call: d.on_call,
            forced: d.forced,
            level: d.level,
            kind_of: n.map_or("", |n| &n.kind_of),
            test: n.is_some_and(|n| n.origin == Origin::Test),
        }
    }

    /// Why this channel is no way to them now.
    pub fn obstacle(&self, reader: &Reader<'_>, channel: &str) -> Option<Obstacle> {
        let Some(config) = self.config.channels.get(channel) else { return Some(Obstacle::NoChannel) };
        // A fixed channel has its own place.
        let medium = config.medium()?;
        if reader.medium != Some(medium) && !reader.others.contains_key(&medium) {
            return Some(Obstacle::NoAddress);
        }
        self.held_back(reader, medium, self.wall).map(Obstacle::Wish)
    }

    /// P: why a person is not told by this medium at this instant; the first reason wins. Bare
    /// addresses have no preferences.
    pub fn held_back(&self, reader: &Reader<'_>, medium: Medium, at: Timestamp) -> Option<String> {
        if reader.forced {
            return None;
        }
        let person = reader.who.and_then(|name| self.config.people.get(name))?;
        match person.preferences.media.get(&medium) {
            Some(Wanted::Off) => return Some("preference".into()),
            Some(Wanted::Types(types)) if !reader.test && !types.iter().any(|t| t == reader.kind_of) => {
                return Some("preference".into());
            }
            _ => {}
        }
        let quiet = person.preferences.quiet.as_ref()?;
        if medium == Medium::Mail || reader.level >= quiet.until || reader.on_call {
            return None;
        }
        let local = at.zoned(person.timezone.as_ref().unwrap_or(&self.config.daemon.timezone));
        let window = quiet.hours.iter().find(|w| w.contains(local.weekday(), local.time()))?;
        Some(format!("quiet-hours until {}", window.end()))
    }
}
