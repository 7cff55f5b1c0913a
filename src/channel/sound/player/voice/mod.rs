//! One sound that is being heard: its rounds, its end, and the tone that takes over when its file
//! cannot be played.

use crate::channel::sound::player::clip::Clip;
use crate::channel::sound::player::synth::Synth;
use crate::channel::sound::protocol::{Cause, Piece};
use crate::channel::sound::tone::Tone;
use rodio::source::UniformSourceIterator;
use rodio::{ChannelCount, SampleRate, Source};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The form in which the device takes its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) channels: ChannelCount,
    pub(super) rate: SampleRate,
}

type Samples = Box<dyn Iterator<Item = f32> + Send>;

pub(super) struct Voice {
    pub(super) id: u64,
    /// Why the tone sounds instead of the file.
    pub(super) instead: Option<String>,
    /// What stentord is told beside.
    pub(super) notes: Vec<String>,
    /// The device took its first samples, and stentord was told.
    pub(super) started: bool,
    form: Form,
    clip: Option<Clip>,
    tone: Tone,
    volume: f32,
    /// Rounds that have not begun; `None`: without end.
    rounds: Option<u32>,
    /// Samples (of all channels) until `max`.
    left: u64,
    round: Samples,
}

impl Voice {
    pub(super) fn new(id: u64, piece: &Piece, max_ms: u64, form: Form) -> Voice {
        let (clip, instead) = match piece.file.as_deref().map(load) {
            None => (None, None),
            Some(Ok(clip)) => (Some(clip), None),
            Some(Err(why)) => (None, Some(why)),
        };
        let frames = u128::from(max_ms) * u128::from(form.rate.get()) / 1_000;
        let left = u64::try_from(frames * u128::from(form.channels.get())).unwrap_or(u64::MAX);
        Voice {
            id,
            instead,
            notes: Vec::new(),
            started: false,
            form,
            clip,
            tone: piece.tone,
            volume: piece.volume,
            rounds: piece.repeat,
            left,
            round: Box::new(std::iter::empty()),
        }
    }

    /// Adds its next samples to `out`; says why when it is over.
    pub(super) fn add_to(&mut self, out: &mut [f32]) -> Option<Cause> {
        let before = out.to_vec();
        if let Ok(over) = catch_unwind(AssertUnwindSafe(|| self.fill(out))) {
            return over;
        }
        out.copy_from_slice(&before);
        self.take_the_tone("makes the decoder fail in the middle");
        self.fill(out)
    }

    fn fill(&mut self, out: &mut [f32]) -> Option<Cause> {
        let mut fresh = false;
        for place in out {
            if self.left == 0 {
                return Some(Cause::Max);
            }
            let sample = loop {
                if let Some(sample) = self.round.next() {
                    break sample;
                }
                if fresh {
                    self.take_the_tone("has no samples");
                } else if !self.begin_round() {
                    return Some(Cause::Played);
                }
                fresh = true;
            };
            fresh = false;
            self.left -= 1;
            *place += sample * self.volume;
        }
        None
    }

    /// False when it was played as often as asked.
    fn begin_round(&mut self) -> bool {
        match &mut self.rounds {
            Some(0) => return false,
            Some(rounds) => *rounds -= 1,
            None => {}
        }
        match self.clip.as_ref().map(Clip::decode) {
            Some(Ok(source)) => self.round = self.uniform(source),
            Some(Err(why)) => self.take_the_tone(&why),
            None => self.round = self.uniform(Synth::new(self.tone)),
        }
        true
    }

    fn take_the_tone(&mut self, why: &str) {
        self.clip = None;
        self.instead.get_or_insert_with(|| why.to_owned());
        self.round = self.uniform(Synth::new(self.tone));
    }

    fn uniform(&self, source: impl Source + Send + 'static) -> Samples {
        Box::new(UniformSourceIterator::new(source, self.form.channels, self.form.rate))
    }
}

/// Also decodes its beginning, so that a bad file is known before the first sample is played.
fn load(path: &str) -> Result<Clip, String> {
    let clip = Clip::read(Path::new(path))?;
    match clip.decode()?.next() {
        Some(_) => Ok(clip),
        None => Err("has no samples".to_owned()),
    }
}

#[cfg(test)]
mod tests;
