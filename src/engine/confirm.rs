//! How a message ended that its provider has taken: by its calls, in any order and any number, or by asking.
//!
//! What is known only moves forward. A word that comes before the answer to our request is kept until then;
//! one that comes after the end is recorded and changes nothing. A message that failed later is a failed
//! attempt: it is retried or takes its fallback by the class of the failure. A phone that nobody picks up is
//! no failure of the way: escalation goes by the clock.

use super::effect::{Effect, Question};
use super::state::{Attempt, Delivery};
use super::turn::Turn;
use super::ways::is_hurried;
use crate::domain::delivery::{Medium, Status};
use crate::domain::event::{AttemptResult, DeliveryReported, EventKind, Heard, Price, Said};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::time::{EngineTime, Span};

/// When the provider is asked, in multiples of the channel's patience since it took the message.
const QUESTIONS: [i64; 8] = [1, 2, 4, 10, 30, 120, 480, 1_440];
/// From this one on, an urgent message that has not left its provider takes another way.
const STUCK: i64 = 4;
/// How long one question takes at most.
const ASKING: Span = Span::secs(10);

impl Turn<'_> {
    /// The provider says something of one of our attempts.
    pub fn heard(&mut self, id: DeliveryId, n: u32, heard: Heard) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let Some(confirm) = d.confirm(n) else { return };
        let (final_word, price) = (heard.said.is_final(), heard.price.clone());
        let news = heard.said.goes_beyond(confirm.said.as_ref());
        let contradicts = heard.said.is_final() && confirm.said.as_ref().is_some_and(|known| *known != heard.said);
        if !news && (!contradicts || confirm.contradicted) {
            return self.bill_for(id, n, price, false);
        }
        let passed = d.n != n && heard.said != Said::Delivered;
        let late = !news || d.status.is_end() || passed;
        let Heard { provider_id, status, said, .. } = heard;
        self.emit(EventKind::DeliveryReported(DeliveryReported {
            id,
            provider_id,
            status,
            late,
            n,
            what: Some(said),
            key: None,
            found: false,
        }));
        self.bill_for(id, n, price, final_word);
        if !late {
            self.take_word(id, n);
        }
    }

    /// A price may come with any word, also with one that is no news; without one it is asked for later.
    fn bill_for(&mut self, id: DeliveryId, n: u32, price: Option<Price>, ended: bool) {
        match price {
            Some(price) => {
                self.price_known(id, n);
                self.price_reported(id, n, price);
            }
            None if ended => self.want_price(id, n),
            None => {}
        }
    }

    /// Does what follows from the last word about an attempt, unless its answer is still to come.
    fn take_word(&mut self, id: DeliveryId, n: u32) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let Some(confirm) = d.confirm(n).filter(|_| d.status != Status::Sending) else { return };
        let current = d.n == n;
        let word = confirm.status.clone();
        match confirm.said.clone() {
            Some(Said::Delivered) => self.end_delivery(id, Status::Delivered, ""),
            Some(Said::Unanswered) if current => self.end_delivery(id, Status::Sent, &word.replace('-', " ")),
            Some(Said::Failed(failure)) if current && matches!(d.status, Status::Submitted | Status::Unknown) => {
                self.failed_later(id, failure);
            }
            // It was thought to be lost, and is there.
            Some(Said::Queued | Said::Sent) if current && d.status != Status::Submitted && d.maybe_sent => {
                self.await_word(id);
            }
            _ => {}
        }
    }

    fn failed_later(&mut self, id: DeliveryId, failure: Failure) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let (channel, incident, notification) = (d.channel().to_owned(), d.incident, d.notification);
        let works_for_others = self.has_worked_since(d);
        let died = failure.blame == Blame::Account && self.channel_failed(&channel, &failure);
        match self.state.deliveries.get(&id).and_then(|d| self.unwanted(d)) {
            Some((status, reason)) => self.end_delivery(id, status, &reason),
            None => self.go_on_after(id, &failure, works_for_others),
        }
        // It counted as told until now.
        self.listen_anew(notification);
        match incident {
            _ if died => self.reconsider_all(),
            Some(incident) => self.reconsider(incident),
            None => {}
        }
    }

    /// An answer was lost, but the provider has spoken of this message: it has it.
    pub fn not_lost(&self, d: &Delivery, n: u32, result: AttemptResult) -> AttemptResult {
        let lost = match &result {
            AttemptResult::Failed(failure) => failure.unknown,
            AttemptResult::Lost { .. } => true,
            _ => false,
        };
        match d.attempt(n) {
            Some(Attempt { provider_id, confirm: Some(confirm), .. }) if lost && confirm.said.is_some() => {
                let detail = format!("the answer was lost, but its provider says {}", confirm.status);
                AttemptResult::Submitted { provider_id: provider_id.clone(), detail }
            }
            _ => result,
        }
    }

    /// The provider has it. What it has said already counts now; else it is asked after a while.
    pub fn await_word(&mut self, id: DeliveryId) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let Some(confirm) = d.confirm(d.n) else { return };
        let (n, over) = (d.n, confirm.said.as_ref().is_some_and(Said::is_final));
        if !over || d.status != Status::Submitted {
            self.wait_for_word(id, "its provider has it, and will say how that ended");
        }
        if over {
            self.take_word(id, n);
        }
        self.hang_up_unwanted(id);
    }

    fn wait_for_word(&mut self, id: DeliveryId, because: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let until = self.next_question(d).map(|span| self.taken_at(d) + span);
        self.move_on(id, Status::Submitted, until, because);
    }

    /// How long after it was given out; `None` when it is not asked any more.
    fn next_question(&self, d: &Delivery) -> Option<Span> {
        let confirmer = self.config.channels.get(d.channel())?.adapter.confirmer()?;
        confirmer.ask("").is_some().then_some(())?;
        let patience = confirmer.patience();
        let since = self.waited(d);
        QUESTIONS.into_iter().map(|times| patience.times(times)).find(|due| *due > since)
    }

    fn waited(&self, d: &Delivery) -> Span {
        self.now - self.taken_at(d)
    }

    /// When its provider took it.
    fn taken_at(&self, d: &Delivery) -> EngineTime {
        let known = d.confirm(d.n).and_then(|confirm| confirm.taken_at);
        known.or(d.sent_at.map(|t| self.state.engine_time(t))).unwrap_or(self.now)
    }

    /// No word has come in time.
    pub fn question_due(&mut self, id: DeliveryId) {
        let question = self.state.deliveries.get(&id).and_then(question);
        let may = question.as_ref().is_some_and(|q| self.config.channels.contains_key(&q.channel));
        match question.filter(|_| may) {
            Some(question) => {
                self.wait_for_word(id, "how it ended was not said: its provider is asked");
                self.effects.push(Effect::Question(question));
            }
            None => self.move_on(id, Status::Submitted, None, "its provider cannot be asked"),
        }
    }

    /// What it was answered.
    pub fn was_asked(&mut self, id: DeliveryId, n: u32, answer: Result<Heard, Failure>) {
        if let Ok(heard) = &answer {
            self.price_answered(id, n, heard);
        }
        let waits = |d: &&Delivery| d.status == Status::Submitted && d.n == n;
        if self.state.deliveries.get(&id).filter(waits).is_none() {
            return;
        }
        if let Ok(heard) = answer {
            self.heard(id, n, heard);
        }
        let Some(d) = self.state.deliveries.get(&id).filter(waits) else { return };
        if let Some(failure) = self.way_round(d) {
            self.failed_later(id, failure);
        }
    }

    /// Who is in a hurry does not wait for a provider that keeps the message, if there is another way.
    fn way_round(&self, d: &Delivery) -> Option<Failure> {
        let patience = self.config.channels.get(d.channel())?.adapter.confirmer()?.patience();
        let gone = d.confirm(d.n).is_some_and(|c| matches!(c.said, Some(Said::Sent)));
        let stuck = is_hurried(d.level) && !gone && self.waited(d) >= patience.times(STUCK);
        self.alternative(d).filter(|_| stuck)?;
        let words = "its provider has taken it, and does not say that it has left";
        Some(Failure::new(FailureClass::Timeout, Blame::Provider, words).unknown())
    }

    /// Calls that ring for an incident which nobody has to hear of any more.
    pub fn hang_up_for(&mut self, incident: IncidentId) {
        for id in self.state.pending_of(incident) {
            self.hang_up_unwanted(id);
        }
    }

    fn hang_up_unwanted(&mut self, id: DeliveryId) {
        let Some(d) = self.state.deliveries.get(&id).filter(|d| d.status == Status::Submitted) else { return };
        let call = self.config.channels.get(d.channel()).is_some_and(|c| c.medium() == Some(Medium::Voice));
        if call
            && self.unwanted(d).is_some()
            && let Some(question) = question(d)
        {
            self.effects.push(Effect::HangUp(question));
        }
    }
}

fn question(d: &Delivery) -> Option<Question> {
    let attempt = d.attempt(d.n)?;
    let confirm = attempt.confirm.as_ref()?;
    Some(Question {
        delivery: d.id,
        n: d.n,
        channel: d.channel().to_owned(),
        timeout: ASKING,
        provider_id: attempt.provider_id.clone()?,
        picked_up: matches!(confirm.status.as_str(), "in-progress" | "answered"),
    })
}
