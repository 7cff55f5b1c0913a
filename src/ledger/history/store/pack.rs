//! Compression, with one context for all of a kind that is packed: making one costs more than a small
//! document.

use std::fmt;
use std::io;
use zstd::bulk::Compressor;

/// For blocks: frames repeat each other so much that higher ones gain nothing.
const LEVEL: i32 = 1;
/// For documents: there is one for each notification, and those that lie together repeat each other, too.
const QUICK: i32 = -1;

/// Its contexts are made at first use.
#[derive(Default)]
pub struct Packer {
    blocks: Option<Compressor<'static>>,
    documents: Option<Compressor<'static>>,
}

impl Packer {
    /// # Errors
    /// When there is no memory for it.
    pub fn block(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        pack(&mut self.blocks, LEVEL, bytes)
    }

    /// # Errors
    /// When there is no memory for it.
    pub fn document(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        pack(&mut self.documents, QUICK, bytes)
    }
}

fn pack(place: &mut Option<Compressor<'static>>, level: i32, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let compressor = match place.take() {
        Some(compressor) => compressor,
        None => Compressor::new(level)?,
    };
    place.insert(compressor).compress(bytes)
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}
