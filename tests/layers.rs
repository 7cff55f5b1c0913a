//! The house stands on its floors: no import goes up, none goes round, and no file is a hall.
//!
//! Every path that begins with `crate::`, `super::` or (in a binary) `stentor::` is read from the
//! sources; what is below what is the table in [`FLOORS`], the same as in ARCHITECTURE.md. And the
//! papers keep up: each folder, dependency and setting is explained.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "layers/faults.rs"]
mod faults;
#[path = "layers/rules.rs"]
mod rules;
#[path = "layers/scan.rs"]
mod scan;

use rules::{circles_of_files, circles_of_folders, sizes, upward};
use scan::Source;
use std::collections::BTreeSet;
use toml::de::{DeTable, DeValue};

/// Floor of each folder, in halves. Folders of one floor do not see each other.
const FLOORS: &[(&str, u32)] = &[
    ("domain", 0),
    ("net", 1),
    ("settings", 1),
    ("channel", 2),
    ("probe", 2),
    ("source", 2),
    ("message", 2),
    ("ledger", 2),
    ("config", 3),
    ("engine", 4),
    ("runtime", 6),
    ("api", 8),
    ("heartbeat", 8),
    ("watch", 8),
    ("daemon", 10),
    ("ctl", 10),
    ("bin", 12),
];

/// Lines that a file may have without its tests, and what half of the files stay under.
const LONGEST: usize = 400;
const HALF_UNDER: usize = 180;

fn house() -> Vec<Source> {
    let sources = scan::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 30, "only {} sources were found", sources.len());
    sources
}

fn none(faults: &[String], what: &str) {
    assert!(faults.is_empty(), "{} {what}:\n  {}", faults.len(), faults.join("\n  "));
}

#[test]
fn no_import_goes_up() {
    none(&upward(&house(), FLOORS), "imports go up or sideways");
}

#[test]
fn folders_do_not_go_round() {
    none(&circles_of_folders(&house()), "circles between folders");
}

#[test]
fn files_of_a_folder_do_not_go_round() {
    none(&circles_of_files(&house()), "circles between files");
}

#[test]
fn files_are_short() {
    none(&sizes(&house(), LONGEST, HALF_UNDER), "complaints about length");
}

#[test]
fn every_folder_has_its_floor_and_its_row_in_the_architecture() {
    let text = paper("ARCHITECTURE.md");
    let folders: BTreeSet<String> = house().iter().filter_map(|s| s.folder().map(str::to_owned)).collect();
    let missing: Vec<String> = folders
        .into_iter()
        .filter(|f| !FLOORS.iter().any(|(name, _)| name == f) || !text.contains(&format!("`src/{f}/`")))
        .collect();
    none(&missing, "folders without a floor or a row");
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let why = paper("ARCHITECTURE.md");
    let why = why.split_once("## Why each dependency").unwrap().1.split_once("\n## ").unwrap().0;
    let named: BTreeSet<&str> = why.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').collect();
    let manifest = paper("Cargo.toml");
    let manifest = DeTable::parse(&manifest).unwrap().into_inner();
    let missing: Vec<String> = manifest
        .iter()
        .filter(|(table, _)| matches!(table.get_ref().as_ref(), "dependencies" | "dev-dependencies"))
        .filter_map(|(_, table)| table.get_ref().as_table())
        .flat_map(|table| table.keys().map(|name| name.get_ref().to_string()))
        .filter(|name| !named.contains(name.as_str()))
        .collect();
    none(&missing, "dependencies without a reason in ARCHITECTURE.md");
}

#[test]
fn every_key_of_the_example_is_explained() {
    let example = paper("etc/stentor.example.toml");
    let mut keys = BTreeSet::new();
    collect_keys(&DeValue::Table(DeTable::parse(&example).unwrap().into_inner()), &mut keys);
    assert!(keys.len() > 60, "only {} keys were found", keys.len());
    let text = paper("docs/config.md");
    // Names that the operator chooses, and what stands under a word that is explained as a whole.
    let chosen = "mail mail-backup sms sms-telnyx sms-gateway call siren ops-slack hook rehearsal alice bob carol ops primary desk page \
        low normal high urgent twilio smtp weekly-proof backup-job spacex-capacity high-failure-rate X-Team \
        prometheus alertmanager critical error warning info none \
        channels people groups schedules levels policies heartbeats watches intake routes http \
        api_key per_hour per_day quiet until types voice";
    let missing: Vec<String> = keys
        .into_iter()
        .filter(|key| !chosen.split_whitespace().any(|c| c == key))
        .filter(|key| {
            !text.contains(&format!("`{key}`"))
                && !text.contains(&format!("[{key}]"))
                && !text.contains(&format!("{key} ="))
        })
        .collect();
    none(&missing, "keys of the example that docs/config.md does not name");
}

