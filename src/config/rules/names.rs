//! Every name that is used is the name of something.

use crate::config::model::Check;
use crate::config::rules::sayings::{self, Saying};
use crate::config::rules::spot::{Judge, Path};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::who::Who;
use crate::settings::suggestion;

pub fn check(judge: &Judge<'_>) {
    for saying in sayings::all(judge.config, &judge.written_levels(), &[]) {
        channels_of(judge, &saying);
        who(judge, &saying.path(&["to"]), saying.to.unwrap_or_default());
    }
    channels(judge);
    members(judge);
    policies(judge);
    for (name, heartbeat) in &judge.config.heartbeats {
        let Check::Probe { channel, test_call } = &heartbeat.check else { continue };
        known(judge, &["heartbeats", name, "probe"], "channels", "channel", channel);
        let medium = judge.config.channels.get(channel).map(|c| c.medium());
        if *test_call && medium.is_some_and(|m| !matches!(m, Some(Medium::Voice | Medium::Sms))) {
            let path = ["heartbeats", name, "test_call"];
            judge.error(
                &path,
                format!("{channel} makes no calls"),
                "leave test_call out, or probe a channel that does",
            );
        }
    }
}

/// Whether it is known; complains if not.
fn known(judge: &Judge<'_>, path: Path<'_>, collection: &str, sort: &str, name: &str) -> bool {
    let known = judge.is_written(&[collection, name]);
    if !known {
        judge.error(path, format!("there is no {sort} {name:?}"), suggestion(name, judge.names(collection)));
    }
    known
}

fn channels_of(judge: &Judge<'_>, saying: &Saying<'_>) {
    let names = saying.channels.unwrap_or_default();
    let mut none_known = !names.is_empty();
    for (i, name) in names.iter().enumerate() {
        let i = i.to_string();
        none_known &= !known(judge, &saying.path(&["channels", &i]), "channels", "channel", name);
    }
    if none_known {
        judge.error(
            &saying.path(&["channels"]),
            "none of these channels exists: it reaches nobody",
            "name one that does, or write channels = [] to tell nobody",
        );
    }
}

fn channels(judge: &Judge<'_>) {
    for (name, channel) in &judge.config.channels {
        let path = |key| ["channels", name.as_str(), key];
        who(judge, &path("to"), &channel.to);
        if let Some(fallback) = &channel.fallback {
            known(judge, &path("fallback"), "channels", "channel", fallback);
        }
        let Some(via) = channel.via.as_ref().filter(|via| !via.is_empty()) else { continue };
        let mail = |sort| sort == Sort::Addressed(Medium::Mail);
        if known(judge, &path("via"), "channels", "channel", via)
            && judge.config.channels.get(via).is_some_and(|c| !mail(c.sort()))
        {
            judge.error(&path("via"), format!("{via} is not a channel for e-mail"), "name one that is");
        }
    }
}

fn members(judge: &Judge<'_>) {
    for (name, members) in &judge.config.groups {
        for (i, member) in members.iter().enumerate() {
            known(judge, &["groups", name, "members", &i.to_string()], "people", "person", member);
        }
    }
    for (name, schedule) in &judge.config.schedules {
        // A layer that could not be read would shift the numbers of the others.
        if !judge.is_whole(&["schedules", name, "layers"], schedule.layers.len()) {
            continue;
        }
        for (l, layer) in schedule.layers.iter().enumerate() {
            for (i, member) in layer.members.iter().enumerate() {
                let (l, i) = (l.to_string(), i.to_string());
                known(judge, &["schedules", name, "layers", &l, "members", &i], "people", "person", member);
            }
        }
    }
}

fn policies(judge: &Judge<'_>) {
    let config = judge.config;
    for level in judge.written_levels() {
        if let Some(policy) = config.levels.get(&level).and_then(|l| l.policy.as_ref()) {
            known(judge, &["levels", level.as_str(), "policy"], "policies", "policy", policy);
        }
    }
    for (name, heartbeat) in &config.heartbeats {
        if let Some(Some(policy)) = &heartbeat.incident.policy {
            known(judge, &["heartbeats", name, "policy"], "policies", "policy", policy);
        }
    }
    for (name, watch) in &config.watches {
        if let Some(Some(policy)) = &watch.incident.policy {
            known(judge, &["watches", name, "policy"], "policies", "policy", policy);
        }
    }
}

fn who(judge: &Judge<'_>, path: Path<'_>, list: &[Who]) {
    let whole = judge.is_whole(path, list.len());
    for (i, who) in list.iter().enumerate() {
        let i = i.to_string();
        let mut element = path.to_vec();
        if whole {
            element.push(&i);
        }
        match who {
            Who::Person(name) => known(judge, &element, "people", "person", name),
            Who::Group(name) => known(judge, &element, "groups", "group", name),
            Who::Schedule(name) => known(judge, &element, "schedules", "schedule", name),
            Who::Tier(_) | Who::Email(_) | Who::Phone(_) => true,
        };
    }
}
