//! Sound on this host: a file, or a built-in tone that differs by level.
//!
//! `send` makes it begin and is done when the device took the first samples; from then on the
//! sound is state, see [`crate::channel::Sounder`]. The device is touched by `stentor-player`
//! alone, a process of its own that is started again when it dies and killed when it hangs. A
//! file that cannot be played costs nobody an alarm: the tone of the level sounds instead.

pub mod client;
pub mod player;
mod protocol;
mod settings;
mod tone;

pub use settings::Settings;
pub use tone::Tone;

use crate::channel::sound::client::{Desk, Launch, NotHeard};
use crate::channel::sound::protocol::{Cause, Heard, Piece};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed, SoundEnded, SoundTerms, Sounder, WantedSound};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::level::Level;
use futures_util::future::BoxFuture;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// `kind = "sound"`.
pub const KIND: Kind = Kind {
    name: "sound",
    sort: Sort::Fixed,
    provider: "local",
    format: Format::None,
    read: |table| settings::read(table).map(|settings| Arc::new(Sound::new(settings)) as Arc<dyn Channel>),
};

/// What sounds when nobody can be told and no sound channel is configured: the default device.
pub fn last_resort() -> Arc<dyn Channel> {
    let terms = SoundTerms { repeat: None, ..Settings::new("").terms };
    Arc::new(Sound::new(Settings { terms, ..Settings::new("last resort") }))
}

/// A sound channel.
#[derive(Debug)]
pub struct Sound {
    settings: Settings,
    launch: Launch,
    /// Taken at the first use, so that reading a config starts nothing.
    desk: Mutex<Option<Arc<Desk>>>,
}

impl Sound {
    pub fn new(settings: Settings) -> Sound {
        let launch = Launch::new(&settings.device).fallback(settings.fallback_device.clone());
        Sound::with_player(settings, launch)
    }

    /// With a player that is started in a way of its own.
    pub fn with_player(settings: Settings, launch: Launch) -> Sound {
        Sound { settings, launch, desk: Mutex::default() }
    }

    fn desk(&self) -> Result<Arc<Desk>, NotHeard> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        match &*desk {
            Some(desk) => Ok(desk.clone()),
            None => Ok(desk.insert(client::desk(&self.launch, &self.settings.channel)?).clone()),
        }
    }

    fn piece(&self, level: Level) -> Piece {
        let Settings { file, tone, volume, terms, mixer_floor, .. } = &self.settings;
        let (tone, urgent) = (tone.unwrap_or(Tone::of(level)), level == Level::Urgent);
        Piece { file: file.clone(), tone, volume: *volume, repeat: terms.repeat, urgent, floor: *mixer_floor }
    }

    fn piece_of(&self, wanted: &WantedSound) -> Piece {
        let piece = self.piece(wanted.level);
        match wanted.full {
            true => Piece { volume: piece.volume.max(1.0), repeat: None, ..piece },
            false => piece,
        }
    }

    async fn begin(&self, out: &Outgoing) -> Result<Heard, NotHeard> {
        let max = out.sound.as_ref().map_or(self.settings.terms.max, |order| order.max);
        self.desk()?.begin(&out.key, self.piece(out.level), max.to_std()).await
    }

    /// `siren.mp3 on default; the mixer's Master was at 0 %`
    fn told(&self, level: Level, heard: &Heard) -> String {
        let device = heard.on.as_ref().unwrap_or(&self.settings.device);
        let mut words = match &heard.instead {
            None => format!("{} on {device}", self.name(level)),
            Some(why) => {
                let tone = self.piece(level).tone.as_str();
                let file = self.settings.file.as_deref().unwrap_or_default();
                format!("the tone {tone} on {device}, because {file} {why}")
            }
        };
        for note in &heard.notes {
            tracing::warn!(channel = self.settings.channel, "{note}");
            words += &format!("; {note}");
        }
        words
    }

    /// "siren.mp3", "the tone siren".
    fn name(&self, level: Level) -> String {
        match &self.settings.file {
            Some(file) => file_name(file),
            None => format!("the tone {}", self.piece(level).tone.as_str()),
        }
    }
}

impl Channel for Sound {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            match self.begin(out).await {
                Ok(heard) => delivered(self.told(out.level, &heard)),
                Err(not) => AttemptResult::Failed(failure(&not)),
            }
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let opened = async { self.desk()?.probe().await }.await;
            match opened {
                Ok(how) => Ok(format!("device {} opens ({how})", self.settings.device)),
                Err(not) => Err(failure(&not)),
            }
        })
    }

    fn describe(&self, out: &Outgoing) -> String {
        let Settings { device, volume, terms, .. } = &self.settings;
        let often = match terms.repeat {
            None => "until acknowledged".to_owned(),
            Some(times) => many(times),
        };
        let max = out.sound.as_ref().map_or(terms.max, |order| order.max);
        format!("play {} on {device}, {often}, at most {max}, at volume {volume}", self.name(out.level))
    }

    fn sounder(&self) -> Option<&dyn Sounder> {
        Some(self)
    }
}

impl Sounder for Sound {
    fn terms(&self) -> SoundTerms {
        self.settings.terms
    }

    fn wanted(&self, sounds: Vec<WantedSound>) {
        match self.desk() {
            Ok(desk) => desk.want(sounds.into_iter().map(|s| (s.key.clone(), self.piece_of(&s), s.left.to_std()))),
            Err(not) => tracing::error!(channel = self.settings.channel, "no sound: {not}"),
        }
    }

    fn ended(&self) -> BoxFuture<'_, SoundEnded> {
        Box::pin(async move {
            let Ok(desk) = self.desk() else { return std::future::pending().await };
            let (key, cause) = desk.ended().await;
            let because = match (cause, self.settings.terms.repeat) {
                (Cause::Played, Some(times)) => format!("played {}", many(times)),
                (Cause::Max, _) => "its time was over".to_owned(),
                _ => "ended".to_owned(),
            };
            SoundEnded { key, because }
        })
    }

    fn check(&self) -> Result<(), String> {
        let Some(file) = &self.settings.file else { return Ok(()) };
        match client::check(&self.launch, Path::new(file)) {
            Ok(_) => Ok(()),
            Err(why) => Err(format!("{file} {why}")),
        }
    }
}

fn delivered(detail: String) -> AttemptResult {
    AttemptResult::Delivered { provider_id: None, detail }
}

fn failure(not: &NotHeard) -> Failure {
    match not {
        NotHeard::Broken(why) => Failure::new(FailureClass::ProviderError, Blame::Channel, why),
        NotHeard::Hung(why) => Failure::new(FailureClass::Timeout, Blame::Channel, why),
        // Somebody acknowledged, or said stop: the channel is well, and there is nothing to try again.
        NotHeard::Silenced => Failure::new(FailureClass::FinalFailure, Blame::Message, not.to_string()),
    }
}

fn file_name(file: &str) -> String {
    Path::new(file).file_name().map_or_else(|| file.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn many(times: u32) -> String {
    match times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

#[cfg(test)]
mod tests;
