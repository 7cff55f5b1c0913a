//! What has ended leaves the state when there is much of it; the history keeps it.

use super::State;
use super::index::Timer;
use crate::domain::id::{IncidentId, NotificationId};
use crate::domain::time::Span;

/// Ended incidents and notifications that stay at hand for lists.
const KEPT: usize = 1_000;

impl State {
    /// The notification before the newest is complete: it may have had nobody to go to at all.
    pub(super) fn settle(&mut self) {
        if let Some(id) = self.index.unsettled.take() {
            self.retire(id);
        }
        self.forget_keys();
    }

    /// Puts a notification whose deliveries have all ended in line to leave.
    pub(super) fn retire(&mut self, id: NotificationId) {
        let Some(n) = self.notifications.get_mut(&id) else { return };
        if n.open > 0 || n.retired {
            return;
        }
        n.retired = true;
        if let Some(key) = &n.idempotency {
            let key = State::idempotency_key(n.tenant.as_deref(), &key.caller, &key.key);
            let forget_at = self.engine_time(self.last_at) + Span::days(1);
            if let Some(r) = self.idempotency.get_mut(&key) {
                r.forget_at = Some(forget_at);
                self.index.keys.insert((forget_at, key));
            }
        }
        self.index.ended_notifications.push_back(id);
        while self.index.ended_notifications.len() > KEPT {
            let Some(id) = self.index.ended_notifications.pop_front() else { break };
            self.forget_notification(id);
        }
        while self.index.ended_incidents.len() > KEPT {
            let Some(id) = self.index.ended_incidents.pop_front() else { break };
            self.forget_incident(id);
        }
    }

    fn forget_keys(&mut self) {
        let now = self.engine_time(self.last_at);
        while let Some((due, _)) = self.index.keys.first()
            && *due <= now
        {
            let Some((_, key)) = self.index.keys.pop_first() else { break };
            self.idempotency.remove(&key);
        }
    }

    fn forget_notification(&mut self, id: NotificationId) {
        // A dead letter stays until somebody requeues or drops it.
        let keep = self
            .notifications
            .get(&id)
            .is_some_and(|n| n.open > 0 || n.deliveries.iter().any(|d| self.index.dead.contains(d)));
        if keep {
            return;
        }
        if let Some(n) = self.notifications.remove(&id) {
            for d in n.deliveries {
                if let Some(d) = self.deliveries.remove(&d) {
                    self.unindex_delivery(&d);
                }
            }
        }
    }

    fn forget_incident(&mut self, id: IncidentId) {
        if self.incidents.get(&id).is_none_or(|i| i.is_live()) {
            return;
        }
        if let Some(i) = self.incidents.remove(&id) {
            self.index.by_number.remove(&i.number);
            self.index.set_timer(Timer::Incident(id), None);
        }
    }
}
