//! What a stretch of samples sounds like.

pub const RATE: usize = 48_000;

/// Share of the energy at one frequency, 0 to about 1 (Goertzel).
pub fn share(samples: &[f32], hz: f32) -> f32 {
    let turn = std::f32::consts::TAU * hz / RATE as f32;
    let k = 2.0 * turn.cos();
    let (mut last, mut before) = (0.0_f64, 0.0_f64);
    for sample in samples {
        (last, before) = (f64::from(*sample) + f64::from(k) * last - before, last);
    }
    let at = last * last + before * before - f64::from(k) * last * before;
    let all: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    if all == 0.0 { 0.0 } else { (2.0 * at / (all * samples.len() as f64)) as f32 }
}

/// The one of these that is clearly the pitch.
pub fn pitch(samples: &[f32], among: &[f32]) -> Option<f32> {
    among.iter().copied().find(|hz| share(samples, *hz) > 0.7)
}

pub fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, s| peak.max(s.abs()))
}

/// Without the silence at both ends.
pub fn trimmed(samples: &[f32]) -> &[f32] {
    let loud = |s: &f32| s.abs() > 0.01;
    let first = samples.iter().position(loud).unwrap_or(samples.len());
    let end = samples.iter().rposition(loud).map_or(first, |last| last + 1);
    &samples[first..end]
}

pub fn seconds(samples: &[f32]) -> f32 {
    samples.len() as f32 / RATE as f32
}

#[test]
fn a_pure_tone_is_recognised_and_others_are_not() {
    let tone: Vec<f32> = (0..RATE).map(|i| (i as f32 * 800.0 * std::f32::consts::TAU / RATE as f32).sin()).collect();
    assert!(share(&tone, 800.0) > 0.95);
    assert!(share(&tone, 600.0) < 0.01);
    assert_eq!(pitch(&vec![0.0; RATE], &[800.0]), None);
}
