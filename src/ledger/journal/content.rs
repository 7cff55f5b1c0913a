//! A segment's file in memory as frames one after the other, however it is written.

use crate::ledger::codec::next_frame;
use crate::ledger::journal::packed::{self, Unpacked};
use crate::ledger::journal::segment::{HEADER, Header, HeaderProblem};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The header, and after it what a plain segment holds.
#[derive(Debug, Default)]
pub struct Content {
    pub header: Option<Header>,
    pub bytes: Vec<u8>,
    /// The disk gave back only so many bytes of the file, and why.
    pub problem: Option<(u64, io::Error)>,
    /// Of a packed one: where in the file what is.
    packed: Option<Unpacked>,
}

impl Content {
    /// The file as far as the disk gives it back; what a bad sector hides is damage like any other.
    ///
    /// # Errors
    /// When it cannot be read for want of permission or the like.
    pub fn read(path: &Path) -> io::Result<Content> {
        let mut file = File::open(path)?;
        let mut bytes = Vec::with_capacity(file.metadata().map_or(0, |m| m.len() as usize + 1));
        let problem = match file.read_to_end(&mut bytes) {
            Err(e) if e.raw_os_error() == Some(nix::libc::EIO) => Some((bytes.len() as u64, e)),
            read => read.map(|_| None)?,
        };
        Ok(Content { problem, ..Content::of(bytes) })
    }

    /// The same of a file's bytes.
    pub fn of(bytes: Vec<u8>) -> Content {
        let header = Header::decode(&bytes);
        let packed = match header {
            Ok(Header { packed, .. }) => packed.map(|p| packed::unpack(&bytes, HEADER, Some(p.length))),
            // Without a header what it holds tells how it is written.
            Err(HeaderProblem::Damaged) if next_frame(&bytes, 0).is_none() && packed::is_packed(&bytes, 0) => {
                Some(packed::unpack(&bytes, HEADER.min(bytes.len()), None))
            }
            Err(_) => None,
        };
        match packed {
            Some(mut unpacked) => {
                let bytes = std::mem::take(&mut unpacked.bytes);
                Content { header: header.ok(), bytes, problem: None, packed: Some(unpacked) }
            }
            None => Content { header: header.ok(), bytes, problem: None, packed: None },
        }
    }

    /// Where in the file this place of `bytes` is, or the chunk that it is in.
    pub fn in_file(&self, at: usize) -> u64 {
        self.packed.as_ref().map_or(at as u64, |packed| packed.in_file(at))
    }

    /// It can be written on at its end.
    pub fn is_plain(&self) -> bool {
        self.packed.is_none()
    }
}
