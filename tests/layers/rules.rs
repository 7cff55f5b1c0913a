//! What must hold between the sources.

use crate::scan::{Source, Token};
use std::collections::{BTreeMap, BTreeSet};

/// Imports of a folder that does not stand below; each with its place.
pub fn upward(house: &[Source], floors: &[(&str, u32)]) -> Vec<String> {
    let floor = |folder: &str| floors.iter().find(|(name, _)| *name == folder).map(|(_, floor)| *floor);
    let mut faults = BTreeSet::new();
    for source in house {
        let Some(own) = source.folder() else { continue };
        let Some(own_floor) = floor(own) else {
            faults.insert(format!("{}: {own} has no floor", source.path));
            continue;
        };
        for reference in source.references() {
            let Some(seen) = reference.path.first().filter(|seen| *seen != own) else { continue };
            let place = format!("{}:{}", source.path, reference.line);
            match floor(seen) {
                Some(below) if below < own_floor => {}
                Some(_) => drop(faults.insert(format!("{place}: {own} sees {seen}, which is not below it"))),
                None => drop(faults.insert(format!("{place}: {own} sees {seen}, which has no floor"))),
            }
        }
    }
    faults.into_iter().collect()
}

pub fn circles_of_folders(house: &[Source]) -> Vec<String> {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in house {
        let Some(own) = source.folder() else { continue };
        let seen = source.references().into_iter().filter_map(|r| r.path.into_iter().next());
        arrows.entry(own.to_owned()).or_default().extend(seen.filter(|seen| seen != own));
    }
    circles(&arrows)
}

/// Circles between the files of one folder. A file may use what its parent (`mod.rs`, or the file
/// of that name) declares for all: that is what a parent is for.
pub fn circles_of_files(house: &[Source]) -> Vec<String> {
    let files: BTreeMap<&[String], &str> = house.iter().map(|s| (s.module.as_slice(), s.path.as_str())).collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in house.iter().filter(|s| !s.is_test()) {
        for reference in source.references() {
            let path = reference.path.as_slice();
            let seen = (1..=path.len()).rev().find_map(|n| files.get(&path[..n]).map(|file| (&path[..n], *file)));
            if let Some((module, file)) = seen
                && !source.module.starts_with(module)
                && module.first() == source.module.first()
            {
                arrows.entry(source.path.clone()).or_default().insert(file.to_owned());
            }
        }
    }
    circles(&arrows)
}

/// Each circle once, beginning with its first name.
fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for start in arrows.keys() {
        let mut trails = vec![vec![start.clone()]];
        let mut reached = BTreeSet::new();
        while let Some(trail) = trails.pop() {
            for next in trail.last().and_then(|last| arrows.get(last)).into_iter().flatten() {
                if next == start && trail.iter().min() == Some(start) {
                    found.insert(format!("{} -> {start}", trail.join(" -> ")));
                } else if reached.insert(next.clone()) {
                    trails.push(trail.iter().chain([next]).cloned().collect());
                }
            }
        }
    }
    found.into_iter().collect()
}

/// Files that are too long, and the whole when too few are short.
pub fn sizes(house: &[Source], longest: usize, half_under: usize) -> Vec<String> {
    let lines: Vec<(usize, &str)> =
        house.iter().filter(|s| !s.is_test()).map(|s| (own_lines(s), s.path.as_str())).collect();
    let mut faults: Vec<String> = lines
        .iter()
        .filter(|(n, _)| *n > longest)
        .map(|(n, path)| format!("{path} has {n} lines, more than {longest}"))
        .collect();
    let short = lines.iter().filter(|(n, _)| *n < half_under).count();
    if short * 2 < lines.len() {
        let mut list: Vec<String> =
            lines.iter().filter(|(n, _)| *n >= half_under).map(|(n, p)| format!("{n} {p}")).collect();
        list.sort();
        faults.push(format!("{short} of {} files are under {half_under} lines; not: {}", lines.len(), list.join(", ")));
    }
    faults
}

/// All lines but those of `#[cfg(test)] mod ... { ... }`.
fn own_lines(source: &Source) -> usize {
    let text = |t: &Token| t.text.clone();
    let head = ["#", "[", "cfg", "(", "test", ")", "]", "mod"].map(str::to_owned);
    let mut tests = 0;
    for (at, window) in source.tokens.windows(head.len()).enumerate() {
        if window.iter().map(text).eq(head.iter().cloned()) && source.tokens.get(at + 9).is_some_and(|t| t.text == "{")
        {
            let first = window[0].line;
            let mut depth = 0;
            for token in &source.tokens[at + 9..] {
                match token.text.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    tests += token.line - first + 1;
                    break;
                }
            }
        }
    }
    source.text.lines().count() - tests
}
