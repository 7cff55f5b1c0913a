//! A table by identifier, in their order, of which a copy costs next to nothing.
//!
//! Rows stand in order in chunks, and a copy shares all chunks and rows with the original. Whichever is
//! changed first gets its own copy of that row and of its chunk's list of rows; nothing else is copied. That is how a
//! snapshot is written while the engine goes on.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;
use std::sync::Arc;

/// Rows of a chunk, at most.
const ROOM: usize = 128;

/// Never empty; at most [`ROOM`] rows, in order.
type Chunk<K, V> = Vec<(K, Arc<V>)>;

/// A sorted map for rows that are large and many.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    /// Each with its first key.
    chunks: Vec<(K, Arc<Chunk<K, V>>)>,
    len: usize,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table { chunks: Vec::new(), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// The chunk in which this key is, if it is anywhere.
    fn chunk(&self, key: &K) -> usize {
        // Most rows that are looked for are among the newest.
        match self.chunks.last() {
            Some((first, _)) if first <= key => self.chunks.len() - 1,
            _ => self.chunks.partition_point(|(first, _)| first <= key).saturating_sub(1),
        }
    }

    /// Its chunk, and its place there or the place where it would be.
    fn place(&self, key: &K) -> (usize, Result<usize, usize>) {
        let chunk = self.chunk(key);
        let found = self.chunks.get(chunk).map_or(Err(0), |(_, rows)| rows.binary_search_by(|(k, _)| k.cmp(key)));
        (chunk, found)
    }

    fn row(&self, key: &K) -> Option<&Arc<V>> {
        let (chunk, found) = self.place(key);
        let (_, rows) = self.chunks.get(chunk)?;
        rows.get(found.ok()?).map(|(_, row)| row)
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.row(key).map(Arc::as_ref)
    }

    /// The row itself, as it is now: whoever changes it in the table changes a copy.
    pub fn share(&self, key: &K) -> Option<Arc<V>> {
        self.row(key).cloned()
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let (chunk, found) = self.place(key);
        let (_, rows) = self.chunks.get_mut(chunk)?;
        let (_, row) = Arc::make_mut(rows).get_mut(found.ok()?)?;
        Some(Arc::make_mut(row))
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Gives the row that was there.
    pub fn insert(&mut self, key: K, row: V) -> Option<V> {
        let (chunk, found) = self.place(&key);
        let row = Arc::new(row);
        let Some((first, rows)) = self.chunks.get_mut(chunk) else {
            self.chunks.push((key.clone(), Arc::new(vec![(key, row)])));
            self.len = 1;
            return None;
        };
        let rows = Arc::make_mut(rows);
        let place = match found {
            Ok(place) => {
                let (_, there) = rows.get_mut(place)?;
                return Some(Arc::unwrap_or_clone(std::mem::replace(there, row)));
            }
            Err(place) => place,
        };
        self.len += 1;
        if place == 0 {
            *first = key.clone();
        }
        if rows.len() < ROOM {
            rows.insert(place, (key, row));
            return None;
        }
        // What comes in order leaves full chunks behind.
        let mut rest = rows.split_off(if place == ROOM { ROOM } else { ROOM / 2 });
        match place.checked_sub(rows.len()) {
            Some(place) => rest.insert(place, (key, row)),
            None => rows.insert(place, (key, row)),
        }
        if let Some((first, _)) = rest.first() {
            self.chunks.insert(chunk + 1, (first.clone(), Arc::new(rest)));
        }
        None
    }

    /// Gives the row, which copies may share.
    pub fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        let (chunk, found) = self.place(key);
        let (first, rows) = self.chunks.get_mut(chunk)?;
        let place = found.ok()?;
        let rows = Arc::make_mut(rows);
        let (_, row) = rows.remove(place);
        self.len -= 1;
        match rows.first() {
            Some((key, _)) => *first = key.clone(),
            None => drop(self.chunks.remove(chunk)),
        }
        self.join(chunk.saturating_sub(1));
        self.join(chunk);
        Some(row)
    }

    /// Joins a chunk with the one after it, when few are left in both.
    fn join(&mut self, chunk: usize) {
        let Some([(_, one), (_, other)]) = self.chunks.get(chunk..chunk + 2) else { return };
        if one.len() + other.len() <= ROOM / 2 {
            let (_, other) = self.chunks.remove(chunk + 1);
            if let Some((_, one)) = self.chunks.get_mut(chunk) {
                Arc::make_mut(one).extend(Arc::unwrap_or_clone(other));
            }
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        self.chunks.iter().flat_map(|(_, rows)| rows.iter()).map(|(key, row)| (key, row.as_ref()))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.iter().map(|(_, row)| row)
    }

    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        let rows = self.chunks.iter_mut().flat_map(|(_, rows)| Arc::make_mut(rows).iter_mut());
        rows.map(|(_, row)| Arc::make_mut(row))
    }
}

