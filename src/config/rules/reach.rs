//! Who is named has an address on the channels that are named.

use crate::config::model::{ChannelConfig, Config};
use crate::config::rules::sayings::{self, Saying};
use crate::config::rules::spot::Judge;
use crate::domain::delivery::Medium;
use crate::domain::who::Who;

pub fn check(judge: &Judge<'_>) {
    for (name, channel) in &judge.config.channels {
        let path = ["channels", name.as_str(), "to"];
        if let Some(medium) = channel.medium()
            && judge.is_whole(&path, channel.to.len())
            && !channel.to.is_empty()
            && !reaches(judge.config, &channel.to, medium)
        {
            judge.error(&path, nobody(medium), hint(medium));
        }
    }
    let tiers = sayings::tiers(judge.config);
    for saying in sayings::all(judge.config, &judge.written_levels(), &tiers) {
        let key = saying.to_key;
        match (saying.channels, saying.to) {
            (_, Some(to)) if !judge.is_whole(&saying.path(&[key]), to.len()) => {}
            (Some(channels), Some(to)) => named_on_each(judge, &saying, channels, to),
            (Some(channels), None) => default_on_each(judge, &saying, channels),
            (None, Some(to)) => named_on_some(judge, &saying, to),
            (None, None) => {}
        }
    }
}

/// Channels and people are named: on each addressed one somebody must have an address.
fn named_on_each(judge: &Judge<'_>, saying: &Saying<'_>, channels: &[String], to: &[Who]) {
    for (name, medium) in addressed(judge.config, channels) {
        if !reaches(judge.config, to, medium) {
            judge.error(&saying.path(&[saying.to_key]), format!("{} (channel {name})", nobody(medium)), hint(medium));
        }
    }
}

/// Only channels are named: each addressed one needs a `to` of its own. A step's is not the
/// level's, because any incident may be given its policy.
fn default_on_each(judge: &Judge<'_>, saying: &Saying<'_>, channels: &[String]) {
    let is_step = saying.path.first().is_some_and(|first| first == "policies");
    let levels_say = saying.levels.iter().filter_map(|level| judge.config.levels.get(level)).any(|l| l.to.is_some());
    if levels_say && !is_step {
        return;
    }
    for (i, name) in channels.iter().enumerate() {
        let Some(channel) = judge.config.channels.get(name) else { continue };
        if channel.medium().is_some() && channel.to.is_empty() && !judge.is_written(&["channels", name, "to"]) {
            let at =
                if judge.is_whole(&saying.path(&["channels"]), channels.len()) { i.to_string() } else { String::new() };
            let message = format!("{name} sends to people, and nobody is named here or in [channels.{name}]");
            judge.error(&saying.path(&["channels", &at]), message, "write to = [\"...\"] in either place");
        }
    }
}

/// Only people are named: of the addressed channels of its level one must reach somebody.
fn named_on_some(judge: &Judge<'_>, saying: &Saying<'_>, to: &[Who]) {
    for level in saying.levels.iter().filter_map(|level| judge.config.levels.get(level)) {
        let addressed: Vec<_> = addressed(judge.config, &level.channels).collect();
        let unknown = level.channels.iter().any(|name| !judge.config.channels.contains_key(name));
        if !unknown && !addressed.is_empty() && !addressed.iter().any(|(_, medium)| reaches(judge.config, to, *medium))
        {
            let names: Vec<&str> = addressed.iter().map(|(name, _)| *name).collect();
            let message = format!("nobody here has an address on {}", names.join(" or "));
            judge.error(&saying.path(&[saying.to_key]), message, "name somebody who has");
            return;
        }
    }
}

fn addressed<'a>(config: &'a Config, names: &'a [String]) -> impl Iterator<Item = (&'a str, Medium)> {
    let medium = |name: &'a String| Some((name.as_str(), config.channels.get(name).and_then(ChannelConfig::medium)?));
    names.iter().filter_map(medium)
}

fn nobody(medium: Medium) -> String {
    let what = if medium == Medium::Mail { "e-mail address" } else { "phone number" };
    format!("nobody here has an {what}").replace("an phone", "a phone")
}

fn hint(medium: Medium) -> &'static str {
    match medium {
        Medium::Mail => "name somebody whose `email` is written",
        Medium::Sms | Medium::Voice => "name somebody whose `phone` is written",
    }
}

/// Whether one of them has an address of this medium. Names that are not known are reported
/// elsewhere and count as somebody.
fn reaches(config: &Config, to: &[Who], medium: Medium) -> bool {
    let person = |name: &String| config.people.get(name).is_none_or(|p| p.address(medium).is_some());
    to.iter().any(|who| match who {
        Who::Person(name) => person(name),
        Who::Group(name) => config.groups.get(name).is_none_or(|members| members.iter().any(person)),
        Who::Schedule(name) => {
            config.schedules.get(name).is_none_or(|s| s.layers.iter().flat_map(|l| &l.members).any(person))
        }
        Who::Tier(tier) => {
            let of_tier = |p: &&crate::config::Person| p.tier.as_ref() == Some(tier);
            config.people.values().filter(of_tier).any(|p| p.address(medium).is_some())
        }
        Who::Email(_) => medium == Medium::Mail,
        Who::Phone(_) => medium != Medium::Mail,
    })
}
