//! Who may start now: slots, breakers, and one more look at whether it is still wanted.

use super::effect::{AttemptOrder, Effect};
use super::limit::Admitted;
use super::state::ChannelState;
use super::turn::Turn;
use crate::channel::{Format, Outgoing, SoundOrder};
use crate::config::{ChannelConfig, SoundSettings};
use crate::domain::event::{Breaker, EventKind, Payload};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::domain::time::EngineTime;

/// Those that stand behind another one of their incident are passed by, at most so many.
const LOOKS: usize = 100;
/// Where a channel fails, every so many tries are another message's: what fails may be the first one in line, for
/// what it says, and would hold up all that could get through.
const OTHERS_TURN: u32 = 6;

/// How many attempts may be in flight now on a channel with so many slots.
pub(crate) fn width(c: &ChannelState, slots: usize, now: EngineTime) -> usize {
    match c.breaker {
        _ if c.held_until(now).is_some() => 0,
        Breaker::Closed => slots.min(c.width.max(1) as usize),
        Breaker::Open | Breaker::Narrow => 1,
    }
}

impl Turn<'_> {
    /// Starts what can start, the most urgent first; called at the end of every turn. What ends
    /// or moves meanwhile may free others, so it looks again until nothing changes.
    pub fn pump(&mut self) {
        if self.agenda.closing || self.agenda.unrecorded || self.agenda.renewed {
            return;
        }
        loop {
            let before = self.decided();
            self.pump_channels();
            if self.decided() == before {
                self.try_suspect();
            }
            if self.decided() == before {
                return;
            }
        }
    }

    fn pump_channels(&mut self) {
        let names: Vec<String> = self.state.queued_channels().map(str::to_owned).collect();
        for name in names {
            let config = self.config;
            match config.channels.get(&name) {
                Some(channel) => self.pump_channel(channel),
                None => self.channel_gone(&name),
            }
        }
    }

    fn pump_channel(&mut self, channel: &ChannelConfig) {
        while let Some(next) = self.next_to_start(channel) {
            self.go(next, channel);
        }
    }

    /// The first in the queue whose turn it is, when there is a slot for it.
    fn next_to_start(&self, channel: &ChannelConfig) -> Option<DeliveryId> {
        let free = self.width_of(channel).saturating_sub(self.state.in_flight(&channel.name));
        if free == 0 || self.is_paced(channel) {
            return None;
        }
        let at_hand = &self.agenda.at_hand;
        let may = |id: &DeliveryId| !self.state.is_behind(*id) && !at_hand.is_awaited(*id);
        let next = match self.is_others_turn(&channel.name) {
            true => self.least_tried(&channel.name, may)?,
            false => self.state.queue(&channel.name).take(LOOKS).find(may)?,
        };
        let level = self.state.deliveries.get(&next).map_or(Level::Low, |d| d.level);
        if at_hand.awaited(&channel.name, level) >= free {
            return None;
        }
        (!self.must_stand_back(next)).then_some(next)
    }

    fn is_others_turn(&self, channel: &str) -> bool {
        let c = self.state.channel(channel);
        c.breaker != Breaker::Closed && c.failures > 0 && c.failures.is_multiple_of(OTHERS_TURN)
    }

    /// The one whose last attempt is longest ago; of those without any the first in line.
    fn least_tried(&self, channel: &str, may: impl Fn(&DeliveryId) -> bool) -> Option<DeliveryId> {
        let last_tried = |id: &DeliveryId| {
            let d = self.state.deliveries.get(id)?;
            d.attempts.last().map(|a| a.started_at)
        };
        self.state.queue(channel).filter(may).min_by_key(last_tried)
    }

    pub fn width_of(&self, channel: &ChannelConfig) -> usize {
        width(self.state.channel(&channel.name), channel.slots, self.now)
    }

    /// One more look at whether it is still wanted, and out with it.
    pub fn go(&mut self, id: DeliveryId, channel: &ChannelConfig) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        if let Some((status, reason)) = self.unwanted(d) {
            self.end_delivery(id, status, &reason);
        } else if let Some(obstacle) = self.obstacle(&self.reader(d), &channel.name) {
            self.pass_over(id, obstacle);
        } else if !self.lacks_text(id, channel) && self.admit(id) == Admitted::Here {
            self.start_attempt(id, channel);
        }
    }

    fn start_attempt(&mut self, id: DeliveryId, channel: &ChannelConfig) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let (n, possibly_duplicate, expires, level) = (d.n + 1, d.maybe_sent, d.expires, d.level);
        let address = channel.medium().and_then(|m| d.address_for(m));
        let address = address.map(|a| self.gateway_address(channel, d.who.as_deref(), a));
        let format = channel.format();
        let key = self.text_key(d, channel, possibly_duplicate);
        let attachments = self.enclosed(d, channel);
        let ready = self.finished(d, &key);
        let fresh = ready.is_none() && format != Format::None;
        let text = match ready {
            Some(text) => text,
            None => self.render(id, channel),
        };
        let files = self.state.deliveries.get(&id).and_then(|d| self.carriage(d, channel, &text));
        let matter = self.matter(id, channel);
        let nonce = self.nonce(channel);
        let callback = self.callback(id, n, nonce.as_deref(), self.offers_keys(id, channel));
        let payload = Payload { text: fresh.then(|| text.clone()), ..Payload::default() };
        let head = EventKind::AttemptStarted {
            delivery: id,
            n,
            channel: channel.name.clone(),
            medium: channel.medium(),
            format: fresh.then_some(key),
            possibly_duplicate,
            thread: matter.incident.as_ref().and_then(|i| i.first.clone()),
            nonce,
            files,
        };
        if fresh {
            self.emit_with(head, payload)
        } else {
            self.emit(head)
        }
        self.keep_pace(channel);
        let sound = channel.sound.map(|s| self.begin_sound(id, channel, s));
        let ttl = expires - self.now;
        let out = Outgoing {
            key: id.to_string(),
            attempt: n,
            address,
            text,
            level,
            ttl,
            matter,
            sound,
            attachments,
            callback,
        };
        self.effects.push(Effect::Attempt(AttemptOrder {
            delivery: id,
            n,
            channel: channel.name.clone(),
            timeout: channel.timeout,
            simulate: channel.simulate,
            out: Box::new(out),
        }));
    }

    /// From now on it should sound, until acknowledged or its time is over; in the place of what
    /// sounds there for the same incident.
    fn begin_sound(&mut self, id: DeliveryId, channel: &ChannelConfig, settings: SoundSettings) -> SoundOrder {
        if !channel.simulate {
            let incident = self.state.deliveries.get(&id).and_then(|d| d.incident);
            let before = self.state.sounding.get(&channel.name).into_iter().flatten();
            let same = before.filter(|(_, s)| incident.is_some() && s.incident == incident);
            for old in same.map(|(old, _)| *old).collect::<Vec<_>>() {
                self.silence_sound(&channel.name, old, "it begins anew");
            }
            let until = self.now + settings.max;
            self.emit(EventKind::SoundStarted { channel: channel.name.clone(), delivery: id, incident, until });
            self.effects.push(Effect::Sound);
        }
        SoundOrder { max: settings.max }
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
