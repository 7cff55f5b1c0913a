//! docs/faults.md is believed: each row of the list of faults is there, what it names as proof is a test that
//! runs, and no test of a row is left out.

use crate::{none, paper};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The list of faults that the tests work through has so many rows.
const ROWS: u32 = 80;

struct Row {
    /// Nothing proves it as a whole yet.
    open: bool,
    named: Vec<String>,
}

type Table = BTreeMap<u32, Row>;

fn table(text: &str) -> Table {
    let mut rows = Table::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let Some(row) = cells.first().and_then(|cell| cell.parse().ok()) else { continue };
        let named = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        rows.insert(row, Row { open: cells[2].starts_with("open"), named });
    }
    rows
}

/// Which row a test is for: 16 of `f16_...` and of `torture_f16_...`.
fn rows_of(test: &str) -> Vec<u32> {
    let words = test.strip_prefix("torture_").unwrap_or(test).split('_');
    words.map_while(|word| word.strip_prefix('f').filter(|n| n.len() == 2)?.parse().ok()).collect()
}

/// Every test of the sources; whether `cargo test` runs it.
fn tests(sources: &str) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    let (mut is_test, mut ignored) = (false, false);
    for line in sources.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            ignored |= line.starts_with("#[ignore");
            continue;
        }
        // Within `proptest!` they have no attribute of their own.
        let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split_once('('));
        if let Some((name, _)) = name.filter(|(name, _)| is_test || !rows_of(name).is_empty()) {
            found.insert(name.to_owned(), !ignored);
        }
        (is_test, ignored) = (false, false);
    }
    found
}

fn faults(rows: &Table, tests: &BTreeMap<String, bool>) -> Vec<String> {
    let mut faults = Vec::new();
    for row in 1..=ROWS {
        let proves = |test: &String| rows_of(test).contains(&row) && tests.get(test) == Some(&true);
        match rows.get(&row) {
            None => faults.push(format!("row {row} is not there")),
            Some(it) if !it.open && !it.named.iter().any(proves) => {
                faults.push(format!("row {row} names no test of its own that cargo test runs"));
            }
            _ => {}
        }
    }
    let named: BTreeSet<&String> = rows.values().flat_map(|row| &row.named).collect();
    let missing = named.iter().filter(|name| !tests.contains_key(**name));
    faults.extend(missing.map(|name| format!("{name} is named, and is no test")));
    let unsaid = tests.keys().filter(|name| !rows_of(name).is_empty() && !named.contains(name));
    faults.extend(unsaid.map(|name| format!("{name} is a test, and is not named")));
    faults
}

#[test]
fn the_table_of_faults_is_whole_and_names_tests_that_exist() {
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources);
    }
    none(&faults(&table(&paper("docs/faults.md")), &tests(&sources)), "faults in docs/faults.md");
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.path() {
            path if path.is_dir() => read_all(&path, into),
            path if path.extension().is_some_and(|e| e == "rs") => {
                into.push_str(&std::fs::read_to_string(path).unwrap())
            }
            _ => {}
        }
    }
}

#[test]
fn a_table_that_is_wrong_is_found() {
    let full = |row: u32| format!("| {row} | x | `f{row:02}_x` | y |\n");
    let good: String = (1..=ROWS).map(full).collect();
    let run: String = (1..=ROWS).map(|row| format!("    #[test]\n    fn f{row:02}_x() {{}}\n")).collect();
    let judge = |text: &str, sources: &str| faults(&table(text), &tests(sources)).len();
    assert_eq!(judge(&good, &run), 0);
    assert_eq!(judge(&good.replace(&full(7), ""), &run), 2, "a row less, and its test unsaid");
    assert_eq!(judge(&good.replace(&full(7), "| 7 | x | open: `f07_x` proves a part | y |\n"), &run), 0);
    assert_eq!(judge(&good, &run.replace("fn f07_x", "fn g")), 2, "no test of its own, and one that does not exist");
    assert_eq!(judge(&good, &run.replace("    fn f07_x", "    #[ignore]\n    fn f07_x")), 1, "it never runs");
    assert_eq!(judge(&good, &format!("{run}#[tokio::test]\nasync fn torture_f07_f08_y() {{}}\n")), 1);
}
