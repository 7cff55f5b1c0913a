//! The player of a build without the cargo feature `sound`: answers everything, plays nothing.

use crate::channel::sound::player::Refused;
use crate::channel::sound::protocol::{Answer, Ask};
use std::path::Path;

const WHY: &str = "stentor-player was built without sound; install ALSA's headers (apt-get install libasound2-dev \
                   pkg-config) and build it again with the cargo feature `sound`, which is on by default";

/// Stands where the real one plays.
#[derive(Debug)]
pub(super) struct Room;

impl Room {
    pub(super) fn new(_devices: Vec<String>) -> Room {
        Room
    }

    pub(super) fn is_silent(&self) -> bool {
        true
    }

    pub(super) fn hear(&mut self, ask: Ask) -> Vec<Answer> {
        match ask {
            Ask::Play { id, .. } | Ask::Check { id } => vec![Answer::Failed { id, why: WHY.to_owned() }],
            Ask::Ping { id } => vec![Answer::Pong { id }],
            Ask::Stop { .. } | Ask::StopAll => Vec::new(),
        }
    }

    pub(super) fn step(&mut self) -> Vec<Answer> {
        Vec::new()
    }
}

pub(super) fn check(_file: &Path) -> Result<String, Refused> {
    Err(Refused::Unknown(WHY.to_owned()))
}
