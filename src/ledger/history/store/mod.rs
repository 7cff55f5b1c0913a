//! The only file that names sled: one tree, one batch per apply, everything behind a guard.
//!
//! sled 0.34 can panic on a flipped bit, keeps failing once its disk was full, and deadlocks in
//! `flush_async`. So every call is caught, every error is sorted into "later" and "damaged", and only
//! the plain `flush` is used. What is in here can always be made again from the journal.

pub mod block;
mod bundle;
mod keys;
pub mod keys_of;
mod pack;
pub mod rollup;
#[cfg(test)]
mod tests;
mod write;

use crate::domain::failpoint::{self, Point};
use crate::ledger::codec::{FrameHash, Tip};
use crate::ledger::extract::DocumentKind;
use crate::ledger::files;
use crate::ledger::history::store::block::Meta;
use crate::ledger::history::store::bundle::Place;
use crate::ledger::history::store::pack::Packer;
use crate::ledger::history::store::rollup::{Charges, Tallies};
use std::cell::RefCell;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;
use ulid::Ulid;

const VERSION: u8 = 2;
const CACHE_BYTES: u64 = 2 << 20;
/// Nodes of a few packed blocks stay inside sled's own file (up to a quarter of this).
const SEGMENT_BYTES: usize = 1 << 20;
/// sled's own thread tidies up this often; flushing is asked for.
const TIDY_MS: u64 = 30_000;
/// How sled says that the files are open. Its threads can keep them so for a moment after it was closed.
const LOCKED: &str = "could not acquire lock";
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Bytes that no document is longer than.
const DOCUMENT_BYTES: usize = 64 << 20;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full, the file is locked: the same files may work later.
    #[error("{0}")]
    Unavailable(String),
    /// These files will not work again.
    #[error("{0}")]
    Damaged(String),
}

/// The history on disk.
#[derive(Debug)]
pub struct Store {
    db: sled::Db,
    applied: Tip,
    /// The blocks at the end that are not full, to be merged.
    small: Vec<(u64, u32)>,
    dirty: bool,
    packer: Packer,
    /// The bundle that was unpacked last: a list's documents are neighbours.
    unpacked: RefCell<Box<([u8; keys::BUNDLED], Vec<u8>)>>,
}

