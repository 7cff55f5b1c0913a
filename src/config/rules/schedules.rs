//! Whether those on call can be told by what the policies use.

use crate::config::model::Policy;
use crate::config::person::{Person, Wanted};
use crate::config::rules::spot::Judge;
use crate::domain::delivery::Medium;
use crate::domain::who::Who;
use std::collections::{BTreeMap, BTreeSet};

/// A wish not to be told holds on call, too; only quiet hours do not.
pub fn check(judge: &Judge<'_>) {
    let mut used: BTreeMap<&str, BTreeSet<Medium>> = BTreeMap::new();
    for policy in judge.config.policies.values() {
        for (schedule, medium) in uses(judge, policy) {
            used.entry(schedule).or_default().insert(medium);
        }
    }
    for (name, media) in used {
        let Some(schedule) = judge.config.schedules.get(name) else { continue };
        let members: BTreeSet<&String> = schedule.layers.iter().flat_map(|layer| &layer.members).collect();
        for person in members.into_iter().filter_map(|member| judge.config.people.get(member)) {
            media.iter().for_each(|medium| wish(judge, person, name, *medium));
        }
    }
}

/// The schedules that a policy's steps tell, and by what.
fn uses<'a>(judge: &Judge<'a>, policy: &'a Policy) -> Vec<(&'a str, Medium)> {
    let mut uses = Vec::new();
    for step in &policy.steps {
        for name in step.channels.iter().flatten() {
            let Some(channel) = judge.config.channels.get(name) else { continue };
            let Some(medium) = channel.medium() else { continue };
            for who in step.to.as_ref().unwrap_or(&channel.to) {
                if let Who::Schedule(schedule) = who {
                    uses.push((schedule.as_str(), medium));
                }
            }
        }
    }
    uses
}

fn wish(judge: &Judge<'_>, person: &Person, schedule: &str, medium: Medium) {
    let path = ["people", person.name.as_str(), "preferences", medium.as_str()];
    let who = format!("{} is a member of schedule {schedule}, a policy tells it by {medium},", person.name);
    match person.preferences.media.get(&medium) {
        Some(Wanted::Off) => judge.warning(&path, format!("{who} and it is off"), "this holds on call, too"),
        Some(Wanted::Types(types)) => judge.warning(
            &path,
            format!("{who} and only these types are wanted: {}", types.join(", ")),
            "this holds on call, too",
        ),
        None => {}
    }
}
