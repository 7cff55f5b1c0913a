//! A segment file: its name, its header, and the list of them.
//!
//! ```text
//! offset  size  header (numbers little-endian), then frames to the end or to zeros
//!      0     8  magic "stentorJ"
//!      8     2  format version
//!     10     2  encoding of what follows: 0 frames as they are, 1 packed, see [`super::packed`]
//!     12     4  length of this header
//!     16     8  epoch of the one that appends; 0 while there is only one
//!     24     8  the segment begins after this event
//!     32    32  and after the frame with this hash
//!     64     8  wall clock when it was made, microseconds since 1970
//!     72     8  packed: the last event in it
//!     80    32  and its frame's hash
//!    112     8  and the length of the frames when unpacked
//!    120     .  zero, from 72 on in a plain one
//!    124     4  CRC-32 of what is before
//! ```
//!
//! Its name is its first event's number and a counter, `00000000000000000417-0.journal`. The counter
//! grows where a segment is begun anew at the same event because its predecessor failed. "After
//! event S" makes void whatever an earlier segment holds beyond S.

use crate::domain::time::Timestamp;
use crate::ledger::codec::{FrameHash, Tip};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub const HEADER: usize = 128;
pub const VERSION: u16 = 1;
const MAGIC: [u8; 8] = *b"stentorJ";
const PLAIN: u16 = 0;
/// The highest encoding that this version knows.
pub const PACKED: u16 = 1;

/// What stands at a segment's beginning, as far as this version cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub after: Tip,
    pub created: Timestamp,
    /// Of a packed one.
    pub packed: Option<Packed>,
}

/// What a packed segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The last frame.
    pub end: Tip,
    /// Bytes of frames when unpacked.
    pub length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderProblem {
    /// Well written, by a version that knows more. To be refused, not repaired.
    Newer { version: u16, encoding: u16 },
    /// No header: rubbish, or a crash while the file was made.
    Damaged,
}

/// A file of the journal's directory.
#[derive(Clone, Debug)]
pub struct Segment {
    pub path: PathBuf,
    pub first_seq: u64,
    pub generation: u32,
    pub header: Result<Header, HeaderProblem>,
}

impl Header {
    pub fn encode(&self) -> [u8; HEADER] {
        let mut out = [0u8; HEADER];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[10..12].copy_from_slice(&self.packed.map_or(PLAIN, |_| PACKED).to_le_bytes());
        out[12..16].copy_from_slice(&(HEADER as u32).to_le_bytes());
        out[24..32].copy_from_slice(&self.after.seq.to_le_bytes());
        out[32..64].copy_from_slice(&self.after.hash.0);
        out[64..72].copy_from_slice(&self.created.0.to_le_bytes());
        if let Some(packed) = self.packed {
            out[72..80].copy_from_slice(&packed.end.seq.to_le_bytes());
            out[80..112].copy_from_slice(&packed.end.hash.0);
            out[112..120].copy_from_slice(&packed.length.to_le_bytes());
        }
        let crc = crc32fast::hash(&out[..124]);
        out[124..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// # Errors
    /// When it is newer than this version, or no header at all.
    pub fn decode(bytes: &[u8]) -> Result<Header, HeaderProblem> {
        let bytes: &[u8; HEADER] = bytes.first_chunk().ok_or(HeaderProblem::Damaged)?;
        let whole = bytes[124..] == crc32fast::hash(&bytes[..124]).to_le_bytes();
        if bytes[..8] != MAGIC || !whole {
            return Err(HeaderProblem::Damaged);
        }
        let (version, encoding) =
            (u16::from_le_bytes([bytes[8], bytes[9]]), u16::from_le_bytes([bytes[10], bytes[11]]));
        if version > VERSION || encoding > PACKED {
            return Err(HeaderProblem::Newer { version, encoding });
        }
        let number = |at: usize| bytes[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
        let hash = |at: usize| FrameHash(bytes[at..].first_chunk().copied().unwrap_or_default());
        let packed = Packed { end: Tip { seq: number(72), hash: hash(80) }, length: number(112) };
        Ok(Header {
            after: Tip { seq: number(24), hash: hash(32) },
            created: Timestamp(number(64) as i64),
            packed: (encoding == PACKED).then_some(packed),
        })
    }
}

impl Segment {
    /// Whether there is anything behind its header.
    pub fn holds_something(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|m| m.len() > HEADER as u64)
    }

    /// The event that it begins after: as its header says, else its name.
    pub fn after_seq(&self) -> u64 {
        self.header.map_or(self.first_seq.saturating_sub(1), |h| h.after.seq)
    }

    /// The last event that counts in it, whatever follows; known of a packed one alone.
    pub fn end_seq(&self) -> Option<u64> {
        self.header.ok()?.packed.map(|packed| packed.end.seq)
    }

    /// The name below the state directory, for reports.
    pub fn shown(&self) -> String {
        shown(&self.path)
    }
}

/// `journal/NAME`.
pub fn shown(path: &Path) -> String {
    format!("journal/{}", path.file_name().unwrap_or_default().to_string_lossy())
}

pub fn path(dir: &Path, first_seq: u64, generation: u32) -> PathBuf {
    dir.join(format!("{first_seq:020}-{generation}.journal"))
}

/// All segments in the order of their content. Other files are left alone.
///
/// # Errors
/// When the directory or a segment in it cannot be read.
pub fn list(dir: &Path) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let Some((first_seq, generation)) = parse_name(&path) else { continue };
        if entry.file_type()?.is_dir() {
            continue;
        }
        let header = read_header(&path).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        found.push(Segment { header, path, first_seq, generation });
    }
    found.sort_by_key(|s: &Segment| (s.after_seq(), s.generation));
    Ok(found)
}

