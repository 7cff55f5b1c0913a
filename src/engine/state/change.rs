//! Changes of one thing with its indexes kept true.

use super::State;
use super::entity::*;
use crate::domain::id::{DeliveryId, IncidentId};

impl State {
    /// Changes a delivery; `false` when there is none with this id.
    pub(super) fn change_delivery(&mut self, id: DeliveryId, change: impl FnOnce(&mut Delivery)) -> bool {
        let Some(mut d) = self.deliveries.remove(&id) else { return false };
        self.unindex_delivery(&d);
        let ended = d.status.is_end();
        change(&mut d);
        self.index_delivery(&d);
        let (notification, ends_now, reopened) =
            (d.notification, !ended && d.status.is_end(), ended && !d.status.is_end());
        self.deliveries.insert(id, d);
        if let Some(n) = self.notifications.get_mut(&notification) {
            if ends_now {
                n.open = n.open.saturating_sub(1);
            } else if reopened {
                n.open += 1;
                n.retired = false;
            }
        }
        true
    }

    /// Changes an incident; `false` when there is none with this id.
    pub(super) fn change_incident(&mut self, id: IncidentId, change: impl FnOnce(&mut Incident)) -> bool {
        let Some(mut i) = self.incidents.remove(&id) else { return false };
        let was_live = i.is_live();
        change(&mut i);
        self.index_incident(&i);
        if was_live && !i.is_live() {
            self.index.ended_incidents.push_back(id);
        }
        self.incidents.insert(id, i);
        true
    }

    pub(super) fn change_channel(&mut self, name: &str, change: impl FnOnce(&mut ChannelState)) -> bool {
        if !self.channels.contains_key(name) {
            self.channels.insert(name.to_owned(), ChannelState::default());
        }
        if let Some(c) = self.channels.get_mut(name) {
            change(c);
        }
        true
    }
}
