//! Silences, and sounds that go on.

use crate::domain::event::{EventKind, SilenceAdded};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::engine::state::{Silence, Sounding, State, Timer};

impl State {
    pub(in crate::engine::state) fn fold_silence(&mut self, head: &EventKind) -> bool {
        match head {
            EventKind::SilenceAdded(added) => {
                let SilenceAdded { id, matchers, starts, ends, comment, created_by } = added;
                if self.silences.contains_key(id) {
                    return false;
                }
                let silence = Silence {
                    id: id.clone(),
                    matchers: matchers.clone(),
                    starts: *starts,
                    ends: *ends,
                    comment: comment.clone(),
                    created_by: created_by.clone(),
                    begun: false,
                    expired: false,
                    held: 0,
                };
                self.index.add_silence(&silence);
                self.silences.insert(id.clone(), silence);
                true
            }
            EventKind::SilenceBegan { id } => self.change_silence(id, |s| s.begun = true),
            EventKind::SilenceExpired { id, .. } => {
                let now = self.engine_time(self.last_at);
                let known = self.change_silence(id, |s| {
                    s.expired = true;
                    s.ends = s.ends.min(now);
                });
                self.forget_silences();
                known
            }
            _ => false,
        }
    }

    fn change_silence(&mut self, id: &str, change: impl FnOnce(&mut Silence)) -> bool {
        let Some(s) = self.silences.get_mut(id).filter(|s| !s.expired) else { return false };
        change(s);
        self.index.add_silence(s);
        true
    }

    pub(in crate::engine::state) fn fold_sound(&mut self, head: &EventKind) -> bool {
        match head {
            EventKind::SoundStarted { channel, delivery, incident, until } => {
                let level = self.deliveries.get(delivery).map_or(Level::Urgent, |d| d.level);
                let sound = Sounding { incident: *incident, level, until: *until };
                self.sounding.entry(channel.clone()).or_default().insert(*delivery, sound);
                self.index.set_timer(Timer::Sound(channel.clone(), *delivery), Some(*until));
                true
            }
            EventKind::SoundStopped { channel, delivery, .. } => self.fold_silent(channel, *delivery),
            _ => false,
        }
    }

    fn fold_silent(&mut self, channel: &str, delivery: DeliveryId) -> bool {
        self.index.set_timer(Timer::Sound(channel.to_owned(), delivery), None);
        let Some(sounds) = self.sounding.get_mut(channel) else { return false };
        let was = sounds.remove(&delivery).is_some();
        if sounds.is_empty() {
            self.sounding.remove(channel);
        }
        was
    }
}
