//! What a story can look at.

use super::World;
use crate::domain::delivery::ChannelStatus;
use crate::domain::event::EventKind;
use crate::engine::{Delivery, Incident, Read};

impl World {
    pub fn incident(&self, number: u64) -> &Incident {
        self.engine.state.incident_by_number(number).unwrap()
    }

    /// All deliveries, oldest first.
    pub fn deliveries(&self) -> Vec<&Delivery> {
        let mut all: Vec<&Delivery> = self.engine.state.deliveries.values().collect();
        all.sort_by_key(|d| (d.order, d.id));
        all
    }

    /// The latest delivery asked for by this channel, to this person or address or place.
    pub fn delivery(&self, channel: &str, who: &str) -> &Delivery {
        let is_for = |d: &&&Delivery| {
            let recipient = d.who.as_deref().or(d.address.as_deref()).unwrap_or_default();
            d.chain[0] == channel && recipient == who
        };
        let all = self.deliveries();
        all.iter().rev().find(is_for).unwrap_or_else(|| panic!("no delivery by {channel} for {who:?}"))
    }

    /// Channel, recipient, status and reason of every delivery, oldest first.
    pub fn told(&self) -> Vec<String> {
        let line = |d: &&Delivery| {
            let who = d.who.as_deref().or(d.address.as_deref()).unwrap_or("-");
            let reason = d.reason.as_ref().map_or(String::new(), |r| format!(": {r}"));
            format!("{} {who} {}{reason}", d.chain[0], d.status)
        };
        self.deliveries().iter().map(line).collect()
    }

    /// The status of the latest delivery, as `deliveries show` prints it.
    pub fn status(&mut self, channel: &str, who: &str) -> String {
        let id = self.delivery(channel, who).id.to_string();
        self.read(Read::Delivery(id))["status"].as_str().unwrap().to_owned()
    }

    pub fn health(&self, channel: &str) -> ChannelStatus {
        self.engine.state.channel(channel).status
    }

    /// What sounds now.
    pub fn sounding(&self) -> Vec<&str> {
        self.engine.state.sounding.iter().flat_map(|(name, s)| s.keys().map(move |_| name.as_str())).collect()
    }

    /// Every event so far, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &EventKind> {
        self.frames.iter().flat_map(|f| &f.events).map(|e| &e.head)
    }

    pub fn count(&self, is: impl Fn(&EventKind) -> bool) -> usize {
        self.events().filter(|e| is(e)).count()
    }
}
