//! A copy of the ledger while it is written, as a stream: the journal up to what is durable, and the
//! snapshots, and the blobs. The history is not in it; it is made again from the journal where the copy is put to use.
//!
//! ```text
//! {"file":"journal/00000000000000000001-0.journal","bytes":48112}   one line of JSON
//! ...                                                              so many bytes
//! {"file":"snapshots/00000000000000001200.snapshot","bytes":9120}
//! ...
//! {"file":"blobs/00000000000000000417-9f86d081....blob","bytes":31200}
//! ...
//! {"file":"erasing","bytes":312}                                  only while texts are being removed
//! ...
//! {"end":{"seq":1234,"hash":"91f6..."}}                            the last event that is in it
//! ```
//!
//! The files are linked first, under another name in the state directory, so that nothing that happens
//! to them afterwards (packing, a new snapshot) changes the copy.

use crate::ledger::blobs;
use crate::ledger::codec::{RawFrame, Tip};
use crate::ledger::files;
use crate::ledger::journal::content::Content;
use crate::ledger::journal::segment::{self, Segment};
use crate::ledger::places::{ERASING, Places};
use crate::ledger::snapshot;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Where the links are while a backup is taken.
const LINKS: &str = ".linked";

/// One line of the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    File { file: String, bytes: u64 },
    End { end: Tip },
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the files cannot be copied: {0}")]
    Io(#[from] io::Error),
    #[error("{file} is damaged; `ledger verify` says where")]
    Damaged { file: String },
}

/// Links to the files as they are at one moment; removed when this is dropped.
pub struct Linked {
    dir: PathBuf,
    /// Nothing beyond is copied.
    durable: Tip,
}

impl Linked {
    /// Nobody may remove or replace whole segments meanwhile; the snapshots may change.
    ///
    /// # Errors
    /// What the system says.
    pub fn take(places: &Places, durable: Tip) -> io::Result<Linked> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{LINKS}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let linked = Linked { dir: places.state.join(name), durable };
        let blobs = places.blobs.exists().then_some((&places.blobs, "blobs"));
        let parts = [(&places.snapshots, "snapshots"), (&places.journal, "journal")];
        for (from, to) in parts.into_iter().chain(blobs) {
            let to = linked.dir.join(to);
            files::private_dir(&to)?;
            for path in copied(from)? {
                match std::fs::hard_link(&path, to.join(path.file_name().unwrap_or_default())) {
                    // A snapshot that a newer one took the place of.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    done => done?,
                }
            }
        }
        match std::fs::hard_link(&places.erasing, linked.dir.join(ERASING)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
        Ok(linked)
    }

    /// Writes the stream; gives the last event that is in it.
    ///
    /// # Errors
    /// See [`BackupError`]; the stream has no end then.
    pub fn write(&self, out: &mut dyn Write) -> Result<Tip, BackupError> {
        let mut tip = Tip::default();
        for segment in segment::list(&self.dir.join("journal"))? {
            tip = self.segment(&segment, out)?.unwrap_or(tip);
        }
        for path in copied(&self.dir.join("snapshots"))? {
            // One that was made since belongs to events that are not in the copy.
            if snapshot::seq_of(&path).is_some_and(|seq| seq <= tip.seq) {
                let length = std::fs::metadata(&path)?.len();
                whole(&path, &snapshot::shown(&path), length, out)?;
            }
        }
        for kept in blobs::list(&self.dir.join("blobs"))? {
            // Others belong to events that are not in the copy.
            if kept.seq <= tip.seq {
                let length = std::fs::metadata(&kept.path)?.len();
                whole(&kept.path, &blobs::shown(&kept.path), length, out)?;
            }
        }
        let erasing = self.dir.join(ERASING);
        if let Ok(found) = std::fs::metadata(&erasing) {
            // Where the copy is put to use it is gone on with.
            whole(&erasing, ERASING, found.len(), out)?;
        }
        line(&Line::End { end: tip }, out)?;
        out.flush()?;
        Ok(tip)
    }

    /// One segment, as far as it is durable; gives its last event. One that holds nothing is left out.
    fn segment(&self, segment: &Segment, out: &mut dyn Write) -> Result<Option<Tip>, BackupError> {
        if segment.after_seq() >= self.durable.seq {
            return Ok(None);
        }
        let damaged = || BackupError::Damaged { file: segment.shown() };
        let header = segment.header.map_err(|_| damaged())?;
        if let Some(packed) = header.packed {
            let length = std::fs::metadata(&segment.path)?.len();
            whole(&segment.path, &segment.shown(), length, out)?;
            return Ok(Some(packed.end));
        }
        let content = Content::read(&segment.path)?;
        let mut tip = header.after;
        let mut at = segment::HEADER;
        while tip.seq < self.durable.seq {
            match RawFrame::read(content.bytes.get(at..).unwrap_or_default()) {
                Ok(frame) if frame.seq == tip.seq + 1 && frame.last_seq() <= self.durable.seq => {
                    tip = frame.tip();
                    at += frame.bytes.len();
                }
                // What follows a whole frame is space, or void.
                _ => break,
            }
        }
        line(&Line::File { file: segment.shown(), bytes: at as u64 }, out)?;
        out.write_all(&content.bytes[..at.min(content.bytes.len())])?;
        Ok(Some(tip))
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        // What stays is removed at the next start.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Removes what a crash in the middle of a backup left.
///
/// # Errors
/// What the system says.
pub fn remove_left(state: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(state)?.flatten() {
        // Only folders are ours.
        if entry.file_name().to_string_lossy().starts_with(LINKS) && entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The files of a directory that belong into a copy, in order of their names.
fn copied(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let named = |path: &PathBuf| path.extension().is_some_and(|e| e == "journal" || e == blobs::EXTENSION);
    let wanted = |path: &PathBuf| named(path) || snapshot::seq_of(path).is_some();
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(dir)?.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?;
    found.retain(wanted);
    found.sort();
    Ok(found)
}

fn whole(path: &Path, shown: &str, bytes: u64, out: &mut dyn Write) -> Result<(), BackupError> {
    line(&Line::File { file: shown.to_owned(), bytes }, out)?;
    let copied = io::copy(&mut File::open(path)?.take(bytes), out)?;
    if copied == bytes { Ok(()) } else { Err(BackupError::Damaged { file: shown.to_owned() }) }
}

fn line(line: &Line, out: &mut dyn Write) -> Result<(), BackupError> {
    serde_json::to_writer(&mut *out, line).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}
