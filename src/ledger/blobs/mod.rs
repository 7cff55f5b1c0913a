//! What is too long for an event: a file for each, under the number of the event that brings it and the
//! BLAKE3 of what it holds, `blobs/00000000000000000417-9f86d081....blob`.
//!
//! A blob is durable before its event is. It belongs to that event alone, so that whoever removes the
//! event, or its payload, knows by the name what goes with it. One whose event never became durable is
//! removed at the next start. What is read is compared with its hash.

pub mod check;

use crate::domain::event::{Blob, Place};
use crate::domain::failpoint::{self, Point};
use crate::ledger::files;
use std::io;
use std::path::{Path, PathBuf};

pub const EXTENSION: &str = "blob";
/// Letters of a hash.
const HASH: usize = 64;

/// A file of the directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    pub seq: u64,
    pub hash: String,
    pub path: PathBuf,
}

pub fn path(dir: &Path, seq: u64, hash: &str) -> PathBuf {
    dir.join(format!("{seq:020}-{hash}.{EXTENSION}"))
}

/// `blobs/NAME`, for reports.
pub fn shown(path: &Path) -> String {
    format!("blobs/{}", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Makes all of them durable.
///
/// # Errors
/// What the system says; some may be kept then.
pub fn keep(dir: &Path, blobs: &[Blob]) -> io::Result<()> {
    if blobs.is_empty() {
        return Ok(());
    }
    files::durable_dir(dir)?;
    for blob in blobs {
        files::keep(&path(dir, blob.seq, &blob.hash), &blob.bytes)?;
    }
    files::sync_parent(&dir.join("x"))?;
    failpoint::reached(Point::BlobsKept);
    Ok(())
}

/// What a blob holds.
///
/// # Errors
/// A sentence: it is not there, cannot be read, or is not what it was.
pub fn read(dir: &Path, place: &Place) -> Result<Vec<u8>, String> {
    let hash = place.blob.as_deref().unwrap_or_default();
    let path = path(dir, place.seq, hash);
    let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", shown(&path)))?;
    match is(&bytes, hash) {
        true => Ok(bytes),
        false => Err(format!("{} is damaged", shown(&path))),
    }
}

fn is(bytes: &[u8], hash: &str) -> bool {
    blake3::hash(bytes).to_hex().as_str() == hash
}

/// All that is there, by event. Other files are left alone; a directory that is not there is empty.
///
/// # Errors
/// What the system says.
pub fn list(dir: &Path) -> io::Result<Vec<Kept>> {
    let mut found = Vec::new();
    match std::fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => {
            for entry in entries? {
                found.extend(parse(entry?.path()));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn parse(path: PathBuf) -> Option<Kept> {
    let name = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    let (seq, hash) = name.split_once('-')?;
    let (seq, hash) = (seq.parse().ok()?, hash.to_owned());
    let is_hash = hash.len() == HASH && hash.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then_some(Kept { seq, hash, path })
}

/// Removes those of these events; gives how many.
///
/// # Errors
/// What the system says; others may be removed.
pub fn remove(dir: &Path, of: impl Fn(u64) -> bool) -> io::Result<usize> {
    let gone: Vec<Kept> = list(dir)?.into_iter().filter(|kept| of(kept.seq)).collect();
    for kept in &gone {
        match std::fs::remove_file(&kept.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            removed => removed?,
        }
    }
    if !gone.is_empty() {
        files::sync_parent(&dir.join("x"))?;
    }
    Ok(gone.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_until_it_is_removed_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("blobs");
        assert_eq!(list(&dir).unwrap(), []);
        let blob = Blob::new(417, b"a long text".to_vec());
        let place = Place { seq: 417, bytes: 11, blob: Some(blob.hash.clone()) };
        for _ in 0..2 {
            keep(&dir, std::slice::from_ref(&blob)).unwrap();
        }
        std::fs::write(dir.join("notes.txt"), "mine").unwrap();
        assert_eq!(list(&dir).unwrap().len(), 1);
        assert_eq!(read(&dir, &place).unwrap(), b"a long text");
        let file = path(&dir, 417, &blob.hash);
        std::fs::write(&file, "a long test").unwrap();
        let words = read(&dir, &place).unwrap_err();
        assert!(words.starts_with("blobs/00000000000000000417-") && words.ends_with("is damaged"), "{words}");
        assert_eq!(remove(&dir, |seq| seq > 417).unwrap(), 0);
        assert_eq!(remove(&dir, |seq| seq > 416).unwrap(), 1);
        assert!(read(&dir, &place).unwrap_err().contains("No such file"));
    }
}
