//! Compression, with one context for all that is packed: making one costs more than a small document.

use std::fmt;
use std::io;
use zstd::bulk::Compressor;

const LEVEL: i32 = 3;

/// Made at first use.
#[derive(Default)]
pub struct Packer(Option<Compressor<'static>>);

impl Packer {
    /// # Errors
    /// When there is no memory for it.
    pub fn pack(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let compressor = match self.0.take() {
            Some(compressor) => compressor,
            None => Compressor::new(LEVEL)?,
        };
        self.0.insert(compressor).compress(bytes)
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}
