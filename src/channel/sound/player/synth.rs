//! A built-in tone as samples.

use crate::channel::sound::tone::{Stretch, Tone};
use rodio::{ChannelCount, Sample, SampleRate, Source};
use std::f32::consts::TAU;
use std::time::Duration;

const RATE: u32 = 48_000;
/// At both ends of each stretch, against clicks.
const RAMP: u32 = RATE / 200;

/// Once through a tone's pattern; mono.
pub(super) struct Synth {
    pattern: Vec<Stretch>,
    /// The stretch, and the sample within it.
    at: usize,
    sample: u32,
    /// In turns of the circle: 0 to 1.
    phase: f32,
}

impl Synth {
    pub(super) fn new(tone: Tone) -> Synth {
        Synth { pattern: tone.pattern(), at: 0, sample: 0, phase: 0.0 }
    }
}

impl Iterator for Synth {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        let stretch = *self.pattern.get(self.at)?;
        let length = stretch.millis * (RATE / 1_000);
        let now = self.sample;
        self.sample += 1;
        if self.sample >= length {
            self.at += 1;
            self.sample = 0;
        }
        let done = now as f32 / length as f32;
        let hz = stretch.from + (stretch.to - stretch.from) * done;
        self.phase = (self.phase + hz / RATE as f32).fract();
        let edge = now.min(length - 1 - now).min(RAMP) as f32 / RAMP as f32;
        Some((self.phase * TAU).sin() * stretch.loudness * edge)
    }
}

impl Source for Synth {
    fn current_span_len(&self) -> Option<usize> {
        None
    }
    fn channels(&self) -> ChannelCount {
        ChannelCount::MIN
    }
    fn sample_rate(&self) -> SampleRate {
        SampleRate::MIN.saturating_add(RATE - 1)
    }
    fn total_duration(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.pattern.iter().map(|s| u64::from(s.millis)).sum()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_tone_is_as_long_as_its_pattern_and_never_clips() {
        for tone in Tone::ALL {
            let synth = Synth::new(tone);
            let millis = synth.total_duration().unwrap().as_millis() as usize;
            let samples: Vec<f32> = synth.collect();
            assert_eq!(samples.len(), millis * 48, "{tone:?}");
            let peak = samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
            assert!(peak > 0.2 && peak <= 1.0, "{tone:?} peaks at {peak}");
        }
    }

    #[test]
    fn it_begins_and_ends_in_silence() {
        for tone in Tone::ALL {
            let samples: Vec<f32> = Synth::new(tone).collect();
            assert!(samples.first().unwrap().abs() < 0.01 && samples.last().unwrap().abs() < 0.01, "{tone:?}");
        }
    }

    #[test]
    fn it_says_the_rate_it_is_made_for() {
        assert_eq!(Synth::new(Tone::Beep).sample_rate().get(), RATE);
        assert_eq!(Synth::new(Tone::Beep).channels().get(), 1);
    }
}
