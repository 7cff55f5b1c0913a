//! A table by identifier, in their order.
//!
//! Identifiers rise, and a tree of what comes in order has its nodes half full: the rows are
//! behind a pointer, so that what is left free in a node is little.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Index;

/// As [`BTreeMap`], for rows that are large.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    transparent,
    bound(serialize = "K: Serialize, V: Serialize", deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>")
)]
pub struct Table<K, V>(BTreeMap<K, Box<V>>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table(BTreeMap::new())
    }
}

impl<K: Ord, V> Table<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key).map(Box::as_ref)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).map(Box::as_mut)
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Gives the row that was there.
    pub fn insert(&mut self, key: K, row: V) -> Option<V> {
        self.0.insert(key, Box::new(row)).map(|old| *old)
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key).map(|row| *row)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        self.0.iter().map(|(key, row)| (key, row.as_ref()))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.0.keys()
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.0.values().map(Box::as_ref)
    }

    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.0.values_mut().map(Box::as_mut)
    }
}

impl<K: Ord, V> Index<&K> for Table<K, V> {
    type Output = V;

    /// # Panics
    /// When there is no such row; for tests.
    fn index(&self, key: &K) -> &V {
        &self.0[key]
    }
}
