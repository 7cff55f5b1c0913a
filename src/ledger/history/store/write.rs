//! Applying groups: blocks, documents, counters and the place reached, in one atomic batch.
//!
//! What comes in small groups becomes small blocks; when there are many of them they are merged into
//! one, so that each event is written a few times in all and a scan meets few blocks.

use crate::domain::failpoint::{self, Point};
use crate::ledger::extract::{Charge, ChargeSum, Count, Document, Group};
use crate::ledger::history::store::block::{self, Builder};
use crate::ledger::history::store::bundle::{Bundle, Place};
use crate::ledger::history::store::pack::Packer;
use crate::ledger::history::store::rollup::{self, Charges, Tallies};
use crate::ledger::history::store::{Store, StoreError, VERSION, guarded, keys, read_json};
use std::collections::BTreeMap;

impl Store {
    /// Applies frames that follow what was applied, with what belongs to them. All of it or nothing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn apply(&mut self, groups: &[Group]) -> Result<(), StoreError> {
        let Some(tip) = groups.last().map(|g| g.tip) else { return Ok(()) };
        guarded(|| {
            let mut batch = sled::Batch::default();
            // Out of the store meanwhile, which is read from; a panic leaves a new one.
            let mut packer = std::mem::take(&mut self.packer);
            let small = self.put_blocks(&mut batch, &mut packer, groups)?;
            let extracts = || groups.iter().flat_map(|g| &g.extracts).map(|(_, extract)| extract);
            put_documents(&mut batch, &mut packer, tip.seq, extracts().flat_map(|e| &e.documents))?;
            self.packer = packer;
            self.put_counts(&mut batch, extracts().flat_map(|e| &e.counts))?;
            self.put_charges(&mut batch, extracts().flat_map(|e| &e.charges))?;
            let mut place = vec![VERSION];
            place.extend_from_slice(&tip.seq.to_be_bytes());
            place.extend_from_slice(&tip.hash.0);
            batch.insert(keys::APPLIED, place);
            failpoint::reached(Point::HistoryApplying);
            self.db.apply_batch(batch)?;
            failpoint::reached(Point::HistoryApplied);
            self.small = small;
            self.applied = tip;
            self.dirty = true;
            Ok(())
        })
    }

    /// Gives the small blocks that are at the end then.
    fn put_blocks(
        &self,
        batch: &mut sled::Batch,
        packer: &mut Packer,
        groups: &[Group],
    ) -> Result<Vec<(u64, u32)>, StoreError> {
        let incoming: u64 = groups.iter().map(Group::events).sum();
        let waiting: u32 = self.small.iter().map(|(_, events)| events).sum();
        let merge = self.small.len() >= block::MERGE || u64::from(waiting) + incoming >= u64::from(block::EVENTS);
        let mut small = self.small.clone();
        let mut builder = Builder::default();
        if merge {
            for (first, _) in small.drain(..) {
                self.take_block(batch, packer, first, &mut builder)?;
            }
        }
        for frame in groups.iter().flat_map(|g| block::frames(&g.bytes)) {
            builder.add(&frame);
            if builder.is_full() {
                put_block(batch, packer, std::mem::take(&mut builder))?;
                // Full ones end the row of small ones.
                small.clear();
            }
        }
        if !builder.is_empty() {
            small.push(put_block(batch, packer, builder)?);
        }
        Ok(small)
    }

    /// Moves a small block's frames into `builder`.
    fn take_block(
        &self,
        batch: &mut sled::Batch,
        packer: &mut Packer,
        first: u64,
        builder: &mut Builder,
    ) -> Result<(), StoreError> {
        let key = keys::numbered(keys::META, first);
        let value = self.get(&key)?;
        let meta = value.and_then(|value| block::Meta::decode(&value));
        let meta = meta.ok_or_else(|| StoreError::Damaged(format!("the block of event {first} is gone")))?;
        batch.remove(&key[..]);
        batch.remove(&keys::numbered(keys::BLOCK, first)[..]);
        for frame in block::frames(&self.block(first, &meta)?) {
            builder.add(&frame);
            if builder.is_full() {
                put_block(batch, packer, std::mem::take(builder))?;
            }
        }
        Ok(())
    }

    fn put_counts<'a>(
        &self,
        batch: &mut sled::Batch,
        steps: impl Iterator<Item = &'a Count>,
    ) -> Result<(), StoreError> {
        let mut hours: BTreeMap<u64, Tallies> = BTreeMap::new();
        for step in steps {
            rollup::count(hours.entry(rollup::hour(step.at)).or_default(), step);
        }
        let mut days: BTreeMap<u64, Tallies> = BTreeMap::new();
        for (hour, more) in hours {
            rollup::merge(days.entry(hour / rollup::HOURS).or_default(), more.clone());
            self.put_sum(batch, &keys::numbered(keys::HOUR, hour), more)?;
        }
        for (day, more) in days {
            self.put_sum(batch, &keys::numbered(keys::DAY, day), more)?;
        }
        Ok(())
    }

    fn put_charges<'a>(
        &self,
        batch: &mut sled::Batch,
        charges: impl Iterator<Item = &'a Charge>,
    ) -> Result<(), StoreError> {
        let mut sums: Charges = Charges::new();
        rollup::charge(&mut sums, charges);
        for (of, more) in sums {
            let key = keys::charged(&of);
            let mut sum = self.get(&key)?.map_or_else(|| Ok(ChargeSum::default()), |v| read_json(&v))?;
            sum.add(more);
            let value = serde_json::to_vec(&sum).map_err(|e| StoreError::Unavailable(e.to_string()))?;
            batch.insert(key, value);
        }
        Ok(())
    }

    /// Adds to what is there.
    fn put_sum(&self, batch: &mut sled::Batch, key: &[u8], more: Tallies) -> Result<(), StoreError> {
        let mut sum = self.sum(key)?;
        rollup::merge(&mut sum, more);
        let value = serde_json::to_vec(&sum).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        batch.insert(key, value);
        Ok(())
    }
}

