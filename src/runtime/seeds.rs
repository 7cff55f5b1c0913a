//! Random bytes for decisions, fetched from the system for many at once.

/// Bytes for one decision.
pub(super) const SEED: usize = 16;
const AT_ONCE: usize = 64;

/// No byte is given twice.
pub(super) struct Seeds {
    bytes: [u8; SEED * AT_ONCE],
    used: usize,
}

impl Default for Seeds {
    fn default() -> Seeds {
        Seeds { bytes: [0; SEED * AT_ONCE], used: AT_ONCE }
    }
}

impl Seeds {
    /// The next ones. Where the system gives none the ids are still unique, by time and counter.
    pub fn next(&mut self) -> [u8; SEED] {
        if self.used == AT_ONCE {
            self.bytes = [0; SEED * AT_ONCE];
            let _ = getrandom::fill(&mut self.bytes);
            self.used = 0;
        }
        let (seeds, _) = self.bytes.as_chunks::<SEED>();
        let seed = seeds[self.used];
        self.used += 1;
        seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn none_is_given_twice() {
        let mut seeds = Seeds::default();
        let given: HashSet<[u8; SEED]> = (0..1_000).map(|_| seeds.next()).collect();
        assert_eq!(given.len(), 1_000);
    }
}
