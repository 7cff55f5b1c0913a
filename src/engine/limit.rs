//! Limits: how much may go out by a channel, for a tenant and to a person, and what that may cost.
//!
//! stentor's own, not the provider's. A one-shot is refused before it is accepted; what belongs to an
//! incident, or was accepted for later, takes the first of its fallbacks that has room, and where none
//! has it waits until there is. Urgent has a reserve of a quarter on top, and no budget. A message
//! counts once, by the channel asked for (or the fallback that it took for want of room), whatever
//! ways it goes afterwards.

use super::plan::Planned;
use super::refusal::{Code, Refusal};
use super::state::{Counts, Delivery};
use super::turn::{Turn, refuse};
use crate::config::{ChannelConfig, Rate};
use crate::domain::delivery::Status;
use crate::domain::event::{Counted, EventKind, Origin};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span};
use std::collections::BTreeMap;

/// Looked at again after this, where nobody can say when there is room.
const AGAIN: Span = Span::mins(1);

/// Whose message it is and whom it is for, as limits see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    pub tenant: &'a str,
    pub level: Level,
    pub kind_of: &'a str,
}

/// Why there is no room, and when there will be.
#[derive(Clone, Debug)]
pub(crate) struct Full {
    pub words: String,
    /// `None`: never, for so many at once.
    pub free_at: Option<EngineTime>,
}

/// What an admission comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// By the way that it has.
    Here,
    /// It took another way, or waits.
    Elsewhere,
}

/// A quarter on top, one at the least.
fn most(limit: u32, level: Level) -> u64 {
    let limit = u64::from(limit);
    if level == Level::Urgent { limit + limit.div_ceil(4) } else { limit }
}

