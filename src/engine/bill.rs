//! What a message cost, in its provider's own words: calls about messages do not tell it, so where it is known
//! how a message ended its provider is asked for the price, a while later and at most twice.
//!
//! Nothing waits for it. What is asked is not part of the state: a start asks again, for what is at hand and
//! young enough; where no price comes the estimate stays.

use super::effect::{Effect, Question};
use super::price::Billed;
use super::state::{Attempt, Delivery};
use super::turn::Turn;
use crate::domain::event::{Heard, Said};
use crate::domain::id::DeliveryId;
use crate::domain::time::{EngineTime, Span};
use std::collections::{BTreeMap, BTreeSet};

/// When the provider is asked, in multiples of the channel's patience since the end is known: most have
/// counted within minutes, all within hours.
const QUESTIONS: [i64; 2] = [10, 480];
/// How long one question takes at most, and its answer on the way here.
const ASKING: Span = Span::secs(10);
const GRACE: Span = Span::secs(30);
/// Questions a second.
const RATE: usize = 10;
/// Prices that are waited for; over that the estimates stay.
const KEPT: usize = 10_000;

type Key = (DeliveryId, u32);

/// The prices that are waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bills {
    open: BTreeMap<Key, Bill>,
    due: BTreeSet<(EngineTime, Key)>,
    /// No question before this.
    pause: Option<EngineTime>,
}

#[derive(Clone, Debug)]
struct Bill {
    of: Billed,
    provider_id: String,
    since: EngineTime,
    patience: Span,
    asked: usize,
    due: EngineTime,
}

impl Bills {
    pub fn next(&self) -> Option<EngineTime> {
        self.due.first().map(|(due, _)| self.pause.map_or(*due, |pause| pause.max(*due)))
    }

    fn put(&mut self, key: Key, bill: Bill) {
        self.due.insert((bill.due, key));
        self.open.insert(key, bill);
    }

    fn take(&mut self, key: Key) -> Option<Bill> {
        let bill = self.open.remove(&key)?;
        self.due.remove(&(bill.due, key));
        Some(bill)
    }
}

impl Turn<'_> {
    /// How this attempt ended is known; what it cost may be only by the config.
    pub fn want_price(&mut self, id: DeliveryId, n: u32) {
        if self.agenda.bills.open.contains_key(&(id, n)) || self.agenda.bills.open.len() >= KEPT {
            return;
        }
        let Some(bill) = self.bill(id, n) else { return };
        self.agenda.bills.put((id, n), bill);
    }

    fn bill(&self, id: DeliveryId, n: u32) -> Option<Bill> {
        let attempt = self.state.deliveries.get(&id)?.attempt(n)?;
        attempt.confirm.as_ref()?.said.as_ref().filter(|said| said.is_final())?;
        let channel = self.config.channels.get(&attempt.channel)?;
        let confirmer = channel.adapter.confirmer().filter(|c| c.prices())?;
        let of = self.billed(id, n).filter(|of| !of.before.as_ref().is_some_and(|charge| charge.reported))?;
        let patience = confirmer.patience();
        let due = self.now + patience.times(QUESTIONS[0]);
        Some(Bill { of, provider_id: attempt.provider_id.clone()?, since: self.now, patience, asked: 0, due })
    }

    /// The start of a life: those that may not have been asked for in the last one.
    pub fn want_prices(&mut self) {
        let ended = |a: &&Attempt| a.confirm.as_ref().and_then(|c| c.said.as_ref()).is_some_and(Said::is_final);
        let young = |a: &&Attempt| {
            let confirmer = self.config.channels.get(&a.channel).and_then(|c| c.adapter.confirmer());
            let longest = confirmer.map_or(Span::ZERO, |c| c.patience().times(QUESTIONS[1]));
            a.finished_at.is_some_and(|at| self.state.engine_time(at) + longest > self.now)
        };
        let of =
            |d: &Delivery| d.attempts.iter().filter(ended).filter(young).map(|a| (d.id, a.n)).collect::<Vec<Key>>();
        let wanted: Vec<Key> = self.state.deliveries.values().flat_map(of).collect();
        for (id, n) in wanted {
            self.want_price(id, n);
        }
    }

    /// Asks for what is due, a few at a time.
    pub fn bills_due(&mut self) {
        let now = self.now;
        if self.agenda.closing || self.agenda.bills.next().is_none_or(|due| due > now) {
            return;
        }
        for _ in 0..RATE {
            let Some((_, key)) = self.agenda.bills.due.first().filter(|(due, _)| *due <= now).copied() else { break };
            let Some(mut bill) = self.agenda.bills.take(key) else { break };
            if bill.asked >= QUESTIONS.len() {
                continue;
            }
            self.effects.push(Effect::AskPrice(Question {
                delivery: key.0,
                n: key.1,
                channel: bill.of.channel.clone(),
                timeout: ASKING,
                provider_id: bill.provider_id.clone(),
                picked_up: false,
            }));
            bill.asked += 1;
            let next = QUESTIONS.get(bill.asked).map(|times| bill.since + bill.patience.times(*times));
            bill.due = next.map_or(now + GRACE, |next| next.max(now + GRACE));
            self.agenda.bills.put(key, bill);
        }
        self.agenda.bills.pause = Some(now + Span::secs(1));
    }

    /// What a provider was asked for is answered, also when the delivery has left the state.
    pub fn price_answered(&mut self, id: DeliveryId, n: u32, heard: &Heard) {
        let Some(price) = &heard.price else { return };
        let Some(bill) = self.agenda.bills.take((id, n)) else { return };
        let of = self.billed(id, n).unwrap_or(bill.of);
        self.take_price(of, price.clone());
    }

    /// A call told it meanwhile.
    pub fn price_known(&mut self, id: DeliveryId, n: u32) {
        self.agenda.bills.take((id, n));
    }
}
