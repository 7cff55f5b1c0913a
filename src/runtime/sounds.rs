//! What lasts is reconciled: the player is made to match the engine's `sounding`.

use super::handle::Handle;
use crate::channel::{Channel, WantedSound, sound};
use crate::config::Config;
use crate::domain::level::Level;
use crate::domain::time::{EngineTime, Span};
use crate::engine::{Ask, Caller, State};
use std::sync::Arc;
use tokio::task::AbortHandle;

/// One listener for each sound channel, for sounds that come to their end by themselves.
#[derive(Default)]
pub(super) struct Sounds {
    listeners: Vec<AbortHandle>,
    /// The default device, where no sound channel is configured and it came to that.
    last_resort: Option<Arc<dyn Channel>>,
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
    pub fn reconcile(&mut self, config: &Config, state: &State, now: EngineTime) {
        let cries = cries(state, now);
        let mut devices = false;
        for channel in config.channels.values().filter(|c| !c.simulate) {
            if let Some(sounder) = channel.adapter.sounder() {
                devices = true;
                sounder.wanted(wanted(&channel.name, state, now).chain(cries.clone()).collect());
            }
        }
        if !cries.is_empty() && !devices {
            self.last_resort.get_or_insert_with(sound::last_resort);
        }
        if let Some(sounder) = self.last_resort.as_ref().and_then(|channel| channel.sounder()) {
            sounder.wanted(if devices { Vec::new() } else { cries });
        }
    }
}

fn wanted(channel: &str, state: &State, now: EngineTime) -> impl Iterator<Item = WantedSound> {
    let sounds = state.sounding.get(channel).into_iter().flatten();
    sounds.map(move |(delivery, s)| WantedSound {
        key: delivery.to_string(),
        level: s.level,
        left: s.until - now,
        full: false,
    })
}

/// What nobody can be told of sounds everywhere.
fn cries(state: &State, now: EngineTime) -> Vec<WantedSound> {
    let left = state.unheard.values().map(|until| *until - now).max().filter(|left| *left > Span::ZERO);
    let cry = |left| WantedSound { key: "unheard".to_owned(), level: Level::Urgent, left, full: true };
    left.map(cry).into_iter().collect()
}
