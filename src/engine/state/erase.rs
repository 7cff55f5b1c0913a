//! Texts and addresses that leave the state before what they belong to does: on request, or because
//! they are older than all that is kept.

use super::State;
use super::content::Content;
use super::entity::{Delivery, Incident};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use std::collections::HashSet;
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

    /// The oldest event that has a text of something open which is too long to be here.
    pub fn oldest_text(&self) -> Option<u64> {
        let incidents = self.incidents.values().filter(|i| i.is_live()).filter_map(|i| i.content.more.as_deref());
        let notifications = self.notifications.values().filter(|n| n.content.more.is_some() && self.is_open(n.id.0));
        let texts = self.deliveries.values().filter(|d| self.is_wanted(d)).flat_map(|d| d.texts.values());
        let places = incidents
            .chain(notifications.filter_map(|n| n.content.more.as_deref()))
            .chain(texts.filter_map(|text| text.place.as_deref()));
        places.map(|place| place.seq).min()
    }

    /// What belongs to incidents that are not resolved and has left the state before them: to be kept as
    /// what [`State::is_open`].
    pub fn told_of_live(&self) -> HashSet<Ulid> {
        let notified = self.incidents.values().filter(|i| i.is_live()).flat_map(|i| &i.notified);
        notified.flat_map(|n| [n.delivery.0, n.notification.0]).collect()
    }

    /// Which of these are notifications and deliveries that are here and not open.
    pub fn with_texts(&self, ids: &[Ulid]) -> (Vec<NotificationId>, Vec<DeliveryId>) {
        let ended = || ids.iter().filter(|id| !self.is_open(**id));
        let notifications = ended().map(|id| NotificationId(*id)).filter(|id| self.notifications.contains_key(id));
        let left: HashSet<DeliveryId> =
            self.incidents.values().filter(|i| !i.is_live()).flat_map(|i| &i.notified).map(|n| n.delivery).collect();
        let deliveries =
            ended().map(|id| DeliveryId(*id)).filter(|id| self.deliveries.contains_key(id) || left.contains(id));
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
                self.index.text_bytes -= d.text_bytes();
                erase(d);
            }
        }
        self.erase_notified(deliveries);
    }

    /// The same for what has left the state and stands on its incident.
    fn erase_notified(&mut self, deliveries: &[DeliveryId]) {
        let gone: HashSet<DeliveryId> =
            deliveries.iter().filter(|d| !self.deliveries.contains_key(d)).copied().collect();
        let is_named = |i: &&Incident| !i.is_live() && i.notified.iter().any(|n| gone.contains(&n.delivery));
        let named: Vec<IncidentId> = self.incidents.values().filter(is_named).map(|i| i.id).collect();
        for i in named {
            let notified = self.incidents.get_mut(&i).into_iter().flat_map(|i| &mut i.notified);
            notified.filter(|n| gone.contains(&n.delivery)).for_each(|n| n.address = None);
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
            incident.notified.iter_mut().for_each(|n| n.address = None);
        }
        self.reindex();
    }
}

fn erase(d: &mut Delivery) {
    d.address = None;
    d.elsewhere = None;
    d.texts.clear();
}
