//! What lasts is reconciled: the player is made to match the engine's `sounding`.

use super::handle::Handle;
use crate::channel::{Sounder, WantedSound};
use crate::config::Config;
use crate::domain::time::EngineTime;
use crate::engine::{Ask, Caller, State};
use tokio::task::AbortHandle;

/// One listener for each sound channel, for sounds that come to their end by themselves.
#[derive(Default)]
pub(super) struct Sounds {
    listeners: Vec<AbortHandle>,
}

impl Sounds {
    /// For a new config: listens to its sound channels and no others.
    pub fn listen(&mut self, config: &Config, handle: &Handle) {
        for old in self.listeners.drain(..) {
            old.abort();
        }
        for channel in config.channels.values().filter(|c| !c.simulate && c.adapter.sounder().is_some()) {
            let (name, adapter, handle) = (channel.name.clone(), channel.adapter.clone(), handle.clone());
            let task = tokio::spawn(async move {
                while let Some(sounder) = adapter.sounder() {
                    let ended = sounder.ended().await;
                    let Ok(delivery) = ended.key.parse() else { continue };
                    handle.tell(Caller::engine(), Ask::SoundEnded { channel: name.clone(), delivery });
                }
            });
            self.listeners.push(task.abort_handle());
        }
    }

    /// Makes every player match the state.
    pub fn reconcile(&self, config: &Config, state: &State, now: EngineTime) {
        for channel in config.channels.values().filter(|c| !c.simulate) {
            if let Some(sounder) = channel.adapter.sounder() {
                want(sounder, &channel.name, state, now);
            }
        }
    }
}

fn want(sounder: &dyn Sounder, channel: &str, state: &State, now: EngineTime) {
    let sounds = state.sounding.get(channel).into_iter().flatten();
    let wanted =
        sounds.map(|(delivery, s)| WantedSound { key: delivery.to_string(), level: s.level, left: s.until - now });
    sounder.wanted(wanted.collect());
}
