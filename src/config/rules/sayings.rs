//! Every place in the config that says which channels and who: levels, steps, heartbeats, their
//! messages, watches.

use crate::config::model::{Check, Config};
use crate::domain::level::Level;
use crate::domain::who::Who;

/// One of them. `None`: not said here.
pub struct Saying<'a> {
    pub path: Vec<String>,
    pub channels: Option<&'a [String]>,
    pub to: Option<&'a [Who]>,
    /// The levels whose channels and `to` stand in for what is not said.
    pub levels: Vec<Level>,
    /// The key under which `to` is written.
    pub to_key: &'static str,
}

impl Saying<'_> {
    pub fn path<'p>(&'p self, rest: &[&'p str]) -> Vec<&'p str> {
        self.path.iter().map(String::as_str).chain(rest.iter().copied()).collect()
    }
}

/// All of them. `tiers` of watches are turned into WHO by the caller's `tiers`.
pub fn all<'a>(config: &'a Config, written: &[Level], tiers: &'a [(String, Vec<Who>)]) -> Vec<Saying<'a>> {
    let mut sayings = Vec::new();
    for level in written {
        let Some(terms) = config.levels.get(level) else { continue };
        sayings.push(Saying {
            path: path(&["levels", level.as_str()]),
            channels: Some(&terms.channels),
            to: terms.to.as_deref(),
            levels: vec![*level],
            to_key: "to",
        });
    }
    for policy in config.policies.values() {
        for (i, step) in policy.steps.iter().enumerate() {
            sayings.push(Saying {
                path: path(&["policies", &policy.name, "steps", &i.to_string()]),
                channels: step.channels.as_deref(),
                to: step.to.as_deref(),
                levels: levels_of(config, &policy.name),
                to_key: "to",
            });
        }
    }
    for heartbeat in config.heartbeats.values() {
        let terms = &heartbeat.incident;
        sayings.push(Saying {
            path: path(&["heartbeats", &heartbeat.name]),
            channels: terms.channels.as_deref(),
            to: terms.to.as_deref(),
            levels: vec![terms.level],
            to_key: "to",
        });
        if let Check::Notification { to, channels, .. } = &heartbeat.check {
            sayings.push(Saying {
                path: path(&["heartbeats", &heartbeat.name, "send"]),
                channels: channels.as_deref(),
                to: to.as_deref(),
                // The message itself is low.
                levels: vec![Level::Low],
                to_key: "to",
            });
        }
    }
    for watch in config.watches.values() {
        let terms = &watch.incident;
        let in_tiers = tiers.iter().find(|(name, who)| *name == watch.name && !who.is_empty());
        sayings.push(Saying {
            path: path(&["watches", &watch.name]),
            channels: terms.channels.as_deref(),
            to: in_tiers.map(|(_, who)| who.as_slice()).or(terms.to.as_deref()),
            levels: vec![terms.level],
            to_key: if in_tiers.is_some() { "tiers" } else { "to" },
        });
    }
    sayings
}

/// Each watch's tiers as WHO.
pub fn tiers(config: &Config) -> Vec<(String, Vec<Who>)> {
    let who = |tiers: &[String]| tiers.iter().cloned().map(Who::Tier).collect();
    config.watches.values().map(|watch| (watch.name.clone(), who(&watch.tiers))).collect()
}

/// The levels that follow a policy.
pub fn levels_of(config: &Config, policy: &str) -> Vec<Level> {
    let follows = |(level, terms): (&Level, &crate::config::model::LevelConfig)| {
        (terms.policy.as_deref() == Some(policy)).then_some(*level)
    };
    config.levels.iter().filter_map(follows).collect()
}

fn path(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}
