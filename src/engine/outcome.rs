//! What follows from an attempt's end: done, again later, another way, wait, or a dead letter.
//!
//! A way that fails as a whole uses up no retries of its messages: they take the fallback, and
//! where there is none they wait for the channel.

use super::sending::NEWER;
use super::state::{Delivery, Incident};
use super::turn::Turn;
use super::ways::is_hurried;
use crate::domain::delivery::{SILENCED, Status};
use crate::domain::event::{AttemptResult, Breaker, EventKind, Origin, Payload};
use crate::domain::failure::{Blame, Failure};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::level::Level;
use crate::domain::time::Span;

/// The longest a message waits for its own next try while its channel is down.
const WAIT_MAX: Span = Span::secs(5);
/// The longest pause before a chain is gone through once more.
const LAP_MAX: Span = Span::secs(60);
/// The longest pause of an urgent one, whatever the settings say.
const URGENT_MAX: Span = Span::secs(15);
/// The longest pause of what may have arrived, unless somebody is in a hurry: each try may be heard once more.
const HEARD_MAX: Span = Span::mins(5);
/// A provider that asks for more is tried again after this.
pub(crate) const ASKED_MAX: Span = Span::mins(5);

impl Turn<'_> {
    pub fn attempt_finished(&mut self, id: DeliveryId, n: u32, result: AttemptResult) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        if d.status != Status::Sending || d.n != n {
            return;
        }
        let channel = d.channel().to_owned();
        let works_for_others = self.has_worked_since(d);
        let (result, price) = self.not_lost(d, n, result).split();
        self.record_outcome(id, n, &channel, result.clone());
        match result {
            AttemptResult::Failed(failure) => self.attempt_failed(id, &channel, failure, works_for_others),
            AttemptResult::Lost { .. } if self.inquire(id) => {}
            AttemptResult::Lost { words } => self.move_on(id, Status::Ready, None, &words),
            AttemptResult::Simulated { .. } => self.end_delivery(id, Status::Simulated, ""),
            success => {
                self.price_attempt(id, price);
                self.channel_worked(&channel);
                match success.success() {
                    Some(end) if end.is_end() => self.end_delivery(id, end, ""),
                    _ => {
                        self.proof_moved(id);
                        self.await_word(id);
                    }
                }
            }
        }
    }

    fn record_outcome(&mut self, delivery: DeliveryId, n: u32, channel: &str, result: AttemptResult) {
        let name = channel.to_owned();
        match result {
            AttemptResult::Simulated { detail } => {
                let medium = self.config.channels.get(channel).and_then(|c| c.medium());
                let result = AttemptResult::Simulated { detail: String::new() };
                let head = EventKind::AttemptFinished { delivery, n, channel: name, medium, result };
                self.emit_with(head, Payload { body: detail, ..Payload::default() });
            }
            result => self.emit(EventKind::AttemptFinished { delivery, n, channel: name, medium: None, result }),
        }
    }

    /// The channel served others since this message failed last, or was made.
    pub fn has_worked_since(&self, d: &Delivery) -> bool {
        let before = d.attempts.iter().rev().nth(1).and_then(|a| a.finished_at).unwrap_or(d.created_at);
        let since = self.state.engine_time(before);
        self.state.channel(d.channel()).last_success.is_some_and(|t| t > since)
    }

    fn attempt_failed(&mut self, id: DeliveryId, channel: &str, failure: Failure, works_for_others: bool) {
        let silenced = self.was_silenced(channel, id);
        self.silence_sound(channel, id, "it failed");
        let died = matches!(failure.blame, Blame::Channel | Blame::Account) && self.channel_failed(channel, &failure);
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let incident = d.incident;
        match self.unwanted(d) {
            // Its provider spoke of an earlier one while this was under way.
            _ if d.has_arrived() => self.end_delivery(id, Status::Delivered, ""),
            Some((status, reason)) => self.end_delivery(id, status, &reason),
            None if silenced => self.end_delivery(id, Status::Superseded, "silenced before it was heard"),
            None if failure.unknown && self.inquire(id) => {}
            None => self.go_on_after(id, &failure, works_for_others),
        }
        if died {
            self.reconsider_all();
        } else if let Some(incident) = incident {
            self.reconsider(incident);
        }
    }

    /// A sound that nobody wants any more, while its player was about to begin.
    fn was_silenced(&self, channel: &str, id: DeliveryId) -> bool {
        let sounds = self.config.channels.get(channel).is_some_and(|c| c.sound.is_some() && !c.simulate);
        sounds && !self.state.sounding.get(channel).is_some_and(|s| s.contains_key(&id))
    }

    pub fn go_on_after(&mut self, id: DeliveryId, failure: &Failure, works_for_others: bool) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let other = self.alternative(d);
        let at_last_of_several = d.at > 0;
        let first_lap = d.lap == 0;
        let why = failure.to_string();
        match (failure.blame, other) {
            // What is wrong here need not be wrong there: the ways before this one were only down.
            (Blame::Message, _) if at_last_of_several && !self.is_refused_by_all(d) => {
                self.go_through_again(id, failure, &why);
            }
            (Blame::Message, _) => self.end_delivery(id, Status::Dead, &why),
            (Blame::Provider | Blame::Account, Some(place)) => self.fall_back(id, place, &why),
            (Blame::Provider, None) if at_last_of_several && first_lap => self.go_through_again(id, failure, &why),
            // It refuses this message for good; the next one is down, and may take it when it is back.
            (Blame::Provider, None) if let Some(place) = self.later_way(d) => self.fall_back(id, place, &why),
            (Blame::Provider, None) if !self.is_refused_by_all(d) => self.go_through_again(id, failure, &why),
            (Blame::Provider, None) => self.end_delivery(id, Status::Dead, &format!("FINAL_FAILURE: {why}")),
            (Blame::Account, None) if at_last_of_several || self.takes_turns(d) => {
                self.go_through_again(id, failure, &why)
            }
            (Blame::Account, None) => self.wait_for_channel(id, failure, &why),
            (Blame::Recipient, None) => self.go_through_again(id, failure, &why),
            (Blame::Recipient, other) => self.after_channel_failure(id, failure, other, true, &why),
            (Blame::Channel, other) => self.after_channel_failure(id, failure, other, works_for_others, &why),
        }
    }

    /// TIMEOUT, or a PROVIDER_ERROR that another try may mend.
    fn after_channel_failure(
        &mut self,
        id: DeliveryId,
        failure: &Failure,
        other: Option<usize>,
        works_for_others: bool,
        why: &str,
    ) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let spent = d.counted >= self.config.channels.get(d.channel()).map_or(0, |c| c.retry.times);
        let no_use = is_hurried(d.level) || spent || self.is_dead(d.channel()) || self.is_put_off(d, failure);
        match other {
            Some(place) if no_use => self.fall_back(id, place, why),
            Some(_) => self.back_off(id, failure, why),
            None if d.at > 0 || self.takes_turns(d) => self.go_through_again(id, failure, why),
            None if !works_for_others => self.wait_for_channel(id, failure, why),
            None if spent && self.later_way(d).is_some() => self.go_through_again(id, failure, why),
            None if spent => {
                let reason = format!("FINAL_FAILURE after {} attempts: {why}", d.n);
                self.end_delivery(id, Status::Dead, &reason);
            }
            None => self.back_off(id, failure, why),
        }
    }

    /// The provider asks for a longer pause than the channel's settings have patience for.
    fn is_put_off(&self, d: &Delivery, failure: &Failure) -> bool {
        let most = self.config.channels.get(d.channel()).map_or(LAP_MAX, |c| c.retry.max);
        failure.retry_after.is_some_and(|asked| asked > most)
    }

    fn go_through_again(&mut self, id: DeliveryId, failure: &Failure, why: &str) {
        let pause = self.pause(id, failure, LAP_MAX);
        self.once_more(id, pause, failure.unanswered(), why);
    }

    /// One of its retries: the same way again after a pause.
    fn back_off(&mut self, id: DeliveryId, failure: &Failure, why: &str) {
        let channel = self.state.deliveries.get(&id).and_then(|d| self.config.channels.get(d.channel()));
        let max = channel.map_or(LAP_MAX, |c| c.retry.max);
        let until = self.now + self.pause(id, failure, max);
        self.move_on(id, Status::Backoff, Some(until), &format!("RETRYING: {why}"));
    }

    /// No retry of its own: behind a breaker in the order of the queue, else after a pause. What its receiver may have
    /// got, and only answers too slowly, is not sent at the pace of what nobody has got.
    fn wait_for_channel(&mut self, id: DeliveryId, failure: &Failure, why: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let paced = self.state.channel(d.channel()).breaker != Breaker::Closed;
        let until = match (failure.unanswered(), paced) {
            (true, _) => Some(self.now + self.pause(id, failure, heard_max(d.level))),
            (false, true) => None,
            (false, false) => Some(self.now + self.pause(id, failure, WAIT_MAX)),
        };
        self.move_on(id, Status::Waiting, until, &format!("its channel is down: {why}"));
    }

    /// Decorrelated jitter: min(max, random between base and three times the last pause); longer
    /// when the provider asked for it.
    fn pause(&mut self, id: DeliveryId, failure: &Failure, max: Span) -> Span {
        let d = self.state.deliveries.get(&id);
        let base = d.and_then(|d| self.config.channels.get(d.channel())).map_or(Span::secs(1), |c| c.retry.base);
        let last = d.map_or(base, |d| d.pause.max(base));
        let reach = (last.times(3) - base).0.max(0) as f64;
        let max = if d.is_some_and(|d| d.level == Level::Urgent) { max.min(URGENT_MAX) } else { max };
        let drawn = Span(base.0 + (reach * self.ids.fraction()) as i64).min(max);
        failure.retry_after.map_or(drawn, |asked| asked.min(ASKED_MAX).max(drawn))
    }

    /// Asked before each attempt and after each failure: is it still wanted, and in time?
    pub fn unwanted(&self, d: &Delivery) -> Option<(Status, String)> {
        if d.expires <= self.now {
            return Some((Status::Expired, "too late: its time to live is over".into()));
        }
        let n = self.state.notifications.get(&d.notification)?;
        match n.origin {
            Origin::Acknowledged { incident } if !d.ordered => return self.outdated(incident),
            Origin::Acknowledged { .. } | Origin::Resolved { .. } | Origin::Test => return None,
            _ => {}
        }
        // An order was given knowing what became of it before; a silence that begins later still holds it.
        if d.ordered {
            let labels = d.incident.and_then(|i| self.state.incidents.get(&i)).map_or(&n.labels, |i| &i.labels);
            return self.silence_for(labels).map(|_| (Status::Dead, SILENCED.into()));
        }
        let Some(incident) = d.incident else {
            let silence = self.silence_for(&n.labels);
            return silence.map(|_| (Status::Skipped, SILENCED.into()));
        };
        let superseded = |reason: String| Some((Status::Superseded, reason));
        match self.state.incidents.get(&incident) {
            None => superseded("resolved".into()),
            Some(i) if !i.is_live() => superseded("resolved".into()),
            Some(i) => match (&i.acknowledged_by, &i.silenced_by) {
                (Some(by), _) => superseded(format!("acknowledged by {by}")),
                (None, Some(_)) => superseded(SILENCED.into()),
                (None, None) if self.has_newer(i, d) => superseded(NEWER.into()),
                (None, None) => None,
            },
        }
    }

    /// Why nobody is to hear any more that this incident is acknowledged.
    fn outdated(&self, incident: IncidentId) -> Option<(Status, String)> {
        let because = match self.state.incidents.get(&incident).filter(|i| i.is_live()) {
            None => "resolved",
            Some(i) if i.acknowledged_by.is_none() => "it is no longer acknowledged",
            Some(_) => return None,
        };
        Some((Status::Superseded, because.to_owned()))
    }

    /// It was under way when another one of its incident was made for the same place: what waited ended then.
    fn has_newer(&self, i: &Incident, d: &Delivery) -> bool {
        let place = |d: &Delivery| (d.chain.first().cloned(), d.address.clone());
        let newer = || i.notifications.iter().rev().take_while(|n| **n != d.notification);
        let of = |n: &NotificationId| self.state.notifications.get(n).filter(|n| !n.origin.is_notice());
        let told = |d: &&Delivery| !d.status.is_end() || d.status.got_out();
        d.n > 0
            && newer()
                .filter_map(of)
                .flat_map(|n| &n.deliveries)
                .filter_map(|id| self.state.deliveries.get(id))
                .filter(told)
                .any(|other| place(other) == place(d))
    }
}

fn heard_max(level: Level) -> Span {
    if is_hurried(level) { LAP_MAX } else { HEARD_MAX }
}
