//! What should be heard on one device, and how far each of it is: decided here, without a process
//! and without a clock, carried out by the actor.
//!
//! The promises: an order begins once; it goes on after the player's death; it ends by itself, at
//! its `until`, or when it is no longer wanted; whoever waits for its beginning is told how that
//! went, exactly once.

mod order;

pub use order::{Began, NotHeard, Over, Request};

use crate::channel::sound::client::orders::order::{Order, Phase, SETTLED_AFTER};
use crate::channel::sound::protocol::{Answer, Ask, Cause, Heard};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Between two tries on a device that failed.
const RETRY: Duration = Duration::from_secs(5);
/// A stop that is not confirmed by then is made true by killing the player.
const SILENT_WITHIN: Duration = Duration::from_millis(700);
/// How long an ended sound that was never listed is remembered, so that it is not begun again.
const REMEMBERED: Duration = Duration::from_secs(60);
/// The player counts samples, we count seconds.
const MAX_SLACK: Duration = Duration::from_secs(1);
/// A file at which the player died so often is not tried again for a while.
const MOST_DEATHS: u32 = 2;
const DEADLY_FOR: Duration = Duration::from_secs(600);

/// Every order of one device.
#[derive(Debug, Default)]
pub(super) struct Orders {
    orders: Vec<Order>,
    last_id: u64,
    /// Desks that say what is wanted by lists.
    governed: BTreeSet<u64>,
    /// To be asked as soon as possible.
    stops: Vec<u64>,
    /// Asked for; silent by then.
    silences: BTreeMap<u64, Instant>,
    /// Files at whose beginning the player died: how often, and when last.
    deadly: BTreeMap<String, (u32, Instant)>,
}

impl Orders {
    /// A new number for the protocol.
    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Begins a sound, or joins one that has begun under the same key; `waiter` hears how it went.
    pub(super) fn begin(&mut self, desk: u64, request: Request, now: Instant, waiter: oneshot::Sender<Began>) {
        let order = self.order(desk, request, now);
        if matches!(order.phase, Phase::Due(_) | Phase::Over) {
            order.phase = Phase::Due(now);
        }
        order.waiting.push(waiter);
        if matches!(order.phase, Phase::Sounding(_)) {
            order.tell(&Ok(Heard::default()));
        }
    }

    /// All that a desk wants to be heard.
    pub(super) fn list(&mut self, desk: u64, wanted: Vec<Request>, now: Instant) {
        self.governed.insert(desk);
        let keys: BTreeSet<String> = wanted.iter().map(|request| request.key.clone()).collect();
        self.silence(|order| order.desk == desk && !keys.contains(&order.key) && !order.is_young(now));
        for request in wanted {
            self.order(desk, request, now).listed = true;
        }
    }

    /// A desk is gone, and what it wanted with it.
    pub(super) fn leave(&mut self, desk: u64) {
        self.governed.remove(&desk);
        self.silence(|order| order.desk == desk);
    }

    fn order(&mut self, desk: u64, request: Request, now: Instant) -> &mut Order {
        let until = now + request.left;
        let known = self.orders.iter().position(|order| order.desk == desk && order.key == request.key);
        let place = known.unwrap_or_else(|| {
            self.orders.push(Order {
                desk,
                key: request.key,
                piece: request.piece,
                until,
                granted: until,
                phase: Phase::Due(now),
                id: 0,
                listed: false,
                has_sounded: false,
                spared: false,
                waiting: Vec::new(),
            });
            self.orders.len() - 1
        });
        let order = &mut self.orders[place];
        order.until = until;
        order
    }

    fn silence(&mut self, which: impl Fn(&Order) -> bool) {
        for mut order in self.orders.extract_if(.., |order| which(order)) {
            order.tell(&Err(NotHeard::Silenced));
            if order.is_heard() {
                self.stops.push(order.id);
            }
        }
    }

    /// Something should be heard and is not.
    pub(super) fn need_a_player(&self, now: Instant) -> bool {
        self.orders.iter().any(|order| matches!(order.phase, Phase::Due(when) if when <= now))
    }

    /// The player has something to do for us, so it must answer.
    pub(super) fn are_heard(&self) -> bool {
        !self.silences.is_empty() || self.orders.iter().any(Order::is_heard)
    }

    /// What to ask the player now; a stop before a start.
    pub(super) fn asks(&mut self, now: Instant) -> Vec<Ask> {
        let mut asks = Vec::new();
        for id in std::mem::take(&mut self.stops) {
            self.silences.insert(id, now + SILENT_WITHIN);
            asks.push(Ask::Stop { id });
        }
        for order in &mut self.orders {
            if !matches!(order.phase, Phase::Due(when) if when <= now) {
                continue;
            }
            self.last_id += 1;
            order.id = self.last_id;
            order.phase = Phase::Asked;
            order.granted = order.until;
            let mut piece = order.piece.clone();
            order.spared = piece.file.take_if(|file| is_deadly(&self.deadly, file, now)).is_some();
            let max_ms = u64::try_from(order.until.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX);
            asks.push(Ask::Play { id: order.id, piece, max_ms });
        }
        asks
    }

