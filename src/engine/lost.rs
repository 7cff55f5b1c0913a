//! A lost answer: the provider may have the message. Where it can be asked, it is asked; else, or
//! when that tells nothing, the message is tried again under the same key and marked.

use super::effect::{Effect, Inquiry};
use super::turn::Turn;
use crate::channel::{Found, Lost};
use crate::domain::delivery::Status;
use crate::domain::event::{DeliveryReported, EventKind, Said};
use crate::domain::failure::{Blame, Failure};
use crate::domain::id::DeliveryId;
use crate::domain::time::Span;

/// How long a provider is asked; who is in a hurry waits no longer for what may not be there.
const HURRIED: Span = Span::secs(3);
const UNHURRIED: Span = Span::secs(10);
/// After this much more the question itself is lost.
const GRACE: Span = Span::secs(2);

impl Turn<'_> {
    /// Asks the provider of the attempt made last whether it has it; `false` where it cannot be asked.
    pub fn inquire(&mut self, id: DeliveryId) -> bool {
        let Some(d) = self.state.deliveries.get(&id) else { return false };
        let config = self.config;
        let (Some(channel), Some(attempt)) = (config.channels.get(d.channel()), d.attempts.last()) else {
            return false;
        };
        let text = self.text_sent(d, channel).and_then(super::state::Finished::here);
        let (Some(text), false) = (text, channel.simulate) else {
            return false;
        };
        if channel.adapter.inquirer().is_none() {
            return false;
        }
        let timeout = if super::ways::is_hurried(d.level) { HURRIED } else { UNHURRIED };
        let address = channel.medium().and_then(|m| d.address_for(m)).map(str::to_owned);
        let known = self.ids_known(channel.medium().zip(address.as_deref()));
        let lost = Lost { address, text, since: attempt.started_at, known };
        let inquiry = Inquiry { delivery: id, n: d.n, channel: channel.name.clone(), timeout, lost: Box::new(lost) };
        let until = Some(self.now + timeout + GRACE);
        let because = format!("the answer was lost; {} is asked whether it has it", channel.kind.provider);
        self.move_on(id, Status::Unknown, until, &because);
        self.effects.push(Effect::Inquiry(inquiry));
        true
    }

    /// What the provider calls the messages that are known to have come to this address.
    fn ids_known(&self, to: Option<(crate::domain::delivery::Medium, &str)>) -> Vec<String> {
        let here =
            |d: &&super::state::Delivery| to.is_none_or(|(medium, address)| d.address_for(medium) == Some(address));
        let attempts = self.state.deliveries.values().filter(here).flat_map(|d| &d.attempts);
        attempts.filter_map(|a| a.provider_id.clone()).collect()
    }

    /// What the provider said.
    pub fn inquired(&mut self, id: DeliveryId, n: u32, found: Found) {
        let Some(d) = self.state.deliveries.get(&id).filter(|d| d.status == Status::Unknown && d.n == n) else {
            return;
        };
        let channel = d.channel().to_owned();
        match found {
            Found::Yes { provider_id, detail } if !self.is_anothers(&provider_id) => {
                let n = d.n;
                let awaited = d.confirm(n).is_some();
                let what = awaited.then_some(Said::Queued);
                let report =
                    DeliveryReported { id, provider_id, status: detail, late: false, n, what, key: None, found: true };
                self.emit(EventKind::DeliveryReported(report));
                self.price_attempt(id, None);
                match awaited {
                    true => self.await_word(id),
                    false => self.end_delivery(id, Status::Sent, ""),
                }
                self.channel_worked(&channel);
            }
            Found::Yes { .. } => self.go_on_unknown(id, "what the provider has is another message"),
            Found::No { words } => self.go_on_unheard(id, &words, false),
            Found::Unclear { words } => self.go_on_unknown(id, &words),
        }
    }

    /// Another message whose answer was lost was found to be this one meanwhile.
    fn is_anothers(&self, provider_id: &str) -> bool {
        let all = self.state.deliveries.values().flat_map(|d| &d.attempts);
        all.filter_map(|a| a.provider_id.as_deref()).any(|known| known == provider_id)
    }

    /// Nobody can tell: what follows from the attempt's end, as if nobody had been asked.
    pub fn go_on_unknown(&mut self, id: DeliveryId, words: &str) {
        self.go_on_unheard(id, words, true);
    }

    /// `unknown`: also after its provider was asked.
    fn go_on_unheard(&mut self, id: DeliveryId, words: &str, unknown: bool) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        if let Some((status, reason)) = self.unwanted(d) {
            return self.end_delivery(id, status, &reason);
        }
        let last = d.attempts.last();
        let (class, error) = (last.and_then(|a| a.class), last.and_then(|a| a.error.clone()).unwrap_or_default());
        match class {
            Some(class) => {
                let works_for_others = self.has_worked_since(d);
                let failure = Failure::new(class, Blame::Channel, format!("{error}; {words}"));
                let failure = if unknown { failure.unknown() } else { failure };
                self.go_on_after(id, &failure, works_for_others);
            }
            None => self.move_on(id, Status::Ready, None, &format!("{error}; {words}")),
        }
    }

    /// The start of a life: what the last one was asking is asked anew.
    pub fn inquire_again(&mut self) {
        for id in self.state.unknown() {
            if !self.inquire(id) {
                self.go_on_unknown(id, "it cannot be asked any more");
            }
        }
    }
}
