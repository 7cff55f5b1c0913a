//! The built-in tones: no file needed, one for each level, told apart with closed eyes.
//!
//! Only what they sound like; how they become samples is the player's.

use crate::domain::level::Level;
use serde::{Deserialize, Serialize};

/// A built-in tone, as `tone = "..."` in the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Two tones in turn, 800 and 600 Hz, half a second each; four seconds.
    Siren,
    /// Two groups of three rising chirps, 900 to 1500 Hz.
    Chirp,
    /// Three beeps of 880 Hz.
    Beep,
    /// One low, soft tone of 440 Hz.
    Soft,
}

/// A stretch of a tone: a frequency that glides (or a pause, with a loudness of 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Hz, at its beginning and its end.
    pub from: f32,
    pub to: f32,
    pub millis: u32,
    /// Of the full scale: 0 to 1.
    pub loudness: f32,
}

impl Tone {
    pub const ALL: [Tone; 4] = [Tone::Siren, Tone::Chirp, Tone::Beep, Tone::Soft];
    /// The names, for the config.
    pub const NAMES: [&'static str; 4] = ["siren", "chirp", "beep", "soft"];

    /// The tone of a level: what sounds when the config names neither file nor tone.
    pub fn of(level: Level) -> Tone {
        match level {
            Level::Urgent => Tone::Siren,
            Level::High => Tone::Chirp,
            Level::Normal => Tone::Beep,
            Level::Low => Tone::Soft,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Tone::Siren => "siren",
            Tone::Chirp => "chirp",
            Tone::Beep => "beep",
            Tone::Soft => "soft",
        }
    }

    pub fn parse(word: &str) -> Option<Tone> {
        Tone::ALL.into_iter().find(|t| t.as_str() == word)
    }

    /// Once through the tone, pauses included, so that repeating it needs none.
    pub fn pattern(self) -> Vec<Stretch> {
        match self {
            Tone::Siren => [flat(800.0, 500), flat(600.0, 500)].repeat(4),
            Tone::Chirp => {
                let chirp = [glide(900.0, 1500.0, 200), pause(120)];
                [chirp.repeat(3), vec![pause(400)]].concat().repeat(2)
            }
            Tone::Beep => [flat(880.0, 300), pause(300)].repeat(3),
            Tone::Soft => vec![Stretch { loudness: 0.3, ..flat(440.0, 600) }, pause(900)],
        }
    }
}

const LOUD: f32 = 0.8;

fn flat(hz: f32, millis: u32) -> Stretch {
    glide(hz, hz, millis)
}

fn glide(from: f32, to: f32, millis: u32) -> Stretch {
    Stretch { from, to, millis, loudness: LOUD }
}

fn pause(millis: u32) -> Stretch {
    Stretch { from: 0.0, to: 0.0, millis, loudness: 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_has_a_tone_of_its_own() {
        let mut tones: Vec<Tone> = Level::ALL.into_iter().map(Tone::of).collect();
        tones.sort();
        tones.dedup();
        assert_eq!(tones.len(), Level::ALL.len());
    }

    #[test]
    fn names_read_back() {
        assert_eq!(Tone::ALL.map(Tone::as_str), Tone::NAMES);
        assert!(Tone::ALL.into_iter().all(|t| Tone::parse(t.as_str()) == Some(t)));
        assert_eq!(Tone::parse("klaxon"), None);
    }

    #[test]
    fn the_louder_the_level_the_longer_it_is_heard_at_a_time() {
        let heard = |tone: Tone| -> u32 { tone.pattern().iter().filter(|s| s.loudness > 0.0).map(|s| s.millis).sum() };
        assert_eq!(heard(Tone::Siren), 4_000);
        let by_level: Vec<u32> = Level::ALL.into_iter().rev().map(|l| heard(Tone::of(l))).collect();
        assert!(by_level[0] > by_level[1] && by_level[1] > by_level[2] && by_level[2] > by_level[3], "{by_level:?}");
    }
}
