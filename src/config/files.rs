//! The files of a config: the main one and conf.d/*.toml beside it, in order of name.

use crate::config::model::Source;
use crate::settings::{Item, Reading, Tree, Value};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder beside the main file.
const FOLDER: &str = "conf.d";
/// A config of this size was not written by people; a device given by mistake is not read to its end.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Tables that hold named entries, which several files may add to.
const COLLECTIONS: &[&str] =
    &["channels", "people", "groups", "schedules", "levels", "policies", "heartbeats", "watches", "intake", "hooks"];

/// What was read: names relative to the main file's folder, the main file first. What could not be
/// read, and why.
#[derive(Debug, Default)]
pub struct Files {
    pub files: Vec<(PathBuf, Vec<u8>)>,
    pub failures: Vec<(PathBuf, String)>,
}

impl Files {
    /// Reads them all; a hidden file (an editor's) is none of them.
    pub fn read(path: &Path) -> Files {
        let mut read = Files::default();
        let name = path.file_name().map_or_else(|| path.to_owned(), PathBuf::from);
        read.add(path, name);
        let folder = folder_of(path);
        for name in names_in(&folder) {
            read.add(&folder.join(&name), Path::new(FOLDER).join(&name));
        }
        read
    }

    fn add(&mut self, path: &Path, name: PathBuf) {
        match read_file(path) {
            Ok(bytes) => self.files.push((name, bytes)),
            Err(why) => self.failures.push((path.to_owned(), why)),
        }
    }
}

/// Where the further files of this main file lie; a watcher looks here too.
pub fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(FOLDER)
}

fn names_in(folder: &Path) -> Vec<std::ffi::OsString> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .flatten()
        .filter(|entry| !entry.path().is_dir())
        .map(|entry| entry.file_name())
        .filter(|name| Path::new(name).extension() == Some(OsStr::new("toml")))
        .filter(|name| !name.as_encoded_bytes().starts_with(b"."))
        .collect();
    names.sort();
    names
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let told = |why: std::io::Error| format!("it cannot be read: {why}");
    let file = File::open(path).map_err(told)?;
    if !file.metadata().map_err(told)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("it is larger than 4 MiB".to_owned());
    }
    Ok(bytes)
}

/// BLAKE3 (hex) over each file's name and bytes, lengths before both, in the order of reading.
pub fn hash(files: &[(PathBuf, Vec<u8>)]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in files {
        for part in [name.as_os_str().as_encoded_bytes(), bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// The files as one document. `None` when one of them is not well-formed; every such mistake is
/// then among the errors.
pub fn parse(reading: &mut Reading<'_>, source: &Source) -> Option<Tree> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    let mut trees = Vec::new();
    for (name, bytes) in &source.files {
        // The main file is shown as it was given.
        let shown = if name.starts_with(FOLDER) { folder.join(name) } else { source.path.clone() };
        trees.push(reading.parse_bytes(&shown.display().to_string(), bytes));
    }
    let trees: Option<Vec<Tree>> = trees.into_iter().collect();
    Some(merge(trees?, reading))
}

fn merge(trees: Vec<Tree>, reading: &Reading<'_>) -> Tree {
    let mut merged = Tree::default();
    for tree in trees {
        for (key, item) in tree.entries {
            add(&mut merged, &key, item, reading);
        }
    }
    merged
}

fn add(merged: &mut Tree, key: &str, item: Item, reading: &Reading<'_>) {
    let Some(there) = merged.entries.get_mut(key) else {
        merged.entries.insert(key.to_owned(), item);
        return;
    };
    let first = there.key_at;
    match (&mut there.value, item.value) {
        (Value::Table(there), Value::Table(more)) if COLLECTIONS.contains(&key) => {
            for (name, entry) in more.entries {
                match there.entries.get(&name) {
                    None => {
                        there.entries.insert(name, entry);
                    }
                    Some(first) => twice(reading, &format!("{key}.{name}"), &entry, first.key_at),
                }
            }
        }
        (Value::List(there), Value::List(more)) => there.extend(more),
        (_, value) => twice(reading, key, &Item { value, ..item }, first),
    }
}

fn twice(reading: &Reading<'_>, name: &str, second: &Item, first: crate::settings::Place) {
    let message = format!("{name} is written twice, first in {}", reading.line_of(first));
    reading.error_at(second.key_at, message, "write it once");
}