impl Store {
    /// Opens or makes the history in `dir`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        let mut tries = 0;
        loop {
            match Store::open_now(dir) {
                Err(StoreError::Unavailable(words)) if words.contains(LOCKED) && tries < LOCK_TRIES => tries += 1,
                opened => return opened,
            }
            std::thread::sleep(LOCK_PAUSE);
        }
    }

    fn open_now(dir: &Path) -> Result<Store, StoreError> {
        guarded(|| {
            files::private_dir(dir).map_err(sled::Error::Io)?;
            let db = sled::Config::new()
                .path(dir)
                .cache_capacity(CACHE_BYTES)
                .segment_size(SEGMENT_BYTES)
                .flush_every_ms(Some(TIDY_MS))
                .open()?;
            let applied = applied(&db)?;
            let (packer, unpacked) = (Packer::default(), RefCell::default());
            let mut store = Store { db, applied, small: Vec::new(), dirty: false, packer, unpacked };
            store.small = store.small_at_end()?;
            Ok(store)
        })
    }

    /// Everything up to here is in.
    pub fn applied(&self) -> Tip {
        self.applied
    }

    /// Something was applied since the last flush.
    pub fn dirty(&self) -> bool {
        self.dirty
    }

    /// Hands all to the system, so that it outlives this process.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.dirty = false;
        guarded(|| Ok(self.db.flush().map(drop)?))?;
        failpoint::reached(Point::HistoryFlushed);
        Ok(())
    }

    /// Closes the files; what goes wrong then no longer matters.
    pub fn close(self) {
        let _ = guarded(|| {
            drop(self);
            Ok(())
        });
    }

    /// The block that holds `seq` or the first one after it, and all later ones; the other way round when
    /// `newest_first`, beginning with the one that holds `seq` or the last one before.
    pub fn metas(&self, seq: u64, newest_first: bool) -> impl Iterator<Item = Result<(u64, Meta), StoreError>> + '_ {
        let key = |seq| keys::numbered(keys::META, seq);
        let range = if newest_first {
            key(0)..=key(seq)
        } else {
            let holding = guarded(|| Ok(self.db.range(key(0)..=key(seq)).keys().next_back().transpose()?));
            let first = holding.ok().flatten().and_then(|k| keys::number_in(&k)).unwrap_or(0);
            key(first)..=key(u64::MAX)
        };
        let mut found = self.db.range(range);
        std::iter::from_fn(move || {
            let next = guarded(|| Ok(if newest_first { found.next_back() } else { found.next() }.transpose()?));
            next.transpose().map(|entry| entry.and_then(|(k, v)| read_meta(&k, &v)))
        })
    }

    /// The frames of the block that begins with event `first`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn block(&self, first: u64, meta: &Meta) -> Result<Vec<u8>, StoreError> {
        let value = self.get(&keys::numbered(keys::BLOCK, first))?;
        let frames = value.and_then(|value| block::unpack(&value, meta));
        frames.ok_or_else(|| StoreError::Damaged(format!("the block of event {first} cannot be unpacked")))
    }

    /// A document's JSON.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn document(&self, kind: DocumentKind, id: Ulid) -> Result<Option<String>, StoreError> {
        let Some(value) = self.get(&keys::identified(keys::document(kind), id))? else { return Ok(None) };
        let text = match Place::decode(&value) {
            Some(place) => self.bundled(&place)?,
            None => unpacked(&value)?,
        };
        String::from_utf8(text).map(Some).map_err(|_| unreadable())
    }

    fn bundled(&self, place: &Place) -> Result<Vec<u8>, StoreError> {
        let mut last = self.unpacked.borrow_mut();
        if last.0 != place.bundle {
            let value = self.get(&place.bundle)?.ok_or_else(unreadable)?;
            **last = (place.bundle, unpacked(&value)?);
        }
        place.of(&last.1).map(<[u8]>::to_vec).ok_or_else(unreadable)
    }

    /// The id of the incident with this number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn incident_numbered(&self, number: u64) -> Result<Option<Ulid>, StoreError> {
        Ok(self.get(&keys::numbered(keys::NUMBER, number))?.and_then(|v| ulid(&v)))
    }

    /// The notification that this delivery belongs to.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn owner_of(&self, part: Ulid) -> Result<Option<Ulid>, StoreError> {
        Ok(self.get(&keys::identified(keys::PART, part))?.and_then(|v| ulid(&v)))
    }

    /// The ids of documents before `before` (not itself), the newest first.
    pub fn document_ids(
        &self,
        kind: DocumentKind,
        before: Ulid,
    ) -> impl Iterator<Item = Result<Ulid, StoreError>> + '_ {
        self.ids(keys::document(kind), before)
    }

    /// The ids of all parts, the newest first.
    pub fn part_ids(&self) -> impl Iterator<Item = Result<Ulid, StoreError>> + '_ {
        self.ids(keys::PART, Ulid(u128::MAX))
    }

    fn ids(&self, letter: u8, before: Ulid) -> impl Iterator<Item = Result<Ulid, StoreError>> + '_ {
        let mut found = self.db.range(keys::identified(letter, Ulid(0))..keys::identified(letter, before)).keys();
        std::iter::from_fn(move || {
            let next = guarded(|| Ok(found.next_back().transpose()?));
            next.transpose().map(|key| {
                key.and_then(|k| keys::id_in(&k).ok_or_else(|| StoreError::Damaged("a key is too short".into())))
            })
        })
    }

    /// The sum of these hours.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn tallies(&self, hours: RangeInclusive<u64>) -> Result<Tallies, StoreError> {
        guarded(|| {
            let mut sum = Tallies::new();
            let (days, around) = rollup::split(&hours);
            let parts = [(keys::DAY, days)].into_iter().chain(around.into_iter().map(|hours| (keys::HOUR, hours)));
            for (letter, numbers) in parts.filter(|(_, numbers)| !numbers.is_empty()) {
                let key = |number| keys::numbered(letter, number);
                for entry in self.db.range(key(*numbers.start())..=key(*numbers.end())) {
                    rollup::merge(&mut sum, read_sum(&entry?.1)?);
                }
            }
            Ok(sum)
        })
    }

    /// What was spent on these days, the last one included.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn charges(&self, days: &RangeInclusive<String>) -> Result<Charges, StoreError> {
        guarded(|| {
            let mut sums = Charges::new();
            if days.is_empty() {
                return Ok(sums);
            }
            let end = [keys::charged_from(days.end()), vec![u8::MAX]].concat();
            for entry in self.db.range(keys::charged_from(days.start())..end) {
                let (key, value) = entry?;
                let of = keys::charged_in(&key).ok_or_else(|| StoreError::Damaged("a sum has no name".to_owned()))?;
                sums.insert(of, read_json(&value)?);
            }
            Ok(sums)
        })
    }

    fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        guarded(|| Ok(self.db.get(key)?))
    }

    fn sum(&self, key: &[u8]) -> Result<Tallies, StoreError> {
        self.get(key)?.map_or_else(|| Ok(Tallies::new()), |v| read_sum(&v))
    }

    fn small_at_end(&self) -> Result<Vec<(u64, u32)>, StoreError> {
        let mut small = Vec::new();
        for entry in self.metas(u64::MAX, true).take(block::MERGE) {
            let (first, meta) = entry?;
            if meta.is_full() {
                break;
            }
            small.push((first, meta.events));
        }
        small.reverse();
        Ok(small)
    }
}

