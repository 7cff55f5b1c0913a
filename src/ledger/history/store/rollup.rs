//! Counters by hour, channel and status, so that statistics of any range read one value an hour.

use crate::domain::time::{Span, Timestamp};
use crate::ledger::extract::{Cost, Count};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
