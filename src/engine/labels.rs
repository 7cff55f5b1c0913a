//! S4: the labels that every incident and notification has.

use crate::domain::Labels;
use crate::domain::level::Level;
use crate::engine::state::{OF_ALERTS, own_name};

/// What stentor itself says of something, beside its level and type. The given labels cannot
/// overwrite it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnLabels<'a> {
    /// heartbeat, watch, alert, manual, self.
    pub source: &'a str,
    pub name: Option<&'a str>,
    pub tenant: Option<&'a str>,
    pub channel: Option<&'a str>,
    pub deal: Option<&'a str>,
}

impl OwnLabels<'_> {
    /// All labels: ours over the given ones.
    pub fn over(self, given: Labels, level: Level, kind_of: &str) -> Labels {
        let ours = [
            ("channel", self.channel),
            ("deal", self.deal),
            ("level", Some(level.as_str())),
            ("name", self.name),
            ("source", Some(self.source)),
            ("tenant", self.tenant),
            ("type", Some(kind_of)),
        ];
        given.with(ours.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}

impl OwnLabels<'_> {
    /// An alert's labels are kept whole: where one has a reserved name ours is `stentor_NAME`. With the names
    /// that the alert kept.
    pub fn beside(self, given: Labels, level: Level, kind_of: &str) -> (Labels, Vec<String>) {
        let mut kept: Vec<String> = Vec::new();
        for name in given.keys().filter(|name| OF_ALERTS.contains(name)) {
            let own = format!("stentor_{name}");
            kept.extend(given.contains_key(&own).then_some(own));
            kept.push(name.to_owned());
        }
        let ours = [
            ("level", Some(level.as_str())),
            ("name", self.name),
            ("source", Some(self.source)),
            ("type", Some(kind_of)),
        ];
        let mut named = ours.map(|(name, value)| Some((own_name(name, &kept)?, value?)));
        named.sort_unstable();
        let labels = given.with(named.iter().flatten().map(|(name, value)| (name.as_ref(), *value)));
        (labels, kept)
    }
}

/// The given type, else the given label of that name.
pub(crate) fn type_of(given: &Option<String>, labels: &Labels) -> String {
    type_or(given, labels, "message")
}

/// The same, with what it is where neither says.
pub(crate) fn type_or(given: &Option<String>, labels: &Labels, otherwise: &str) -> String {
    given.clone().or_else(|| labels.get("type").map(str::to_owned)).unwrap_or_else(|| otherwise.to_owned())
}
