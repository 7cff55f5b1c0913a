//! The ways of a message: a channel and its fallbacks, and which of them is next.
//!
//! Fallback is the same message to the same person by another way, because the way failed. It is
//! never taken for a bad recipient, and a notice or a test has none.

use super::reader::{Obstacle, Reader};
use super::state::Delivery;
use super::turn::Turn;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Origin};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span};

/// A dead channel that nobody probes is left alone for so long before a message may try it out.
const REST: Span = Span::mins(1);
/// A dead channel is tried this often; one that is free later asked for its pause.
const TURN: Span = Span::secs(5);
const GONE: &str = "the channel was taken out of the config";

impl Turn<'_> {
    /// The channel with its fallbacks, in order.
    pub fn chain(&self, channel: &str) -> Vec<String> {
        let mut chain = vec![channel.to_owned()];
        while let Some(next) = self.config.channels.get(&chain[chain.len() - 1]).and_then(|c| c.fallback.clone()) {
            if chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
        chain
    }

    /// After a reload: what has not ended takes the fallbacks as they are now.
    pub fn reroute_all(&mut self) {
        for id in self.state.index.pending.iter().copied().collect::<Vec<_>>() {
            let Some((chain, at)) = self.state.deliveries.get(&id).and_then(|d| self.new_chain(d)) else { continue };
            self.emit(EventKind::DeliveryRerouted { id, chain, at });
            let Some(d) = self.state.deliveries.get(&id) else { continue };
            let waits = matches!(d.status, Status::Ready | Status::Waiting | Status::Backoff);
            if let Some(place) = self.alternative(d).filter(|_| waits && self.is_dead(d.channel())) {
                self.fall_back(id, place, "its channel is dead, and has another fallback now");
            }
        }
    }

    /// The chain that it would have today, if that is another one, and where it stands in that. What is under way or
    /// with a provider stays at its channel.
    fn new_chain(&self, d: &Delivery) -> Option<(Vec<String>, usize)> {
        let n = self.state.notifications.get(&d.notification)?;
        let first = d.chain.first().filter(|first| self.config.channels.contains_key(*first))?;
        if n.origin.is_notice() || n.origin == Origin::Test {
            return None;
        }
        let chain = self.chain(first);
        let same = chain.iter().position(|channel| channel == d.channel());
        let moves = !matches!(d.status, Status::Sending | Status::Submitted | Status::Unknown);
        let at = same.or(moves.then_some(0)).filter(|_| chain != d.chain)?;
        Some((chain, at))
    }

    /// Where a new message begins: with the first way that is not dead; `about` its own channel,
    /// with the first of its fallbacks. Without any it waits for the channel named.
    pub fn first_way(&self, chain: &[String], reader: &Reader<'_>, level: Level, about: bool) -> usize {
        let from = usize::from(about);
        let way = |place: &usize| self.obstacle(reader, &chain[*place]).is_none();
        let ways: Vec<usize> = (from..chain.len()).filter(way).collect();
        let hurry = is_hurried(level);
        let good = |place: &&usize| {
            let channel = &chain[**place];
            match hurry {
                true => self.is_open(channel),
                false => !self.is_held_long(channel) && (!self.is_dead(channel) || self.may_try_out(channel)),
            }
        };
        let alive = |place: &&usize| !self.is_dead(&chain[**place]);
        let chosen = ways.iter().find(good).or_else(|| ways.iter().find(alive));
        // Where none is alive: who is in a hurry comes first to the one that can be tried first.
        let tried = |place: &&usize| {
            let channel = &chain[**place];
            (self.state.in_flight(channel) > 0, self.state.channel(channel).held_until(self.now))
        };
        let soonest = || ways.iter().filter(|_| hurry).min_by_key(tried);
        chosen.or_else(soonest).copied().unwrap_or(0)
    }

    pub fn is_dead(&self, channel: &str) -> bool {
        self.state.channel(channel).is_dead()
    }

    /// Alive, and it did not ask for a pause.
    pub fn is_open(&self, channel: &str) -> bool {
        let c = self.state.channel(channel);
        !c.is_dead() && c.held_until(self.now).is_none()
    }

    /// It asked for a longer pause than its settings have patience for.
    fn is_held_long(&self, channel: &str) -> bool {
        let most = self.config.channels.get(channel).map_or(REST, |c| c.retry.max);
        self.state.channel(channel).held_until(self.now).is_some_and(|t| t > self.now + most)
    }

    /// Its channel takes no attempts for longer than this message can wait.
    pub fn is_kept_waiting(&self, d: &Delivery) -> bool {
        match is_hurried(d.level) {
            true => !self.is_open(d.channel()),
            false => self.is_dead(d.channel()) || self.is_held_long(d.channel()),
        }
    }

    /// Another way that takes attempts now: one of those behind it, else one before.
    pub fn open_alternative(&self, d: &Delivery) -> Option<usize> {
        let open = |place: &usize| self.is_open(&d.chain[*place]);
        let ways: Vec<usize> = self.open_ways(d).into_iter().filter(|place| *place != d.at).filter(open).collect();
        ways.iter().find(|place| **place > d.at).or(ways.first()).copied()
    }

    /// A dead channel comes back by a probe. Where there is none, a message without hurry finds
    /// out, one at a time.
    fn may_try_out(&self, channel: &str) -> bool {
        let rested = self.state.channel(channel).retry_at.is_none_or(|t| t + REST <= self.now);
        rested && self.state.pending_on(channel) == 0 && !self.is_probed(channel)
    }

    /// Whether no way of it is alive.
    pub fn all_ways_dead(&self, d: &Delivery) -> bool {
        let reader = self.reader(d);
        d.chain.iter().filter(|c| self.obstacle(&reader, c).is_none()).all(|c| self.is_dead(c))
    }

    pub fn is_way(&self, d: &Delivery, place: usize) -> bool {
        d.chain.get(place).is_some_and(|channel| self.obstacle(&self.reader(d), channel).is_none())
    }

    /// The ways that may take it: not those that refused it for good, as long as there is another one.
    fn open_ways(&self, d: &Delivery) -> Vec<usize> {
        let ways = || (0..d.chain.len()).filter(|place| self.is_way(d, *place));
        let open: Vec<usize> = ways().filter(|place| !d.was_refused(*place)).collect();
        if open.is_empty() { ways().collect() } else { open }
    }

    /// No way is left that did not refuse it for good.
    pub fn is_refused_by_all(&self, d: &Delivery) -> bool {
        (0..d.chain.len()).filter(|place| self.is_way(d, *place)).all(|place| d.was_refused(place))
    }

    /// The next way in the chain that is alive.
    pub fn alternative(&self, d: &Delivery) -> Option<usize> {
        self.open_ways(d).into_iter().find(|place| *place > d.at && !self.is_dead(&d.chain[*place]))
    }

    /// The next way in the chain, dead or alive.
    pub fn later_way(&self, d: &Delivery) -> Option<usize> {
        self.open_ways(d).into_iter().find(|place| *place > d.at)
    }

    /// All its ways are dead, and there is another one behind this.
    pub fn takes_turns(&self, d: &Delivery) -> bool {
        self.is_dead(d.channel()) && self.alternative(d).is_none() && self.later_way(d).is_some()
    }

    /// One of those before, alive if there is such a one.
    fn earlier_way(&self, d: &Delivery) -> Option<usize> {
        let ways: Vec<usize> = (0..d.at).filter(|place| self.is_way(d, *place)).collect();
        ways.iter().find(|place| !self.is_dead(&d.chain[**place])).or(ways.first()).copied()
    }

    pub fn fall_back(&mut self, id: DeliveryId, place: usize, why: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let to = d.chain.get(place).map_or("-", String::as_str);
        let because = format!("fallback from {} to {to}: {why}", d.channel());
        let lap = d.lap;
        self.emit(EventKind::DeliveryMoved { id, status: Status::Ready, at: place, until: None, lap, because });
    }

    /// No way is left after this one: the chain is gone through once more after a pause. Where none is alive, it stands
    /// in line for each in turn, behind that one's breaker: whichever comes back first is found by it; after the pause only
    /// if it may have been `heard` this time.
    pub fn once_more(&mut self, id: DeliveryId, pause: Span, heard: bool, why: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let ways = self.open_ways(d);
        let alive = || ways.iter().copied().filter(|place| !self.is_dead(&d.chain[*place]));
        let free_at = |place: &usize| self.state.channel(&d.chain[*place]).held_until(self.now);
        let alive = alive().find(|place| free_at(place).is_none()).or_else(|| alive().min_by_key(free_at));
        // In turn, but past what asked for a pause while another one takes attempts.
        let (behind, before): (Vec<usize>, Vec<usize>) = ways.iter().partition(|place| **place > d.at);
        let turns = || behind.iter().chain(&before).copied();
        let soon = |place: &usize| free_at(place).is_none_or(|t| t <= self.now + TURN);
        let next = turns().find(soon).or_else(|| turns().min_by_key(free_at)).unwrap_or(0);
        let lap = if alive.is_none() && next > d.at { d.lap } else { d.lap + 1 };
        let (status, at, until, because) = match alive {
            Some(place) => (
                Status::Backoff,
                place,
                Some(self.now + pause),
                format!("every way failed; the chain once more: {why}"),
            ),
            None => {
                let whose = d.chain.get(next).map_or("-", String::as_str);
                let until = heard.then(|| self.now + pause);
                (Status::Waiting, next, until, format!("every way is dead, the turn is {whose}'s: {why}"))
            }
        };
        self.emit(EventKind::DeliveryMoved { id, status, at, until, lap, because });
    }

    /// By the same way, now or at a time of its own.
    pub fn move_on(&mut self, id: DeliveryId, status: Status, until: Option<EngineTime>, because: &str) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let (at, lap) = (d.at, d.lap);
        self.emit(EventKind::DeliveryMoved { id, status, at, until, lap, because: because.to_owned() });
    }

    /// Its current channel is no way to this person any more: the next one, or the end.
    pub fn pass_over(&mut self, id: DeliveryId, obstacle: Obstacle) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        match (obstacle, self.alternative(d)) {
            // Somebody who does not want to be told that way is not told by a detour.
            (Obstacle::Wish(reason), other) if d.at == 0 || other.is_none() => {
                self.end_delivery(id, Status::Skipped, &reason);
            }
            (Obstacle::Wish(reason), Some(place)) => self.fall_back(id, place, &reason),
            (Obstacle::NoChannel, Some(place)) => self.fall_back(id, place, GONE),
            // Those behind it are gone through; one before it may be well again by now.
            (Obstacle::NoChannel, None) => match self.earlier_way(d) {
                Some(place) => self.fall_back(id, place, GONE),
                None => self.end_delivery(id, Status::Dead, GONE),
            },
            (_, Some(place)) => self.fall_back(id, place, "no address for it"),
            (_, None) => self.end_delivery(id, Status::Dead, "VALIDATION_ERROR: no address for any way that is left"),
        }
    }
}

/// At urgent and high, waiting costs sleep or worse: the first failure is enough to go another way.
pub(crate) fn is_hurried(level: Level) -> bool {
    level >= Level::High
}
