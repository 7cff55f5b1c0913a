//! Which entries are asked for, and finding them: newest or oldest first, a page at a time, from the
//! store and the tail as if they were one.

use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::time::Timestamp;
use crate::ledger::codec::RawFrame;
use crate::ledger::history::entry::Entry;
use crate::ledger::history::store::StoreError;
use crate::ledger::history::store::block::{Meta, frames, id_hash, kind_bit};
use crate::ledger::history::store::keys_of::Keys;
use crate::ledger::history::view::View;
use std::collections::HashSet;
use ulid::Ulid;

/// No page is longer.
pub const MOST: usize = 1000;

/// All conditions must hold; a default query asks for everything, newest first.
#[derive(Clone, Debug)]
pub struct EntryQuery {
    pub from_seq: u64,
    pub to_seq: u64,
    /// Inclusive.
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    /// As written (`delivery_ended`); empty: all.
    pub kinds: Vec<String>,
    /// Also of its notifications and deliveries.
    pub incident: Option<IncidentId>,
    pub delivery: Option<DeliveryId>,
    pub newest_first: bool,
    /// At most [`MOST`].
    pub limit: usize,
    /// What the page before gave.
    pub cursor: Option<u64>,
}

impl Default for EntryQuery {
    fn default() -> EntryQuery {
        EntryQuery {
            from_seq: 0,
            to_seq: u64::MAX,
            since: None,
            until: None,
            kinds: Vec::new(),
            incident: None,
            delivery: None,
            newest_first: true,
            limit: 100,
            cursor: None,
        }
    }
}

/// Some entries, and where to go on; a page can be short, or empty, with a cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// `None`: there are no more.
    pub next_cursor: Option<u64>,
}

/// Finds a page. `late` says when enough time was spent; the page ends there.
///
/// # Errors
/// When the store cannot be read.
pub fn entries(view: &View<'_>, query: &EntryQuery, late: &dyn Fn() -> bool) -> Result<Page, StoreError> {
    let mut search = Search { filter: Filter::of(view, query)?, query, page: Page::default(), late };
    if search.filter.first > search.filter.last {
        return Ok(search.page);
    }
    if query.newest_first {
        if search.tail(view).is_ok() {
            let _ = search.store(view)?;
        }
    } else if search.store(view)?.is_ok() {
        let _ = search.tail(view);
    }
    Ok(search.page)
}

/// The page has all it can have.
struct Full;

struct Search<'a> {
    filter: Filter,
    query: &'a EntryQuery,
    page: Page,
    late: &'a dyn Fn() -> bool,
}

impl Search<'_> {
    fn tail(&mut self, view: &View<'_>) -> Result<(), Full> {
        if self.query.newest_first {
            view.tail.chunks().rev().try_for_each(|chunk| self.chunk(chunk))
        } else {
            view.tail.chunks().try_for_each(|chunk| self.chunk(chunk))
        }
    }

    fn store(&mut self, view: &View<'_>) -> Result<Result<(), Full>, StoreError> {
        let newest_first = self.query.newest_first;
        let begin = if newest_first { self.filter.last } else { self.filter.first };
        for entry in view.store.metas(begin, newest_first) {
            let (first, meta) = entry?;
            let beyond = if newest_first { meta.last < self.filter.first } else { first > self.filter.last };
            if beyond {
                break;
            }
            if self.filter.may_be_in(&meta) && self.chunk(&view.store.block(first, &meta)?).is_err() {
                return Ok(Err(Full));
            }
            if (self.late)() {
                self.page.next_cursor = Some(if newest_first { first } else { meta.last });
                return Ok(Err(Full));
            }
        }
        Ok(Ok(()))
    }

    fn chunk(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if self.query.newest_first {
            let all: Vec<RawFrame<'_>> = frames(bytes).collect();
            all.iter().rev().try_for_each(|frame| self.frame(frame))
        } else {
            frames(bytes).try_for_each(|frame| self.frame(&frame))
        }
    }

    fn frame(&mut self, frame: &RawFrame<'_>) -> Result<(), Full> {
        if !self.filter.takes_frame(frame) {
            return Ok(());
        }
        let takes = |(place, event): (u64, _)| {
            let event: crate::ledger::codec::RawEvent<'_> = event;
            let keys = Keys::of(event.head);
            self.filter.takes(frame.seq + place, &keys).then(|| Entry::of(frame, place, &event))
        };
        let mut found: Vec<Entry> = (0..).zip(frame.events()).filter_map(takes).collect();
        if self.query.newest_first {
            found.reverse();
        }
        for entry in found {
            let seq = entry.seq;
            self.page.entries.push(entry);
            if self.page.entries.len() >= self.query.limit.clamp(1, MOST) {
                self.page.next_cursor = Some(seq);
                return Err(Full);
            }
        }
        Ok(())
    }
}

