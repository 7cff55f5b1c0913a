//! A dead channel that messages go round, or do not come to, is asked now and then whether it works again: the breaker's
//! half-open look.
//!
//! One that a heartbeat probes comes back by that, and one without a fallback, that is nobody's, by what waits for it; of
//! others nobody would ever find out. A probe tells nobody anything, and cannot promise that messages get through either. So the channel is
//! *suspect* after it: the next message is the proof, and a single failure makes the channel dead again.

use super::effect::Effect;
use super::health::DEAD_AFTER;
use super::turn::Turn;
use crate::channel::Probed;
use crate::config::Check;
use crate::domain::delivery::ChannelStatus;
use crate::domain::event::{ChannelChanged, EventKind};
use crate::domain::time::{EngineTime, Span};

/// From its death to the first look; then twice as long each time, while it stays dead or dies again.
const FIRST: Span = Span::mins(1);
const MOST: Span = Span::mins(5);

/// The next look at a dead channel, and the pause before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Revival {
    pub due: EngineTime,
    pause: Span,
}

impl Turn<'_> {
    /// It is dead: when it is asked next.
    pub fn plan_revival(&mut self, channel: &str) {
        if !self.needs_revival(channel) {
            self.agenda.revivals.remove(channel);
            return;
        }
        let pause = self.agenda.revivals.get(channel).map_or(FIRST, |before| (before.pause.times(2)).min(MOST));
        self.agenda.revivals.insert(channel.to_owned(), Revival { due: self.now + pause, pause });
    }

    /// After a start and after a reload: those that are dead already.
    pub fn plan_revivals(&mut self) {
        let config = self.config;
        for name in config.channels.keys() {
            if self.is_dead(name) && !self.agenda.revivals.contains_key(name) {
                self.plan_revival(name);
            }
        }
    }

    fn needs_revival(&self, channel: &str) -> bool {
        let Some(config) = self.config.channels.get(channel) else { return false };
        let stands_in = || self.config.channels.values().any(|other| other.fallback.as_deref() == Some(channel));
        (config.fallback.is_some() || stands_in()) && !config.simulate && !self.is_probed(channel)
    }

    /// Whether a heartbeat looks after it.
    pub fn is_probed(&self, channel: &str) -> bool {
        let probes = |check: &Check| matches!(check, Check::Probe { channel: c, .. } if c == channel);
        self.config.heartbeats.values().any(|h| probes(&h.check))
    }

    pub fn revivals_due(&mut self) {
        if self.agenda.closing {
            return;
        }
        let due = |(name, next): (&String, &Revival)| (next.due <= self.now).then(|| name.clone());
        for channel in self.agenda.revivals.iter().filter_map(due).collect::<Vec<_>>() {
            let config = self.config.channels.get(&channel);
            let timeout = config.filter(|_| self.is_dead(&channel) && self.needs_revival(&channel)).map(|c| c.timeout);
            match (timeout, self.agenda.revivals.get_mut(&channel)) {
                (Some(timeout), Some(next)) => {
                    // The answer sets the next one; should it never come, this does.
                    next.due = self.now + timeout + next.pause;
                    self.effects.push(Effect::Look { channel, timeout });
                }
                _ => drop(self.agenda.revivals.remove(&channel)),
            }
        }
    }

    /// What its probe says.
    pub fn looked(&mut self, channel: &str, result: Probed) {
        if !self.is_dead(channel) || !self.config.channels.contains_key(channel) {
            return;
        }
        match result {
            Ok(words) => {
                self.emit(EventKind::ChannelChanged(ChannelChanged {
                    detail: format!("its probe passes: {words}"),
                    failures: DEAD_AFTER - 1,
                    ..ChannelChanged::unharmed(channel, ChannelStatus::Suspect)
                }));
                self.channel_is_back(channel, "works again", false);
            }
            Err(failure) => {
                self.channel_failed(channel, &failure);
                self.plan_revival(channel);
            }
        }
    }
}
