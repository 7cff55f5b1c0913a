//! What holds at each step of every history: only moves of the table, one end for each delivery, the most urgent first,
//! nothing after an acknowledgement.

use super::world::World;
use crate::domain::event::{Breaker, Event, EventKind};
use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::engine::State;
use std::collections::BTreeMap;

/// Folds the history once more and looks at each event before it happens.
#[derive(Default)]
struct Watcher {
    state: State,
    ends: BTreeMap<DeliveryId, i64>,
    last_step: BTreeMap<IncidentId, (u32, u32)>,
}

impl Watcher {
    /// One event: what is asked before it happens, and that no delivery moves but by the table.
    fn see(&mut self, at: Timestamp, event: &Event) {
        self.look(&event.head);
        let id = moved(&event.head);
        let status = |state: &State| id.and_then(|id| state.deliveries.get(&id)).map(|d| d.status);
        let before = status(&self.state);
        self.state.evolve(at, event);
        match (before, status(&self.state)) {
            (Some(from), Some(to)) if from != to => assert!(from.may_become(to), "{from} became {to} by {event:?}"),
            (None, Some(first)) => assert!(first.is_beginning(), "{first} is no beginning"),
            _ => {}
        }
    }

    fn look(&mut self, head: &EventKind) {
        match head {
            EventKind::DeliveryCreated { id, status, .. } => {
                assert!(self.ends.insert(*id, i64::from(status.is_end())).is_none());
            }
            EventKind::DeliveryEnded { id, .. } => *self.ends.get_mut(id).unwrap() += 1,
            EventKind::DeadLetterRequeued { id } => *self.ends.get_mut(id).unwrap() -= 1,
            EventKind::AttemptStarted { delivery, channel, .. } => self.attempt(*delivery, channel),
            EventKind::IncidentStepped { id, round, step, .. } => {
                let before = self.last_step.insert(*id, (*round, *step));
                assert!(before < Some((*round, *step)), "step {step} of round {round} after {before:?}");
            }
            EventKind::IncidentRaised { id, .. }
            | EventKind::IncidentUnacknowledged { id, .. }
            | EventKind::IncidentUnsilenced { id, .. } => {
                self.last_step.remove(id);
            }
            _ => {}
        }
    }

    fn attempt(&self, id: DeliveryId, channel: &str) {
        let d = &self.state.deliveries[&id];
        let first = self.state.queue(channel).find(|id| !self.state.is_behind(*id));
        // One that may end the daemon has its moment while those without hurry are held back.
        let c = self.state.channel(channel);
        // A channel that fails tries another one now and then.
        let others_turn = c.breaker != Breaker::Closed && c.failures > 0 && c.failures.is_multiple_of(6);
        assert!(first == Some(id) || d.is_suspect() || others_turn, "the most urgent of a queue goes first");
        let before = |other: DeliveryId| {
            let other = &self.state.deliveries[&other];
            let hurry = d.level.max(if d.is_suspect() { Level::Normal } else { Level::Low });
            other.level > hurry && !other.is_suspect() && !self.state.is_behind(other.id)
        };
        assert!(others_turn || !self.state.queue(channel).any(before));
        let notice = self.state.notifications[&d.notification].origin.is_notice();
        if let Some(incident) = d.incident.filter(|_| !notice && !d.ordered) {
            let i = &self.state.incidents[&incident];
            assert!(
                i.is_calling(),
                "an attempt for #{} which is {:?}, silenced by {:?}",
                i.number,
                i.status,
                i.silenced_by
            );
        }
    }
}

/// The delivery that an event is about.
fn moved(head: &EventKind) -> Option<DeliveryId> {
    match head {
        EventKind::DeliveryCreated { id, .. }
        | EventKind::DeliveryMoved { id, .. }
        | EventKind::DeliveryEnded { id, .. }
        | EventKind::DeadLetterRequeued { id }
        | EventKind::DeadLetterDropped { id }
        | EventKind::AttemptStarted { delivery: id, .. }
        | EventKind::AttemptFinished { delivery: id, .. } => Some(*id),
        _ => None,
    }
}

/// Panics where a history breaks what holds for each.
pub fn watch(w: &World) {
    let mut watcher = Watcher::default();
    for frame in &w.frames {
        for event in &frame.events {
            watcher.see(frame.at, event);
        }
    }
    for (id, ends) in &watcher.ends {
        assert_eq!(*ends, 1, "delivery {id} ended {ends} times");
    }
    assert!(w.engine.state.deliveries.values().all(|d| d.status.is_end()));
}
