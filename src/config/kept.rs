//! The last accepted config, kept in the state directory for the morning when the file is broken.
//!
//! `kept-config/` holds the files as read (mode 0600, folders 0700), laid out as they were: the
//! main file and conf.d. It is replaced as a whole: a crash leaves the old or the new one.

use crate::config::files::Files;
use crate::config::load::load_from_files;
use crate::config::model::Source;
use crate::config::options::{LoadOptions, Loaded};
use crate::domain::failpoint::{self, Point};
use crate::settings::Environment;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const KEPT: &str = "kept-config";
const NEW: &str = "kept-config.new";
const OLD: &str = "kept-config.old";

/// Keeps the files of an accepted config.
///
/// # Errors
/// When the state directory cannot be written; what was kept before is still there then.
pub fn save(state_dir: &Path, source: &Source) -> io::Result<()> {
    let (new, kept, old) = (state_dir.join(NEW), state_dir.join(KEPT), state_dir.join(OLD));
    remove(&new)?;
    for (name, bytes) in &source.files {
        let file = new.join(name);
        let folder = file.parent().unwrap_or(&new);
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        write(&file, bytes)?;
        sync_folder(folder)?;
    }
    sync_folder(&new)?;
    if kept.exists() {
        remove(&old)?;
        fs::rename(&kept, &old)?;
        failpoint::reached(Point::ConfigAside);
    }
    fs::rename(&new, &kept)?;
    sync_folder(state_dir)?;
    remove(&old)
}

/// Loads the config that was kept; `None` when there is none. It is judged anew: the environment
/// may have changed since.
pub fn load(state_dir: &Path, environment: &dyn Environment, options: &LoadOptions<'_>) -> Option<Loaded> {
    // A crash between the two renames leaves only the old one.
    let main = [KEPT, OLD].iter().find_map(|name| main_file(&state_dir.join(name)))?;
    let read = Files::read(&main);
    read.failures.is_empty().then(|| load_from_files(&main, read.files, environment, options))
}

/// The only plain file at the top; the others are in conf.d.
fn main_file(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find(|path| path.is_file())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}
