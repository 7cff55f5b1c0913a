//! Half-written, cut and garbled files: an answer, never a panic.

use crate::config::LoadOptions;
use crate::config::testing::{load_text, stand_in_options};
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../../etc/stentor.example.toml");

/// The example's values, one of which is put in the place of another.
fn values() -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in EXAMPLE.split_inclusive('\n') {
        if let Some(eq) = line.find(" = ").filter(|_| !line.starts_with('#')) {
            found.push((at + eq + 3, at + line.trim_end().len()));
        }
        at += line.len();
    }
    found
}

fn load(text: &str) {
    let options = LoadOptions { allow_later: true, without_secrets: true, ..stand_in_options() };
    let loaded = load_text(text, &[], &options);
    assert_eq!(loaded.config.is_some(), loaded.errors.is_empty());
    for problem in loaded.errors.iter().chain(&loaded.warnings) {
        assert!(!problem.message.is_empty() && !problem.file.is_empty(), "{problem:?}");
        assert!(problem.line <= text.lines().count() + 1, "{problem:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f53_a_cut_file_is_judged(from in 0..EXAMPLE.len(), length in 0..2_000usize) {
        let cut: Vec<u8> = EXAMPLE.bytes().take(from).chain(EXAMPLE.bytes().skip(from + length)).collect();
        load(&String::from_utf8_lossy(&cut));
    }

    #[test]
    fn f53_a_value_in_the_wrong_place_is_judged(one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let values = values();
        let ((from, to), (start, end)) = (values[one.index(values.len())], values[other.index(values.len())]);
        load(&format!("{}{}{}", &EXAMPLE[..from], &EXAMPLE[start..end], &EXAMPLE[to..]));
    }

    #[test]
    fn f53_any_text_is_judged(text in "[\\[\\]{}=\"'a-z.0-9#$ \n-]{0,200}") {
        load(&text);
    }
}
