//! What is to be heard right now, mixed and fed to the device; the device is open only while
//! something sounds.

use crate::channel::sound::player::device::Device;
use crate::channel::sound::player::voice::Voice;
use crate::channel::sound::protocol::{Answer, Ask, Cause, Piece};

/// At the same time; more than anybody can tell apart.
const MOST_VOICES: usize = 32;

/// The voices and the device they sound on.
pub(super) struct Room {
    name: String,
    device: Option<Device>,
    voices: Vec<Voice>,
}

impl Room {
    /// `device` is a name as ALSA knows it.
    pub(super) fn new(device: &str) -> Room {
        Room { name: device.to_owned(), device: None, voices: Vec::new() }
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
        let form = self.open().map_err(|why| Answer::Failed { id, why })?.form();
        self.voices.push(Voice::new(id, piece, max_ms, form));
        Ok(())
    }

    fn open(&mut self) -> Result<&Device, String> {
        Ok(match &mut self.device {
            Some(device) => device,
            closed => closed.insert(Device::open(&self.name)?),
        })
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
            None => Device::open(&self.name).map(|device| device.to_string()),
        };
        match opened {
            Ok(how) => Answer::Opens { id, how },
            Err(why) => Answer::Failed { id, why },
        }
    }

    /// Feeds the device the next few hundredths of a second.
    pub(super) fn step(&mut self) -> Vec<Answer> {
        let Some(device) = &mut self.device else { return Vec::new() };
        let mut samples = vec![0.0; device.chunk()];
        let over: Vec<Option<Cause>> = self.voices.iter_mut().map(|voice| voice.add_to(&mut samples)).collect();
        if let Err(why) = device.write(&samples) {
            return self.lose(&why);
        }
        let mut answers = Vec::new();
        for voice in self.voices.iter_mut().filter(|voice| !voice.started) {
            voice.started = true;
            answers.push(Answer::Started { id: voice.id, instead: voice.instead.clone() });
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
