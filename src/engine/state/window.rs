//! How many messages went out lately, for the limits: sliding windows of a day at the longest.
//!
//! A window has a bucket for each minute in which something was counted, so it holds 1440 of them at
//! the most, whatever the limits are. What is a day old leaves.

use crate::domain::time::{EngineTime, Span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Windows that are kept; over that the one that was quiet for longest goes.
const WINDOWS: usize = if cfg!(test) { 300 } else { 10_000 };
/// So often those that have become empty are looked for, in new windows.
const SWEEP: usize = 64;
const DAY: Span = Span::days(1);

/// All windows, by what they count.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Windows {
    all: BTreeMap<String, Window>,
}

/// What was counted in a day, the oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Window {
    buckets: VecDeque<(EngineTime, u32)>,
}

/// What a window counts: messages of a tenant by a channel, or of a type to a person by a channel.
#[derive(Clone, Copy, Debug)]
pub enum Counts<'a> {
    Tenant { channel: &'a str, tenant: &'a str },
    Person { channel: &'a str, who: &'a str, kind_of: &'a str },
}

impl Counts<'_> {
    fn key(&self) -> String {
        match self {
            Counts::Tenant { channel, tenant } => format!("t\u{1f}{channel}\u{1f}{tenant}"),
            Counts::Person { channel, who, kind_of } => format!("p\u{1f}{channel}\u{1f}{who}\u{1f}{kind_of}"),
        }
    }
}

impl Windows {
    pub fn add(&mut self, counts: Counts<'_>, now: EngineTime) {
        let key = counts.key();
        if let Some(window) = self.all.get_mut(&key) {
            return window.add(now);
        }
        if self.all.len() >= WINDOWS || self.all.len() % SWEEP == SWEEP - 1 {
            self.all.retain(|_, window| window.last().is_some_and(|last| last + DAY > now));
        }
        if self.all.len() >= WINDOWS {
            let quiet = self.all.iter().min_by_key(|(key, window)| (window.last(), *key)).map(|(key, _)| key.clone());
            quiet.map(|key| self.all.remove(&key));
        }
        self.all.entry(key).or_default().add(now);
    }

    pub fn get(&self, counts: Counts<'_>) -> Option<&Window> {
        self.all.get(&counts.key())
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl Window {
    fn add(&mut self, now: EngineTime) {
        while self.buckets.front().is_some_and(|(last, _)| *last + DAY <= now) {
            self.buckets.pop_front();
        }
        let minute = |t: EngineTime| t.0.div_euclid(Span::mins(1).0);
        match self.buckets.back_mut() {
            // The clock of the engine never goes back; a damaged state may.
            Some((last, n)) if minute(*last) >= minute(now) => {
                *last = now.max(*last);
                *n = n.saturating_add(1);
            }
            _ => self.buckets.push_back((now, 1)),
        }
    }

    fn last(&self) -> Option<EngineTime> {
        self.buckets.back().map(|(last, _)| *last)
    }

    /// How many were counted less than `over` ago.
    pub fn used(&self, over: Span, now: EngineTime) -> u64 {
        self.lately(over, now).map(|(_, n)| u64::from(*n)).sum()
    }

    fn lately(&self, over: Span, now: EngineTime) -> impl Iterator<Item = &(EngineTime, u32)> {
        self.buckets.iter().filter(move |(last, _)| *last + over > now)
    }

    /// When at least `excess` of those are older than `over`. What was counted in one minute leaves
    /// together, with the last of it.
    pub fn less_by(&self, excess: u64, over: Span, now: EngineTime) -> Option<EngineTime> {
        let mut left = excess;
        for (last, n) in self.lately(over, now) {
            left = left.saturating_sub(u64::from(*n));
            if left == 0 {
                return Some(*last + over);
            }
        }
        None
    }
}
