//! Segments that are not written to any more: packing them, and blanking payloads in them.
//!
//! A segment is replaced whole: the new one is written beside it, synced, and renamed over it. Whoever
//! reads meanwhile has the old one. A crash leaves the old one, the new one, or the old one and a file
//! that the next start removes.

use crate::domain::failpoint::{self, Point};
use crate::ledger::codec::{RawFrame, Tip};
use crate::ledger::files;
use crate::ledger::journal::content::Content;
use crate::ledger::journal::packed;
use crate::ledger::journal::segment::{self, HEADER, Header, Packed, Segment};
use std::io;
use std::path::{Path, PathBuf};

/// A segment whose content is settled.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub segment: Segment,
    /// The last event that counts in it.
    pub limit: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    #[error("{file} cannot be rewritten: {source}")]
    Io { file: String, source: io::Error },
    /// Not touched: what is whole in it is for the repair at the next start.
    #[error("{file} is damaged after event {after}; it stays as it is")]
    Damaged { file: String, after: u64 },
}

/// Where the journal's writer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The last durable event.
    pub durable: u64,
    /// The segment that is written to; said before its file is made.
    pub writing: Option<PathBuf>,
}

/// The writer may go on while the directory is read; so often it is read again.
const TRIES: usize = 10;

/// The segments of `dir`, the oldest first, whose content is settled. A segment is settled by its
/// successor, whose header says where it ends; without one only if the writer, which may have written
/// to it and left it meanwhile, did not move while the directory was read.
///
/// # Errors
/// When the directory or a header cannot be read.
pub fn list(dir: &Path, standing: impl Fn() -> Standing) -> io::Result<Vec<Sealed>> {
    let mut tries = 0;
    loop {
        let before = standing();
        let segments = segment::list(dir)?;
        let now = standing();
        tries += 1;
        let (settled, all) = settled(&segments, &now, now == before);
        if all || tries == TRIES {
            return Ok(settled);
        }
    }
}

/// Those that are settled, and whether these are all but the one that is written to.
fn settled(segments: &[Segment], now: &Standing, still: bool) -> (Vec<Sealed>, bool) {
    let (mut out, mut all) = (Vec::new(), true);
    for (index, segment) in segments.iter().enumerate() {
        if segment.header.is_err() || now.writing.as_ref() == Some(&segment.path) {
            continue;
        }
        let next = segments[index + 1..].iter().find(|s| s.header.is_ok()).map(Segment::after_seq);
        if next.is_none() && segment.end_seq().is_none() && !still {
            all = false;
            continue;
        }
        let ends = [next, segment.end_seq(), Some(now.durable)].into_iter().flatten().min();
        let limit = ends.filter(|limit| *limit > segment.after_seq());
        out.extend(limit.map(|limit| Sealed { segment: segment.clone(), limit }));
    }
    (out, all)
}

impl Sealed {
    pub fn is_packed(&self) -> bool {
        self.segment.header.is_ok_and(|header| header.packed.is_some())
    }

