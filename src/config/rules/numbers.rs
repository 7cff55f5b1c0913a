//! Numbers that no country is known to have: a slip of the finger, most of the time.

use crate::config::rules::spot::Judge;
use crate::domain::phone;

/// Warns and no more: plans change, and the library may be older than the number.
pub fn check(judge: &Judge<'_>) {
    for (name, person) in &judge.config.people {
        if person.phone.as_deref().is_some_and(phone::is_impossible) {
            judge.warning(
                &["people", name, "phone"],
                "its country has no numbers of this length",
                "look at it once more; it is used as it is written",
            );
        }
    }
}
