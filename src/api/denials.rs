//! Refused calls are counted in the ledger, but a stranger who calls without end does not fill it.

use crate::domain::time::{Span, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Records of one uid in one minute; what is over is told with the next one.
const A_MINUTE: u32 = 20;
/// Callers that are remembered; with more all are forgotten, and the ledger gets more lines.
const CALLERS: usize = 1_024;

#[derive(Default)]
pub struct Denials {
    by_uid: Mutex<HashMap<u32, Recent>>,
}

struct Recent {
    since: Timestamp,
    recorded: u32,
    left_out: u64,
}

impl Denials {
    /// What to record of this refused action, if it is to be recorded by itself.
    pub fn record(&self, uid: u32, action: &str, now: Timestamp) -> Option<String> {
        let mut by_uid = self.by_uid.lock().unwrap_or_else(PoisonError::into_inner);
        if by_uid.len() >= CALLERS && !by_uid.contains_key(&uid) {
            by_uid.clear();
        }
        let recent = by_uid.entry(uid).or_insert(Recent { since: now, recorded: 0, left_out: 0 });
        if (now - recent.since).0.abs() > Span::mins(1).0 {
            *recent = Recent { since: now, recorded: 0, left_out: recent.left_out };
        }
        if recent.recorded >= A_MINUTE {
            recent.left_out += 1;
            return None;
        }
        recent.recorded += 1;
        match std::mem::take(&mut recent.left_out) {
            0 => Some(action.to_owned()),
            n => Some(format!("{action} (and {n} more refused before)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_records_and_none_is_lost_from_the_count() {
        let denials = Denials::default();
        let at = |s| Timestamp(0) + Span::secs(s);
        let recorded = (0..1_000).filter_map(|_| denials.record(7, "reload", at(0))).count();
        assert_eq!(recorded, A_MINUTE as usize);
        assert_eq!(denials.record(8, "reload", at(1)).as_deref(), Some("reload"), "another caller has its own count");
        assert_eq!(denials.record(7, "reload", at(70)).as_deref(), Some("reload (and 980 more refused before)"));
        assert_eq!(denials.record(7, "reload", at(71)).as_deref(), Some("reload"));
    }
}
