//! Texts and addresses that leave the state before what they belong to does: on request, or because
//! they are older than all that is kept.

use super::State;
use super::content::Content;
use super::entity::Delivery;
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use std::sync::Arc;
use ulid::Ulid;

impl State {
    /// Whether something with this id is still to be acted on, so that its texts are needed: an incident
    /// that is not resolved, what belongs to it, a delivery that has not ended, a dead letter.
    pub fn is_open(&self, id: Ulid) -> bool {
        let incident = |id: IncidentId| self.incidents.get(&id).is_some_and(|i| i.is_live());
        let delivery = |id: DeliveryId| self.deliveries.get(&id).is_some_and(|d| self.is_wanted(d));
        let notification = self.notifications.get(&NotificationId(id)).is_some_and(|n| {
            n.open > 0 || n.origin.incident().is_some_and(incident) || n.deliveries.iter().any(|d| delivery(*d))
        });
        incident(IncidentId(id)) || delivery(DeliveryId(id)) || notification
    }

    fn is_wanted(&self, d: &Delivery) -> bool {
        let incident = || d.incident.and_then(|i| self.incidents.get(&i));
        !d.status.is_end() || self.is_dead_letter(d.id) || incident().is_some_and(|i| i.is_live())
    }

    /// Which of these are notifications and deliveries that are here and not open.
    pub fn with_texts(&self, ids: &[Ulid]) -> (Vec<NotificationId>, Vec<DeliveryId>) {
        let ended = || ids.iter().filter(|id| !self.is_open(**id));
        let notifications = ended().map(|id| NotificationId(*id)).filter(|id| self.notifications.contains_key(id));
        let deliveries = ended().map(|id| DeliveryId(*id)).filter(|id| self.deliveries.contains_key(id));
        (notifications.collect(), deliveries.collect())
    }

    /// Removes the texts and addresses of these, as far as they are here and not open.
    pub fn erase_texts(&mut self, notifications: &[NotificationId], deliveries: &[DeliveryId]) {
        for id in notifications.iter().filter(|id| !self.is_open(id.0)).copied().collect::<Vec<_>>() {
            if let Some(n) = self.notifications.get_mut(&id) {
                self.index.text_bytes -= n.content.bytes();
                n.content = Arc::new(Content::erased());
                self.index.text_bytes += n.content.bytes();
            }
        }
        for id in deliveries.iter().filter(|id| !self.is_open(id.0)).copied().collect::<Vec<_>>() {
            if let Some(d) = self.deliveries.get_mut(&id) {
                erase(d);
            }
        }
    }

    /// Removes every text and every address.
    pub fn forget_texts(&mut self) {
        self.notifications.values_mut().for_each(|n| n.content = Arc::new(Content::erased()));
        self.deliveries.values_mut().for_each(erase);
        self.inbox.forget();
        for incident in self.incidents.values_mut() {
            incident.content = Arc::new(Content::erased());
            incident.told.clear();
        }
        self.reindex();
    }
}

fn erase(d: &mut Delivery) {
    d.address = None;
    d.others.clear();
    d.texts.clear();
}
