//! How healthy a channel is: suspect, dead, ok; and whether it takes attempts.
//!
//! A dead channel with another way left is opened: messages go round it. One that is the only way
//! narrows. Either way what has no other way is tried one at a time, the most urgent first, every
//! second growing to five.

use super::outcome::ASKED_MAX;
use super::turn::Turn;
use crate::domain::delivery::{ChannelStatus, Status};
use crate::domain::event::{Breaker, ChannelChanged, EventKind};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::domain::time::Span;
use std::collections::BTreeSet;

/// Failures of the whole channel in a row until it is dead.
pub(super) const DEAD_AFTER: u32 = 5;
const GAP_FIRST: Span = Span::secs(1);
const GAP_MAX: Span = Span::secs(5);

impl Turn<'_> {
    /// An attempt got through.
    pub fn channel_worked(&mut self, channel: &str) {
        self.channel_well(channel, true);
    }

    /// A probe did, which may prove less.
    pub fn channel_answers(&mut self, channel: &str) {
        self.channel_well(channel, false);
    }

    fn channel_well(&mut self, channel: &str, proven: bool) {
        let c = self.state.channel(channel);
        if c.breaker == Breaker::Closed && c.held_until(self.now).is_some() {
            // It asked for a pause after this had begun, and gets it; but it works.
            if c.failures > 0 || c.status != ChannelStatus::Ok {
                let retry_at = c.retry_at;
                self.emit(EventKind::ChannelChanged(ChannelChanged {
                    retry_at,
                    ..ChannelChanged::unharmed(channel, ChannelStatus::Ok)
                }));
            }
            return;
        }
        let well = c.failures == 0 && c.breaker == Breaker::Closed && c.retry_at.is_none();
        if c.status == ChannelStatus::Ok && well {
            return;
        }
        self.emit(EventKind::ChannelChanged(ChannelChanged::unharmed(channel, ChannelStatus::Ok)));
        self.agenda.revivals.remove(channel);
        self.channel_is_back(channel, "works again", proven);
    }

    /// An attempt or a probe failed in a way that blames the channel as a whole. Whether it is
    /// newly dead by that.
    pub fn channel_failed(&mut self, channel: &str, failure: &Failure) -> bool {
        let c = self.state.channel(channel);
        let failures = c.failures.saturating_add(1);
        let was_dead = c.is_dead();
        let for_good = failure.blame == Blame::Account || failure.class == FailureClass::AuthError;
        let dead = was_dead || for_good || failures >= DEAD_AFTER;
        let gap = if dead { Span(c.gap.0 * 3 / 2).clamp(GAP_FIRST, GAP_MAX) } else { Span::ZERO };
        let pause = failure.retry_after.map_or(gap, |asked| asked.min(ASKED_MAX).max(gap));
        self.emit(EventKind::ChannelChanged(ChannelChanged {
            channel: channel.into(),
            status: if dead { ChannelStatus::Dead } else { ChannelStatus::Suspect },
            detail: failure.said(),
            breaker: self.breaker(channel, dead),
            failures,
            retry_at: (pause > Span::ZERO).then_some(self.now + pause),
            gap,
        }));
        if dead && !was_dead {
            self.plan_revival(channel);
            self.go_round(channel, Level::Low);
        } else if pause > Span::ZERO && !dead {
            // It asked for a pause; who cannot afford that takes the other way meanwhile.
            self.go_round(channel, Level::High);
        }
        dead && !was_dead
    }

    /// Its heartbeat has failed its `failures`. Whether it is newly dead by that.
    pub fn channel_declared_dead(&mut self, channel: &str) -> bool {
        let c = self.state.channel(channel);
        if c.is_dead() {
            return false;
        }
        let (detail, failures) = (c.detail.clone(), c.failures);
        self.emit(EventKind::ChannelChanged(ChannelChanged {
            channel: channel.into(),
            status: ChannelStatus::Dead,
            detail,
            breaker: self.breaker(channel, true),
            failures,
            retry_at: Some(self.now + GAP_FIRST),
            gap: GAP_FIRST,
        }));
        self.go_round(channel, Level::Low);
        true
    }

    /// Its settings are new: what was known of the old ones says nothing any more.
    pub fn channel_renewed(&mut self, channel: &str) {
        if self.state.channel(channel).status == ChannelStatus::Unknown {
            return;
        }
        self.emit(EventKind::ChannelChanged(ChannelChanged::unharmed(channel, ChannelStatus::Unknown)));
        self.channel_is_back(channel, "has new settings", true);
    }

    fn breaker(&self, channel: &str, dead: bool) -> Breaker {
        let other_way = || self.chain(channel).iter().skip(1).any(|c| !self.is_dead(c));
        match dead {
            false => Breaker::Closed,
            true if other_way() => Breaker::Open,
            true => Breaker::Narrow,
        }
    }

    /// What waits for this channel and is of this level at least takes another way, where it has
    /// one. What has none is in line for the channel, the most urgent first.
    fn go_round(&mut self, channel: &str, level: Level) {
        let c = self.state.channel(channel);
        let (dead, why) = (c.is_dead(), format!("{channel} fails: {}", c.detail));
        for id in self.waiting_for(channel) {
            let Some(d) = self.state.deliveries.get(&id).filter(|d| d.level >= level) else { continue };
            let resting = d.until.is_some();
            match self.alternative(d) {
                Some(place) => self.fall_back(id, place, &why),
                None if dead && resting => self.move_on(id, Status::Waiting, None, &why),
                None => {}
            }
        }
    }

    /// A channel works again: what rests for it goes now, and what waits for a dead channel of a
    /// chain that has this one takes it, as does what stands in line behind such a one. What stands
    /// in its own queue has its turn there. What may have been heard is not woken by less than a message that got through.
    pub(super) fn channel_is_back(&mut self, channel: &str, what: &str, proven: bool) {
        let hoping = self.state.index.hoping.get(channel).into_iter().flatten().copied();
        // Those that were not tried yet stand in line behind a dead one.
        let behind = self.state.queued_channels().filter(|c| *c != channel && !self.is_open(c));
        let behind = behind.flat_map(|dead| self.state.queue(dead));
        for id in hoping.chain(behind).collect::<BTreeSet<DeliveryId>>() {
            let Some(d) = self.state.deliveries.get(&id) else { continue };
            let Some(at) = d.chain.iter().position(|c| c == channel) else { continue };
            let here = d.at == at;
            let resting = here && d.until.is_some() && (proven || !d.maybe_sent);
            let stuck = !here && self.is_kept_waiting(d) && self.is_way(d, at) && !d.was_refused(at);
            if resting || stuck {
                let (lap, because) = (d.lap, format!("{channel} {what}"));
                self.emit(EventKind::DeliveryMoved { id, status: Status::Ready, at, until: None, lap, because });
            }
        }
    }

    fn waiting_for(&self, channel: &str) -> Vec<DeliveryId> {
        let resting = self.state.index.resting.get(channel).into_iter().flatten().copied();
        self.state.queue(channel).chain(resting).collect()
    }
}
