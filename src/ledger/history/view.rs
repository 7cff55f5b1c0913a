//! The store and the tail together: what every question is asked of.

use crate::domain::time::{Span, Timestamp};
use crate::ledger::extract::DocumentKind;
use crate::ledger::history::store::rollup::{self, Charges, Tallies};
use crate::ledger::history::store::{Store, StoreError};
use crate::ledger::history::tail::Tail;
use std::ops::RangeInclusive;
use ulid::Ulid;

#[derive(Clone, Copy)]
pub struct View<'a> {
    pub store: &'a Store,
    pub tail: &'a Tail,
}

/// Counters over whole hours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Begin of the first hour.
    pub from: Timestamp,
    /// End of the last.
    pub to: Timestamp,
    pub by_channel: Tallies,
}

impl View<'_> {
    /// A notification or incident that ended.
    ///
    /// # Errors
    /// When the store cannot be read; so for all of these.
    pub fn document(&self, kind: DocumentKind, id: Ulid) -> Result<Option<String>, StoreError> {
        match self.tail.documents(kind).find(|d| d.id == id) {
            Some(document) => Ok(Some(document.json.text().to_owned())),
            None => self.store.document(kind, id),
        }
    }

    /// The id of an incident that ended.
    ///
    /// # Errors
    /// As above.
    pub fn incident_numbered(&self, number: u64) -> Result<Option<Ulid>, StoreError> {
        match self.tail.documents(DocumentKind::Incident).find(|d| d.number == Some(number)) {
            Some(document) => Ok(Some(document.id)),
            None => self.store.incident_numbered(number),
        }
    }

    /// The notification whose document this delivery is in.
    ///
    /// # Errors
    /// As above.
    pub fn owner_of(&self, part: Ulid) -> Result<Option<Ulid>, StoreError> {
        match self.tail.documents(DocumentKind::Notification).find(|d| d.parts.contains(&part)) {
            Some(document) => Ok(Some(document.id)),
            None => self.store.owner_of(part),
        }
    }

    /// What was spent on these days (`2026-11-20`), the last one included.
    ///
    /// # Errors
    /// As above.
    pub fn charges(&self, days: &RangeInclusive<String>) -> Result<Charges, StoreError> {
        let mut sums = self.store.charges(days)?;
        for (of, more) in self.tail.charges(days) {
            sums.entry(of).or_default().add(more);
        }
        Ok(sums)
    }

    /// The hours that `since` and `until` lie in, and all between.
    ///
    /// # Errors
    /// As above.
    pub fn stats(&self, since: Timestamp, until: Timestamp) -> Result<Stats, StoreError> {
        let hours = rollup::hour(since)..=rollup::hour(until);
        let mut by_channel = self.store.tallies(hours.clone())?;
        rollup::merge(&mut by_channel, self.tail.tallies(hours.clone()));
        Ok(Stats { from: begin(*hours.start()), to: begin(hours.end() + 1), by_channel })
    }
}

/// The frames of the store's block that holds event `seq` or of the first after it.
///
/// # Errors
/// When the store cannot be read.
pub fn block_from(store: &Store, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
    for entry in store.metas(seq, false) {
        let (first, meta) = entry?;
        if meta.last >= seq {
            return store.block(first, &meta).map(Some);
        }
    }
    Ok(None)
}

fn begin(hour: u64) -> Timestamp {
    Timestamp(0) + Span::hours(1).times(i64::try_from(hour).unwrap_or(i64::MAX))
}