/// The query, made ready for blocks.
struct Filter {
    /// Inclusive.
    first: u64,
    last: u64,
    since: Timestamp,
    /// Exclusive.
    until: Timestamp,
    kinds: Vec<String>,
    kind_bits: u128,
    /// `None`: any.
    ids: Option<HashSet<Ulid>>,
}

impl Filter {
    fn of(view: &View<'_>, query: &EntryQuery) -> Result<Filter, StoreError> {
        let (mut first, mut last) = (query.from_seq.max(1), query.to_seq);
        match query.cursor {
            Some(seq) if query.newest_first => last = last.min(seq.saturating_sub(1)),
            Some(seq) => first = first.max(seq.saturating_add(1)),
            None => {}
        }
        let mut ids = query.delivery.map(|id| HashSet::from([id.0]));
        if let Some(incident) = query.incident {
            let family = family(view, incident.0)?;
            ids = Some(match ids {
                Some(ids) => ids.intersection(&family).copied().collect(),
                None => family,
            });
        }
        Ok(Filter {
            first,
            last,
            since: query.since.unwrap_or(Timestamp(i64::MIN)),
            until: query.until.unwrap_or(Timestamp(i64::MAX)),
            kind_bits: query.kinds.iter().fold(0, |bits, kind| bits | kind_bit(kind)),
            kinds: query.kinds.clone(),
            ids,
        })
    }

    fn may_be_in(&self, meta: &Meta) -> bool {
        meta.last >= self.first
            && meta.to >= self.since
            && meta.from < self.until
            && (self.kinds.is_empty() || meta.may_hold_kind(self.kind_bits))
            && self.ids.as_ref().is_none_or(|ids| ids.iter().any(|id| meta.may_hold_id(id_hash(*id))))
    }

    fn takes_frame(&self, frame: &RawFrame<'_>) -> bool {
        frame.last_seq() >= self.first && frame.seq <= self.last && frame.at >= self.since && frame.at < self.until
    }

    fn takes(&self, seq: u64, keys: &Keys<'_>) -> bool {
        (self.first..=self.last).contains(&seq)
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| *kind == keys.kind))
            && self.ids.as_ref().is_none_or(|ids| keys.ids().any(|id| ids.contains(&id)))
    }
}

/// An incident and all that belongs to it: its notifications, their deliveries. Parts are always
/// younger than what they belong to, so one pass from old to new finds them.
fn family(view: &View<'_>, incident: Ulid) -> Result<HashSet<Ulid>, StoreError> {
    let mut family = HashSet::from([incident]);
    let mut adopt = |bytes: &[u8]| {
        for event in frames(bytes).flat_map(|f| f.events()) {
            let keys = Keys::of(event.head);
            if keys.owners().any(|owner| family.contains(&owner)) {
                family.extend(keys.id());
            }
        }
    };
    // Whatever belongs to it says so by the incident's own id, or is created beside what does.
    for entry in view.store.metas(0, false) {
        let (first, meta) = entry?;
        if meta.may_hold_id(id_hash(incident)) {
            adopt(&view.store.block(first, &meta)?);
        }
    }
    view.tail.chunks().for_each(adopt);
    Ok(family)
}
