//! A sealed segment in a quarter of the space: its frames as zstd, in chunks of whole frames, so that a
//! flipped byte costs one chunk and not the segment.
//!
//! ```text
//! offset  size  after the segment's header, whose encoding is 1; numbers little-endian
//!      0     4  magic of a zstd frame that readers skip, 0x184D2A5E
//!      4     4  length of what is skipped: 12
//!      8     4  CRC-32 of everything from offset 12 to the chunk's end
//!     12     4  length of the zstd frame
//!     16     4  length of the frames in it
//!     20     .  the zstd frame
//! ```
//!
//! Hence `tail -c +129 FILE | zstd -dc | strings` shows the events, as `strings` does of a plain segment.
//! The format of zstd is RFC 8878.

use crate::ledger::codec::MAX_FRAME;
use std::io::{self, Read};

/// A chunk is closed when its frames have this many bytes.
pub const CHUNK: usize = 256 << 10;
const HEADER: usize = 20;
/// Of a frame's bytes, its number among them.
const BEGINNING: usize = 32;
pub(super) const MAGIC: [u8; 4] = 0x184D_2A5E_u32.to_le_bytes();
const SKIPPED: u32 = 12;
/// Frames repeat each other so much that higher ones gain nothing.
const LEVEL: i32 = 1;
/// No chunk unpacks to more: one chunk's frames and the longest that can come on top.
const LONGEST: usize = CHUNK + MAX_FRAME;
/// Stands for bytes that cannot be unpacked; no frame begins with it.
pub(super) const HOLE: u8 = 0xFF;

/// What a packed segment unpacks to: as a plain one would stand in its file from the header on.
#[derive(Debug, Default)]
pub struct Unpacked {
    pub bytes: Vec<u8>,
    /// Where chunks begin: here, and in the file.
    pub places: Vec<(usize, u64)>,
}

impl Unpacked {
    /// The place in the file of the chunk that holds this place.
    pub fn in_file(&self, at: usize) -> u64 {
        let after = self.places.partition_point(|(here, _)| *here <= at);
        after.checked_sub(1).and_then(|i| self.places.get(i)).map_or(at as u64, |(_, file)| *file)
    }
}

/// Frames on their way into chunks.
#[derive(Debug, Default)]
pub struct Packing {
    out: Vec<u8>,
    chunk: Vec<u8>,
}

impl Packing {
    /// Adds a whole frame.
    ///
    /// # Errors
    /// When zstd has no memory.
    pub fn add(&mut self, frame: &[u8]) -> io::Result<()> {
        self.chunk.extend_from_slice(frame);
        if self.chunk.len() >= CHUNK { self.close() } else { Ok(()) }
    }

    /// The chunks.
    ///
    /// # Errors
    /// As above.
    pub fn finish(mut self) -> io::Result<Vec<u8>> {
        if !self.chunk.is_empty() {
            self.close()?;
        }
        Ok(self.out)
    }

    fn close(&mut self) -> io::Result<()> {
        let packed = zstd::bulk::compress(&self.chunk, LEVEL)?;
        let start = self.out.len();
        self.out.extend_from_slice(&MAGIC);
        self.out.extend_from_slice(&SKIPPED.to_le_bytes());
        self.out.extend_from_slice(&[0; 4]);
        self.out.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        self.out.extend_from_slice(&(self.chunk.len() as u32).to_le_bytes());
        self.out.extend_from_slice(&packed);
        let crc = crc32fast::hash(&self.out[start + 12..]);
        self.out[start + 8..start + 12].copy_from_slice(&crc.to_le_bytes());
        self.chunk.clear();
        Ok(())
    }
}

/// Reads the chunks of a segment's file from `from` on. `length` is what the whole is to unpack to;
/// what is missing or damaged is a byte that no frame begins with.
pub fn unpack(file: &[u8], from: usize, length: Option<u64>) -> Unpacked {
    let whole = length.and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(file.len().saturating_mul(64));
    let mut out = Unpacked { bytes: Vec::with_capacity(from + whole), places: Vec::new() };
    out.bytes.extend_from_slice(file.get(..from).unwrap_or(file));
    let mut at = from;
    let mut good = 0;
    while at < file.len() {
        out.places.push((out.bytes.len(), at as u64));
        match chunk(&file[at..]) {
            Some((size, frames)) => {
                good += frames.len() as u64;
                out.bytes.extend_from_slice(&frames);
                at += size;
            }
            None => {
                out.bytes.push(HOLE);
                at = next_chunk(file, at + 1);
            }
        }
    }
    // A cut at the end of a chunk shows only by what is missing.
    if length.is_some_and(|length| good < length) && out.bytes.last() != Some(&HOLE) {
        out.places.push((out.bytes.len(), at as u64));
        out.bytes.push(HOLE);
    }
    out
}

/// The frames of the last chunk of which `begins` is true; the chunks' frames are in order. Looks at the
/// first bytes of others alone. Nothing where the chunk is damaged.
pub fn chunk_with(chunks: &[u8], begins: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(size) = chunks.get(at..).and_then(size) {
        starts.push(at);
        at += size;
    }
    let after = starts.partition_point(|at| chunks.get(*at..).and_then(beginning).is_some_and(|first| begins(&first)));
    let found = after.checked_sub(1).and_then(|index| chunk(chunks.get(*starts.get(index)?..)?));
    found.map(|(_, frames)| frames).unwrap_or_default()
}

/// Bytes of the chunk that begins here, as it says itself.
fn size(bytes: &[u8]) -> Option<usize> {
    let header: &[u8; HEADER] = bytes.first_chunk()?;
    let packed = header[12..].first_chunk().map_or(0, |b| u32::from_le_bytes(*b)) as usize;
    (header[..4] == MAGIC).then_some(HEADER + packed)
}

/// The first bytes of its frames.
fn beginning(bytes: &[u8]) -> Option<[u8; BEGINNING]> {
    let body = bytes.get(HEADER..size(bytes)?)?;
    let mut first = [0; BEGINNING];
    zstd::stream::read::Decoder::with_buffer(body).ok()?.read_exact(&mut first).ok()?;
    Some(first)
}

/// Whether there is any chunk from `from` on.
pub fn is_packed(file: &[u8], from: usize) -> bool {
    next_chunk(file, from) < file.len()
}

/// The next place where a good chunk begins, else the end.
fn next_chunk(file: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = file.get(at..).and_then(|rest| rest.windows(4).position(|w| w == MAGIC)) {
        at += found;
        if chunk(&file[at..]).is_some() {
            return at;
        }
        at += 1;
    }
    file.len()
}

/// The chunk at the beginning of `bytes`: how long it is, and its frames.
fn chunk(bytes: &[u8]) -> Option<(usize, Vec<u8>)> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let number = |at: usize| header[at..].first_chunk().map_or(0, |b| u32::from_le_bytes(*b));
    let (packed, unpacked) = (number(12) as usize, number(16) as usize);
    let body = rest.get(..packed)?;
    let whole = header[..4] == MAGIC && number(4) == SKIPPED && unpacked <= LONGEST;
    if !whole || crc32fast::hash(&bytes[12..HEADER + packed]) != number(8) {
        return None;
    }
    let frames = zstd::bulk::decompress(body, unpacked).ok()?;
    (frames.len() == unpacked).then_some((HEADER + packed, frames))
}
