//! Once a day: which texts are too old by now, and which segments as a whole.
//!
//! A segment is looked at as one: its texts go when the last of its events is old enough. So that this is
//! not long after, a segment is ended after a week. How far each kind is done stands in `STATE/expired`; if that
//! is lost all is looked at once more.
//!
//! What is removed cannot be given back, so a clock that has leapt ahead is believed only when it still says so a day
//! later ([`Looks`], in `STATE/looked`).

use crate::domain::time::{Span, Timestamp};
use crate::ledger::files;
use crate::ledger::journal::Sealed;
use crate::ledger::places::Places;
use crate::ledger::retention::{Retention, TEXT_KINDS, TextKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A segment is ended after this long, however little is in it.
pub const SEGMENT_AGE: Span = Span::days(7);

/// Longer than this nobody looked, or the clock was set.
const LEAP: Span = Span::days(7);
/// A clock that says the same for so long is right.
const PROOF: Span = Span::days(1);

/// When the clock was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Looks {
    /// The last time that was believed; `None`: there was no look yet.
    believed: Option<Timestamp>,
    /// The first time of those that are not.
    doubted: Option<Timestamp>,
}

impl Looks {
    /// Whether what the clock shows now is believed.
    fn look(&mut self, now: Timestamp) -> bool {
        let leapt = self.believed.is_some_and(|at| now - at > LEAP);
        let proven = self.doubted.is_some_and(|since| now - since >= PROOF);
        if leapt && !proven {
            self.doubted = Some(self.doubted.map_or(now, |since| since.min(now)));
            return false;
        }
        *self = Looks { believed: Some(now), doubted: None };
        true
    }
}

/// Whether the clock is believed at this look. Where nothing can be written down, it is not.
pub fn believes(places: &Places, now: Timestamp) -> bool {
    let path = places.state.join("looked");
    let known = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut looks: Looks = known.unwrap_or_default();
    let believed = looks.look(now);
    let written = serde_json::to_vec(&looks).is_ok_and(|json| files::replace(&path, &[&json]).is_ok());
    if !believed {
        tracing::warn!("the clock shows a time long after the last look; what is too old by it stays for a day more");
    }
    believed && written
}

/// Up to which event each kind's texts are gone.
pub type Done = BTreeMap<TextKind, u64>;

fn file(places: &Places) -> PathBuf {
    places.state.join("expired")
}

pub fn done(places: &Places) -> Done {
    std::fs::read(file(places)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// # Errors
/// A sentence.
pub fn save_done(places: &Places, done: &Done) -> Result<(), String> {
    let json = serde_json::to_vec(done).map_err(|e| e.to_string())?;
    files::replace(&file(places), &[&json]).map_err(|e| format!("{}: {e}", file(places).display()))
}

/// Up to which event each kind's texts are to go now; the kinds where that is further than before.
pub fn due(retention: &Retention, sealed: &[Sealed], open: Option<Timestamp>, now: Timestamp, done: &Done) -> Done {
    let mut due = Done::new();
    for kind in TEXT_KINDS {
        let Some(age) = retention.of(kind) else { continue };
        let through = older_than(sealed, open, now, age);
        if through > done.get(&kind).copied().unwrap_or(0) {
            due.insert(kind, through);
        }
    }
    due
}

/// The last event of the segments that ended that long ago, from the oldest on; 0: none did. The one that is written
/// to was begun at `open`.
pub fn older_than(sealed: &[Sealed], open: Option<Timestamp>, now: Timestamp, age: Span) -> u64 {
    let begun = |s: &Sealed| s.segment.header.map_or(Timestamp(i64::MAX), |header| header.created);
    let begun: Vec<Timestamp> = sealed.iter().map(begun).chain(open).collect();
    let old = sealed.iter().zip(ends(&begun, now)).take_while(|(_, end)| *end < now - age);
    old.last().map_or(0, |(segment, _)| segment.limit)
}

/// When each of them ended, by when they were begun: with the next one's beginning, but not before what was begun
/// earlier: a clock that stood at 1970 for a while makes nothing old. One that was ahead says nothing.
fn ends(begun: &[Timestamp], now: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
    let mut latest = begun.first().copied().filter(|at| *at <= now);
    begun.iter().skip(1).map(move |next| {
        latest = latest.max(Some(*next).filter(|at| *at <= now));
        latest.unwrap_or(now)
    })
}

/// `sms 1095d, mail 2555d`
pub fn words(retention: &Retention, due: &Done) -> String {
    let kinds = due.keys().filter_map(|kind| Some(format!("{} {}", kind.as_str(), retention.of(*kind)?.exact())));
    format!("retention: {}", kinds.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_that_was_begun_in_1970_makes_those_before_it_no_older() {
        let of = |begun: &[i64]| {
            let begun: Vec<Timestamp> = begun.iter().map(|day| Timestamp::default() + Span::days(*day)).collect();
            let now = Timestamp::default() + Span::days(20_100);
            ends(&begun, now).map(|end| (end - Timestamp::default()).0 / Span::days(1).0).collect::<Vec<_>>()
        };
        assert_eq!(of(&[20_000, 20_001, 20_007]), [20_001, 20_007]);
        assert_eq!(of(&[20_000, 0, 20_007]), [20_000, 20_007]);
        assert_eq!(of(&[0, 20_001, 0, 1, 20_009]), [20_001, 20_001, 20_001, 20_009]);
        assert_eq!(of(&[20_000, 40_000, 20_007]), [20_000, 20_007], "nor does one that was begun in the far future");
        assert_eq!(of(&[40_000, 40_001, 20_007]), [20_100, 20_007]);
        assert!(of(&[5]).is_empty() && of(&[]).is_empty());
    }

    #[test]
    fn a_clock_that_leapt_is_believed_after_a_day_and_one_that_was_wrong_never_was() {
        let day = |n: i64| Timestamp::default() + Span::days(n);
        let mut looks = Looks::default();
        assert!([100, 101, 108].into_iter().all(|n| looks.look(day(n))));
        assert!(!looks.look(day(9_000)));
        assert!(!looks.look(day(9_000) + Span::hours(23)));
        let mut right = looks;
        assert!(right.look(day(9_001)) && right.look(day(9_002)));
        assert!(looks.look(day(109)), "set right again");
        assert!(!looks.look(day(9_001)), "and what it showed before proves nothing");
    }
}
