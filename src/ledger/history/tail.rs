//! What is durable and not in the store yet: kept in memory, read together with it.

use crate::ledger::codec::{RawFrame, Tip};
use crate::ledger::extract::{Document, DocumentKind, Extract, Group};
use crate::ledger::history::store::block::frames;
use crate::ledger::history::store::rollup::{self, Charges, Tallies};
use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// Groups without a gap between them.
#[derive(Debug, Default)]
pub struct Tail {
    groups: VecDeque<Group>,
    weight: usize,
}

impl Tail {
    /// The last event.
    pub fn last(&self) -> Option<u64> {
        self.groups.back().map(|g| g.tip.seq)
    }

    /// Adds a group that follows the last one.
    pub fn push(&mut self, group: Group) {
        self.weight += group.weight();
        self.groups.push_back(group);
    }

    pub fn clear(&mut self) {
        self.groups.clear();
        self.weight = 0;
    }

    /// Bytes, about.
    pub fn weight(&self) -> usize {
        self.weight
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub fn events(&self) -> u64 {
        self.groups.iter().map(Group::events).sum()
    }

    /// The first event.
    pub fn first(&self) -> Option<u64> {
        self.groups.front().map(|g| g.first)
    }

    pub fn first_frame(&self) -> Option<RawFrame<'_>> {
        self.groups.front().and_then(|g| RawFrame::read(&g.bytes).ok())
    }

    /// The first groups, of about so many bytes.
    pub fn slice(&mut self, bytes: usize) -> &[Group] {
        let (mut sum, mut count) = (0, 0);
        for group in &self.groups {
            if sum >= bytes {
                break;
            }
            sum += group.weight();
            count += 1;
        }
        &self.groups.make_contiguous()[..count]
    }

    /// Forgets what is applied, also within a group.
    pub fn forget(&mut self, applied: Tip) {
        while self.groups.front().is_some_and(|g| g.tip.seq <= applied.seq) {
            if let Some(group) = self.groups.pop_front() {
                self.weight -= group.weight();
            }
        }
        if let Some(front) = self.groups.front_mut().filter(|g| g.first <= applied.seq) {
            let before = front.weight();
            let kept = frames(&front.bytes).skip_while(|f| f.seq <= applied.seq);
            front.bytes = kept.flat_map(|f| f.bytes.iter().copied()).collect();
            front.extracts.retain(|(seq, _)| *seq > applied.seq);
            front.first = applied.seq + 1;
            self.weight -= before - front.weight();
        }
    }

    /// Each group's frames, the oldest first.
    pub fn chunks(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.groups.iter().map(|g| g.bytes.as_slice())
    }

    fn extracts(&self) -> impl DoubleEndedIterator<Item = &Extract> {
        self.groups.iter().flat_map(|g| &g.extracts).map(|(_, extract)| extract)
    }

    /// Documents of a kind, the newest state of one first.
    pub fn documents(&self, kind: DocumentKind) -> impl Iterator<Item = &Document> {
        self.extracts().rev().flat_map(|e| e.documents.iter().rev()).filter(move |d| d.kind == kind)
    }

    /// What was spent on these days.
    pub fn charges(&self, days: &RangeInclusive<String>) -> Charges {
        let mut sums = Charges::new();
        rollup::charge(&mut sums, self.extracts().flat_map(|e| &e.charges).filter(|c| days.contains(&c.of.day)));
        sums
    }

    /// The sum of these hours.
    pub fn tallies(&self, hours: RangeInclusive<u64>) -> Tallies {
        let mut sum = Tallies::new();
        let steps = self.extracts().flat_map(|e| &e.counts);
        steps.filter(|s| hours.contains(&rollup::hour(s.at))).for_each(|step| rollup::count(&mut sum, step));
        sum
    }
}
