//! `per_minute`: no more attempts by a channel in a minute than its provider takes. What is more
//! waits in the queue, the most urgent first.
//!
//! The times are no facts of their own: after a restart they are made from the attempts at hand.

use super::Agenda;
use super::turn::Turn;
use crate::config::{ChannelConfig, Config};
use crate::domain::time::{EngineTime, Span};
use std::collections::VecDeque;

const MINUTE: Span = Span::mins(1);

/// When the next attempt may begin, if not at this instant.
pub(crate) fn paced_until(agenda: &Agenda, channel: &ChannelConfig, now: EngineTime) -> Option<EngineTime> {
    let most = channel.limits.per_minute? as usize;
    let begun = agenda.paces.get(&channel.name)?;
    let oldest = begun.len().checked_sub(most).and_then(|place| begun.get(place))?;
    Some(*oldest + MINUTE).filter(|t| *t > now)
}

impl Turn<'_> {
    pub fn is_paced(&self, channel: &ChannelConfig) -> bool {
        paced_until(self.agenda, channel, self.now).is_some()
    }

    /// An attempt begins now.
    pub fn keep_pace(&mut self, channel: &ChannelConfig) {
        let Some(most) = channel.limits.per_minute else { return };
        let begun = self.agenda.paces.entry(channel.name.clone()).or_default();
        while begun.len() >= most as usize {
            begun.pop_front();
        }
        begun.push_back(self.now);
    }

    /// At the start of a life and after a reload: what began in the last minute, as far as it is at hand.
    pub fn learn_paces(&mut self) {
        let config: &Config = self.config;
        self.agenda.paces.clear();
        if config.channels.values().all(|c| c.limits.per_minute.is_none()) {
            return;
        }
        let from = self.now - MINUTE;
        let attempts = self.state.deliveries.values().flat_map(|d| &d.attempts);
        let lately = attempts.map(|a| (self.state.engine_time(a.started_at), &a.channel)).filter(|(t, _)| *t > from);
        let mut begun: Vec<_> = lately.map(|(t, channel)| (t, channel.clone())).collect();
        begun.sort();
        for (t, name) in begun {
            let Some(most) = config.channels.get(&name).and_then(|c| c.limits.per_minute) else { continue };
            let times: &mut VecDeque<EngineTime> = self.agenda.paces.entry(name).or_default();
            times.push_back(t);
            if times.len() > most as usize {
                times.pop_front();
            }
        }
    }
}
