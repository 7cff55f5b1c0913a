//! The last resort: an urgent message that nobody can be told of.
//!
//! When every way of an urgent message fails and it is a minute old, every sound device sounds at
//! full volume, whoever is logged in is written to, and the ping to the dead man's switch
//! elsewhere stops, until somebody is told, acknowledges, or it is over. An incident counts as a
//! whole: one message of it that is out is enough.

use super::effect::Effect;
use super::state::{Delivery, Incident, Notification};
use super::turn::Turn;
use crate::domain::delivery::{SILENCED, Status};
use crate::domain::event::{EventKind, Origin, Unheard};
use crate::domain::failure::cut;
use crate::domain::id::NotificationId;
use crate::domain::level::Level;
use crate::domain::time::Span;

/// How long its ways may fail.
const AFTER: Span = Span::mins(1);
/// One that is still being tried is looked at again.
const AGAIN: Span = Span::secs(10);
/// So many are looked at in one turn; the rest follows in the next.
const BATCH: usize = 1_000;
/// The longest that it sounds at a stretch.
const SOUNDS: Span = Span::mins(15);

/// Whether somebody hears of it.
#[derive(PartialEq, Eq)]
enum Hearing {
    /// Somebody was told, or nobody has to be told any more.
    Heard,
    /// A way is being tried for the first time.
    Trying,
    /// Every way fails.
    Failing,
}

impl Turn<'_> {
    /// A message was made: it is looked at when it is a minute old.
    pub fn listen_for(&mut self, id: NotificationId) {
        let Some(n) = self.state.notifications.get(&id).filter(|n| must_be_heard(n)) else { return };
        let from = n.not_before.unwrap_or_else(|| self.state.engine_time(n.accepted_at));
        let due = if n.not_before.is_none() { (from + AFTER).min(self.now + AFTER) } else { from + AFTER };
        self.agenda.urgent.insert((due.max(self.now), id));
    }

    /// Somebody seemed to be told, and was not: its other ways have as long from now on.
    pub fn listen_anew(&mut self, id: NotificationId) {
        if self.state.notifications.get(&id).is_some_and(must_be_heard) {
            self.agenda.urgent.insert((self.now + AFTER, id));
        }
    }

    /// The same for all that the last life left.
    pub fn listen_for_all(&mut self) {
        self.agenda.urgent.clear();
        let open: Vec<NotificationId> =
            self.state.notifications.values().filter(|n| n.open > 0).map(|n| n.id).collect();
        open.into_iter().for_each(|id| self.listen_for(id));
    }

    pub fn unheard_due(&mut self) {
        for _ in 0..BATCH {
            let next = self.agenda.urgent.first().copied().filter(|(due, _)| *due <= self.now);
            let Some((due, id)) = next else { return };
            self.agenda.urgent.remove(&(due, id));
            match self.hearing(id) {
                Hearing::Heard => {}
                Hearing::Trying => {
                    self.agenda.urgent.insert((self.now + AGAIN, id));
                }
                Hearing::Failing => self.cry_out(id),
            }
        }
    }

    fn cry_out(&mut self, id: NotificationId) {
        if self.state.unheard.contains_key(&id) {
            return;
        }
        let words = self.cry(id);
        self.emit(EventKind::UrgentUnheard(Unheard { notification: id, heard: false, until: self.now + SOUNDS }));
        self.effects.extend([Effect::Sound, Effect::Wall(words)]);
    }

    fn cry(&self, id: NotificationId) -> String {
        let n = self.state.notifications.get(&id);
        let subject = n.map_or(String::new(), |n| cut(&n.content.subject, 120));
        let number = n.and_then(|n| self.incident_of(n)).map_or(String::new(), |i| format!(" #{}", i.number));
        format!(
            "stentor {}: URGENT{number} {subject}\nNobody can be told of it: every way has failed for a minute.",
            self.config.daemon.name
        )
    }

    /// At the end of each turn: is it over?
    pub fn unheard_over(&mut self) {
        let all: Vec<NotificationId> = self.state.unheard.keys().copied().collect();
        for id in all {
            if self.hearing(id) == Hearing::Heard {
                self.emit(EventKind::UrgentUnheard(Unheard { notification: id, heard: true, until: self.now }));
                self.effects.push(Effect::Sound);
            }
        }
    }

    fn incident_of(&self, n: &Notification) -> Option<&Incident> {
        n.origin.incident().and_then(|i| self.state.incidents.get(&i))
    }

    fn hearing(&self, id: NotificationId) -> Hearing {
        let Some(n) = self.state.notifications.get(&id) else { return Hearing::Heard };
        let all: Vec<&Notification> = match (n.origin.incident(), self.incident_of(n)) {
            (None, _) => vec![n],
            // Somebody was told by one that has left the state.
            (Some(_), Some(i)) if i.notified.iter().any(|n| !n.notice && n.status.got_out()) => return Hearing::Heard,
            (Some(_), Some(i)) if i.is_calling() => {
                let told = i.notifications.iter().filter_map(|n| self.state.notifications.get(n));
                told.filter(|n| !n.origin.is_notice()).collect()
            }
            _ => return Hearing::Heard,
        };
        let deliveries = all.iter().flat_map(|n| &n.deliveries).filter_map(|d| self.state.deliveries.get(d));
        let (skipped, real): (Vec<&Delivery>, Vec<&Delivery>) = deliveries.partition(|d| d.status == Status::Skipped);
        // A dead letter of a one-shot has an incident of its own, and that is listened for.
        let over = n.origin.incident().is_none() && real.iter().all(|d| d.status.is_end());
        if over || real.iter().any(|d| d.status.got_out()) {
            return Hearing::Heard;
        }
        if real.is_empty() && skipped.iter().all(|d| d.reason.as_deref() == Some(SILENCED)) {
            // On purpose.
            return Hearing::Heard;
        }
        if real.iter().all(|d| self.fails(d)) { Hearing::Failing } else { Hearing::Trying }
    }

    fn fails(&self, d: &Delivery) -> bool {
        let failed_once = d.attempts.iter().any(|a| a.finished_at.is_some());
        let by_a_new_way = d.status == Status::Sending
            && !d.attempts.iter().any(|a| a.channel == d.channel() && a.finished_at.is_some());
        let waits_for_room = d.status == Status::Waiting && d.n == 0 && !d.limited;
        !by_a_new_way && (d.status.is_end() || failed_once || waits_for_room || self.all_ways_dead(d))
    }
}

fn must_be_heard(n: &Notification) -> bool {
    n.level == Level::Urgent && !n.origin.is_notice() && n.origin != Origin::Test
}
