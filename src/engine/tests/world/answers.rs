//! What stand-in channels say.

use crate::channel::Probed;
use crate::domain::delivery::Sort;
use crate::domain::event::{AttemptResult, Price};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::money::Money;
use crate::domain::time::Span;
use std::collections::{BTreeMap, VecDeque};

/// One answer.
#[derive(Clone, Debug)]
pub enum Says {
    /// A fixed channel delivers, an addressed one has sent.
    Yes,
    /// The provider has it and will say later how it ended.
    Submitted,
    /// It keeps the message under this name.
    Keeps(&'static str),
    Simulates,
    /// A probe that is well, in these words.
    Notes(&'static str),
    /// It takes this much for so many parts.
    At(&'static str, &'static str, u32),
    Fails(Failure),
    /// No answer: the dispatcher gives up at the channel's deadline.
    Hangs,
    /// No answer, and no deadline either: it is under way until the daemon dies.
    Never,
}

/// 401: the credentials.
pub fn refused() -> Says {
    Says::Fails(Failure::new(FailureClass::AuthError, Blame::Account, "401 Authenticate"))
}

/// No money left.
pub fn account() -> Says {
    Says::Fails(Failure::new(FailureClass::ProviderError, Blame::Account, "account suspended"))
}

/// No answer at all, at once.
pub fn timeout() -> Says {
    Says::Fails(Failure::new(FailureClass::Timeout, Blame::Channel, "no answer"))
}

/// This provider refuses this message, for good.
pub fn provider() -> Says {
    Says::Fails(Failure::new(FailureClass::ProviderError, Blame::Provider, "30007 filtered"))
}

impl Says {
    /// A bad number.
    pub fn bad_number() -> Says {
        Says::Fails(Failure::new(FailureClass::ValidationError, Blame::Message, "21211 not a number"))
    }

    /// 429 with Retry-After.
    pub fn busy(wait: &str) -> Says {
        let failure = Failure::new(FailureClass::RateLimited, Blame::Channel, "429 too many");
        Says::Fails(failure.retry_after(Some(super::span(wait))))
    }

    /// What the dispatcher returns, and after how long; `None`: never.
    pub(super) fn result(self, sort: Sort, deadline: Span) -> Option<(AttemptResult, Span)> {
        let (provider_id, detail) = (None, "well".to_owned());
        let result = match self {
            Says::Yes if sort == Sort::Fixed => AttemptResult::Delivered { provider_id, detail },
            Says::Yes | Says::Notes(_) => AttemptResult::Sent { provider_id, detail },
            Says::Submitted => AttemptResult::Submitted { provider_id: Some("SM1".into()), detail },
            Says::Keeps(id) => AttemptResult::Delivered { provider_id: Some(id.into()), detail },
            Says::At(amount, currency, segments) => AttemptResult::Sent { provider_id, detail }
                .priced(Some(Price { money: Money::reported(amount, currency).unwrap(), segments: Some(segments) })),
            Says::Simulates => AttemptResult::Simulated { detail },
            Says::Fails(failure) => AttemptResult::Failed(failure),
            Says::Hangs => {
                let failure = Failure::new(FailureClass::Timeout, Blame::Channel, "no answer in time").unknown();
                return Some((AttemptResult::Failed(failure), deadline));
            }
            Says::Never => return None,
        };
        Some((result, Span::ZERO))
    }

    pub(super) fn probed(self) -> Option<Probed> {
        match self {
            Says::Fails(failure) => Some(Err(failure)),
            Says::Hangs | Says::Never => None,
            Says::Notes(words) => Some(Ok(words.into())),
            _ => Some(Ok("well".into())),
        }
    }
}

/// Draws answers from a seed: mostly good ones, and now and then everything that can go wrong.
#[derive(Debug)]
pub struct Fate {
    pub seed: u64,
    /// Of a hundred answers so many are bad; 0: none at all.
    pub bad: u64,
}

impl Fate {
    fn next(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    pub(super) fn draw(&mut self, channel: &str) -> Option<(Says, Span)> {
        let latency = [Span::ZERO, Span::ZERO, Span::millis(300), Span::secs(7)][self.next(4) as usize];
        if self.next(100) >= self.bad {
            let says = if channel == "call" && self.next(2) == 0 { Says::Submitted } else { Says::Yes };
            return Some((says, latency));
        }
        let says = match self.next(8) {
            0 => refused(),
            1 => provider(),
            2 => Says::bad_number(),
            3 => Says::Hangs,
            4 => Says::busy("40s"),
            _ => timeout(),
        };
        Some((says, latency))
    }
}

/// The answers of one channel: first those to come once, then by recipient, then always the same.
#[derive(Debug)]
pub(super) struct Script {
    pub first: VecDeque<Says>,
    pub by_recipient: BTreeMap<String, Says>,
    pub always: Says,
    pub latency: Span,
}

impl Default for Script {
    fn default() -> Self {
        Script { first: VecDeque::new(), by_recipient: BTreeMap::new(), always: Says::Yes, latency: Span::ZERO }
    }
}

impl Script {
    pub fn next(&mut self, who: &str) -> (Says, Span) {
        let says = self.first.pop_front().or_else(|| self.by_recipient.get(who).cloned());
        (says.unwrap_or_else(|| self.always.clone()), self.latency)
    }
}

impl super::World {
    /// From now on the channel says this.
    pub fn channel(&mut self, name: &str, says: Says) -> &mut Self {
        assert!(self.config().channels.contains_key(name), "no channel {name}");
        let script = self.scripts.entry(name.to_owned()).or_default();
        script.always = says;
        script.first.clear();
        self
    }

    /// The next answers of the channel, before what it always says.
    pub fn channel_first(&mut self, name: &str, says: impl IntoIterator<Item = Says>) -> &mut Self {
        self.scripts.entry(name.to_owned()).or_default().first.extend(says);
        self
    }

    /// What the channel says about this recipient.
    pub fn channel_about(&mut self, name: &str, who: &str, says: Says) -> &mut Self {
        self.scripts.entry(name.to_owned()).or_default().by_recipient.insert(who.to_owned(), says);
        self
    }

    /// Every answer of the channel takes so long.
    pub fn channel_takes(&mut self, name: &str, latency: &str) -> &mut Self {
        self.scripts.entry(name.to_owned()).or_default().latency = super::span(latency);
        self
    }

    /// From now on a probe of this channel says this.
    pub fn probe(&mut self, name: &str, says: Says) -> &mut Self {
        assert!(self.config().channels.contains_key(name), "no channel {name}");
        self.probes.entry(name.to_owned()).or_default().always = says;
        self
    }

    pub fn probe_takes(&mut self, name: &str, latency: &str) -> &mut Self {
        self.probes.entry(name.to_owned()).or_default().latency = super::span(latency);
        self
    }
}