impl Turn<'_> {
    /// Whether anything may be over a limit by this channel.
    fn is_limited(&self, channel: &ChannelConfig) -> bool {
        channel.limits.counts() || (channel.price.is_some() && !self.config.budgets.is_empty())
    }

    /// Whether the tenant and its budget have room for so many more by this channel.
    fn has_room_by(&self, channel: &ChannelConfig, claim: Claim<'_>, more: u64) -> Result<(), Full> {
        self.within_budget(channel, claim)?;
        let counts = Counts::Tenant { channel: &channel.name, tenant: claim.tenant };
        let whose = match claim.tenant {
            "" => String::new(),
            tenant => format!(" for tenant {tenant}"),
        };
        self.within(channel.limits.of_tenant, counts, claim.level, more, &format!("by {}{whose}", channel.name))
    }

    /// The same for one person (or bare address) and type.
    fn has_room_for(&self, channel: &ChannelConfig, claim: Claim<'_>, who: Option<&str>) -> Result<(), Full> {
        let Some(who) = who.filter(|_| channel.limits.of_person.is_limited()) else { return Ok(()) };
        let counts = Counts::Person { channel: &channel.name, who, kind_of: claim.kind_of };
        // A number is nobody's business.
        let shown = if self.config.people.contains_key(who) { who } else { "one address" };
        let to = format!("of type {} to {shown} by {}", claim.kind_of, channel.name);
        self.within(channel.limits.of_person, counts, claim.level, 1, &to)
    }

    fn within(&self, rate: Rate, counts: Counts<'_>, level: Level, more: u64, what: &str) -> Result<(), Full> {
        let limits = [(rate.per_hour, Span::hours(1), "an hour"), (rate.per_day, Span::days(1), "a day")];
        let mut full: Option<Full> = None;
        for (limit, over, word) in limits {
            let Some(limit) = limit else { continue };
            let most = most(limit, level);
            let window = self.state.windows.get(counts);
            let used = window.map_or(0, |w| w.used(over, self.now));
            if used + more <= most {
                continue;
            }
            let free_at =
                if more > most { None } else { window.and_then(|w| w.less_by(used + more - most, over, self.now)) };
            let reserve = if level == Level::Urgent { ", and its reserve for urgent," } else { "" };
            let words = match more {
                1 => format!("the limit of {limit} messages {word} {what}{reserve} is reached"),
                _ => format!("{more} messages are over the limit of {limit} {word} {what}{reserve}: {used} are sent"),
            };
            let later = |before: &Full| before.free_at.is_some_and(|t| free_at.is_none_or(|f| f > t));
            if full.as_ref().is_none_or(later) {
                full = Some(Full { words, free_at });
            }
        }
        full.map_or(Ok(()), Err)
    }

    /// A one-shot, before it is accepted: all of it has room, or nothing of it is sent.
    ///
    /// # Errors
    /// RATE_LIMITED, with the time; recorded. VALIDATION_ERROR when so many never have room.
    pub fn check_limits(&mut self, planned: &[Planned], claim: Claim<'_>) -> Result<(), Refusal> {
        let mut by_channel: BTreeMap<&str, Vec<&Planned>> = BTreeMap::new();
        let config = self.config;
        for one in planned.iter().filter(|p| p.skip.is_none()) {
            let limited = config.channels.get(&one.channel).is_some_and(|channel| self.is_limited(channel));
            if limited {
                by_channel.entry(&one.channel).or_default().push(one);
            }
        }
        for (name, of_channel) in by_channel {
            let Some(channel) = config.channels.get(name) else { continue };
            let whole = self.has_room_by(channel, claim, of_channel.len() as u64);
            let of_each = || {
                of_channel.iter().try_for_each(|one| {
                    self.has_room_for(channel, claim, one.who.as_deref().or(one.address.as_deref()))
                })
            };
            if let Err(full) = whole.and_then(|()| of_each()) {
                return refuse(self.over_limit(&full));
            }
        }
        Ok(())
    }

    fn over_limit(&mut self, full: &Full) -> Refusal {
        let Some(free_at) = full.free_at else {
            return Refusal::field("to", format!("{}; so many at once never have room", full.words));
        };
        let at = self.state.wall_time(free_at);
        let seconds = ((free_at - self.now).0 + 999_999).div_euclid(1_000_000).max(1);
        let shown = at.rfc3339(&self.config.daemon.timezone);
        let message = format!("{}; sending is possible again at {shown}", full.words);
        let code = Code::RateLimited;
        self.emit(EventKind::RequestRefused { code: code.as_str().into(), message: message.clone(), field: None });
        let refusal = Refusal::new(code, message).retry_after(seconds.unsigned_abs());
        Refusal { retry_at: Some(shown.into()), ..refusal }
    }

    /// One that goes now, and is not counted yet: it counts, takes a way that has room, or waits.
    pub fn admit(&mut self, id: DeliveryId) -> Admitted {
        let Some(d) = self.state.deliveries.get(&id).filter(|d| !d.limited && d.n == 0) else { return Admitted::Here };
        let config = self.config;
        let limited = |name: &String| config.channels.get(name).is_some_and(|channel| self.is_limited(channel));
        if !d.chain.first().is_some_and(limited) {
            return Admitted::Here;
        }
        match self.way_with_room(d) {
            Ok(place) => {
                // The channel asked for counts, also where it is dead and the message begins behind it.
                let goes_by = if place == 0 { d.at } else { place };
                let (here, channel, why) = (goes_by == d.at, d.chain.get(place).cloned(), self.why_not_first(d));
                if !here {
                    self.fall_back(id, goes_by, &why);
                }
                self.count_in(id, channel);
                if here { Admitted::Here } else { Admitted::Elsewhere }
            }
            Err(_) if self.is_first_page(d) => {
                let channel = d.chain.first().cloned();
                self.count_in(id, channel);
                Admitted::Here
            }
            Err(full) => {
                let until = full.free_at.filter(|t| *t > self.now).unwrap_or(self.now + AGAIN);
                let shown = self.state.wall_time(until).rfc3339(&config.daemon.timezone);
                let because = format!("{}: {}; it goes at {shown}", Code::RateLimited.as_str(), full.words);
                self.move_on(id, Status::Waiting, Some(until), &because);
                Admitted::Elsewhere
            }
        }
    }

    /// The place in the chain where it counts: the first one, or a later one that is alive, is a way to
    /// this person and has room.
    fn way_with_room(&self, d: &Delivery) -> Result<usize, Full> {
        let mut full = match self.room_at(d, 0) {
            Ok(()) => return Ok(0),
            Err(full) => full,
        };
        for place in d.at.max(1)..d.chain.len() {
            if self.is_dead(&d.chain[place]) || !self.is_way(d, place) {
                continue;
            }
            match self.room_at(d, place) {
                Ok(()) => return Ok(place),
                // It waits for whichever has room first.
                Err(other) if other.free_at.is_some_and(|t| full.free_at.is_none_or(|f| t < f)) => {
                    full.free_at = other.free_at;
                }
                Err(_) => {}
            }
        }
        Err(full)
    }

    fn room_at(&self, d: &Delivery, place: usize) -> Result<(), Full> {
        let Some(channel) = d.chain.get(place).and_then(|name| self.config.channels.get(name)) else { return Ok(()) };
        let Some(n) = self.state.notifications.get(&d.notification) else { return Ok(()) };
        let tenant = n.tenant.as_deref().unwrap_or_default();
        let claim = Claim { tenant, level: d.level, kind_of: &n.kind_of };
        self.has_room_by(channel, claim, 1)?;
        self.has_room_for(channel, claim, d.who.as_deref().or(d.address.as_deref()))
    }

    fn why_not_first(&self, d: &Delivery) -> String {
        let words = self.room_at(d, 0).err().map(|full| full.words).unwrap_or_default();
        format!("{}: {words}", Code::RateLimited.as_str())
    }

    fn count_in(&mut self, id: DeliveryId, channel: Option<String>) {
        let limits = channel.as_ref().and_then(|name| self.config.channels.get(name)).map(|c| c.limits);
        if let Some((channel, limits)) = channel.zip(limits).filter(|(_, limits)| limits.counts()) {
            let person = limits.of_person.is_limited();
            self.emit(EventKind::DeliveryCounted(Counted { id, channel, person, instead_of: None }));
        }
    }

    /// It takes the place of one that counted and got nowhere: the limit would else be used up by what never left.
    pub fn count_instead(&mut self, id: DeliveryId, older: DeliveryId) {
        let Some(channel) = self.state.deliveries.get(&id).and_then(|d| d.chain.first().cloned()) else { return };
        self.emit(EventKind::DeliveryCounted(Counted { id, channel, person: false, instead_of: Some(older) }));
    }

    /// The first page of an urgent incident: no limit of ours keeps it.
    fn is_first_page(&self, d: &Delivery) -> bool {
        let origin = self.state.notifications.get(&d.notification).map(|n| &n.origin);
        let first = matches!(origin, Some(Origin::Opening { .. } | Origin::Step { round: 0, step: 0, .. }));
        first && d.level == Level::Urgent
    }

    /// After a reload: what waits for room by the old limits looks at the new ones.
    pub fn admit_anew(&mut self) {
        let resting = self.state.index.resting.values().flatten().copied();
        let held = |id: &DeliveryId| {
            let d = self.state.deliveries.get(id);
            d.is_some_and(|d| d.status == Status::Waiting && d.n == 0 && !d.limited)
        };
        for id in resting.filter(held).collect::<Vec<_>>() {
            self.move_on(id, Status::Waiting, None, "limits are looked at anew");
        }
    }
}
