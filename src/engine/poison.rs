//! A message that may end the daemon each time that it is sent.
//!
//! One that was in flight at two crashes in a row goes again last and alone; in flight alone at a
//! third, it is a dead letter with an incident. A kill from outside looks the same, so nothing less
//! counts. While it is under way high and urgent ones do not wait for it; it has company then, and
//! nothing is proven.

use super::due::come;
use super::turn::Turn;
use crate::domain::delivery::Status;
use crate::domain::event::{AttemptResult, EventKind};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::domain::time::Span;

/// After this long without a quiet moment low and normal ones are held back, so that one comes.
const PATIENCE: Span = Span::mins(1);
const LOST: &str = "stentor stopped before the answer came";

impl Turn<'_> {
    /// The start of a life: attempts that the last one left without an outcome are taken up again.
    pub fn take_up_attempts(&mut self) {
        let in_flight = self.state.all_in_flight();
        let alone = in_flight.len() == 1;
        for id in in_flight {
            match self.state.deliveries.get(&id) {
                Some(d) if alone && d.is_condemned() => self.condemn(id, d.n, d.crashes),
                Some(d) => self.attempt_finished(id, d.n, AttemptResult::Lost { words: LOST.to_owned() }),
                None => {}
            }
        }
        let suspects = self.state.suspects().next().is_some();
        self.agenda.patience = suspects.then(|| self.now + PATIENCE);
        self.agenda.impatient = false;
    }

    fn condemn(&mut self, id: DeliveryId, n: u32, crashes: u32) {
        let Some(channel) = self.state.deliveries.get(&id).map(|d| d.channel().to_owned()) else { return };
        let result = AttemptResult::Lost { words: LOST.to_owned() };
        self.emit(EventKind::AttemptFinished { delivery: id, n, channel, medium: None, result });
        let why = format!(
            "poison: stentor ended {crashes} times in a row while it was sent, the last time with nothing beside it"
        );
        self.end_delivery(id, Status::Dead, &why);
    }

    /// There was no quiet moment for a suspect in its time.
    pub fn patience_over(&mut self) {
        if come(self.agenda.patience, self.now) {
            self.agenda.patience = None;
            self.agenda.impatient = true;
        }
    }

    /// Whether this one waits although its channel has a slot.
    pub fn must_stand_back(&self, id: DeliveryId) -> bool {
        let Some(d) = self.state.deliveries.get(&id) else { return false };
        if d.is_suspect() {
            return true;
        }
        d.level < Level::High
            && (self.state.suspects().any(|s| s.status == Status::Sending)
                || (self.agenda.impatient && self.next_suspect().is_some()))
    }

    /// Nothing else is under way and nothing else can start: the most urgent suspect may.
    pub fn try_suspect(&mut self) {
        if !self.state.is_idle() {
            return;
        }
        let config = self.config;
        let next = self.next_suspect();
        let channel = next.and_then(|id| self.state.deliveries.get(&id)).and_then(|d| config.channels.get(d.channel()));
        if let (Some(id), Some(channel)) = (next, channel) {
            self.go(id, channel);
        }
    }

    /// One whose channel would take it now.
    fn next_suspect(&self) -> Option<DeliveryId> {
        let waits = |d: &&super::state::Delivery| {
            let queued = d.status == Status::Ready || (d.status == Status::Waiting && d.until.is_none());
            queued
                && !self.state.is_behind(d.id)
                && self.config.channels.get(d.channel()).is_some_and(|c| self.width_of(c) > 0)
        };
        self.state.suspects().filter(waits).max_by_key(|d| (d.level, std::cmp::Reverse(d.order))).map(|d| d.id)
    }
}