fn put_block(batch: &mut sled::Batch, packer: &mut Packer, builder: Builder) -> Result<(u64, u32), StoreError> {
    let first = builder.first;
    let (packed, meta) = builder.finish(packer).map_err(|e| StoreError::Unavailable(e.to_string()))?;
    batch.insert(&keys::numbered(keys::BLOCK, first), packed);
    batch.insert(&keys::numbered(keys::META, first), meta.encode());
    Ok((first, meta.events))
}

/// Puts them in bundles, and what leads to each beside them.
fn put_documents<'a>(
    batch: &mut sled::Batch,
    packer: &mut Packer,
    seq: u64,
    documents: impl Iterator<Item = &'a Document>,
) -> Result<(), StoreError> {
    let (mut bundle, mut number) = (Bundle::default(), 0);
    for document in documents {
        let json = document.json.text();
        if !bundle.has_room_for(json) {
            put_bundle(batch, packer, keys::bundle(seq, number), std::mem::take(&mut bundle))?;
            number += 1;
        }
        bundle.add(keys::identified(keys::document(document.kind), document.id), json);
        lead_to(batch, document);
    }
    put_bundle(batch, packer, keys::bundle(seq, number), bundle)
}

/// One document alone needs no bundle.
fn put_bundle(
    batch: &mut sled::Batch,
    packer: &mut Packer,
    key: [u8; keys::BUNDLED],
    bundle: Bundle,
) -> Result<(), StoreError> {
    if bundle.places.is_empty() {
        return Ok(());
    }
    let packed = packer.document(&bundle.text).map_err(|e| StoreError::Unavailable(e.to_string()))?;
    let mut value = (bundle.text.len() as u32).to_be_bytes().to_vec();
    value.extend_from_slice(&packed);
    if let [(document, ..)] = bundle.places[..] {
        batch.insert(&document[..], value);
        return Ok(());
    }
    for (document, from, bytes) in bundle.places {
        batch.insert(&document[..], &Place { bundle: key, from, bytes }.encode());
    }
    batch.insert(&key[..], value);
    Ok(())
}

/// By an incident's number, and by the ids of deliveries.
fn lead_to(batch: &mut sled::Batch, document: &Document) {
    let id = document.id.0.to_be_bytes();
    if let Some(number) = document.number {
        batch.insert(&keys::numbered(keys::NUMBER, number), &id);
    }
    for part in &document.parts {
        batch.insert(&keys::identified(keys::PART, *part), &id);
    }
}
