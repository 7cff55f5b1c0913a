//! One process at a time: an flock on `STATE/lock`, with the holder's pid in the file, and one on the directory itself,
//! which holds when somebody has removed that file.
//!
//! The file is never removed by us: the locks are the kernel's and go with their process.

use crate::ledger::files;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Held as long as this value lives.
#[derive(Debug)]
pub struct Lock {
    file: Flock<File>,
    /// Where a directory can be locked; over a network it may not.
    _dir: Option<Flock<File>>,
    unrecorded: bool,
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
        let unusable = |source| LockError::Unusable { dir: dir.to_owned(), source };
        let path = dir.join("lock");
        let file = files::private().read(true).create(true).truncate(false).open(path).map_err(unusable)?;
        let mut lock = Lock::hold(dir, file)?;
        lock.unrecorded = read(&mut lock.file).is_ok_and(|text| text.lines().nth(1) == Some(UNRECORDED));
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
            Ok(file) => Lock::hold(dir, file).map(Some),
        }
    }

    /// Whether alarms of the life before may have left without a record.
    pub fn is_unrecorded(&self) -> bool {
        self.unrecorded
    }

    /// Notes that alarms leave without a record from now on, or that they do not.
    ///
    /// # Errors
    /// What the system says.
    pub fn mark(&self, unrecorded: bool) -> io::Result<()> {
        let mut text = format!("{}\n", std::process::id());
        if unrecorded {
            text.push_str(UNRECORDED);
            text.push('\n');
        }
        // In place: a full disk gives no block for one that was freed.
        self.file.write_all_at(text.as_bytes(), 0)?;
        self.file.set_len(text.len() as u64)
    }

    fn hold(dir: &Path, file: File) -> Result<Lock, LockError> {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(Lock { file, _dir: hold_dir(dir)?, unrecorded: false }),
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