    /// Bytes of its file.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.segment.path).map_or(0, |m| m.len())
    }

    /// Its frames, each of which is whole and follows from the one before.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn read(&self) -> Result<Frames, SealedError> {
        self.read_if(follows)
    }

    fn read_if(&self, good: impl Fn(&RawFrame<'_>, Tip) -> bool) -> Result<Frames, SealedError> {
        let content = Content::read(&self.segment.path).map_err(|source| self.io(source))?;
        let header = content.header.ok_or_else(|| self.damaged(self.segment.after_seq()))?;
        let mut tip = header.after;
        let mut at = HEADER;
        while tip.seq < self.limit {
            let frame = RawFrame::read(content.bytes.get(at..).unwrap_or_default());
            let frame = frame.ok().filter(|f| good(f, tip)).ok_or_else(|| self.damaged(tip.seq))?;
            // A frame that reaches beyond is void, as the successor says.
            if frame.last_seq() > self.limit {
                break;
            }
            tip = frame.tip();
            at += frame.bytes.len();
        }
        Ok(Frames { header, tip, bytes: content.bytes, end: at })
    }

    /// The same in less space. What the disk has spoiled shows by the checksums; hashes are not reckoned anew,
    /// that is what `verify` is for. Gives its new size.
    ///
    /// # Errors
    /// When it is damaged, or the disk says so; it is as before then.
    pub fn pack(&self) -> Result<u64, SealedError> {
        let frames = self.read_if(|frame, tip| frame.seq == tip.seq + 1)?;
        let mut body = packed::Packing::default();
        for frame in frames.iter() {
            body.add(frame.bytes).map_err(|source| self.io(source))?;
        }
        let whole = frames.bytes.get(HEADER..frames.end).unwrap_or_default();
        self.put(&frames, body, whole.len(), |content, _| content == whole)
    }

    /// Writes it anew, packed, with what `change` gives in the place of a frame. Gives its new size.
    ///
    /// # Errors
    /// As [`Sealed::pack`].
    pub fn rewrite(&self, change: &mut dyn FnMut(&RawFrame<'_>) -> Option<Vec<u8>>) -> Result<u64, SealedError> {
        let frames = self.read()?;
        let mut length = 0;
        let mut body = packed::Packing::default();
        for frame in frames.iter() {
            let changed = change(&frame);
            let bytes = changed.as_deref().unwrap_or(frame.bytes);
            length += bytes.len();
            body.add(bytes).map_err(|source| self.io(source))?;
        }
        self.put(&frames, body, length, |content, after| chained(content, after) == Some(frames.tip))
    }

    /// Puts chunks in the place of the file. They are about to take the place of the only copy, so they are read first.
    fn put(
        &self,
        frames: &Frames,
        body: packed::Packing,
        length: usize,
        proves: impl Fn(&[u8], Tip) -> bool,
    ) -> Result<u64, SealedError> {
        let io = |source| self.io(source);
        let packed = Some(Packed { end: frames.tip, length: length as u64 });
        let header = Header { packed, ..frames.header }.encode();
        let body = body.finish().map_err(io)?;
        let file = [&header, &body[..]].concat();
        let content = packed::unpack(&file, HEADER, Some(length as u64));
        let good = Header::decode(&file).is_ok_and(|h| h.packed == packed);
        if !good || !proves(content.bytes.get(HEADER..).unwrap_or_default(), frames.header.after) {
            return Err(self.damaged(frames.header.after.seq));
        }
        failpoint::reached(Point::PackProven);
        files::replace(&self.segment.path, &[&header, &body]).map_err(io)?;
        Ok(file.len() as u64)
    }

    fn io(&self, source: io::Error) -> SealedError {
        SealedError::Io { file: self.segment.shown(), source }
    }

    fn damaged(&self, after: u64) -> SealedError {
        SealedError::Damaged { file: self.segment.shown(), after }
    }
}

/// Where a chain that goes on from `tip` ends, if it is all there is.
fn chained(mut bytes: &[u8], mut tip: Tip) -> Option<Tip> {
    while let Some(frame) = RawFrame::read(bytes).ok().filter(|f| follows(f, tip)) {
        tip = frame.tip();
        bytes = &bytes[frame.bytes.len()..];
    }
    bytes.is_empty().then_some(tip)
}

fn follows(frame: &RawFrame<'_>, tip: Tip) -> bool {
    frame.seq == tip.seq + 1 && frame.chained(&tip.hash) == frame.hash
}

/// What counts of a segment.
pub struct Frames {
    header: Header,
    /// The last frame.
    pub tip: Tip,
    bytes: Vec<u8>,
    end: usize,
}

impl Frames {
    pub fn iter(&self) -> impl Iterator<Item = RawFrame<'_>> {
        let mut at = HEADER;
        std::iter::from_fn(move || {
            let frame = RawFrame::read(self.bytes.get(at..self.end)?).ok()?;
            at += frame.bytes.len();
            Some(frame)
        })
    }
}
