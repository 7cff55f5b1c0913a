//! How healthy a channel is: suspect, dead, ok; and whether it takes attempts.
//!
//! A dead channel with another way left is opened: messages go round it. One that is the only way
//! narrows: one attempt at a time, the most urgent first, every second growing to five.

use super::turn::Turn;
use crate::config::Check;
use crate::domain::delivery::{ChannelStatus, Status};
use crate::domain::event::{Breaker, EventKind};
use crate::domain::failure::{Blame, Failure};
use crate::domain::id::DeliveryId;
use crate::domain::time::Span;

/// Failures of the whole channel in a row until it is dead.
const DEAD_AFTER: u32 = 5;
const GAP_FIRST: Span = Span::secs(1);
const GAP_NARROW: Span = Span::secs(5);
/// With another way left there is no hurry to try this one again.
const GAP_OPEN: Span = Span::secs(60);

impl Turn<'_> {
    /// An attempt or a probe got through.
    pub fn channel_worked(&mut self, channel: &str) {
        let c = self.state.channel(channel);
        if c.status == ChannelStatus::Ok && c.failures == 0 && c.breaker == Breaker::Closed {
            return;
        }
        self.emit(EventKind::ChannelChanged {
            channel: channel.into(),
            status: ChannelStatus::Ok,
            detail: String::new(),
            breaker: Breaker::Closed,
            failures: 0,
            retry_at: None,
            gap: Span::ZERO,
        });
        self.channel_is_back(channel);
    }

    /// An attempt or a probe failed in a way that blames the channel as a whole.
    pub fn channel_failed(&mut self, channel: &str, failure: &Failure) {
        let c = self.state.channel(channel);
        let failures = c.failures + 1;
        let was_dead = c.is_dead();
        let dead = was_dead || failure.blame == Blame::Account || failures >= DEAD_AFTER;
        let status = if dead { ChannelStatus::Dead } else { ChannelStatus::Suspect };
        let breaker = match (self.has_other_way(channel), dead) {
            (true, true) => Breaker::Open,
            (true, false) => Breaker::Closed,
            (false, _) => Breaker::Narrow,
        };
        let last = c.gap;
        let gap = match breaker {
            Breaker::Closed => Span::ZERO,
            Breaker::Narrow => Span(last.0 * 3 / 2).clamp(GAP_FIRST, GAP_NARROW),
            Breaker::Open => last.times(2).clamp(GAP_NARROW, GAP_OPEN),
        };
        let asked = failure.retry_after.map_or(gap, |asked| asked.min(Span::mins(5)).max(gap));
        self.emit(EventKind::ChannelChanged {
            channel: channel.into(),
            status,
            detail: failure.to_string(),
            breaker,
            failures,
            retry_at: (breaker != Breaker::Closed).then_some(self.now + asked),
            gap,
        });
        if dead && !was_dead {
            self.go_round(channel);
        }
    }

    /// Its heartbeat has failed its `failures`.
    pub fn channel_declared_dead(&mut self, channel: &str) {
        let c = self.state.channel(channel);
        if c.is_dead() {
            return;
        }
        let breaker = if self.has_other_way(channel) { Breaker::Open } else { Breaker::Narrow };
        let (detail, failures) = (c.detail.clone(), c.failures);
        self.emit(EventKind::ChannelChanged {
            channel: channel.into(),
            status: ChannelStatus::Dead,
            detail,
            breaker,
            failures,
            retry_at: Some(self.now + GAP_FIRST),
            gap: GAP_FIRST,
        });
        self.go_round(channel);
    }

    fn has_other_way(&self, channel: &str) -> bool {
        self.chain(channel).iter().skip(1).any(|c| !self.state.channel(c).is_dead())
    }

    /// Alive, or dead for so long, and probed by nobody, that a message may find out.
    pub fn usable(&self, channel: &str) -> bool {
        let c = self.state.channel(channel);
        let rested = c.retry_at.is_none_or(|t| t <= self.now) && c.in_flight.is_empty();
        let probed = || {
            self.config.heartbeats.values().any(|h| matches!(&h.check, Check::Probe { channel: c, .. } if c == channel))
        };
        !c.is_dead() || (rested && self.state.queue_len(channel) == 0 && !probed())
    }

    /// What waits for a dead channel takes its fallback, where it has one.
    pub fn go_round(&mut self, channel: &str) {
        let why = format!("{channel} is dead: {}", self.state.channel(channel).detail);
        for id in self.waiting_for(channel) {
            let Some(d) = self.state.deliveries.get(&id) else { continue };
            if let Some(place) = self.alternative(d) {
                self.fall_back(id, place, &why);
            }
        }
    }

    /// A channel works again: what waits for its next try there goes now, and what waits for a
    /// dead channel of a chain that has this one takes it.
    fn channel_is_back(&mut self, channel: &str) {
        for id in self.waiting_for_any(channel) {
            let Some(d) = self.state.deliveries.get(&id) else { continue };
            let Some(place) = d.chain.iter().position(|c| c == channel) else { continue };
            let here = d.at == place;
            if here || (self.state.channel(d.channel()).is_dead() && self.is_way(d, place)) {
                let because = format!("{channel} works again");
                let lap = d.lap;
                self.emit(EventKind::DeliveryMoved { id, status: Status::Ready, at: place, until: None, lap, because });
            }
        }
    }

    fn waiting_for(&self, channel: &str) -> Vec<DeliveryId> {
        let resting = self.state.deliveries.values().filter(|d| {
            d.channel() == channel && matches!(d.status, Status::Backoff | Status::Waiting) && d.until.is_some()
        });
        self.state.queue(channel).chain(resting.map(|d| d.id)).collect()
    }

    fn waiting_for_any(&self, channel: &str) -> Vec<DeliveryId> {
        let mut ids: Vec<DeliveryId> = self
            .state
            .deliveries
            .values()
            .filter(|d| d.status == Status::Waiting && d.chain.iter().any(|c| c == channel))
            .map(|d| d.id)
            .collect();
        ids.sort();
        ids
    }
}
