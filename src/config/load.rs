//! From files to a [`Config`]: read, merge, understand, check.

use crate::config::files::{self, Files};
use crate::config::model::{Access, Config, Source};
use crate::config::options::{LoadOptions, Loaded};
use crate::config::{read, rules};
use crate::settings::{Environment, Problem, Reading, Tree, masked};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Reads the file, and conf.d/*.toml and templates/ beside it. It reads files, asks for users and, with
/// `check_sounds`, starts programs: not for a thread that others wait for.
pub fn load(path: &Path, environment: &dyn Environment, options: &LoadOptions<'_>) -> Loaded {
    let read = Files::read(path);
    if read.failures.is_empty() {
        return load_from_files(path, read.files, environment, options);
    }
    // What the others say cannot be judged without it.
    let source = source(path, read.files);
    let mut reading = Reading::new(environment, options.without_secrets);
    files::parse(&mut reading, &source, &names(options));
    let errors = read.failures.into_iter().map(unreadable).chain(reading.errors()).collect();
    Loaded { config: None, errors, warnings: Vec::new(), source }
}

/// Of the kinds of channel, which are names of texts, too.
fn names(options: &LoadOptions<'_>) -> Vec<&'static str> {
    options.kinds.iter().map(|kind| kind.name).collect()
}

fn unreadable((file, why): (PathBuf, String)) -> Problem {
    Problem {
        file: file.display().to_string(),
        line: 0,
        column: 0,
        message: why,
        hint: "give the path of a TOML file, with folders beside it, that stentor may read".to_owned(),
    }
}

fn source(path: &Path, files: Vec<(PathBuf, Vec<u8>)>) -> Source {
    Source { path: path.to_owned(), hash: files::hash(&files), files, ..Source::default() }
}

/// The same from files in memory: `path` is what the main one, the first, is called in problems;
/// the names of the others (`conf.d/10-a.toml`) are relative to its folder.
pub fn load_from_files(
    path: &Path,
    files: Vec<(PathBuf, Vec<u8>)>,
    environment: &dyn Environment,
    options: &LoadOptions<'_>,
) -> Loaded {
    let mut source = source(path, files);
    let mut reading = Reading::new(environment, options.without_secrets);
    let Some(tree) = files::parse(&mut reading, &source, &names(options)) else {
        return Loaded { config: None, errors: reading.errors(), warnings: Vec::new(), source };
    };
    let mut config = understand(&tree, &reading, environment, options);
    let errors = reading.errors();
    if errors.is_empty() {
        source.masked = masked(&tree, &reading.secrets());
        source.entries = fingerprints(&tree, &reading, &config.access);
        source.values_hash = hash_of(&source.entries);
    }
    config.source = source.clone();
    Loaded { config: errors.is_empty().then_some(config), warnings: reading.warnings(), errors, source }
}

/// A draft, only to be believed when the reading has no errors after it.
fn understand(tree: &Tree, reading: &Reading<'_>, environment: &dyn Environment, options: &LoadOptions<'_>) -> Config {
    let mut root = reading.root(tree);
    let draft = read::draft(&mut root, environment, options);
    root.finish();
    rules::check(&draft, tree, reading, options);
    draft
}

/// One for each named entry and single table; `access` covers the uids, too, so that a changed
/// unix group is a change.
fn fingerprints(tree: &Tree, reading: &Reading<'_>, access: &Access) -> BTreeMap<String, String> {
    let mut prints = reading.fingerprints(tree);
    let written = prints.remove("access").unwrap_or_default();
    let access = blake3::hash(format!("{written} {access:?}").as_bytes());
    prints.insert("access".to_owned(), access.to_hex().to_string());
    prints
}

fn hash_of(entries: &BTreeMap<String, String>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, print) in entries {
        hasher.update(name.as_bytes());
        hasher.update(b"\0");
        hasher.update(print.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
