//! Documents that are packed together: those that end at about the same time say nearly the same, and to
//! begin packing costs more than to pack one of them.
//!
//! A bundle is never changed. A document that comes again lies in a later one; what it was before stays in the
//! earlier one, where nothing leads to it, until the history is made anew.

use crate::ledger::history::store::keys;

/// So many bytes of text are in a bundle at the most: whoever asks for one document unpacks it whole.
const BYTES: usize = 32 << 10;
/// No document is as long: so a document's value begins that lies in a bundle.
const MARK: [u8; 4] = [u8::MAX; 4];
const LENGTH: usize = 4 + keys::BUNDLED + 8;

/// Where a document lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub bundle: [u8; keys::BUNDLED],
    pub from: u32,
    pub bytes: u32,
}

impl Place {
    pub fn encode(&self) -> [u8; LENGTH] {
        let mut out = [0; LENGTH];
        let (mark, rest) = out.split_at_mut(MARK.len());
        let (bundle, rest) = rest.split_at_mut(keys::BUNDLED);
        mark.copy_from_slice(&MARK);
        bundle.copy_from_slice(&self.bundle);
        rest[..4].copy_from_slice(&self.from.to_be_bytes());
        rest[4..].copy_from_slice(&self.bytes.to_be_bytes());
        out
    }

    /// `None` for a document that is packed by itself.
    pub fn decode(value: &[u8]) -> Option<Place> {
        let (bundle, rest) = value.strip_prefix(&MARK)?.split_first_chunk()?;
        let (from, bytes) = rest.split_first_chunk()?;
        let (from, bytes) = (u32::from_be_bytes(*from), u32::from_be_bytes(bytes.try_into().ok()?));
        Some(Place { bundle: *bundle, from, bytes })
    }

    /// The document's bytes in those of its bundle.
    pub fn of<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        text.get(self.from as usize..)?.get(..self.bytes as usize)
    }
}

/// A bundle that is being filled: texts, and by the key of each where it is.
#[derive(Debug, Default)]
pub struct Bundle {
    pub text: Vec<u8>,
    pub places: Vec<([u8; 17], u32, u32)>,
}

impl Bundle {
    pub fn add(&mut self, key: [u8; 17], json: &str) {
        if self.text.is_empty() {
            self.text.reserve(BYTES.max(json.len()));
        }
        self.places.push((key, self.text.len() as u32, json.len() as u32));
        self.text.extend_from_slice(json.as_bytes());
    }

    /// One that is longer than a bundle lies alone.
    pub fn has_room_for(&self, json: &str) -> bool {
        self.text.is_empty() || self.text.len() + json.len() <= BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_and_rubbish_is_none() {
        let place = Place { bundle: keys::bundle(7, 2), from: 3, bytes: 2 };
        let value = place.encode();
        assert_eq!(Place::decode(&value), Some(place));
        assert_eq!(Place::decode(&value[..LENGTH - 1]), None);
        assert_eq!(Place::decode(&[0, 0, 0, 9, 40]), None);
        assert_eq!(place.of(b"abcde"), Some(&b"de"[..]));
        assert_eq!(place.of(b"abcd"), None);
        assert_eq!(place.of(b""), None);
    }
}
