//! Writing JSON where much of it is written: into memory, without a call for each bracket and comma.
//!
//! Most of what a serializer writes is one byte long. `Vec`'s own writer copies that as it copies a megabyte.

use serde::Serialize;
use std::io;

struct Bytes<'a>(&'a mut Vec<u8>);

impl io::Write for Bytes<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match bytes {
            [one] => self.0.push(*one),
            more => self.0.extend_from_slice(more),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Adds a value as JSON.
///
/// # Errors
/// When it cannot be JSON: a map's key is no text.
pub fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> serde_json::Result<()> {
    serde_json::to_writer(Bytes(out), value)
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

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_what_serde_json_writes() {
        let value = serde_json::json!({"a": [1, -2.5, "x\n\"ü", null, true], "": {}});
        assert_eq!(super::text(&value, 1).unwrap(), value.to_string());
    }
}
