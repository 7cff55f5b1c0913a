//! One process at a time: an flock on `STATE/lock`, with the holder's pid in the file, and one on the directory itself,
//! which holds when somebody has removed that file.
//!
//! The file is never removed by us: the locks are the kernel's and go with their process.

use crate::ledger::files;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Held as long as this value lives.
#[derive(Debug)]
pub struct Lock {
    dir: PathBuf,
    held: Mutex<Held>,
    unrecorded: bool,
}

#[derive(Debug)]
struct Held {
    file: Flock<File>,
    /// Where a directory can be locked; over a network it may not.
    _dir: Option<Flock<File>>,
}

/// The second line of the file while alarms leave that cannot be recorded. It lies in the block that the pid takes, so that
/// a full disk has room for it.
const UNRECORDED: &str = "unrecorded";

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("{} is in use by {}; stop it first or choose another state directory", dir.display(), holder(*pid))]
    Held { dir: PathBuf, pid: Option<u32> },
    #[error("{} cannot be used as state directory: {source}", dir.display())]
    Unusable { dir: PathBuf, source: io::Error },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl Lock {
    /// Takes the state directory `dir`, which must exist.
    ///
    /// # Errors
    /// When another process has it (with its pid, if it can be read), or it cannot be written.
    pub fn take(dir: &Path) -> Result<Lock, LockError> {
        let mut held = Held::make(dir)?;
        let unrecorded = read(&mut held.file).is_ok_and(|text| text.lines().nth(1) == Some(UNRECORDED));
        let lock = Lock { dir: dir.to_owned(), held: Mutex::new(held), unrecorded };
        // On a full disk the lock holds without its pid.
        let _ = lock.mark(lock.unrecorded);
        Ok(lock)
    }

    /// Keeps others out of `dir` while it is looked at, and writes nothing into it; `None`: nobody ever had it, so it
    /// is a copy, which may lie where nothing can be written.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub fn look(dir: &Path) -> Result<Option<Lock>, LockError> {
        match File::open(dir.join("lock")) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && dir.is_dir() => hold_dir(dir).map(|_| None),
            Err(source) => Err(LockError::Unusable { dir: dir.to_owned(), source }),
            Ok(file) => {
                let held = Mutex::new(Held::hold(dir, file)?);
                Ok(Some(Lock { dir: dir.to_owned(), held, unrecorded: false }))
            }
        }
    }

    /// Whether alarms of the life before may have left without a record.
    pub fn is_unrecorded(&self) -> bool {
        self.unrecorded
    }

    /// Notes that alarms leave without a record from now on, or that they do not. Where somebody removed the directory and
    /// made it anew, its lock is taken, too.
    ///
    /// # Errors
    /// What the system says, or who has the new one.
    pub fn mark(&self, unrecorded: bool) -> io::Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !held.is_at(&self.dir) {
            // Where the file alone is gone, the directory is still locked, by ourselves.
            held._dir = None;
            *held = Held::make(&self.dir).map_err(io::Error::other)?;
        }
        let mut text = format!("{}\n", std::process::id());
        if unrecorded {
            text.push_str(UNRECORDED);
            text.push('\n');
        }
        // In place: a full disk gives no block for one that was freed.
        held.file.write_all_at(text.as_bytes(), 0)?;
        held.file.set_len(text.len() as u64)?;
        // A mark that is lost is a repeat without a word; one that stays too long is a word too many.
        if unrecorded { files::sync(&held.file) } else { Ok(()) }
    }
}

impl Held {
    fn make(dir: &Path) -> Result<Held, LockError> {
        let unusable = |source| LockError::Unusable { dir: dir.to_owned(), source };
        let path = dir.join("lock");
        let file = files::private().read(true).create(true).truncate(false).open(path).map_err(unusable)?;
        Held::hold(dir, file)
    }

    /// The file is still the one that others look at.
    fn is_at(&self, dir: &Path) -> bool {
        let is = |of: io::Result<Metadata>| of.ok().map(|m| (m.dev(), m.ino()));
        is(self.file.metadata()) == is(std::fs::metadata(dir.join("lock")))
    }

    fn hold(dir: &Path, file: File) -> Result<Held, LockError> {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(Held { file, _dir: hold_dir(dir)? }),
            Err((file, nix::errno::Errno::EWOULDBLOCK)) => {
                Err(LockError::Held { dir: dir.to_owned(), pid: read_pid(file) })
            }
            Err((_, errno)) => Err(LockError::Unusable { dir: dir.to_owned(), source: errno.into() }),
        }
    }
}

fn hold_dir(dir: &Path) -> Result<Option<Flock<File>>, LockError> {
    let Ok(file) = File::open(dir) else { return Ok(None) };
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(LockError::Held { dir: dir.to_owned(), pid: None }),
        Err(_) => Ok(None),
    }
}

fn read(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn read_pid(mut file: File) -> Option<u32> {
    read(&mut file).ok()?.lines().next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f09_the_second_is_told_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        let error = Lock::take(dir.path()).unwrap_err();
        assert!(matches!(error, LockError::Held { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
        assert!(error.to_string().contains(&format!("process {}", std::process::id())));
        assert!(matches!(Lock::look(dir.path()), Err(LockError::Held { .. })));
        drop(first);
        drop(Lock::look(dir.path()).unwrap().unwrap());
        Lock::take(dir.path()).unwrap();
    }

    #[test]
    fn f09_a_lock_file_that_somebody_removed_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        std::fs::remove_file(dir.path().join("lock")).unwrap();
        assert!(matches!(Lock::look(dir.path()), Err(LockError::Held { .. })));
        assert!(matches!(Lock::take(dir.path()), Err(LockError::Held { .. })));
        drop(first);
        Lock::take(dir.path()).unwrap();
    }

    #[test]
    fn f11_what_is_marked_is_known_to_the_next_one_until_it_is_unmarked() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        assert!(!first.is_unrecorded());
        first.mark(true).unwrap();
        assert!(matches!(Lock::take(dir.path()), Err(LockError::Held { pid: Some(_), .. })));
        drop(first);
        for _ in 0..2 {
            assert!(Lock::take(dir.path()).unwrap().is_unrecorded());
        }
        Lock::take(dir.path()).unwrap().mark(false).unwrap();
        assert!(!Lock::take(dir.path()).unwrap().is_unrecorded());
    }

    #[test]
    fn f09_of_a_directory_that_was_made_anew_the_lock_is_taken_too() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let first = Lock::take(&state).unwrap();
        std::fs::remove_dir_all(&state).unwrap();
        assert!(first.mark(true).is_err(), "there is none");
        std::fs::create_dir(&state).unwrap();
        first.mark(true).unwrap();
        assert!(matches!(Lock::take(&state), Err(LockError::Held { pid: Some(_), .. })));
        std::fs::remove_file(state.join("lock")).unwrap();
        first.mark(true).unwrap();
        assert!(matches!(Lock::take(&state), Err(LockError::Held { pid: Some(_), .. })), "made again, too");
        drop(first);
        assert!(Lock::take(&state).unwrap().is_unrecorded());
    }

    #[test]
    fn f20_a_directory_that_is_none_is_unusable() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(Lock::take(&file), Err(LockError::Unusable { .. })));
        assert!(matches!(Lock::take(&dir.path().join("absent")), Err(LockError::Unusable { .. })));
        assert!(matches!(Lock::look(&dir.path().join("absent")), Err(LockError::Unusable { .. })));
        assert!(Lock::look(dir.path()).unwrap().is_none());
    }
}