impl<K: Ord + Clone, V: Clone> Index<&K> for Table<K, V> {
    type Output = V;

    /// # Panics
    /// When there is no such row; for tests.
    fn index(&self, key: &K) -> &V {
        #[allow(clippy::expect_used, reason = "as for any map")]
        self.get(key).expect("a row with this key")
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for Table<K, V> {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(rows: T) -> Self {
        let mut table = Table::default();
        rows.into_iter().for_each(|(key, row)| drop(table.insert(key, row)));
        table
    }
}

impl<K: Ord + Clone + Serialize, V: Clone + Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.iter())
    }
}

impl<'de, K: Ord + Clone + Deserialize<'de>, V: Clone + Deserialize<'de>> Deserialize<'de> for Table<K, V> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(Rows(PhantomData))
    }
}

struct Rows<K, V>(PhantomData<(K, V)>);

impl<'de, K: Ord + Clone + Deserialize<'de>, V: Clone + Deserialize<'de>> Visitor<'de> for Rows<K, V> {
    type Value = Table<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows by key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut table = Table::default();
        while let Some((key, row)) = map.next_entry()? {
            table.insert(key, row);
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Chunks are in order, not empty, not too full, and say what is in them.
    fn check(table: &Table<u16, String>) {
        for (first, rows) in &table.chunks {
            assert!(!rows.is_empty() && rows.len() <= ROOM && rows[0].0 == *first);
        }
        assert!(table.iter().map(|(k, _)| *k).is_sorted());
        assert_eq!(table.iter().count(), table.len());
    }

    #[test]
    fn what_comes_in_order_fills_the_chunks() {
        let table: Table<u32, ()> = (0..1_000).map(|k| (k, ())).collect();
        assert_eq!(table.chunks.len(), 1_000usize.div_ceil(ROOM));
    }

    proptest! {
        #[test]
        fn it_is_a_map_and_a_copy_stays_as_it_was(moves in prop::collection::vec((0..600u16, 0..4u8), 0..1_500)) {
            let (mut table, mut map) = (Table::default(), BTreeMap::new());
            let mut copies: Vec<(Table<u16, String>, BTreeMap<u16, String>)> = Vec::new();
            for (n, (key, what)) in moves.into_iter().enumerate() {
                match what {
                    0 | 1 => prop_assert_eq!(table.insert(key, n.to_string()), map.insert(key, n.to_string())),
                    2 => prop_assert_eq!(table.remove(&key).map(Arc::unwrap_or_clone), map.remove(&key)),
                    _ => {
                        let (mine, other) = (table.get_mut(&key), map.get_mut(&key));
                        prop_assert_eq!(&mine, &other);
                        mine.into_iter().chain(other).for_each(|row| row.push('!'));
                    }
                }
                prop_assert_eq!(table.get(&key), map.get(&key));
                if n % 200 == 0 {
                    copies.push((table.clone(), map.clone()));
                }
            }
            copies.push((table, map));
            for (table, map) in copies {
                check(&table);
                prop_assert!(table.iter().eq(map.iter()) && table.iter().rev().eq(map.iter().rev()));
                let json = serde_json::to_string(&table).unwrap();
                prop_assert_eq!(&json, &serde_json::to_string(&map).unwrap());
                prop_assert!(serde_json::from_str::<Table<u16, String>>(&json).unwrap().values().eq(map.values()));
            }
        }
    }
}
