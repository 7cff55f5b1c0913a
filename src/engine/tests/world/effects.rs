//! What the world does when the engine wants something done: channels answer as their scripts say.

use super::{Happening, Says, World};
use crate::channel::Found;
use crate::config::ChannelConfig;
use crate::domain::delivery::Medium;
use crate::domain::event::Place;
use crate::domain::time::Span;
use crate::engine::{Ask, AttemptOrder, Effect, Inquiry, Outcome};

impl World {
    pub(super) fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Attempt(order) => self.attempt(order),
            Effect::Probe { heartbeat, channel, .. } => {
                self.probed.push((self.elapsed, heartbeat.clone()));
                let (says, latency) = self.probes.entry(channel).or_default().next("");
                if let Some(result) = says.probed() {
                    self.answer_in(latency, Ask::HeartbeatDone { name: heartbeat, result });
                }
            }
            Effect::Look { channel, .. } => {
                self.probed.push((self.elapsed, channel.clone()));
                let (says, latency) = self.probes.entry(channel.clone()).or_default().next("");
                if let Some(result) = says.probed() {
                    self.answer_in(latency, Ask::Looked { channel, result });
                }
            }
            Effect::TestCall { heartbeat, channel, .. } => {
                self.probed.push((self.elapsed, heartbeat.clone()));
                let (says, latency) = self.scripts.entry(channel).or_default().next("");
                if let Some(result) = says.probed() {
                    self.answer_in(latency, Ask::HeartbeatDone { name: heartbeat, result });
                }
            }
            Effect::ReadText(place) => {
                let text = self.text_at(&place);
                if !self.slow_disk {
                    self.engine_asks(Ask::TextRead { place, text });
                }
            }
            Effect::Sound => self.sound_changes += 1,
            Effect::Wall(words) => self.walls.push((self.elapsed, words)),
            Effect::Question(question) => self.questions.push((self.elapsed, question)),
            Effect::AskPrice(question) => self.bills.push((self.elapsed, question)),
            Effect::HangUp(question) => self.hung_up.push(question.provider_id),
            Effect::Inquiry(Inquiry { delivery, n, channel, lost, .. }) => {
                let found = self.found.get(&channel).cloned();
                self.inquiries.push((self.elapsed, channel, *lost));
                if let Some(found) = found.unwrap_or(Some(Found::No { words: "it is not there".into() })) {
                    self.answer_in(Span::ZERO, Ask::Inquired { delivery, n, found });
                }
            }
        }
    }

    /// What the ledger would read there.
    pub fn text_at(&mut self, place: &Place) -> Result<std::sync::Arc<str>, String> {
        self.reads.push(place.clone());
        if self.unreadable {
            return Err("the disk is gone".to_owned());
        }
        if place.blob.is_some() {
            let blob = self.blobs.iter().find(|b| b.seq == place.seq).unwrap();
            return Ok(std::str::from_utf8(&blob.bytes).unwrap().into());
        }
        let frame = self.frames.iter().rfind(|f| f.seq <= place.seq).unwrap();
        let payload = frame.events[(place.seq - frame.seq) as usize].payload.clone().unwrap();
        Ok(payload.text.map_or(payload.body, |text| text.text).into())
    }

    fn attempt(&mut self, order: AttemptOrder) {
        let AttemptOrder { delivery, n, channel, timeout, simulate, out } = order;
        let config = self.config();
        let configured = &config.channels[&channel];
        let who = self.recipient(configured, out.address.as_deref());
        self.texts.push(out.text.text.clone());
        self.enclosed.push(out.attachments.clone());
        let state = &self.engine.state;
        let origin = state.notifications[&state.deliveries[&delivery].notification].origin.clone();
        let text = if out.text.subject.is_empty() { out.text.text.clone() } else { out.text.subject.clone() };
        self.happened.push(Happening {
            at: self.elapsed,
            channel: channel.clone(),
            who: who.clone(),
            origin,
            n,
            delivery,
            text,
        });
        let drawn = self.fate.as_mut().and_then(|fate| fate.draw(&channel));
        let (says, latency) = drawn.unwrap_or_else(|| self.scripts.entry(channel.clone()).or_default().next(&who));
        let says = if simulate { Says::Simulates } else { says };
        if let Some((result, takes)) = says.result(configured.kind.sort, timeout) {
            self.answer_in(latency + takes, Ask::Finished(vec![Outcome { delivery, n, result }]));
        }
    }

    fn answer_in(&mut self, latency: Span, ask: Ask) {
        self.count += 1;
        self.answers.insert((self.elapsed + latency, self.count), ask);
    }

    /// The person whose address this is; a bare address as it is; nobody for a fixed channel.
    fn recipient(&self, channel: &ChannelConfig, address: Option<&str>) -> String {
        let (Some(address), Some(medium)) = (address, channel.medium()) else { return String::new() };
        let bare = address.split('@').next().unwrap_or_default();
        let config = self.config();
        let has = |p: &&crate::config::Person| {
            let own = p.address(medium);
            own == Some(address) || (medium == Medium::Sms && own == Some(bare))
        };
        config.people.values().find(has).map_or_else(|| address.to_owned(), |p| p.name.clone())
    }
}
