//! Channels that nothing sends by, and texts that a channel makes several of.

use crate::config::model::{Check, Config};
use crate::config::rules::sayings;
use crate::config::rules::spot::Judge;
use crate::settings::Value;
use std::collections::BTreeSet;

pub fn check(judge: &Judge<'_>) {
    let used = used(judge.config, judge);
    for name in judge.names("channels") {
        if !used.contains(name) {
            judge.warning(
                &["channels", name],
                "no level, step, heartbeat, watch or other channel sends by it",
                "name it somewhere, or leave it out",
            );
        }
    }
}

fn used<'a>(config: &'a Config, judge: &Judge<'a>) -> BTreeSet<&'a str> {
    let mut used = BTreeSet::new();
    for saying in sayings::all(config, &judge.written_levels(), &[]) {
        used.extend(saying.channels.unwrap_or_default().iter().map(String::as_str));
    }
    for name in judge.names("channels") {
        // As written: a channel that was refused uses others all the same.
        for key in ["fallback", "via"] {
            if let Some(Value::Text(other)) = judge.tree.at(&["channels", name, key]).map(|item| &item.value) {
                used.insert(other);
            }
        }
    }
    used.extend(config.heartbeats.values().filter_map(|heartbeat| match &heartbeat.check {
        Check::Probe { channel, .. } => Some(channel.as_str()),
        _ => None,
    }));
    used
}
