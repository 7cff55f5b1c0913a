//! The keys of the one tree: a letter for what it is, then big-endian numbers, so that order of keys is
//! order of time.
//!
//! | key | value |
//! | --- | --- |
//! | `a` | format version, the last event applied, its frame's hash |
//! | `b` first event | a block: whole frames, zstd |
//! | `m` first event | what is in that block, see [`super::block::Meta`] |
//! | `n` id, `i` id | a notification or incident that ended: length, JSON as zstd, or its [`super::bundle::Place`] |
//! | `D` event, number | documents that are packed together: length, their JSON as zstd; the last event that was applied with them |
//! | `#` number | the id of the incident with this number |
//! | `d` id | the id of the notification that this delivery belongs to |
//! | `r` hour | counters of one hour since 1970: JSON |
//! | `R` day | the same of one day, UTC |
//! | `c` day, tenant, channel, provider, currency | what was spent there: JSON |

use crate::ledger::extract::{Charged, DocumentKind};
use ulid::Ulid;

pub const APPLIED: &[u8] = b"a";
pub const BLOCK: u8 = b'b';
pub const META: u8 = b'm';
pub const NUMBER: u8 = b'#';
pub const PART: u8 = b'd';
pub const HOUR: u8 = b'r';
pub const DAY: u8 = b'R';
pub const COST: u8 = b'c';
const BUNDLE: u8 = b'D';

/// Bytes of a bundle's key.
pub const BUNDLED: usize = 13;

pub fn numbered(letter: u8, number: u64) -> [u8; 9] {
    let mut key = [letter; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

pub fn identified(letter: u8, id: Ulid) -> [u8; 17] {
    let mut key = [letter; 17];
    key[1..].copy_from_slice(&id.0.to_be_bytes());
    key
}

/// Of the bundle with this number among those that were applied up to event `seq`.
pub fn bundle(seq: u64, number: u32) -> [u8; BUNDLED] {
    let mut key = [BUNDLE; BUNDLED];
    key[1..9].copy_from_slice(&seq.to_be_bytes());
    key[9..].copy_from_slice(&number.to_be_bytes());
    key
}

pub fn document(kind: DocumentKind) -> u8 {
    match kind {
        DocumentKind::Notification => b'n',
        DocumentKind::Incident => b'i',
    }
}

/// Of a sum of costs; what stands between its parts is in none of them.
pub fn charged(of: &Charged) -> Vec<u8> {
    let parts = [&of.day, &of.tenant, &of.channel, &of.provider, &of.currency];
    let mut key = vec![COST];
    for part in parts {
        key.extend(part.bytes().filter(|b| *b != 0));
        key.push(0);
    }
    key
}

/// The first key of this day, or of the first one after it.
pub fn charged_from(day: &str) -> Vec<u8> {
    [&[COST], day.as_bytes()].concat()
}

/// What a key of [`charged`] names.
pub fn charged_in(key: &[u8]) -> Option<Charged> {
    let mut parts = key.get(1..)?.split(|b| *b == 0).map(|part| String::from_utf8(part.to_vec()).ok());
    let mut part = || parts.next().flatten();
    Some(Charged { day: part()?, tenant: part()?, channel: part()?, provider: part()?, currency: part()? })
}

/// The number in a key of [`numbered`].
pub fn number_in(key: &[u8]) -> Option<u64> {
    key.get(1..)?.try_into().ok().map(u64::from_be_bytes)
}

/// The id in a key of [`identified`].
pub fn id_in(key: &[u8]) -> Option<Ulid> {
    key.get(1..)?.try_into().ok().map(|b| Ulid(u128::from_be_bytes(b)))
}
