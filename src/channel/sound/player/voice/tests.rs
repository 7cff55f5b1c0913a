#![allow(clippy::unwrap_used)]

use super::*;
use std::io::Write;

const FORM: Form = Form { channels: ChannelCount::MIN, rate: SampleRate::new(48_000).unwrap() };

fn piece(file: Option<&Path>, repeat: Option<u32>) -> Piece {
    Piece {
        file: file.map(|f| f.to_str().unwrap().to_owned()),
        tone: Tone::Beep,
        volume: 1.0,
        repeat,
        urgent: false,
        floor: None,
    }
}

/// Plays to the end, at most `seconds`; the samples and why it ended.
fn play(mut voice: Voice, seconds: usize) -> (Vec<f32>, Option<Cause>) {
    let mut heard = Vec::new();
    for _ in 0..seconds * 20 {
        let mut chunk = vec![0.0; 2_400];
        let over = voice.add_to(&mut chunk);
        heard.append(&mut chunk);
        if over.is_some() {
            return (heard, over);
        }
    }
    (heard, None)
}

fn millis(samples: &[f32]) -> usize {
    samples.len() / 48
}

/// 16 bit mono WAV of a constant.
fn wav(samples: u32) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".wav").tempfile().unwrap();
    let data = samples * 2;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend([1, 0, 1, 0]);
    bytes.extend(48_000_u32.to_le_bytes());
    bytes.extend(96_000_u32.to_le_bytes());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes.extend([0x00_u8, 0x20].repeat(samples as usize));
    file.write_all(&bytes).unwrap();
    file
}

#[test]
fn it_is_played_as_often_as_asked() {
    let once = Tone::Beep.pattern().iter().map(|s| s.millis as usize).sum::<usize>();
    for times in [1, 3] {
        let (heard, over) = play(Voice::new(1, &piece(None, Some(times)), 60_000, FORM), 60);
        assert_eq!(over, Some(Cause::Played));
        let expected = once * times as usize;
        assert!((expected..=expected + 50).contains(&millis(&heard)), "{times} times: {} ms", millis(&heard));
    }
}

#[test]
fn without_a_number_of_times_only_max_ends_it() {
    let (heard, over) = play(Voice::new(1, &piece(None, None), 7_000, FORM), 60);
    assert_eq!(over, Some(Cause::Max));
    assert!((7_000..=7_050).contains(&millis(&heard)), "{} ms", millis(&heard));
    let (_, over) = play(Voice::new(1, &piece(None, None), u64::MAX, FORM), 30);
    assert_eq!(over, None);
}

#[test]
fn volume_multiplies_the_samples() {
    let file = wav(48_000);
    let quiet = Piece { volume: 0.5, ..piece(Some(file.path()), Some(1)) };
    let (loud, _) = play(Voice::new(1, &piece(Some(file.path()), Some(1)), 60_000, FORM), 5);
    let (quiet, _) = play(Voice::new(2, &quiet, 60_000, FORM), 5);
    assert!((loud[24_000] - 0.25).abs() < 0.001, "{}", loud[24_000]);
    assert!((quiet[24_000] - 0.125).abs() < 0.001, "{}", quiet[24_000]);
}

#[test]
fn a_file_that_vanishes_goes_on_to_its_last_repetition() {
    let file = wav(4_800);
    let voice = Voice::new(1, &piece(Some(file.path()), Some(10)), 60_000, FORM);
    file.close().unwrap();
    let (heard, over) = play(voice, 60);
    assert_eq!(over, Some(Cause::Played));
    let loud = heard.iter().filter(|s| **s > 0.2).count();
    assert!((47_900..=48_000).contains(&loud), "{loud} samples");
}

#[test]
fn a_bad_file_gives_the_tone_and_the_reason() {
    let mut garbage = tempfile::NamedTempFile::new().unwrap();
    garbage.write_all(&[0x5a; 4_000]).unwrap();
    let empty = wav(0);
    let missing = Path::new("/nonexistent/siren.mp3");
    for (path, words) in
        [(garbage.path(), "is not a sound"), (empty.path(), "has no samples"), (missing, "cannot be read")]
    {
        let voice = Voice::new(1, &piece(Some(path), Some(1)), 60_000, FORM);
        let why = voice.instead.clone().unwrap();
        assert!(why.contains(words), "{path:?}: {why}");
        let (heard, over) = play(voice, 60);
        assert_eq!(over, Some(Cause::Played));
        assert!(millis(&heard) >= 1_800 && heard.iter().any(|s| s.abs() > 0.5), "{path:?}");
    }
}

#[test]
fn two_voices_are_added_up() {
    let file = wav(4_800);
    let mut chunk = vec![0.0; 2_400];
    for id in [1, 2] {
        Voice::new(id, &piece(Some(file.path()), Some(1)), 60_000, FORM).add_to(&mut chunk);
    }
    assert!((chunk[1_000] - 0.5).abs() < 0.001, "{}", chunk[1_000]);
}
