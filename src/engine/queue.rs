//! Who may start now: slots, breakers, and one more look at whether it is still wanted.

use super::input::{AttemptOrder, Effect};
use super::state::ChannelState;
use super::turn::Turn;
use crate::channel::{Format, Outgoing, SoundOrder};
use crate::config::ChannelConfig;
use crate::domain::event::{Breaker, EventKind, Payload};
use crate::domain::id::DeliveryId;
use crate::domain::time::{EngineTime, Span};

/// How many attempts may be in flight now on a channel with so many slots.
pub(crate) fn width(c: &ChannelState, slots: usize, now: EngineTime) -> usize {
    match c.breaker {
        Breaker::Closed => slots.min(c.width.max(1) as usize),
        Breaker::Open | Breaker::Narrow if c.retry_at.is_none_or(|t| t <= now) => 1,
        Breaker::Open | Breaker::Narrow => 0,
    }
}

impl Turn<'_> {
    /// Starts what can start, the most urgent first; called at the end of every turn.
    pub fn pump(&mut self) {
        if self.agenda.closing {
            return;
        }
        for name in self.state.queued_channels() {
            let config = self.config;
            match config.channels.get(&name) {
                Some(channel) => self.pump_channel(channel),
                None => self.channel_gone(&name),
            }
        }
    }

    fn pump_channel(&mut self, channel: &ChannelConfig) {
        loop {
            let c = self.state.channel(&channel.name);
            if c.in_flight.len() >= width(c, channel.slots, self.now) {
                return;
            }
            let Some(next) = self.state.queue(&channel.name).next() else { return };
            match self.state.deliveries.get(&next).and_then(|d| self.unwanted(d)) {
                Some((status, reason)) => self.end_delivery(next, status, &reason),
                None => self.start_attempt(next, channel),
            }
        }
    }

    fn start_attempt(&mut self, id: DeliveryId, channel: &ChannelConfig) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let (n, possibly_duplicate, expires, level) = (d.n + 1, d.maybe_sent, d.expires, d.level);
        let address = match channel.medium() {
            None => None,
            Some(m) => d.address_for(m).map(|a| self.gateway_address(channel, d.who.as_deref(), a)),
        };
        if channel.medium().is_some() && address.is_none() {
            return self.pass_over(id);
        }
        let format = channel.kind.format;
        let ready = d.text(format).cloned();
        let fresh = ready.is_none() && format != Format::None;
        let text = match ready {
            Some(text) => text,
            None => self.render(id, channel),
        };
        let payload = Payload { text: fresh.then(|| text.clone()), ..Payload::default() };
        let head = EventKind::AttemptStarted {
            delivery: id,
            n,
            channel: channel.name.clone(),
            medium: channel.medium(),
            format: fresh.then(|| super::state::format_key(format).to_owned()),
            possibly_duplicate,
        };
        if fresh {
            self.emit_with(head, payload)
        } else {
            self.emit(head)
        }
        let sound = channel.sound.map(|s| self.begin_sound(id, channel, s.max));
        let out = Outgoing { key: id.to_string(), attempt: n, address, text, level, ttl: expires - self.now, sound };
        self.effects.push(Effect::Attempt(AttemptOrder {
            delivery: id,
            n,
            channel: channel.name.clone(),
            timeout: channel.timeout,
            simulate: channel.simulate,
            out: Box::new(out),
        }));
    }

    /// From now on it should sound, until acknowledged or its time is over.
    fn begin_sound(&mut self, id: DeliveryId, channel: &ChannelConfig, max: Span) -> SoundOrder {
        if !channel.simulate {
            let incident = self.state.deliveries.get(&id).and_then(|d| d.incident);
            let until = self.now + max;
            self.emit(EventKind::SoundStarted { channel: channel.name.clone(), delivery: id, incident, until });
            self.effects.push(Effect::Sound);
        }
        SoundOrder { max }
    }

    /// A person's own gateway domain wins over the channel's.
    fn gateway_address(&self, channel: &ChannelConfig, who: Option<&str>, address: &str) -> String {
        let domain = who.and_then(|w| self.config.people.get(w)).and_then(|p| p.sms_domain.as_ref());
        match domain {
            Some(domain) if channel.via.is_some() => format!("{address}@{domain}"),
            _ => address.to_owned(),
        }
    }
}
