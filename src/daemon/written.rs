//! Channels that the API writes: `conf.d/channel-NAME.toml` beside the main file, each with one table.
//!
//! The whole config is judged with the change before anything is written; a file that somebody else has
//! written is never touched. It is written beside, synced and renamed, and then read as any other.

use super::args::Args;
use crate::config::{self, Files, LoadOptions};
use crate::engine::{Code, Refusal};
use crate::settings::ProcessEnvironment;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// By which such a file is known.
const HEAD: &str = "# Written by stentor's API, which replaces it as a whole: changes by hand do not last.\n";

/// Judges and writes; `text` is the channel's table, `None` removes its file. Blocks. The file's name.
///
/// # Errors
/// The channel is written elsewhere, the config would be wrong, or the folder cannot be written.
pub fn channel(args: &Args, name: &str, text: Option<&str>, known: bool) -> Result<PathBuf, Refusal> {
    let file = Path::new("conf.d").join(format!("channel-{name}.toml"));
    let Files { mut files, failures } = Files::read(&args.config);
    if let Some((path, why)) = failures.first() {
        return Err(Refusal::new(Code::Conflict, format!("{}: {why}", path.display())));
    }
    let before = files.iter().position(|(name, _)| *name == file);
    match before {
        Some(at) if !files[at].1.starts_with(HEAD.as_bytes()) => {
            return Err(not_ours(name, &file.display().to_string()));
        }
        None if known => return Err(not_ours(name, "a file of yours")),
        None if text.is_none() => {
            let message = format!("there is no channel {name:?}");
            return Err(Refusal { field: Some("name".into()), ..Refusal::new(Code::NotFound, message) });
        }
        _ => {}
    }
    let whole = text.map(|text| format!("{HEAD}{text}"));
    files.retain(|(name, _)| *name != file);
    if let Some(whole) = &whole {
        let behind = |(place, (name, _)): (usize, &(PathBuf, Vec<u8>))| (place > 0 && *name > file).then_some(place);
        let place = files.iter().enumerate().find_map(behind).unwrap_or(files.len());
        files.insert(place, (file.clone(), whole.clone().into_bytes()));
    }
    let options = LoadOptions { check_sounds: true, ..LoadOptions::default() };
    let loaded = config::load_from_files(&args.config, files, &ProcessEnvironment, &options);
    if loaded.config.is_none() {
        return Err(wrong(&loaded.errors));
    }
    let place = args.config.parent().unwrap_or(Path::new("")).join(&file);
    put(&place, whole.as_deref()).map_err(|error| {
        let message =
            format!("{} cannot be written: {error}; its folder has to be writable for stentor", place.display());
        Refusal::new(Code::Conflict, message)
    })?;
    Ok(place)
}

fn not_ours(name: &str, place: &str) -> Refusal {
    let message = format!("channels.{name} is written in {place}: change it there, and reload");
    Refusal { field: Some("name".into()), ..Refusal::new(Code::Conflict, message) }
}

/// The first one in words, all of them by their places.
fn wrong(errors: &[config::Problem]) -> Refusal {
    let first = errors.first().map_or_else(String::new, |e| format!("{}; {}", e.message, e.hint));
    let reasons = errors.iter().map(ToString::to_string).collect();
    Refusal { reasons, ..Refusal::field("settings", first) }
}

fn put(place: &Path, text: Option<&str>) -> io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new(""));
    match text {
        None => fs::remove_file(place)?,
        Some(text) => {
            DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
            // A hidden file is no part of the config.
            let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let beside = folder.join(format!(".{name}.new"));
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, place)?;
        }
    }
    File::open(folder)?.sync_all()
}
