//! What is due by the clock, and when to be woken next. Nothing polls.

use super::Agenda;
use super::state::{State, Timer};
use super::turn::Turn;
use crate::domain::delivery::Status;
use crate::domain::event::Breaker;
use crate::domain::id::DeliveryId;
use crate::domain::time::{EngineTime, Span, Timestamp};

/// A run whose trigger was lost is started by the engine this much later.
pub(crate) const TRIGGER_GRACE: Span = Span::secs(2);
/// A turn does at most this much of what is due; the rest follows in the next.
const BATCH: usize = 1_000;

/// The earliest of everything, on the wall clock.
pub(crate) fn next_due(state: &State, agenda: &Agenda) -> Option<Timestamp> {
    let gates = state.channels.iter().filter_map(|(name, c)| {
        let waits = c.breaker != Breaker::Closed && c.in_flight.is_empty() && state.queue_len(name) > 0;
        c.retry_at.filter(|_| waits)
    });
    let engine = state
        .next_timer()
        .map(|(t, _)| t)
        .into_iter()
        .chain(gates)
        .chain(agenda.passive.values().copied())
        .chain(agenda.proofs.values().copied())
        .chain(agenda.rates)
        .chain(agenda.unseen_due)
        .min()
        .map(|t| state.wall_time(t));
    let calendar = agenda.heartbeats.values().map(|next| next.latest).min();
    engine.into_iter().chain(calendar).min()
}

impl Turn<'_> {
    /// Does everything that is due now.
    pub fn wake(&mut self) {
        for _ in 0..BATCH {
            let Some((due, timer)) = self.state.next_timer() else { break };
            if due > self.now {
                break;
            }
            let timer = timer.clone();
            self.fire_timer(timer.clone());
            self.cancel_if_stuck(timer);
        }
        self.heartbeats_due();
        self.rules_due();
        self.pump();
    }

    fn fire_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Delivery(id) => self.delivery_due(id),
            Timer::Incident(id) => self.incident_due(id),
            Timer::Silence(id) => self.silence_due(&id),
            Timer::Sound(channel, delivery) => self.silence_sound(&channel, delivery, "its longest time is over"),
        }
    }

    /// A timer that nothing answered to must not wake us for ever.
    fn cancel_if_stuck(&mut self, timer: Timer) {
        if self.state.index.due.get(&timer).is_some_and(|due| *due <= self.now) {
            let still = self.state.next_timer().is_some_and(|(_, first)| *first == timer);
            if still {
                self.state.index.set_timer(timer, None);
            }
        }
    }

    fn delivery_due(&mut self, id: DeliveryId) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        if d.expires <= self.now {
            return match d.status {
                // It has been given out; no confirmation came in its time.
                Status::Submitted => self.end_delivery(id, Status::Sent, ""),
                Status::Sending => {}
                _ => self.end_delivery(id, Status::Expired, "too late: its time to live is over"),
            };
        }
        let because = match d.status {
            Status::Scheduled => "its time has come",
            Status::Backoff => "the pause is over",
            Status::Waiting => "looking again whether its channel works",
            _ => "once more",
        };
        // Whoever waits for a dead channel goes round it, once there is another way.
        let dead = self.state.channel(d.channel()).is_dead();
        match self.alternative(d).filter(|_| dead) {
            Some(place) => self.fall_back(id, place, "its channel is dead"),
            None if d.status == Status::Waiting => self.move_on(id, Status::Waiting, None, because),
            None => self.move_on(id, Status::Ready, None, because),
        }
    }

    /// The start of this life: attempts without an outcome are taken up again.
    pub fn started(&mut self, version: String, boot: String) {
        self.emit(crate::domain::event::EventKind::Started { version, boot });
        let mut lost: Vec<DeliveryId> =
            self.state.channels.values().flat_map(|c| c.in_flight.iter().copied()).collect();
        lost.sort();
        for id in lost {
            let Some(n) = self.state.deliveries.get(&id).map(|d| d.n) else { continue };
            let words = "stentor stopped before the answer came".to_owned();
            self.attempt_finished(id, n, crate::domain::event::AttemptResult::Lost { words });
        }
        self.agenda.started_at = self.wall;
        self.plan_agenda();
        self.effects.push(super::input::Effect::Sound);
        self.wake();
    }
}

/// A stable spread by name, so that many checks of one rhythm do not start together.
pub(crate) fn jitter(name: &str, most: Span) -> Span {
    let hash = blake3::hash(name.as_bytes());
    let part = u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default());
    Span((part % most.0.max(1) as u64) as i64)
}

/// Whether an engine time has come.
pub(crate) fn come(due: Option<EngineTime>, now: EngineTime) -> bool {
    due.is_some_and(|t| t <= now)
}
