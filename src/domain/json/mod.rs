//! Writing JSON where much of it is written: events, rows of a snapshot, documents.
//!
//! Byte for byte what serde_json writes, in a fifth fewer instructions for an event: into memory, strings searched
//! for what must be escaped sixteen bytes at a time, and names of fields, which need no search, copied.

mod strings;
mod writer;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use writer::{RAW, Writer};

/// Adds a value as JSON.
///
/// # Errors
/// When it cannot be JSON: a map's key is no text.
pub fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> serde_json::Result<()> {
    value.serialize(Writer::new(out))
}

/// A value as JSON, which takes about so many bytes.
///
/// # Errors
/// As above.
pub fn text<T: Serialize + ?Sized>(value: &T, about: usize) -> serde_json::Result<String> {
    let mut out = Vec::with_capacity(about);
    append(&mut out, value)?;
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

/// Text that is JSON already, as whoever has it knows: written as it is, by this writer and by serde_json's.
pub struct Raw<'a>(pub &'a str);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut raw = s.serialize_struct(RAW, 1)?;
        raw.serialize_field(RAW, self.0)?;
        raw.end()
    }
}

#[cfg(test)]
mod tests;
