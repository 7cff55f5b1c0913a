//! Seeds, what is done to them, and what becomes of a case that fails.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// In `make test`.
const CASES: u32 = 300;
/// Longer than what any of them is made for.
const LONGEST: usize = 200_000;

/// One thing done to the bytes; places are shares of the whole.
#[derive(Clone, Debug)]
enum Change {
    Flip {
        at: u16,
        bit: u8,
    },
    Set {
        at: u16,
        byte: u8,
    },
    Cut {
        at: u16,
        length: u8,
    },
    Insert {
        at: u16,
        bytes: Vec<u8>,
    },
    /// A piece of it once more, or of another seed.
    Splice {
        from: u16,
        length: u16,
        at: u16,
        other: Option<prop::sample::Index>,
    },
    End {
        at: u16,
    },
    Repeat {
        from: u16,
        length: u8,
        times: u8,
    },
}

fn change() -> impl Strategy<Value = Change> {
    let words: Vec<Vec<u8>> =
        ["\0", "\r\n", "\n.\n", "{{", "{%", "${", "\"", "\\", "\u{202e}", "\u{1f525}", "-1", "1e999", "NaN"]
            .into_iter()
            .chain([
                "99999999999999999999",
                "null",
                "[[[[[[[[",
                "{\"a\":",
                "&amp;",
                "<![CDATA[",
                "%s",
                "=~",
                "*/0",
                "2026-02-30",
            ])
            .map(|word| word.as_bytes().to_vec())
            .collect();
    let bytes = prop_oneof![prop::sample::select(words), prop::collection::vec(any::<u8>(), 1..8)];
    prop_oneof![
        3 => (any::<u16>(), 0..8u8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        3 => (any::<u16>(), any::<u8>()).prop_map(|(at, byte)| Change::Set { at, byte }),
        3 => (any::<u16>(), any::<u8>()).prop_map(|(at, length)| Change::Cut { at, length }),
        4 => (any::<u16>(), bytes).prop_map(|(at, bytes)| Change::Insert { at, bytes }),
        2 => (any::<u16>(), 0..4_000u16, any::<u16>(), any::<Option<prop::sample::Index>>())
            .prop_map(|(from, length, at, other)| Change::Splice { from, length, at, other }),
        1 => any::<u16>().prop_map(|at| Change::End { at }),
        1 => (any::<u16>(), 1..=255u8, any::<u8>()).prop_map(|(from, length, times)| Change::Repeat { from, length, times }),
    ]
}

fn place(bytes: &[u8], share: u16) -> usize {
    bytes.len() * usize::from(share) / (usize::from(u16::MAX) + 1)
}

fn piece(bytes: &[u8], from: u16, length: usize) -> Vec<u8> {
    let start = place(bytes, from);
    bytes[start..(start + length).min(bytes.len())].to_vec()
}

fn changed(mut bytes: Vec<u8>, changes: &[Change], seeds: &[Vec<u8>]) -> Vec<u8> {
    for change in changes {
        match change {
            Change::Flip { at, bit } => {
                let at = place(&bytes, *at);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            }
            Change::Set { at, byte } => {
                let at = place(&bytes, *at);
                bytes.iter_mut().skip(at).take(1).for_each(|place| *place = *byte);
            }
            Change::Cut { at, length } => {
                let at = place(&bytes, *at);
                bytes.drain(at..(at + usize::from(*length)).min(bytes.len()));
            }
            Change::Insert { at, bytes: new } => {
                let at = place(&bytes, *at);
                bytes.splice(at..at, new.iter().copied());
            }
            Change::Splice { from, length, at, other } => {
                let source = other.as_ref().map_or(&bytes, |index| index.get(seeds));
                let new = piece(source, *from, usize::from(*length));
                let at = place(&bytes, *at);
                bytes.splice(at..at, new);
            }
            Change::End { at } => bytes.truncate(place(&bytes, *at)),
            Change::Repeat { from, length, times } => {
                let new = piece(&bytes, *from, usize::from(*length)).repeat(usize::from(*times));
                let at = place(&bytes, *from);
                bytes.splice(at..at, new);
            }
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

fn folder(parser: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(parser)
}

/// Tries what is in the corpus, then seeds that are changed a little.
pub fn fuzz(parser: &str, seeds: &[&[u8]], judge: impl Fn(&[u8])) {
    let mut seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    seeds.iter().for_each(|seed| judge(seed));
    for entry in std::fs::read_dir(folder(parser)).into_iter().flatten().flatten() {
        let found = std::fs::read(entry.path()).unwrap();
        println!("{}", entry.path().display());
        judge(&found);
        seeds.push(found);
    }
    let long = std::env::var("STENTOR_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let until = long.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    loop {
        let mut config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        if until.is_some() {
            config.rng_seed = RngSeed::Random;
        }
        let strategy = (any::<prop::sample::Index>(), prop::collection::vec(change(), 0..12));
        let outcome = TestRunner::new(config).run(&strategy, |(seed, changes)| {
            judge(&changed(seed.get(&seeds).clone(), &changes, &seeds));
            Ok(())
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(why, (seed, changes))) => {
                let bytes = changed(seed.get(&seeds).clone(), &changes, &seeds);
                let file = folder(parser).join(&blake3::hash(&bytes).to_hex()[..16]);
                std::fs::create_dir_all(folder(parser)).unwrap();
                std::fs::write(&file, &bytes).unwrap();
                panic!("{why}\nwith {}: {:?}", file.display(), String::from_utf8_lossy(&bytes));
            }
            Err(other) => panic!("{other}"),
        }
        if until.is_none_or(|until| Instant::now() >= until) {
            return;
        }
    }
}

/// As text, as far as it is some.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
