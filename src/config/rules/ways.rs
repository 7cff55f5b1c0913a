//! Warnings about too few ways: an alarm that depends on one thing.

use crate::config::model::{Check, Config, Heartbeat, Policy};
use crate::config::rules::sayings;
use crate::config::rules::spot::Judge;
use crate::domain::level::Level;
use std::collections::BTreeSet;

pub fn check(judge: &Judge<'_>) {
    urgent(judge);
    for heartbeat in judge.config.heartbeats.values() {
        probed_channel(judge, heartbeat);
    }
    for policy in judge.config.policies.values() {
        only_fixed(judge, policy);
    }
}

fn urgent(judge: &Judge<'_>) {
    let Some(level) = judge.config.levels.get(&Level::Urgent) else { return };
    let path = ["levels", "urgent"];
    let Some(policy) = &level.policy else {
        judge.warning(
            &path,
            "an urgent incident has no policy: nobody is told a second time",
            "write policy = \"...\"",
        );
        single(judge, &path, &level.channels.iter().map(String::as_str).collect());
        return;
    };
    if let Some(policy) = judge.config.policies.get(policy) {
        single(judge, &path, &ways_of(policy, &level.channels));
    }
}

fn single(judge: &Judge<'_>, path: &[&str], ways: &BTreeSet<&str>) {
    match ways.iter().next() {
        None => judge.warning(path, "an urgent incident tells nobody", "write channels = [\"...\"]"),
        Some(only) if ways.len() == 1 => {
            judge.warning(path, format!("an urgent incident has a single way, {only}"), "add another one");
        }
        Some(_) => {}
    }
}

/// Every channel that a policy tries.
fn ways_of<'a>(policy: &'a Policy, of_level: &'a [String]) -> BTreeSet<&'a str> {
    policy.steps.iter().flat_map(|step| step.channels.as_deref().unwrap_or(of_level)).map(String::as_str).collect()
}

/// What a heartbeat says when it fails, by way of what failed.
fn probed_channel(judge: &Judge<'_>, heartbeat: &Heartbeat) {
    let Check::Probe { channel, .. } = &heartbeat.check else { return };
    let has_fallback = judge.config.channels.get(channel).is_some_and(|c| c.fallback.is_some());
    let ways = ways_of_incident(judge.config, heartbeat);
    if ways.iter().copied().eq([channel.as_str()]) && !has_fallback {
        judge.warning(
            &["heartbeats", &heartbeat.name, "probe"],
            format!("{channel} is the only way of the incident that says it is broken"),
            "write channels = [\"...\"] with another one, or give it a fallback",
        );
    }
}

fn ways_of_incident<'a>(config: &'a Config, heartbeat: &'a Heartbeat) -> BTreeSet<&'a str> {
    let terms = &heartbeat.incident;
    let level = config.levels.get(&terms.level);
    let channels = terms.channels.as_ref().or(level.map(|l| &l.channels)).map(Vec::as_slice).unwrap_or_default();
    let policy = match &terms.policy {
        Some(said) => said.as_ref(),
        None => level.and_then(|l| l.policy.as_ref()),
    };
    match policy.and_then(|name| config.policies.get(name)) {
        Some(policy) => ways_of(policy, level.map(|l| l.channels.as_slice()).unwrap_or_default()),
        None => channels.iter().map(String::as_str).collect(),
    }
}

/// A siren in an empty room.
fn only_fixed(judge: &Judge<'_>, policy: &Policy) {
    let levels = sayings::levels_of(judge.config, &policy.name);
    let of_levels = levels.iter().filter_map(|level| judge.config.levels.get(level)).flat_map(|l| &l.channels);
    let implied: Vec<String> = of_levels.cloned().collect();
    let ways = ways_of(policy, &implied);
    let fixed = |name: &&str| judge.config.channels.get(*name).is_some_and(|c| c.medium().is_none());
    if !ways.is_empty() && ways.iter().all(fixed) {
        judge.warning(
            &["policies", &policy.name],
            "it has only fixed channels: nobody is called or written to in person",
            "add a step with a channel for mail, sms or voice",
        );
    }
}
