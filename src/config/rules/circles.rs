//! No channel falls back to itself, not even by others and by what they send through.

use crate::config::rules::spot::Judge;

pub fn check(judge: &Judge<'_>) {
    for start in judge.config.channels.keys() {
        let mut way = vec![(start.as_str(), "")];
        follow(judge, &mut way);
    }
}

/// Walks on from the end of the way. A circle is told once, at its first channel by name.
fn follow<'a>(judge: &Judge<'a>, way: &mut Vec<(&'a str, &'static str)>) {
    let Some((start, _)) = way.first().copied() else { return };
    let Some(channel) = way.last().and_then(|(name, _)| judge.config.channels.get(*name)) else { return };
    for (key, next) in [("fallback", &channel.fallback), ("via", &channel.via)] {
        let Some(next) = next else { continue };
        if next == start {
            let key = way.get(1).map_or(key, |(_, by)| *by);
            let names: Vec<&str> = way.iter().map(|(name, _)| *name).chain([start]).collect();
            let message = format!("this is a circle: {}", names.join(" -> "));
            judge.error(&["channels", start, key], message, "leave out one of these");
        } else if next.as_str() > start && way.iter().all(|(name, _)| name != next) {
            way.push((next, key));
            follow(judge, way);
            way.pop();
        }
    }
}
