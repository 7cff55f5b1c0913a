//! Blocks: up to 1,000 events or 64 KiB of whole frames under their first event's number, and beside each
//! what can be known without unpacking it.
//!
//! The kinds are a bitmap of 128 places that each name hashes to, the ids are sorted 32-bit hashes: both can
//! say "maybe" of a block that has none, never "no" of one that has.

use crate::domain::time::Timestamp;
use crate::ledger::codec::RawFrame;
use crate::ledger::history::store::keys_of::Keys;
use crate::ledger::history::store::pack::Packer;
use ulid::Ulid;

/// A block with this many events is full.
pub const EVENTS: u32 = 1000;
/// A block with this many bytes of frames is full: it unpacks within a millisecond.
pub const BYTES: usize = 64 << 10;
/// So many blocks that are not full are merged into one.
pub const MERGE: usize = 100;

const VERSION: u8 = 1;
const FIXED: usize = 54;

/// What is in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub last: u64,
    pub events: u32,
    /// Bytes of the frames when unpacked.
    pub bytes: u32,
    pub from: Timestamp,
    pub to: Timestamp,
    pub kinds: u128,
    /// Sorted.
    pub ids: Vec<u32>,
}

/// The place of a kind in the bitmap.
pub fn kind_bit(kind: &str) -> u128 {
    1 << (crc32fast::hash(kind.as_bytes()) % 128)
}

/// An id as blocks know it: its last bits, which are random.
pub fn id_hash(id: Ulid) -> u32 {
    id.0 as u32
}

/// A block that is being filled.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    pub first: u64,
    frames: Vec<u8>,
    last: u64,
    events: u32,
    span: Option<(Timestamp, Timestamp)>,
    kinds: u128,
    ids: Vec<u32>,
}

impl Builder {
    pub fn add(&mut self, frame: &RawFrame<'_>) {
        if self.events == 0 {
            self.first = frame.seq;
            self.frames.reserve(BYTES);
        }
        self.last = frame.last_seq();
        self.events += frame.count;
        self.frames.extend_from_slice(frame.bytes);
        let (from, to) = self.span.unwrap_or((frame.at, frame.at));
        self.span = Some((from.min(frame.at), to.max(frame.at)));
        for event in frame.events() {
            let keys = Keys::of(event.head);
            self.kinds |= kind_bit(&keys.kind);
            self.ids.extend(keys.ids().map(id_hash));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    pub fn is_full(&self) -> bool {
        is_full(self.events, self.frames.len())
    }

    /// The block's value and its meta's.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn finish(mut self, packer: &mut Packer) -> std::io::Result<(Vec<u8>, Meta)> {
        self.ids.sort_unstable();
        self.ids.dedup();
        let (from, to) = self.span.unwrap_or_default();
        let packed = packer.block(&self.frames)?;
        let bytes = self.frames.len() as u32;
        let (last, events, kinds, ids) = (self.last, self.events, self.kinds, self.ids);
        Ok((packed, Meta { last, events, bytes, from, to, kinds, ids }))
    }
}

fn is_full(events: u32, bytes: usize) -> bool {
    events >= EVENTS || bytes >= BYTES
}

impl Meta {
    pub fn is_full(&self) -> bool {
        is_full(self.events, self.bytes as usize)
    }

    pub fn may_hold_kind(&self, bits: u128) -> bool {
        self.kinds & bits != 0
    }

    /// `hash` of [`id_hash`].
    pub fn may_hold_id(&self, hash: u32) -> bool {
        self.ids.binary_search(&hash).is_ok()
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED + 4 * self.ids.len());
        out.push(VERSION);
        out.push(0);
        out.extend_from_slice(&self.last.to_be_bytes());
        out.extend_from_slice(&self.events.to_be_bytes());
        out.extend_from_slice(&self.bytes.to_be_bytes());
        out.extend_from_slice(&self.from.0.to_be_bytes());
        out.extend_from_slice(&self.to.0.to_be_bytes());
        out.extend_from_slice(&self.kinds.to_be_bytes());
        out.extend_from_slice(&(self.ids.len() as u32).to_be_bytes());
        out.extend(self.ids.iter().flat_map(|id| id.to_be_bytes()));
        out
    }

    /// `None` when these are no meta's bytes.
    pub fn decode(bytes: &[u8]) -> Option<Meta> {
        let (fixed, ids) = bytes.split_first_chunk::<FIXED>()?;
        let number = |at: usize| fixed[at..].first_chunk().map_or(0, |b| u64::from_be_bytes(*b));
        let half = |at: usize| fixed[at..].first_chunk().map_or(0, |b| u32::from_be_bytes(*b));
        if fixed[0] != VERSION || ids.len() != 4 * half(50) as usize {
            return None;
        }
        Some(Meta {
            last: number(2),
            events: half(10),
            bytes: half(14),
            from: Timestamp(number(18) as i64),
            to: Timestamp(number(26) as i64),
            kinds: u128::from(number(34)) << 64 | u128::from(number(42)),
            ids: ids.chunks_exact(4).map(|b| b.first_chunk().map_or(0, |b| u32::from_be_bytes(*b))).collect(),
        })
    }
}

/// The frames of a block's value; `None` when it cannot be unpacked.
pub fn unpack(value: &[u8], meta: &Meta) -> Option<Vec<u8>> {
    let frames = zstd::bulk::decompress(value, meta.bytes as usize).ok()?;
    (frames.len() == meta.bytes as usize).then_some(frames)
}

/// The whole frames that stand one after the other in `bytes`.
pub fn frames(mut bytes: &[u8]) -> impl Iterator<Item = RawFrame<'_>> {
    std::iter::from_fn(move || {
        let frame = RawFrame::read(bytes).ok()?;
        bytes = &bytes[frame.bytes.len()..];
        Some(frame)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::codec::Tip;
    use crate::ledger::testing::{at, chain};

    #[test]
    fn a_block_comes_back_with_what_is_known_of_it() {
        let bytes = chain(Tip::default(), &[&[2, 3], &[1]]).concat();
        let mut builder = Builder::default();
        frames(&bytes).for_each(|f| builder.add(&f));
        assert_eq!((builder.first, builder.is_full()), (1, false));
        let (packed, meta) = builder.finish(&mut Packer::default()).unwrap();
        assert_eq!(Meta::decode(&meta.encode()), Some(meta.clone()));
        assert_eq!(unpack(&packed, &meta), Some(bytes));
        assert_eq!((meta.last, meta.events, meta.from, meta.to), (6, 6, at(1), at(6)));
        assert!(meta.may_hold_kind(kind_bit("heartbeat_pinged")) && !meta.may_hold_kind(kind_bit("started")));
    }

    #[test]
    fn rubbish_is_no_block() {
        let meta = Builder::default().finish(&mut Packer::default()).unwrap().1;
        let bytes = Meta { ids: vec![1, 2], bytes: 100, ..meta.clone() }.encode();
        assert!(Meta::decode(&bytes[..bytes.len() - 1]).is_none());
        assert!(Meta::decode(b"").is_none());
        assert!(unpack(b"rubbish", &meta).is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..120),
            count in 0u32..8,
        ) {
            if let Some(meta) = Meta::decode(&bytes) {
                unpack(&bytes, &meta);
            }
            let mut bytes = bytes;
            bytes.resize(FIXED + 4 * count as usize, 0);
            bytes[0] = VERSION;
            bytes[50..54].copy_from_slice(&count.to_be_bytes());
            bytes[14] = 0;
            let meta = Meta::decode(&bytes).unwrap();
            unpack(&bytes, &meta);
            frames(&bytes).for_each(drop);
        }
    }
}
