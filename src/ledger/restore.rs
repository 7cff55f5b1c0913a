//! The far end of [`super::backup`]: the stream becomes files in a directory that can be used as a state
//! directory.

use crate::ledger::backup::Line;
use crate::ledger::codec::Tip;
use crate::ledger::files;
use crate::ledger::places::{ERASING, UNFINISHED};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A line of the stream is short.
const LONGEST_LINE: usize = 4_096;

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("{} is not empty; a backup gets a directory of its own", dir.display())]
    NotEmpty { dir: PathBuf },
    #[error("{} cannot be written: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("what the daemon sent is no backup: {0}")]
    Malformed(String),
    #[error("the backup broke off in the middle; {} holds only a part of it", dir.display())]
    Unfinished { dir: PathBuf },
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The last event that is in it.
    pub tip: Tip,
    pub files: u64,
    pub bytes: u64,
}

/// Takes the stream piece by piece.
pub struct Receiving {
    dir: PathBuf,
    /// What of a line has come.
    line: Vec<u8>,
    open: Option<(PathBuf, File, u64)>,
    end: Option<Tip>,
    files: u64,
    bytes: u64,
}

impl Receiving {
    /// Into this directory, which is made (0700) or empty.
    ///
    /// # Errors
    /// When it has anything in it, or cannot be made.
    pub fn into(dir: &Path) -> Result<Receiving, RestoreError> {
        let io = |source| RestoreError::Io { path: dir.to_owned(), source };
        files::private_dir(dir).map_err(io)?;
        if std::fs::read_dir(dir).map_err(io)?.next().is_some() {
            return Err(RestoreError::NotEmpty { dir: dir.to_owned() });
        }
        let marker = dir.join(UNFINISHED);
        files::private().create_new(true).open(&marker).map_err(io)?;
        files::sync_parent(&marker).map_err(io)?;
        for part in ["journal", "snapshots", "blobs"] {
            files::private_dir(&dir.join(part)).map_err(io)?;
        }
        Ok(Receiving { dir: dir.to_owned(), line: Vec::new(), open: None, end: None, files: 0, bytes: 0 })
    }

    /// The next piece of the stream.
    ///
    /// # Errors
    /// When it is no such stream, or the disk says no.
    pub fn take(&mut self, mut piece: &[u8]) -> Result<(), RestoreError> {
        while !piece.is_empty() {
            if self.end.is_some() {
                return Err(RestoreError::Malformed("it goes on after its end".to_owned()));
            }
            if self.open.is_some() {
                piece = self.fill(piece)?;
                continue;
            }
            let (part, rest) = match piece.iter().position(|b| *b == b'\n') {
                Some(at) => (&piece[..at], Some(&piece[at + 1..])),
                None => (piece, None),
            };
            self.line.extend_from_slice(part);
            if self.line.len() > LONGEST_LINE {
                return Err(RestoreError::Malformed("a line of it is too long".to_owned()));
            }
            let Some(rest) = rest else { return Ok(()) };
            piece = rest;
            let line = std::mem::take(&mut self.line);
            self.begin(&line)?;
        }
        Ok(())
    }

    /// What has come is durable then.
    ///
    /// # Errors
    /// When the end is missing.
    pub fn finish(self) -> Result<Copied, RestoreError> {
        let tip = self.end.ok_or_else(|| RestoreError::Unfinished { dir: self.dir.clone() })?;
        for part in ["journal/x", "snapshots/x", "blobs/x", "x"] {
            let path = self.dir.join(part);
            files::sync_parent(&path).map_err(|source| RestoreError::Io { path, source })?;
        }
        // Only now is it whole: whoever ends before leaves the marker, and verify and a start say so.
        let marker = self.dir.join(UNFINISHED);
        let removed = std::fs::remove_file(&marker).and_then(|()| files::sync_parent(&marker));
        removed.map_err(|source| RestoreError::Io { path: marker, source })?;
        Ok(Copied { tip, files: self.files, bytes: self.bytes })
    }

    fn begin(&mut self, line: &[u8]) -> Result<(), RestoreError> {
        let malformed = |words: String| RestoreError::Malformed(words);
        match serde_json::from_slice(line).map_err(|e| malformed(format!("a line of it cannot be read: {e}")))? {
            Line::End { end } => self.end = Some(end),
            Line::File { file, bytes } => {
                if !is_ours(&file) {
                    return Err(malformed(format!("{file:?} is no file of a ledger")));
                }
                let path = self.dir.join(&file);
                let opened = files::private().create_new(true).open(&path);
                let opened = opened.map_err(|source| RestoreError::Io { path: path.clone(), source })?;
                self.files += 1;
                self.bytes += bytes;
                self.open = Some((path, opened, bytes));
                self.close_if_full()?;
            }
        }
        Ok(())
    }

    /// Writes what belongs to the open file; gives the rest.
    fn fill<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], RestoreError> {
        let Some((path, file, left)) = &mut self.open else { return Ok(piece) };
        let length = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
        let (part, rest) = piece.split_at(length);
        file.write_all(part).map_err(|source| RestoreError::Io { path: path.clone(), source })?;
        *left -= length as u64;
        self.close_if_full()?;
        Ok(rest)
    }

    fn close_if_full(&mut self) -> Result<(), RestoreError> {
        if let Some((path, file, _)) = self.open.take_if(|(_, _, left)| *left == 0) {
            files::sync(&file).map_err(|source| RestoreError::Io { path, source })?;
        }
        Ok(())
    }
}

/// `journal/NAME`, `snapshots/NAME`, `blobs/NAME` or `erasing`, and nothing that leads elsewhere.
fn is_ours(file: &str) -> bool {
    let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    match file.split_once('/') {
        Some(("journal", name)) => plain(name) && name.ends_with(".journal"),
        Some(("blobs", name)) => plain(name) && name.ends_with(".blob"),
        Some(("snapshots", name)) => plain(name) && (name.ends_with(".snapshot") || name.ends_with(".base")),
        _ => file == ERASING,
    }
}