/// When a segment was begun, by the wall clock of then; `None` when its header cannot be read.
pub fn created(path: &Path) -> Option<Timestamp> {
    Some(read_header(path).ok()?.ok()?.created)
}

fn parse_name(path: &Path) -> Option<(u64, u32)> {
    let (seq, generation) = path.file_name()?.to_str()?.strip_suffix(".journal")?.split_once('-')?;
    Some((seq.parse().ok()?, generation.parse().ok()?))
}

fn read_header(path: &Path) -> io::Result<Result<Header, HeaderProblem>> {
    let mut bytes = Vec::with_capacity(HEADER);
    match File::open(path)?.take(HEADER as u64).read_to_end(&mut bytes) {
        // A bad sector is damage like any other.
        Err(e) if e.raw_os_error() == Some(nix::libc::EIO) => Ok(Err(HeaderProblem::Damaged)),
        read => read.map(|_| Header::decode(&bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            after: Tip { seq: 416, hash: FrameHash([9; 32]) },
            created: Timestamp(1_700_000_000_000_000),
            packed: None,
        }
    }

    #[test]
    fn a_header_comes_back_and_any_flipped_bit_is_noticed() {
        let bytes = header().encode();
        assert_eq!(Header::decode(&bytes), Ok(header()));
        let packed =
            Header { packed: Some(Packed { end: Tip { seq: 417, hash: FrameHash([7; 32]) }, length: 99 }), ..header() };
        assert_eq!(Header::decode(&packed.encode()), Ok(packed));
        for bit in 0..HEADER * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes), Err(HeaderProblem::Damaged), "bit {bit}");
        }
        assert_eq!(Header::decode(&bytes[..127]), Err(HeaderProblem::Damaged));
    }

    #[test]
    fn the_list_is_in_order_of_number_then_counter() {
        let dir = tempfile::tempdir().unwrap();
        for (seq, generation) in [(10, 0), (2, 1), (2, 10), (2, 2), (1, 0)] {
            let after = Tip { seq: seq - 1, hash: FrameHash::default() };
            std::fs::write(path(dir.path(), seq, generation), Header { after, ..header() }.encode()).unwrap();
        }
        std::fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        let names: Vec<_> = list(dir.path()).unwrap().iter().map(|s| (s.first_seq, s.generation)).collect();
        assert_eq!(names, [(1, 0), (2, 1), (2, 2), (2, 10), (10, 0)]);
    }
}
