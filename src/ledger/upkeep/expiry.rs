//! Once a day: which texts are too old by now, and which segments as a whole.
//!
//! A segment is looked at as one: its texts go when the last of its events is old enough. So that this is
//! not long after, a segment is ended after a week. How far each kind is done stands in `STATE/expired`; if that
//! is lost all is looked at once more.

use crate::domain::time::{Span, Timestamp};
use crate::ledger::files;
use crate::ledger::journal::Sealed;
use crate::ledger::places::Places;
use crate::ledger::retention::{Retention, TEXT_KINDS, TextKind};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A segment is ended after this long, however little is in it.
pub const SEGMENT_AGE: Span = Span::days(7);

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
        let through = older_than(sealed, open, now - age);
        if through > done.get(&kind).copied().unwrap_or(0) {
            due.insert(kind, through);
        }
    }
    due
}

/// The last event of the segments that ended before `before`, from the oldest on; 0: none did. The next
/// one's beginning is the end of each; the one that is written to was begun at `open`.
pub fn older_than(sealed: &[Sealed], open: Option<Timestamp>, before: Timestamp) -> u64 {
    let begun = |s: &Sealed| s.segment.header.map_or(Timestamp(i64::MAX), |header| header.created);
    let ends = sealed.iter().skip(1).map(begun).chain(open);
    let old = sealed.iter().zip(ends).take_while(|(_, end)| *end < before);
    old.last().map_or(0, |(segment, _)| segment.limit)
}

/// `sms 1095d, mail 2555d`
pub fn words(retention: &Retention, due: &Done) -> String {
    let kinds = due.keys().filter_map(|kind| Some(format!("{} {}", kind.as_str(), retention.of(*kind)?.exact())));
    format!("retention: {}", kinds.collect::<Vec<_>>().join(", "))
}
