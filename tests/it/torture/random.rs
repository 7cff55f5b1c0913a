//! Chance that can be replayed: the same seed, the same decisions.

use std::time::Duration;

/// SplitMix64.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn of(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    /// Another one, for another part of the same run.
    pub fn fork(&self, part: u64) -> Random {
        Random::of(self.0 ^ part.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

/// The seeds of a test with chance in it. `STENTOR_SEEDS=7..150` chooses others, to search or to
/// replay; each is printed, so that a failure says how it is seen again.
pub fn seeds(usual: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let chosen = std::env::var("STENTOR_SEEDS").ok();
    let chosen = chosen.as_deref().and_then(|text| text.split_once(".."));
    chosen.and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?)).unwrap_or(usual)
}
