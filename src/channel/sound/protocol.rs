//! What stentord and `stentor-player --serve` say to each other over the player's standard input
//! and output: one JSON document a line, both ways.
//!
//! Every request has a number that its answers carry. The player answers a [`Ask::Play`] with
//! `started` and later `ended`, or with `failed`; a [`Ask::Stop`] makes it say `ended`, too. All
//! answers come from the thread that feeds the device, so that a player that hangs is silent on
//! the line. When its input ends, the player stops what sounds and exits.

use crate::channel::sound::tone::Tone;
use serde::{Deserialize, Serialize};

/// From stentord to the player.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    Play {
        id: u64,
        #[serde(flatten)]
        piece: Piece,
        /// Milliseconds; then it ends, however often it was to be repeated.
        max_ms: u64,
    },
    /// Silence for one sound; nothing happens when it has ended.
    Stop {
        id: u64,
    },
    StopAll,
    /// Opens the device and closes it again: `opens` or `failed`.
    Check {
        id: u64,
    },
    /// `pong`, from the thread that feeds the device.
    Ping {
        id: u64,
    },
}

/// What is to be heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Without one, or when it does not decode: the tone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    pub tone: Tone,
    /// Every sample is multiplied by it.
    pub volume: f32,
    /// So many times; none: until stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u32>,
    /// The mixer is looked at before it begins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    /// Per cent that the mixer is raised to then, if it is lower; none: it is not touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<u8>,
}

/// How something came to be heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Why the tone sounds instead of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// The device, where it is not the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// What an operator should know: why it is another device, what the mixer says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// From the player to stentord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The device took the first samples.
    Started {
        id: u64,
        #[serde(flatten)]
        heard: Heard,
    },
    /// Silent; the last answer to a `play` that started.
    Ended {
        id: u64,
        cause: Cause,
    },
    /// Not, or no longer, to be heard; the last answer to a `play`.
    Failed {
        id: u64,
        why: String,
    },
    /// The device opens, and how ("48000 Hz, 2 channels").
    Opens {
        id: u64,
        how: String,
    },
    Pong {
        id: u64,
    },
}

/// Why a sound ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// As often as asked.
    Played,
    /// `max_ms` are over.
    Max,
    Stopped,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_request_is_one_flat_line() {
        let piece = Piece {
            file: Some("/a b.mp3".to_owned()),
            tone: Tone::Siren,
            volume: 1.0,
            repeat: None,
            urgent: false,
            floor: None,
        };
        let ask = Ask::Play { id: 7, piece, max_ms: 900_000 };
        let line = serde_json::to_string(&ask).unwrap();
        assert_eq!(line, r#"{"ask":"play","id":7,"file":"/a b.mp3","tone":"siren","volume":1.0,"max_ms":900000}"#);
        assert_eq!(serde_json::from_str::<Ask>(&line).unwrap(), ask);
    }

    #[test]
    fn answers_read_back() {
        for answer in [
            Answer::Started {
                id: 1,
                heard: Heard { instead: Some("a.mp3: not a sound".to_owned()), ..Heard::default() },
            },
            Answer::Started {
                id: 6,
                heard: Heard { on: Some("hw:1".into()), notes: vec!["busy".into()], ..Heard::default() },
            },
            Answer::Ended { id: 2, cause: Cause::Max },
            Answer::Failed { id: 3, why: "busy".to_owned() },
            Answer::Opens { id: 4, how: "48000 Hz, 2 channels".to_owned() },
            Answer::Pong { id: 5 },
        ] {
            let line = serde_json::to_string(&answer).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(serde_json::from_str::<Answer>(&line).unwrap(), answer);
        }
    }
}
