//! What is to be heard right now, mixed and fed to the device; the device is open only while
//! something sounds. Where the first device cannot be opened the next one plays.

use crate::channel::sound::player::device::Device;
use crate::channel::sound::player::mixer;
use crate::channel::sound::player::voice::Voice;
use crate::channel::sound::protocol::{Answer, Ask, Cause, Heard, Piece};

/// At the same time; more than anybody can tell apart.
const MOST_VOICES: usize = 32;

/// The voices and the device they sound on.
pub(super) struct Room {
    /// As ALSA knows them, the first choice first.
    names: Vec<String>,
    device: Option<Device>,
    /// Why it is not the first one.
    otherwise: Option<String>,
    voices: Vec<Voice>,
}

impl Room {
    pub(super) fn new(names: Vec<String>) -> Room {
        Room { names, device: None, otherwise: None, voices: Vec::new() }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.voices.is_empty()
    }

    /// Does what was asked; a sound begins with the next [`Room::step`].
    pub(super) fn hear(&mut self, ask: Ask) -> Vec<Answer> {
        match ask {
            Ask::Play { id, piece, max_ms } => self.play(id, &piece, max_ms).err().into_iter().collect(),
            Ask::Stop { id } => self.stop(|voice| voice.id == id),
            Ask::StopAll => self.stop(|_| true),
            Ask::Check { id } => vec![self.check(id)],
            Ask::Ping { id } => vec![Answer::Pong { id }],
        }
    }

    fn play(&mut self, id: u64, piece: &Piece, max_ms: u64) -> Result<(), Answer> {
        if self.voices.len() >= MOST_VOICES {
            return Err(Answer::Failed { id, why: format!("{MOST_VOICES} sounds are playing already") });
        }
        let otherwise = self.otherwise.take();
        let (device, why) = match self.device.take() {
            Some(device) => (device, otherwise),
            None => open(&self.names).map_err(|why| Answer::Failed { id, why })?,
        };
        let mut voice = Voice::new(id, piece, max_ms, device.form());
        voice.notes.extend(why.clone());
        if piece.urgent {
            voice.notes.extend(mixer::look(device.name(), piece.floor));
        }
        (self.device, self.otherwise) = (Some(device), why);
        self.voices.push(voice);
        Ok(())
    }

    fn stop(&mut self, which: impl Fn(&Voice) -> bool) -> Vec<Answer> {
        let stopped: Vec<Voice> = self.voices.extract_if(.., |voice| which(voice)).collect();
        if self.voices.is_empty()
            && let Some(device) = self.device.take()
        {
            device.silence();
        }
        stopped.iter().map(|voice| Answer::Ended { id: voice.id, cause: Cause::Stopped }).collect()
    }

    fn check(&self, id: u64) -> Answer {
        let opened = match &self.device {
            Some(device) => Ok(device.to_string()),
            None => open(&self.names).map(|(device, why)| {
                let mixer = mixer::look(device.name(), None);
                let notes = why.into_iter().chain(mixer).map(|note| format!("; {note}"));
                format!("{device}{}", notes.collect::<String>())
            }),
        };
        match opened {
            Ok(how) => Answer::Opens { id, how },
            Err(why) => Answer::Failed { id, why },
        }
    }

    /// Feeds the device the next few hundredths of a second.
    pub(super) fn step(&mut self) -> Vec<Answer> {
        let Some(device) = &mut self.device else { return Vec::new() };
        let on = (self.names.first().map(String::as_str) != Some(device.name())).then(|| device.name().to_owned());
        let mut samples = vec![0.0; device.chunk()];
        let over: Vec<Option<Cause>> = self.voices.iter_mut().map(|voice| voice.add_to(&mut samples)).collect();
        if let Err(why) = device.write(&samples) {
            return self.lose(&why);
        }
        let mut answers = Vec::new();
        for voice in self.voices.iter_mut().filter(|voice| !voice.started) {
            voice.started = true;
            let heard =
                Heard { instead: voice.instead.clone(), on: on.clone(), notes: std::mem::take(&mut voice.notes) };
            answers.push(Answer::Started { id: voice.id, heard });
        }
        self.end(&over, &mut answers);
        answers
    }

    fn end(&mut self, over: &[Option<Cause>], answers: &mut Vec<Answer>) {
        let mut causes = over.iter();
        self.voices.retain(|voice| {
            let cause = causes.next().copied().flatten();
            answers.extend(cause.map(|cause| Answer::Ended { id: voice.id, cause }));
            cause.is_none()
        });
        if self.voices.is_empty()
            && let Some(device) = self.device.take()
        {
            device.finish();
        }
    }

    /// The device is gone: whoever wants to be heard has to ask again.
    fn lose(&mut self, why: &str) -> Vec<Answer> {
        self.device = None;
        self.voices.drain(..).map(|voice| Answer::Failed { id: voice.id, why: why.to_owned() }).collect()
    }
}

/// The first of them that opens, and why it is not the first of all.
fn open(names: &[String]) -> Result<(Device, Option<String>), String> {
    let mut troubles: Vec<String> = Vec::new();
    for name in names {
        match Device::open(name) {
            Ok(device) => return Ok((device, (!troubles.is_empty()).then(|| troubles.join("; ")))),
            Err(why) => troubles.push(why),
        }
    }
    Err(troubles.join("; "))
}