    /// Takes an answer to heart; says what came to its end by itself. `last_words` are what the
    /// player's library said beside a failure.
    pub(super) fn heard(&mut self, answer: Answer, now: Instant, last_words: &str) -> Option<Over> {
        match answer {
            Answer::Started { id, heard } => {
                self.started(id, heard, now);
                None
            }
            Answer::Ended { id, cause } => {
                self.silences.remove(&id);
                self.ended(id, cause, now)
            }
            Answer::Failed { id, why } => {
                self.silences.remove(&id);
                let trouble = NotHeard::Broken(format!("{why}{last_words}"));
                self.fail(|order| order.id == id, &trouble, now + RETRY);
                None
            }
            Answer::Opens { .. } | Answer::Pong { .. } => None,
        }
    }

    fn started(&mut self, id: u64, mut heard: Heard, now: Instant) {
        let Some(order) = self.asked(id) else { return };
        order.phase = Phase::Sounding(now);
        order.has_sounded = true;
        heard.instead = heard.instead.or_else(|| order.spared.then(|| "made the player die".to_owned()));
        order.tell(&Ok(heard));
        if let (false, Some(file)) = (order.spared, order.piece.file.clone()) {
            self.deadly.remove(&file);
        }
    }

    fn asked(&mut self, id: u64) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.id == id && order.is_heard())
    }

    fn ended(&mut self, id: u64, cause: Cause, now: Instant) -> Option<Over> {
        let order = self.asked(id)?;
        if cause == Cause::Max && order.until > order.granted + MAX_SLACK {
            // It was given more time since.
            order.phase = Phase::Due(now);
            return None;
        }
        order.phase = Phase::Over;
        order.tell(&Ok(Heard::default()));
        Some(Over { desk: order.desk, key: order.key.clone(), cause })
    }

    fn fail(&mut self, which: impl Fn(&Order) -> bool, trouble: &NotHeard, again: Instant) {
        self.orders.retain_mut(|order| {
            if !order.is_heard() || !which(order) {
                return true;
            }
            order.phase = Phase::Due(again);
            order.tell(&Err(trouble.clone()));
            order.lasts()
        });
    }

    /// There is no player: what was heard has to be asked for again, as soon as there is one.
    pub(super) fn player_died(&mut self, trouble: &NotHeard, now: Instant) {
        for order in self.orders.iter().filter(|order| order.phase == Phase::Asked && !order.spared) {
            if let Some(file) = order.piece.file.clone() {
                let deaths = self.deadly.entry(file).or_insert((0, now));
                *deaths = (deaths.0 + 1, now);
            }
        }
        self.stops.clear();
        self.silences.clear();
        self.fail(|_| true, trouble, now);
    }

    /// No player can be started: whoever waits is told, what lasts is tried again.
    pub(super) fn no_player(&mut self, trouble: &NotHeard, now: Instant) {
        for order in &mut self.orders {
            if matches!(order.phase, Phase::Due(when) if when <= now) {
                order.phase = Phase::Asked;
            }
        }
        self.fail(|_| true, trouble, now);
    }

    /// A stop was not obeyed in time.
    pub(super) fn is_deaf(&self, now: Instant) -> bool {
        self.silences.values().any(|by| *by <= now)
    }

    /// What time alone does: sounds past their end, or that nobody waits for or wants.
    pub(super) fn look_at_the_time(&mut self, now: Instant) -> Vec<Over> {
        let governed = std::mem::take(&mut self.governed);
        self.silence(|order| match order.phase {
            Phase::Due(_) | Phase::Asked => !order.lasts() && !order.is_awaited(),
            Phase::Sounding(_) => !order.listed && governed.contains(&order.desk) && !order.is_young(now),
            Phase::Over => !order.listed && order.until + REMEMBERED <= now,
        });
        self.governed = governed;
        let mut over = Vec::new();
        for order in &mut self.orders {
            if order.phase != Phase::Over && order.until + MAX_SLACK <= now {
                if order.is_heard() {
                    self.stops.push(order.id);
                }
                order.phase = Phase::Over;
                order.tell(&Err(NotHeard::Silenced));
                over.push(Over { desk: order.desk, key: order.key.clone(), cause: Cause::Max });
            }
        }
        over
    }

    /// When time alone will do something next, after now.
    pub(super) fn next_wake(&self, now: Instant) -> Option<Instant> {
        let of_orders = self.orders.iter().flat_map(|order| {
            let own = match order.phase {
                Phase::Due(when) => Some(when),
                Phase::Sounding(since) if !order.listed => Some(since + SETTLED_AFTER),
                Phase::Over if !order.listed => Some(order.until + REMEMBERED),
                _ => None,
            };
            let end = (order.phase != Phase::Over).then_some(order.until + MAX_SLACK);
            [own, end]
        });
        of_orders.flatten().chain(self.silences.values().copied()).filter(|when| *when > now).min()
    }
}

fn is_deadly(deadly: &BTreeMap<String, (u32, Instant)>, file: &str, now: Instant) -> bool {
    deadly.get(file).is_some_and(|(deaths, last)| *deaths >= MOST_DEATHS && now < *last + DEADLY_FOR)
}

#[cfg(test)]
mod tests;
