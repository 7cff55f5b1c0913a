//! Counters by hour, channel and status, and the same by day, so that statistics of any range read one
//! value for each whole day and one for each hour at its ends.

use crate::domain::time::{Span, Timestamp};
use crate::ledger::extract::{Charge, ChargeSum, Charged, Cost, Count};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Channel, then status.
pub type Tallies = BTreeMap<String, BTreeMap<String, Tally>>;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub n: i64,
    /// Sum of the times from creation to this status, of the `timed` that had one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub took: Span,
    #[serde(default, skip_serializing_if = "is_none")]
    pub timed: i64,
    /// Millionths by currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cost: BTreeMap<String, i64>,
}

fn is_zero(span: &Span) -> bool {
    *span == Span::ZERO
}

fn is_none(n: &i64) -> bool {
    *n == 0
}

/// In a day.
pub const HOURS: u64 = 24;

/// A range of hours as whole days, and the hours before and after them. Each is empty when its end is
/// before its begin.
pub fn split(hours: &RangeInclusive<u64>) -> (RangeInclusive<u64>, [RangeInclusive<u64>; 2]) {
    let (first, last) = (*hours.start(), *hours.end());
    let days = first.div_ceil(HOURS)..(last.saturating_add(1) / HOURS);
    if days.is_empty() {
        return (NONE, [hours.clone(), NONE]);
    }
    let hour = |day: u64| day * HOURS;
    let before = if first < hour(days.start) { first..=hour(days.start) - 1 } else { NONE };
    let after = if last >= hour(days.end) { hour(days.end)..=last } else { NONE };
    (days.start..=days.end - 1, [before, after])
}

#[expect(clippy::reversed_empty_ranges, reason = "it is meant to be empty")]
const NONE: RangeInclusive<u64> = 1..=0;

/// The hour since 1970 in which an instant lies.
pub fn hour(at: Timestamp) -> u64 {
    (at.0.max(0) / Span::hours(1).0) as u64
}

/// Adds one step. What is taken back (a negative `n`) takes its time and cost back, too.
pub fn count(into: &mut Tallies, step: &Count) {
    let by_status = into.entry(step.channel.clone()).or_default();
    let tally = by_status.entry(step.status.clone()).or_default();
    let sign = step.n.signum();
    tally.n = tally.n.saturating_add(step.n);
    if let Some(took) = step.took {
        tally.took = tally.took + took.times(sign);
        tally.timed = tally.timed.saturating_add(sign);
    }
    if let Some(Cost { currency, millionths }) = &step.cost {
        let sum = tally.cost.entry(currency.clone()).or_default();
        *sum = sum.saturating_add(millionths.saturating_mul(sign));
    }
}

/// Sums of costs.
pub type Charges = BTreeMap<Charged, ChargeSum>;

/// Adds these.
pub fn charge<'a>(into: &mut Charges, charges: impl Iterator<Item = &'a Charge>) {
    charges.for_each(|c| into.entry(c.of.clone()).or_default().add(c.sum));
}

/// Adds all of `from`.
pub fn merge(into: &mut Tallies, from: Tallies) {
    for (channel, statuses) in from {
        let by_status = into.entry(channel).or_default();
        for (status, more) in statuses {
            let tally = by_status.entry(status).or_default();
            tally.n = tally.n.saturating_add(more.n);
            tally.took = tally.took + more.took;
            tally.timed = tally.timed.saturating_add(more.timed);
            for (currency, millionths) in more.cost {
                let sum = tally.cost.entry(currency).or_default();
                *sum = sum.saturating_add(millionths);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_the_hours_around_them_are_the_range() {
        for first in 40..80 {
            for last in first..first + 80 {
                let (days, [before, after]) = split(&(first..=last));
                let of_days = days.flat_map(|day| day * HOURS..(day + 1) * HOURS);
                let all: Vec<u64> = before.chain(of_days).chain(after).collect();
                assert_eq!(all, (first..=last).collect::<Vec<_>>(), "{first} to {last}");
            }
        }
        let (days, [before, after]) = split(&(0..=u64::MAX / 2));
        assert!(before.is_empty() && *days.start() == 0 && after.count() < 24);
    }
}