fn applied(db: &sled::Db) -> Result<Tip, StoreError> {
    let Some(value) = db.get(keys::APPLIED)? else {
        return if db.is_empty() { Ok(Tip::default()) } else { Err(StoreError::Damaged("it lost its place".into())) };
    };
    let Some(([version], rest)) = value.split_first_chunk::<1>() else {
        return Err(StoreError::Damaged("it lost its place".into()));
    };
    match (*version, rest.split_first_chunk::<8>()) {
        (VERSION, Some((seq, hash))) if hash.len() == 32 => {
            let mut out = FrameHash::default();
            out.0.copy_from_slice(hash);
            Ok(Tip { seq: u64::from_be_bytes(*seq), hash: out })
        }
        // It is made anew from the journal, in this version's form.
        (version, _) => Err(StoreError::Damaged(format!("it is of format {version}; this version has {VERSION}"))),
    }
}

fn read_meta(key: &[u8], value: &[u8]) -> Result<(u64, Meta), StoreError> {
    keys::number_in(key)
        .zip(Meta::decode(value))
        .ok_or_else(|| StoreError::Damaged("what is known of a block cannot be read".to_owned()))
}

/// What was packed, behind its length.
fn unpacked(value: &[u8]) -> Result<Vec<u8>, StoreError> {
    let (length, packed) = value.split_first_chunk::<4>().ok_or_else(unreadable)?;
    let length = Some(u32::from_be_bytes(*length) as usize).filter(|n| *n <= DOCUMENT_BYTES).ok_or_else(unreadable)?;
    zstd::bulk::decompress(packed, length).map_err(|_| unreadable())
}

fn unreadable() -> StoreError {
    StoreError::Damaged("a document cannot be unpacked".to_owned())
}

fn read_sum(value: &[u8]) -> Result<Tallies, StoreError> {
    read_json(value)
}

fn read_json<T: serde::de::DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|e| StoreError::Damaged(format!("counters cannot be read: {e}")))
}

fn ulid(value: &[u8]) -> Option<Ulid> {
    value.try_into().ok().map(|b| Ulid(u128::from_be_bytes(b)))
}

/// Runs what touches sled; its panics become damage.
fn guarded<T>(call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words");
        Err(StoreError::Damaged(format!("it panicked: {words}")))
    })
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> StoreError {
        use ErrorKind::*;
        let passing = match &error {
            sled::Error::Io(e) => {
                matches!(
                    e.kind(),
                    StorageFull | QuotaExceeded | ReadOnlyFilesystem | PermissionDenied | WouldBlock | OutOfMemory
                ) || matches!(e.raw_os_error(), Some(nix::libc::EMFILE | nix::libc::ENFILE))
                    || e.to_string().contains(LOCKED)
            }
            _ => false,
        };
        if passing { StoreError::Unavailable(error.to_string()) } else { StoreError::Damaged(error.to_string()) }
    }
}
