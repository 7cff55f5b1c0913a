//! What follows from an attempt's end: done, again later, another way, wait, or a dead letter.
//!
//! Fallback is for a way that failed, at once where waiting costs sleep; it is never taken for a
//! bad recipient. A way that fails as a whole uses up no retries of its messages.

use super::state::Delivery;
use super::turn::Turn;
use crate::domain::delivery::Status;
use crate::domain::event::{AttemptResult, EventKind};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span};

/// The longest a message waits for its own next try while its channel is down.
const WAIT_MAX: Span = Span::secs(5);

impl Turn<'_> {
    pub fn attempt_finished(&mut self, id: DeliveryId, n: u32, result: AttemptResult) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        if d.status != Status::Sending || d.n != n {
            return;
        }
        let channel = d.channel().to_owned();
        let before = self.state.channel(&channel).last_success;
        self.emit(EventKind::AttemptFinished { delivery: id, n, channel: channel.clone(), result: result.clone() });
        match result {
            AttemptResult::Failed(failure) => self.attempt_failed(id, &channel, failure, before),
            AttemptResult::Lost { words } => self.move_on(id, Status::Ready, None, &words),
            AttemptResult::Simulated { .. } => self.end_delivery(id, Status::Simulated, ""),
            success => {
                self.channel_worked(&channel);
                if let Some(end) = success.success().filter(|s| s.is_end()) {
                    self.end_delivery(id, end, "");
                }
            }
        }
    }

    fn attempt_failed(&mut self, id: DeliveryId, channel: &str, failure: Failure, last_success: Option<EngineTime>) {
        self.silence_sound(channel, id, "it failed");
        if matches!(failure.blame, Blame::Channel | Blame::Account) {
            self.channel_failed(channel, &failure);
        }
        let Some(d) = self.state.deliveries.get(&id) else { return };
        if let Some((status, reason)) = self.unwanted(d) {
            return self.end_delivery(id, status, &reason);
        }
        let why = failure.to_string();
        match failure.blame {
            Blame::Message => self.end_delivery(id, Status::Dead, &why),
            Blame::Provider | Blame::Account => self.another_way(id, failure.blame, &why),
            Blame::Channel => {
                // The channel served others since this message failed last: its own fault.
                let works_for_others = last_success.is_some_and(|t| t > self.last_failure_before(id));
                self.channel_failure_of(id, channel, &failure, works_for_others, &why);
            }
        }
    }

    /// When the attempt before the last one ended, in engine time; the beginning if there is none.
    fn last_failure_before(&self, id: DeliveryId) -> EngineTime {
        let Some(d) = self.state.deliveries.get(&id) else { return Default::default() };
        let before = d.attempts.iter().rev().nth(1).and_then(|a| a.finished_at).unwrap_or(d.created_at);
        self.state.engine_time(before)
    }

    fn channel_failure_of(&mut self, id: DeliveryId, channel: &str, failure: &Failure, works: bool, why: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let times = self.config.channels.get(channel).map_or(0, |c| c.retry.times);
        let other = self.alternative(d);
        let hurry = d.level >= Level::High;
        let tries_here = d.attempts.iter().rev().take_while(|a| a.channel == channel).count() as u32;
        match other {
            Some(place) if hurry || self.state.channel(channel).is_dead() || tries_here > times => {
                self.fall_back(id, place, why);
            }
            Some(_) => self.back_off(id, Status::Backoff, failure, why),
            None if d.chain.len() > 1 && d.at > 0 => self.once_more_through(id, failure, why),
            None if works => {
                if tries_here > times {
                    let reason = format!("FINAL_FAILURE after {} attempts: {why}", d.n);
                    self.end_delivery(id, Status::Dead, &reason);
                } else {
                    self.back_off(id, Status::Backoff, failure, why);
                }
            }
            None => self.wait_for_channel(id, failure, why),
        }
    }

    /// This way will not do: the next one now, or what is left when there is none.
    fn another_way(&mut self, id: DeliveryId, blame: Blame, why: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        match self.alternative(d) {
            Some(place) => self.fall_back(id, place, why),
            None if blame == Blame::Account => {
                let failure = Failure::new(FailureClass::AuthError, blame, why);
                if d.chain.len() > 1 {
                    self.once_more_through(id, &failure, why);
                } else {
                    self.wait_for_channel(id, &failure, why);
                }
            }
            None if d.chain.len() > 1 && d.lap == 0 => {
                let failure = Failure::new(FailureClass::ProviderError, blame, why);
                self.once_more_through(id, &failure, why);
            }
            None => self.end_delivery(id, Status::Dead, &format!("FINAL_FAILURE: {why}")),
        }
    }

    /// The next way in the chain that is alive and has an address; notices never fail over.
    pub fn alternative(&self, d: &Delivery) -> Option<usize> {
        (d.at + 1..d.chain.len())
            .find(|place| self.is_way(d, *place) && !self.state.channel(&d.chain[*place]).is_dead())
    }

    pub fn is_way(&self, d: &Delivery, place: usize) -> bool {
        let config = d.chain.get(place).and_then(|c| self.config.channels.get(c));
        config.is_some_and(|c| match c.medium() {
            // A fixed channel has one place; an addressed one needs this person's address.
            None => true,
            Some(m) => d.address_for(m).is_some(),
        })
    }

    pub fn fall_back(&mut self, id: DeliveryId, place: usize, why: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let because = format!("fallback from {} to {}: {why}", d.channel(), d.chain[place]);
        self.emit_move(id, Status::Ready, place, None, None, because);
    }

    /// The last of the chain failed: it is gone through once more, after a pause.
    fn once_more_through(&mut self, id: DeliveryId, failure: &Failure, why: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let alive = |p: &usize| self.is_way(d, *p) && !self.state.channel(&d.chain[*p]).is_dead();
        let ways = || (0..d.chain.len()).filter(|p| self.is_way(d, *p));
        let place = (0..d.chain.len()).find(alive).or_else(|| ways().next()).unwrap_or(0);
        let lap = d.lap + 1;
        let until = self.now + self.pause(id, failure, Span::secs(60));
        let because = format!("every way failed; the chain once more: {why}");
        self.emit_move(id, Status::Backoff, place, Some(until), Some(lap), because);
    }

    fn back_off(&mut self, id: DeliveryId, status: Status, failure: &Failure, why: &str) {
        let max = self
            .state
            .deliveries
            .get(&id)
            .and_then(|d| self.config.channels.get(d.channel()))
            .map_or(Span::secs(60), |c| c.retry.max);
        let until = self.now + self.pause(id, failure, max);
        self.move_on(id, status, Some(until), &format!("RETRYING: {why}"));
    }

    fn wait_for_channel(&mut self, id: DeliveryId, failure: &Failure, why: &str) {
        let until = self.now + self.pause(id, failure, WAIT_MAX);
        self.move_on(id, Status::Waiting, Some(until), &format!("its channel is down: {why}"));
    }

    /// Decorrelated jitter: min(max, random between base and three times the last pause).
    fn pause(&mut self, id: DeliveryId, failure: &Failure, max: Span) -> Span {
        let d = self.state.deliveries.get(&id);
        let base = d.and_then(|d| self.config.channels.get(d.channel())).map_or(Span::secs(1), |c| c.retry.base);
        let last = d.map_or(base, |d| d.pause.max(base));
        let reach = (last.times(3) - base).0.max(0) as f64;
        let drawn = Span(base.0 + (reach * self.ids.fraction()) as i64).min(max);
        failure.retry_after.map_or(drawn, |asked| asked.min(Span::mins(5)).max(drawn))
    }

    pub fn move_on(&mut self, id: DeliveryId, status: Status, until: Option<EngineTime>, because: &str) {
        let Some(place) = self.state.deliveries.get(&id).map(|d| d.at) else { return };
        self.emit_move(id, status, place, until, None, because.to_owned());
    }

    fn emit_move(
        &mut self,
        id: DeliveryId,
        status: Status,
        at: usize,
        until: Option<EngineTime>,
        lap: Option<u32>,
        because: String,
    ) {
        let lap = lap.or_else(|| self.state.deliveries.get(&id).map(|d| d.lap)).unwrap_or(0);
        self.emit(EventKind::DeliveryMoved { id, status, at, until, lap, because });
    }

    /// The person has no address for this way: the next one, or the end.
    pub fn pass_over(&mut self, id: DeliveryId) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        match self.alternative(d) {
            Some(place) => self.fall_back(id, place, "no address for this way"),
            None => self.end_delivery(id, Status::Dead, "VALIDATION_ERROR (no address for any way that is left)"),
        }
    }

    /// Asked before each attempt and after each failure: is it still wanted, and in time?
    pub fn unwanted(&self, d: &Delivery) -> Option<(Status, String)> {
        if d.expires <= self.now {
            return Some((Status::Expired, "too late: its time to live is over".into()));
        }
        if self.is_notice(d.id) {
            return None;
        }
        let i = self.state.incidents.get(&d.incident?)?;
        match &i.acknowledged_by {
            _ if !i.is_live() => Some((Status::Superseded, "resolved".into())),
            Some(by) => Some((Status::Superseded, format!("acknowledged by {by}"))),
            None => i.silenced_by.as_ref().map(|_| (Status::Superseded, "silenced".into())),
        }
    }
}
