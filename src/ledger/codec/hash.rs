//! The chain: one hash per frame, each over the one before.

use crate::domain::time::Timestamp;
use crate::ledger::codec::layout::RECORDED_LATE;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A frame's chained BLAKE3 hash; 64 hex digits in text. All zero before the first frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FrameHash(pub [u8; 32]);

/// A place in the chain: the last event of a frame and that frame's hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    pub seq: u64,
    pub hash: FrameHash,
}

impl fmt::Display for FrameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for FrameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FrameHash {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        blake3::Hash::from_hex(text)
            .map(|h| FrameHash(*h.as_bytes()))
            .map_err(|_| format!("{text:?} is not a hash; it has 64 hex digits"))
    }
}

/// `SEQ:HASH`, as it is logged and as `verify --against` takes it.
impl fmt::Display for Tip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Tip {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (seq, hash) = text.split_once(':').ok_or_else(|| format!("{text:?} is not SEQ:HASH"))?;
        let seq = seq.parse().map_err(|_| format!("{seq:?} is not the number of an event"))?;
        Ok(Tip { seq, hash: hash.parse()? })
    }
}

impl Serialize for FrameHash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FrameHash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Builds one frame's hash. Every part has a fixed or a written length, so that no two frames
/// feed the same bytes.
pub(super) struct Chain {
    hasher: blake3::Hasher,
    /// What is still to be hashed: of a long piece BLAKE3 hashes several kilobytes side by side.
    waiting: Vec<u8>,
}

/// So much is hashed at once: as many chunks as BLAKE3 takes side by side, in a buffer that the allocator has at hand.
const PIECE: usize = 16 << 10;

impl Chain {
    pub fn begin(previous: &FrameHash, seq: u64, at: Timestamp, flags: u16, by: &[u8], count: u32) -> Chain {
        let mut head = [0u8; 61];
        head[..32].copy_from_slice(&previous.0);
        head[32..40].copy_from_slice(&seq.to_le_bytes());
        head[40..48].copy_from_slice(&at.0.to_le_bytes());
        head[48] = u8::from(flags & RECORDED_LATE != 0);
        head[49..53].copy_from_slice(&count.to_le_bytes());
        head[53..61].copy_from_slice(&(by.len() as u64).to_le_bytes());
        let mut waiting = Vec::with_capacity(PIECE);
        waiting.extend_from_slice(&head);
        waiting.extend_from_slice(by);
        Chain { hasher: blake3::Hasher::new(), waiting }
    }

    pub fn event(&mut self, head: &[u8], payload_digest: Option<&[u8; 32]>) {
        self.waiting.extend_from_slice(&(head.len() as u64).to_le_bytes());
        self.waiting.extend_from_slice(head);
        match payload_digest {
            None => self.waiting.push(0),
            Some(digest) => {
                self.waiting.push(1);
                self.waiting.extend_from_slice(digest);
            }
        }
        if self.waiting.len() >= PIECE {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
    }

    pub fn end(mut self) -> FrameHash {
        FrameHash(*self.hasher.update(&self.waiting).finalize().as_bytes())
    }
}

pub(super) type Salt = [u8; 16];

/// Salts for the payloads of a frame, from its seed, which is not kept: of those that stand in the journal no other
/// follows.
pub(super) struct Salts {
    seed: [u8; 16],
    stream: Option<blake3::OutputReader>,
    /// The stream comes in blocks of four.
    block: [u8; 64],
    used: usize,
}

impl Salts {
    pub fn of(seed: [u8; 16]) -> Salts {
        Salts { seed, stream: None, block: [0; 64], used: 64 }
    }

    pub fn next(&mut self) -> Salt {
        if self.used == self.block.len() {
            let stream = self.stream.get_or_insert_with(|| {
                let mut key = [0u8; 32];
                key[..16].copy_from_slice(&self.seed);
                blake3::Hasher::new_keyed(&key).finalize_xof()
            });
            stream.fill(&mut self.block);
            self.used = 0;
        }
        let mut salt = Salt::default();
        salt.copy_from_slice(&self.block[self.used..self.used + 16]);
        self.used += 16;
        salt
    }
}

/// Of a payload behind its salt.
pub(super) fn payload_digest(salted: &[u8]) -> [u8; 32] {
    *blake3::hash(salted).as_bytes()
}
