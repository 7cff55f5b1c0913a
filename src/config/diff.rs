//! What a reload changes, by name.

use crate::config::model::Config;
use std::collections::BTreeSet;

/// The named entries and single tables whose resolved values differ, were added or are gone:
/// `channels.sms`, `policies.page`, `people.bob`, `daemon`.
pub fn diff(old: &Config, new: &Config) -> Vec<String> {
    let (old, new) = (&old.source.entries, &new.source.entries);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}
