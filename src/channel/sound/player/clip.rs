//! A sound file: read whole, so that a file that is moved away, or a file system that hangs,
//! silences no alarm that has begun; decoded anew for each repetition.

use crate::channel::sound::player::Refused;
use rodio::decoder::DecoderError;
use rodio::{ChannelCount, Decoder, Sample, SampleRate, Source};
use std::fs;
use std::io::Cursor;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longer files are refused: an alarm is not an opera, and it is kept in memory.
const MOST_BYTES: u64 = 64 << 20;
/// Under this the loudest sample of a file counts as silence (about -60 dB).
const SILENCE: f32 = 0.001;

/// The bytes of a sound file.
#[derive(Clone)]
pub(super) struct Clip {
    bytes: Arc<[u8]>,
    extension: String,
}

impl Clip {
    pub(super) fn read(path: &Path) -> Result<Clip, String> {
        let about = fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?;
        if !about.is_file() {
            return Err("is not a file".to_owned());
        }
        if about.len() > MOST_BYTES {
            return Err(format!("is longer than {} MiB; use a shorter sound", MOST_BYTES >> 20));
        }
        let bytes = fs::read(path).map_err(|e| format!("cannot be read: {e}"))?.into();
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Clip { bytes, extension })
    }

    /// From its first sample.
    pub(super) fn decode(&self) -> Result<Steady, String> {
        let (clip, bytes) = (self.clone(), self.bytes.len() as u64);
        // A decoder is other people's code on other people's bytes.
        let decoder = catch_unwind(move || {
            Decoder::builder()
                .with_data(Cursor::new(clip.bytes))
                .with_byte_len(bytes)
                .with_hint(&clip.extension)
                .with_gapless(true)
                .build()
        });
        match decoder {
            Ok(Ok(decoder)) => Ok(Steady::new(decoder)),
            Ok(Err(e)) => Err(words(&e)),
            Err(_panic) => Err("makes the decoder fail; save it anew as WAV or FLAC".to_owned()),
        }
    }
}

fn words(e: &DecoderError) -> String {
    let detail = match e {
        DecoderError::DecodeError(words) | DecoderError::LimitError(words) => format!(" ({words})"),
        DecoderError::IoError(words) => format!(" ({words})"),
        _ => String::new(),
    };
    format!("is not a sound that can be decoded{detail}; use WAV, MP3, OGG Vorbis or FLAC")
}

/// A decoded file as one stretch of samples, so that converting its rate does not begin anew at
/// each packet. Where a stream changes its rate or channels in the middle, it ends.
pub(super) struct Steady {
    decoder: Decoder<Cursor<Arc<[u8]>>>,
    channels: ChannelCount,
    rate: SampleRate,
}

impl Steady {
    fn new(decoder: Decoder<Cursor<Arc<[u8]>>>) -> Steady {
        Steady { channels: decoder.channels(), rate: decoder.sample_rate(), decoder }
    }
}

impl Iterator for Steady {
    type Item = Sample;
    fn next(&mut self) -> Option<Sample> {
        let sample = self.decoder.next()?;
        let same = self.decoder.channels() == self.channels && self.decoder.sample_rate() == self.rate;
        same.then_some(sample)
    }
}

impl Source for Steady {
    fn current_span_len(&self) -> Option<usize> {
        None
    }
    fn channels(&self) -> ChannelCount {
        self.channels
    }
    fn sample_rate(&self) -> SampleRate {
        self.rate
    }
    fn total_duration(&self) -> Option<Duration> {
        self.decoder.total_duration()
    }
}

/// Decodes a file to its end and says what it is ("2.1 s, 44100 Hz, 2 channels").
pub(super) fn check(path: &Path) -> Result<String, Refused> {
    let clip = Clip::read(path).map_err(Refused::Bad)?;
    let source = clip.decode().map_err(Refused::Bad)?;
    let (rate, channels, promised) = (source.sample_rate().get(), source.channels().get(), source.total_duration());
    let (samples, peak) = source.fold((0_u64, 0.0_f32), |(n, peak), s| (n + 1, peak.max(s.abs())));
    let seconds = samples as f64 / f64::from(channels) / f64::from(rate);
    if peak < SILENCE {
        return Err(Refused::Bad(format!("{seconds:.1} s of silence; an alarm must be heard")));
    }
    // Some formats only estimate their length, and a file cut a little short still sounds.
    if promised.is_some_and(|promised| seconds < promised.as_secs_f64() / 2.0) {
        let promised = promised.unwrap_or_default().as_secs_f64();
        return Err(Refused::Bad(format!("is cut off: only {seconds:.1} s of {promised:.1} s decode")));
    }
    Ok(format!("{seconds:.1} s, {rate} Hz, {channels} channel{}", if channels == 1 { "" } else { "s" }))
}
