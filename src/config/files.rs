//! The files of a config: the main one, and beside it conf.d/*.toml and the texts in templates/, in
//! order of name.

use crate::config::model::Source;
use crate::config::template_files;
use crate::settings::{Item, Reading, Tree, Value};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

type IsOne = fn(&Path) -> bool;

/// The folders beside the main file, and which of their files are part of the config.
const FOLDERS: &[(&str, IsOne)] = &[("conf.d", is_toml), (template_files::FOLDER, template_files::is_one)];
/// A config of this size was not written by people; a device given by mistake is not read to its end.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Tables that hold named entries, which several files may add to.
const COLLECTIONS: &[&str] = &[
    "channels",
    "people",
    "groups",
    "schedules",
    "levels",
    "policies",
    "heartbeats",
    "watches",
    "intake",
    "templates",
    "hooks",
];

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
        for (folder, ours) in FOLDERS {
            let beside = path.parent().unwrap_or(Path::new("")).join(folder);
            for name in names_in(&beside, *ours) {
                read.add(&beside.join(&name), Path::new(folder).join(&name));
            }
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

/// The folders beside the main file whose files belong to it; a watcher looks there, too.
pub fn folders_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    FOLDERS.iter().map(move |(folder, _)| path.parent().unwrap_or(Path::new("")).join(folder))
}

/// Whether this file, by its name in [`Source::files`], is the text of a template and no TOML.
pub fn is_text(name: &Path) -> bool {
    name.starts_with(template_files::FOLDER)
}

fn is_toml(name: &Path) -> bool {
    name.extension() == Some(OsStr::new("toml")) && !name.as_os_str().as_encoded_bytes().starts_with(b".")
}

fn names_in(folder: &Path, ours: fn(&Path) -> bool) -> Vec<std::ffi::OsString> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .flatten()
        .filter(|entry| !entry.path().is_dir())
        .map(|entry| entry.file_name())
        .filter(|name| ours(Path::new(name)))
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
pub fn parse(reading: &mut Reading<'_>, source: &Source, kinds: &[&str]) -> Option<Tree> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    // The main file is shown as it was given.
    let shown =
        |name: &PathBuf| if name.parent() == Some(Path::new("")) { source.path.clone() } else { folder.join(name) };
    let (texts, files): (Vec<_>, Vec<_>) = source.files.iter().partition(|(name, _)| is_text(name));
    let trees: Vec<_> =
        files.into_iter().map(|(name, bytes)| reading.parse_bytes(&shown(name).display().to_string(), bytes)).collect();
    let mut whole = true;
    let texts: Vec<_> = texts
        .into_iter()
        .filter_map(|(name, bytes)| {
            let text = reading.text_bytes(&shown(name).display().to_string(), bytes);
            whole &= text.is_some();
            text.map(|(place, text)| (name, place, text))
        })
        .collect();
    let trees: Option<Vec<Tree>> = trees.into_iter().collect();
    let mut merged = merge(trees.filter(|_| whole)?, reading);
    for (name, place, text) in texts {
        template_files::put(&mut merged, name, place, text, kinds, reading);
    }
    Some(merged)
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
