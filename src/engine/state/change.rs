//! Changes of one thing, with what is derived from it kept true.

use super::State;
use super::channel::ChannelState;
use super::entity::*;
use super::index::incident_due;
use super::standing::Standing;
use crate::domain::delivery::Status;
use crate::domain::id::{DeliveryId, IncidentId};

impl State {
    /// Changes a delivery; `false` when there is none with this id.
    pub(super) fn change_delivery(&mut self, id: DeliveryId, change: impl FnOnce(&mut Delivery)) -> bool {
        let Some(d) = self.deliveries.get_mut(&id) else { return false };
        let stood = Standing::of(d);
        let had_ended = d.status.is_end();
        change(d);
        self.index.delivery_changed(d, stood);
        let has_ended = d.status.is_end();
        if let Some(n) = self.notifications.get_mut(&d.notification) {
            match (had_ended, has_ended) {
                (false, true) => n.open = n.open.saturating_sub(1),
                (true, false) => {
                    n.open += 1;
                    n.retired = false;
                }
                _ => {}
            }
        }
        true
    }

    /// The same for one that has not ended; `false` also when it has.
    pub(super) fn change_pending(&mut self, id: DeliveryId, change: impl FnOnce(&mut Delivery)) -> bool {
        self.index.pending.contains(&id) && self.change_delivery(id, change)
    }

    /// Moves a delivery to this status; `false` when there is none, or it may not go there.
    pub(super) fn move_delivery(&mut self, id: DeliveryId, to: Status, change: impl FnOnce(&mut Delivery)) -> bool {
        let may = self.deliveries.get(&id).is_some_and(|d| d.status.may_become(to));
        may && self.change_delivery(id, |d| {
            change(d);
            d.status = to;
        })
    }

    /// Another chain for one that has not ended, and its place there.
    pub(super) fn reroute(&mut self, id: DeliveryId, chain: &[String], at: usize) -> bool {
        let Some(d) = self.deliveries.get_mut(&id).filter(|d| !d.status.is_end() && at < chain.len()) else {
            return false;
        };
        self.index.remove_delivery(d);
        if chain.get(at).map(String::as_str) != Some(d.channel()) {
            d.counted = 0;
        }
        (d.chain, d.at) = (chain.to_vec(), at);
        self.index.add_delivery(d);
        true
    }

    /// Changes an incident that is not resolved; `false` when there is none with this id. What is
    /// resolved stays as it was.
    pub(super) fn change_incident(&mut self, id: IncidentId, change: impl FnOnce(&mut Incident)) -> bool {
        let Some(i) = self.incidents.get_mut(&id).filter(|i| i.is_live()) else { return false };
        let (before, was_due) = (i.text_bytes(), incident_due(i));
        change(i);
        self.index.text_bytes = self.index.text_bytes + i.text_bytes() - before;
        self.index.incident_changed(i, was_due);
        true
    }

    pub(super) fn change_channel(&mut self, name: &str, change: impl FnOnce(&mut ChannelState)) {
        change(self.channels.entry(name.to_owned()).or_default());
    }
}
