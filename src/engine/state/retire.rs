//! What has ended leaves the state when there is much of it; the history keeps it.

use super::State;
use super::entity::{Delivery, Notified};
use super::index::of_incident;
use super::name::Names;
use crate::domain::delivery::Status;
use crate::domain::id::{IncidentId, NotificationId};
use crate::domain::time::{EngineTime, Span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Ended incidents, notifications and silences that stay at hand for lists, of each so many.
const KEPT: usize = 1_000;

/// What has ended, oldest first, in line to leave.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Leaving {
    pub notifications: VecDeque<NotificationId>,
    pub incidents: VecDeque<IncidentId>,
    /// The notification accepted last: its deliveries may still be coming.
    pub unsettled: Option<NotificationId>,
}

/// The first answer to an idempotency key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remembered {
    pub content: String,
    pub notification: NotificationId,
    /// Set 24 h after the last delivery's end.
    pub forget_at: Option<EngineTime>,
}

impl State {
    /// A new notification begins; the one before it is complete, and may have had nobody to go to.
    pub(super) fn settle(&mut self, next: NotificationId) {
        if let Some(id) = self.leaving.unsettled.replace(next) {
            self.retire(id);
        }
        self.forget_keys();
    }

    /// Puts a notification whose deliveries have all ended in line to leave. One of an incident that is not
    /// resolved stays if it told nobody or in part failed: how the incident goes on may depend on it.
    pub(super) fn retire(&mut self, id: NotificationId) {
        let Some(n) = self.notifications.get(&id) else { return };
        if n.open > 0 || n.retired || (self.leaving.unsettled == Some(id) && n.deliveries.is_empty()) {
            return;
        }
        let live = n.origin.incident().and_then(|i| self.incidents.get(&i)).is_some_and(|i| i.is_live());
        if live && !self.has_told(id) {
            return;
        }
        let Some(n) = self.notifications.get_mut(&id) else { return };
        n.retired = true;
        if let Some(key) = &n.idempotency {
            let key = State::idempotency_key(n.tenant.as_deref(), &key.caller, &key.key);
            self.remember_for_a_day(key);
        }
        self.leaving.notifications.push_back(id);
        while self.leaving.notifications.len() > KEPT {
            let Some(id) = self.leaving.notifications.pop_front() else { break };
            self.forget_notification(id);
        }
    }

    /// A resolved incident is in line to leave, and its notifications with it.
    pub(super) fn retire_incident(&mut self, id: IncidentId) {
        let notifications = self.incidents.get(&id).map(|i| i.notifications.clone()).unwrap_or_default();
        for n in notifications {
            self.retire(n);
        }
        self.leaving.incidents.push_back(id);
        // One that cannot go yet goes to the end of the line; the next one may.
        for _ in 0..2 {
            if self.leaving.incidents.len() > KEPT
                && let Some(oldest) = self.leaving.incidents.pop_front()
            {
                self.forget_incident(oldest);
            }
        }
    }

    /// A notification that was over goes on: its key is kept as long as that takes.
    pub(super) fn remember_again(&mut self, id: NotificationId) {
        let Some(n) = self.notifications.get(&id) else { return };
        let Some(given) = &n.idempotency else { return };
        let key = State::idempotency_key(n.tenant.as_deref(), &given.caller, &given.key);
        if !self.idempotency.contains_key(&key) {
            let fresh = Remembered { content: given.content.clone(), notification: id, forget_at: None };
            self.idempotency.insert(key.clone(), fresh);
        }
        // The key may be another message's by now.
        if let Some(known) = self.idempotency.get_mut(&key)
            && known.notification == id
            && let Some(due) = known.forget_at.take()
        {
            self.index.keys.remove(&(due, key));
        }
    }

    /// A key is kept until 24 hours after the last delivery's end.
    fn remember_for_a_day(&mut self, key: String) {
        let forget_at = self.engine_time(self.last_at) + Span::days(1);
        if let Some(r) = self.idempotency.get_mut(&key) {
            if let Some(before) = r.forget_at.replace(forget_at) {
                self.index.keys.remove(&(before, key.clone()));
            }
            self.index.keys.insert((forget_at, key));
        }
    }

    fn forget_keys(&mut self) {
        let now = self.engine_time(self.last_at);
        while self.index.keys.first().is_some_and(|(due, _)| *due <= now) {
            let Some((_, key)) = self.index.keys.pop_first() else { break };
            self.idempotency.remove(&key);
        }
    }

    fn forget_notification(&mut self, id: NotificationId) {
        let Some(n) = self.notifications.get(&id).filter(|n| n.open == 0) else { return };
        // A dead letter stays until somebody requeues or drops it, and is put in line again then.
        if n.deliveries.iter().any(|d| self.index.dead.contains(d)) {
            if let Some(n) = self.notifications.get_mut(&id) {
                n.retired = false;
            }
            return;
        }
        let Some(n) = self.notifications.remove(&id) else { return };
        self.index.text_bytes -= n.content.bytes();
        let (incident, notice) = (n.origin.incident(), n.origin.is_notice());
        let left: Vec<Arc<Delivery>> = n.deliveries.iter().filter_map(|d| self.deliveries.remove(d)).collect();
        if let Some(i) = incident.and_then(|i| self.incidents.get_mut(&i)) {
            i.notified.reserve_exact(left.len());
            i.notified.extend(left.iter().map(|d| notified(&mut self.names, d, notice)));
        }
    }

    /// Whether it got out to somebody and no part of it failed.
    fn has_told(&self, id: NotificationId) -> bool {
        let deliveries = self.notifications.get(&id).into_iter().flat_map(|n| &n.deliveries);
        let ends = deliveries.filter_map(|d| self.deliveries.get(d)).map(|d| d.status);
        ends.clone().any(Status::got_out) && !ends.into_iter().any(|s| matches!(s, Status::Dead | Status::Expired))
    }

    fn forget_incident(&mut self, id: IncidentId) {
        // An attempt that is under way, a notice that waits, or a dead letter still speaks of it.
        let dead = of_incident(&self.index.dead_by_incident, id);
        if of_incident(&self.index.pending_by_incident, id).chain(dead).next().is_some() {
            self.leaving.incidents.push_back(id);
            return;
        }
        if let Some(i) = self.incidents.remove(&id) {
            self.index.text_bytes -= i.text_bytes();
            self.index.remove_incident(&i);
        }
    }

    pub(super) fn forget_silences(&mut self) {
        if self.silences.len() <= KEPT {
            return;
        }
        let expired = self.silences.values().filter(|s| s.expired);
        if let Some(oldest) = expired.min_by_key(|s| (s.ends, s.id.clone())).map(|s| s.id.clone()) {
            self.silences.remove(&oldest);
        }
    }
}

fn notified(names: &mut Names, d: &Delivery, notice: bool) -> Notified {
    let asked = d.chain.first().map_or("", String::as_str);
    Notified {
        delivery: d.id,
        notification: d.notification,
        notice,
        who: names.of_any(d.who.as_deref()),
        address: names.of_any(d.address.as_deref()),
        channel: names.of(asked),
        via: names.of_any(Some(d.channel()).filter(|via| *via != asked)),
        status: d.status,
        at: d.sent_at.or(d.ended_at).unwrap_or(d.created_at),
        reason: names.of_any(d.reason.as_deref()),
    }
}