fn collect_keys(value: &DeValue<'_>, keys: &mut BTreeSet<String>) {
    match value {
        DeValue::Table(table) => {
            for (key, inner) in table.iter() {
                keys.insert(key.get_ref().to_string());
                collect_keys(inner.get_ref(), keys);
            }
        }
        DeValue::Array(list) => list.iter().for_each(|inner| collect_keys(inner.get_ref(), keys)),
        _ => {}
    }
}

/// A file of the repository's root.
fn paper(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The checks themselves, on houses that are wrong on purpose.
mod can_fail {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::new(path, text)
    }

    #[test]
    fn an_import_that_goes_up_is_found_however_it_is_written() {
        for text in [
            "use crate::engine::Turn;",
            "use crate::{domain::level::Level, engine::{self, Turn}};",
            "fn f() { crate::engine::decide(); }",
            "use super::super::engine::Turn;",
            "mod inner { use super::super::super::engine::Turn; }",
            "pub(in crate::channel) fn f(x: &crate::engine::Turn) {}",
            "macro_rules! m { () => { $crate::engine::decide() } }",
        ] {
            let faults = upward(&[source("src/channel/smtp.rs", text), source("src/engine/mod.rs", "")], FLOORS);
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert!(faults[0].starts_with("src/channel/smtp.rs:1: channel sees engine"), "{faults:?}");
        }
    }

    #[test]
    fn one_floor_does_not_see_itself_and_a_stranger_has_no_floor() {
        let see = |from: &str, text: &str| upward(&[source(from, text)], FLOORS).len();
        assert_eq!(see("src/message/sms.rs", "use crate::channel::Format;"), 1);
        assert_eq!(see("src/api/mod.rs", "use crate::watch::Rule;"), 1);
        assert_eq!(see("src/api/mod.rs", "use crate::utils::Thing;"), 1);
        assert_eq!(see("src/utils/mod.rs", "use crate::domain::Labels;"), 1);
        assert_eq!(see("src/bin/stentord.rs", "fn main() { stentor::daemon::main() }"), 0);
        assert_eq!(see("src/daemon/mod.rs", "use crate::bin::x;"), 1);
    }

    #[test]
    fn what_only_looks_like_an_import_is_none() {
        for text in [
            "//! See crate::engine::Turn.\nuse crate::domain::Labels;",
            "/* crate::engine /* crate::engine */ crate::engine::X */",
            "const A: &str = \"crate::engine::X\"; const B: &str = r#\"\"crate::engine::X\"#; const C: char = '\"';",
            "use super::Kind; use super::sound::Order; use self::super::Kind;",
            "pub(super) fn f<'a>(x: &'a str) {} pub(crate) struct S;",
            "mod tests { use super::*; use super::super::Kind; }",
            "use crate::settings::{Table, table::Problem as P, *};",
        ] {
            assert_eq!(upward(&[source("src/channel/smtp.rs", text)], FLOORS), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_circle_between_folders_is_found() {
        let house = [
            source("src/a/mod.rs", "use crate::b::x::Y;"),
            source("src/b/x.rs", "use crate::c::Z;"),
            source("src/c/mod.rs", "use crate::a::W;"),
            source("src/d/mod.rs", "use crate::a::W;"),
        ];
        assert_eq!(circles_of_folders(&house), ["a -> b -> c -> a"]);
        assert_eq!(circles_of_folders(&house[1..]), Vec::<String>::new());
    }

    #[test]
    fn a_circle_between_files_is_found_and_a_parent_is_none() {
        let house = [
            source("src/a/mod.rs", "pub mod x; pub mod y; use x::X; pub struct Shared;"),
            source("src/a/x.rs", "use crate::a::Shared; use crate::a::y::Y;"),
            source("src/a/y/mod.rs", "use super::Shared; pub mod z;"),
            source("src/a/y/z.rs", "use super::super::x::X;"),
        ];
        assert_eq!(circles_of_files(&house), Vec::<String>::new(), "z is below y, not y itself");
        let mut worse = house.to_vec();
        worse[2] = source("src/a/y/mod.rs", "use crate::a::x::X;");
        assert_eq!(circles_of_files(&worse), ["src/a/x.rs -> src/a/y/mod.rs -> src/a/x.rs"]);
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let long = "fn f() {}\n".repeat(401);
        let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn t() {}\n".repeat(800));
        let short = source("src/a/short.rs", "fn f() {}\n");
        let faults = sizes(&[source("src/a/long.rs", &long), short.clone(), short.clone()], 400, 180);
        assert_eq!(faults, ["src/a/long.rs has 401 lines, more than 400"]);
        assert_eq!(sizes(&[source("src/a/tested.rs", &tested), short.clone()], 400, 180), Vec::<String>::new());
        assert_eq!(sizes(&[source("src/a/tests.rs", &long), short.clone()], 400, 180), Vec::<String>::new());
        let middling = source("src/a/middling.rs", &"fn f() {}\n".repeat(200));
        let faults = sizes(&[middling.clone(), middling, short], 400, 180);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("1 of 3 files are under 180 lines"), "{faults:?}");
    }
}
