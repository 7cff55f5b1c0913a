//! The keys of a sound channel.

use crate::channel::SoundTerms;
use crate::channel::sound::tone::Tone;
use crate::domain::time::Span;
use crate::settings::{Shape, Table};

const UNTIL_ACKNOWLEDGED: &str = "until-acknowledged";
/// Where the config does not say.
const DEVICE: &str = "default";
const MAX: Span = Span::mins(15);
const LOUDEST: f64 = 10.0;
const MOST_TIMES: i64 = 1_000;

/// A sound channel, as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Its name in the config.
    pub channel: String,
    /// WAV, MP3, OGG Vorbis or FLAC.
    pub file: Option<String>,
    /// `None`: that of the level.
    pub tone: Option<Tone>,
    /// As ALSA knows it.
    pub device: String,
    /// Where the first one cannot be opened, or vanishes.
    pub fallback_device: Option<String>,
    /// Every sample is multiplied by it.
    pub volume: f32,
    /// Per cent that the mixer is raised to for urgent; `None`: the mixer is not touched.
    pub mixer_floor: Option<u8>,
    pub terms: SoundTerms,
}

impl Settings {
    /// What a channel is without any key: the tone of the level, once, on the default device.
    pub fn new(channel: impl Into<String>) -> Self {
        let terms = SoundTerms { repeat: Some(1), max: MAX };
        Settings {
            channel: channel.into(),
            file: None,
            tone: None,
            device: DEVICE.to_owned(),
            fallback_device: None,
            volume: 1.0,
            mixer_floor: None,
            terms,
        }
    }
}

/// Reads `file`, `tone`, `device`, `fallback_device`, `volume`, `mixer_floor`, `repeat` and `max`; `None`
/// if there was an error.
pub(super) fn read(table: &mut Table<'_>) -> Option<Settings> {
    let default = Settings::new(table.name());
    let file = optional(table, "file", |t| t.parsed("file", a_path));
    let tone = optional(table, "tone", |t| t.choice("tone", &Tone::NAMES));
    let device = optional(table, "device", |t| t.parsed("device", a_device));
    let fallback_device = optional(table, "fallback_device", |t| t.parsed("fallback_device", a_device));
    let volume = optional(table, "volume", read_volume);
    let mixer_floor = optional(table, "mixer_floor", |t| t.integer("mixer_floor", 1..=100));
    let terms = read_terms(table);
    let (file, tone) = (file?, tone?);
    if file.is_some() && tone.is_some() {
        table.error("tone", "a file and a tone are given", "leave one of them out");
        return None;
    }
    Some(Settings {
        file,
        tone: tone.and_then(Tone::parse),
        device: device?.unwrap_or(default.device),
        fallback_device: fallback_device?,
        volume: volume?.unwrap_or(default.volume),
        mixer_floor: mixer_floor?.and_then(|floor| u8::try_from(floor).ok()),
        terms,
        ..Settings::new(table.name())
    })
}

/// `Some(None)`: not written. `None`: written and wrong, which `read` has reported.
fn optional<'a, T>(
    table: &mut Table<'a>,
    key: &str,
    read: impl FnOnce(&mut Table<'a>) -> Option<T>,
) -> Option<Option<T>> {
    let written = table.has(key);
    match read(table) {
        None if written && !table.simulated() => None,
        value => Some(value),
    }
}

fn a_path(text: &str) -> Result<String, String> {
    match text.starts_with('/') {
        true => Ok(text.to_owned()),
        false => {
            Err(format!("{text:?} is not an absolute path; write for example \"/usr/share/stentor/sounds/siren.mp3\""))
        }
    }
}

fn a_device(text: &str) -> Result<String, String> {
    match text.trim().is_empty() || text.contains('\0') {
        true => Err(format!("{text:?} is no name of a sound device; write \"default\" or a name from `aplay -L`")),
        false => Ok(text.to_owned()),
    }
}

fn read_volume(table: &mut Table<'_>) -> Option<f32> {
    let volume = table.float("volume")?;
    if volume > 0.0 && volume <= LOUDEST {
        return Some(volume as f32);
    }
    let message = format!("{volume} is no volume that can be heard");
    table.error("volume", message, format!("write more than 0, at most {LOUDEST}; 1.0 leaves the samples as they are"));
    None
}

/// Reads `repeat` and `max`, with their defaults: once, and 15 minutes at a stretch. What is wrong
/// is reported.
fn read_terms(table: &mut Table<'_>) -> SoundTerms {
    let repeat = match table.shape("repeat") {
        None => Some(1),
        Some(Shape::Text) => table.parsed("repeat", how_often).flatten(),
        Some(_) => table.integer("repeat", 1..=MOST_TIMES).and_then(|times| u32::try_from(times).ok()),
    };
    let max = table.parsed("max", |text| match Span::parse(text)? {
        Span::ZERO => Err("nothing can be heard in no time; write for example max = \"15m\"".to_owned()),
        span => Ok(span),
    });
    if repeat.is_none() && table.has("repeat") && !table.has("max") {
        let message = format!("nothing says for how long; it will be {MAX} at a stretch");
        table.warning("repeat", message, "write max = \"15m\"");
    }
    SoundTerms { repeat, max: max.unwrap_or(MAX) }
}

/// `None`: until acknowledged.
fn how_often(text: &str) -> Result<Option<u32>, String> {
    match text.trim().parse::<u32>() {
        Ok(times) if times > 0 && i64::from(times) <= MOST_TIMES => Ok(Some(times)),
        _ if text == UNTIL_ACKNOWLEDGED => Ok(None),
        _ => Err(format!("{text:?} is not how often; write {UNTIL_ACKNOWLEDGED:?} or a number from 1 to {MOST_TIMES}")),
    }
}
