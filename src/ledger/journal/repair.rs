//! Writing a damaged segment anew from what is whole in it and what the history gave back.

use crate::ledger::codec::{RawFrame, Tip, next_frame};
use crate::ledger::files;
use crate::ledger::journal::content::Content;
use crate::ledger::journal::segment::Header;
use std::io;
use std::path::Path;

/// The whole frames of a segment up to an event, one after the other; empty when it cannot be read.
pub fn frames_of(path: &Path, through: u64) -> Vec<u8> {
    let content = Content::read(path).unwrap_or_default();
    let frames = good_frames(&content.bytes).filter(|f| f.last_seq() <= through);
    frames.flat_map(|f| f.bytes.iter().copied()).collect()
}

fn good_frames(bytes: &[u8]) -> impl Iterator<Item = RawFrame<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (offset, frame) = next_frame(bytes, at)?;
        at = offset + frame.bytes.len();
        Some(frame)
    })
}

/// Replaces the segment by one that holds its good frames and `missing`, in order. The damaged file
/// stays beside it under the same name and `.damaged`. The new one is plain. `after` is what a lost header said.
///
/// # Errors
/// When files cannot be read or written, or the segment has no header to keep; it is as before then.
pub fn repair(path: &Path, missing: &[Vec<u8>], after: Option<Tip>) -> io::Result<()> {
    let content = match Content::read(path) {
        // All of it is missing.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Content::default(),
        read => read?,
    };
    let missing = missing.iter().filter_map(|bytes| RawFrame::read(bytes).ok());
    let mut frames: Vec<RawFrame<'_>> = good_frames(&content.bytes).chain(missing).collect();
    frames.sort_by_key(|f| f.seq);
    frames.dedup_by_key(|f| f.seq);
    let lost = || Some(Header { after: after?, created: frames.first()?.at, packed: None });
    let header = content.header.or_else(lost).ok_or_else(|| io::Error::other("its header is damaged"))?;
    let header = Header { packed: None, ..header };
    frames.retain(|f| f.seq > header.after.seq);
    let header = header.encode();
    if path.exists() {
        keep_damaged(path)?;
    }
    let parts: Vec<&[u8]> = std::iter::once(&header[..]).chain(frames.iter().map(|f| f.bytes)).collect();
    files::replace(path, &parts)
}

/// Takes a file in which nothing is left out of the way, under the same name and `.damaged`.
///
/// # Errors
/// What the system says.
pub fn set_aside(path: &Path) -> io::Result<()> {
    keep_damaged(path)?;
    std::fs::remove_file(path)?;
    files::sync_parent(path)
}

/// A second name for the file; what an earlier repair kept is kept.
fn keep_damaged(path: &Path) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".damaged");
    match std::fs::hard_link(path, path.with_file_name(name)) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
