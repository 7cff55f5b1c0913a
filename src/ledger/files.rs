//! The only file that syncs. What must survive a power cut is written through here.
//!
//! The journal writes through the trait, so that tests can let a disk fail, fill up or dawdle;
//! snapshots and repairs replace whole files by [`replace`].

use crate::domain::failpoint::{self, Point};
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What a file that is not whole yet is called beside its name.
const UNFINISHED: &str = "new";

/// The disk as the journal sees it.
pub trait Files: Send + Sync {
    /// Makes a file that must not exist yet, readable by its owner alone.
    ///
    /// # Errors
    /// What the system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn JournalFile>>;
    /// Opens an existing file to go on writing.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn JournalFile>>;
    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// What the system says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// One segment, open for writing.
pub trait JournalFile: Send {
    /// Lengthens the file to `offset + length` with space that is really there and reads as zero.
    ///
    /// # Errors
    /// What the system says; the file may be as it was.
    fn reserve(&mut self, offset: u64, length: u64) -> io::Result<()>;
    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// What the system says; a part may be written.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns when what was written is on the disk.
    ///
    /// # Errors
    /// What the system says. What was written is lost then, even if a second call succeeds. So it is
    /// where the file has its name no more: no start would find it.
    fn sync(&mut self) -> io::Result<()>;
    /// Shortens the file.
    ///
    /// # Errors
    /// What the system says.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// Bytes that we may still write on the disk of this directory; `None` where nobody says.
pub fn free(dir: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(dir).ok()?;
    Some(disk.blocks_available() as u64 * disk.fragment_size() as u64)
}

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        let create = || private().create_new(true).open(path);
        let file = create().or_else(|error| match path.parent() {
            Some(folder) if error.kind() == io::ErrorKind::NotFound => make_again(folder).and_then(|()| create()),
            _ => Err(error),
        })?;
        Ok(Box::new(Named::of(file, path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        Ok(Box::new(Named::of(OpenOptions::new().write(true).open(path)?, path)?))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

/// A file that is found again by its name, or what is written to it is lost.
struct Named {
    file: File,
    path: PathBuf,
    /// Device and inode.
    is: (u64, u64),
}

impl Named {
    fn of(file: File, path: &Path) -> io::Result<Named> {
        let is = identity(&file.metadata()?);
        Ok(Named { file, path: path.to_owned(), is })
    }
}

fn identity(of: &Metadata) -> (u64, u64) {
    (of.dev(), of.ino())
}

impl JournalFile for Named {
    fn reserve(&mut self, offset: u64, length: u64) -> io::Result<()> {
        let (offset, length) = (offset as i64, length as i64);
        Ok(nix::fcntl::fallocate(&self.file, nix::fcntl::FallocateFlags::empty(), offset, length)?)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        // After the sync: what took its place before that would be missed else.
        match std::fs::metadata(&self.path) {
            Ok(found) if identity(&found) == self.is => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "the file was deleted, moved or replaced")),
        }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
}

/// Opens for writing, 0600 when it is made.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Makes a directory, 0700, with its parents; one that exists stays as it is.
///
/// # Errors
/// What the system says.
pub fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// The same, and its name survives a power cut.
///
/// # Errors
/// What the system says.
pub fn durable_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    private_dir(dir)?;
    sync_parent(dir)
}

/// Makes a folder of the state directory that is gone. The state directory itself is for whoever removed it to make.
///
/// # Errors
/// What the system says.
pub fn make_again(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().mode(0o700).create(folder)?;
    sync_parent(folder)
}

/// Replaces `path` by a file of these parts, whole or not at all: a reader, also one after a power
/// cut, sees the old file or the new one.
///
/// # Errors
/// What the system says; the old file is untouched then.
pub fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    replace_with(path, &mut |file| parts.iter().try_for_each(|part| file.write_all(part)))
}

/// The same by what `write` writes.
///
/// # Errors
/// As above, or what `write` says.
pub fn replace_with(path: &Path, write: &mut dyn FnMut(&mut File) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary_name(path);
    let written = write_new(&temporary, write).and_then(|()| {
        failpoint::reached(Point::FileWritten);
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        // Nothing refers to it; the next try overwrites what cannot be removed.
        let _ = std::fs::remove_file(&temporary);
        return written;
    }
    failpoint::reached(Point::FileRenamed);
    sync_parent(path)
}

/// Makes a file whose name is not durable before [`sync_parent`]; one that exists stays as it is.
///
/// # Errors
/// What the system says; there is no such file then.
pub fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let temporary = temporary_name(path);
    let written = write_new(&temporary, &mut |file| file.write_all(bytes)).and_then(|()| {
        failpoint::reached(Point::BlobWritten);
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Makes the names beside `path` durable.
///
/// # Errors
/// What the system says.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
    parent.map_or(Ok(()), |dir| Disk.sync_dir(dir))
}

/// Returns when all that was written to it is on the disk.
///
/// # Errors
/// What the system says.
pub fn sync(file: &File) -> io::Result<()> {
    file.sync_all()
}

fn write_new(path: &Path, write: &mut dyn FnMut(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = private().read(true).create(true).truncate(true).open(path)?;
    write(&mut file)?;
    file.sync_all()
}

/// Removes what a crash in the middle of [`replace`] left in a directory.
///
/// # Errors
/// What the system says.
pub fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let unfinished = path.extension().is_some_and(|extension| extension == UNFINISHED);
        // A folder is none of ours, and in nobody's way.
        if unfinished && !entry.file_type()?.is_dir() {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    path.with_file_name(name)
}
