//! When the history takes in what is durable: soon, but not in the middle of a rush, whose alarms need the
//! processor more. What waits is in memory and is read with the rest, so nobody misses it.

use crate::domain::time::Span;

/// What is durable is applied after this long, if this is no rush.
const WITHIN: Span = Span::millis(200);
/// So many events within that are a rush.
const RUSH: u64 = 400;
/// In a rush so many bytes wait.
pub(super) const HOLD: usize = 40 << 20;

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When it is looked at whether to apply (time since boot); `None`: there is nothing to apply.
    due: Option<Span>,
    /// The last event when that was set.
    from: u64,
    rush: bool,
}

impl Pace {
    pub fn due(&self) -> Option<Span> {
        self.due
    }

    /// Something came, with this event at its end.
    pub fn came(&mut self, now: Span, last: u64) {
        if self.due.is_none() {
            *self = Pace { due: Some(now + WITHIN), from: last, rush: false };
        }
    }

    /// Whether to apply now; `last` is the last event that waits, `weight` the bytes that do.
    pub fn is_due(&mut self, now: Span, last: u64, weight: usize) -> bool {
        let Some(due) = self.due else { return false };
        if weight >= HOLD {
            return true;
        }
        if now < due {
            return false;
        }
        self.rush = last.saturating_sub(self.from) >= RUSH;
        if self.rush {
            (self.due, self.from) = (Some(now + WITHIN), last);
        }
        !self.rush
    }

    /// A part was applied, and so many bytes still wait.
    pub fn applied(&mut self, now: Span, weight: usize) {
        let pause = if self.rush && weight < HOLD { WITHIN } else { Span::ZERO };
        self.due = (weight > 0).then_some(now + pause);
    }

    /// There is something to apply at once.
    pub fn hurry(&mut self, now: Span, last: u64) {
        *self = Pace { due: Some(now), from: last, rush: false };
    }

    /// Nothing can be applied.
    pub fn stop(&mut self) {
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(i64) -> Span = Span::millis;

    #[test]
    fn a_few_events_are_applied_soon() {
        let mut pace = Pace::default();
        assert!(!pace.is_due(MS(0), 10, 1));
        pace.came(MS(0), 10);
        pace.came(MS(100), 20);
        assert!(!pace.is_due(MS(199), 20, 1) && pace.is_due(MS(200), 20, 1));
        pace.applied(MS(201), 1);
        assert!(pace.is_due(MS(201), 20, 1), "the rest of it at once");
        pace.applied(MS(202), 0);
        assert_eq!(pace.due(), None);
    }

    #[test]
    fn a_rush_waits_until_it_is_over_or_too_much_waits() {
        let mut pace = Pace::default();
        pace.came(MS(0), 10);
        assert!(!pace.is_due(MS(200), 1_000, 1));
        assert!(!pace.is_due(MS(399), 1_100, 1) && pace.is_due(MS(400), 1_100, 1), "it is over");
        pace.applied(MS(400), 0);
        pace.came(MS(500), 1_200);
        assert!(!pace.is_due(MS(700), 9_000, 1));
        assert!(pace.is_due(MS(701), 99_000, HOLD));
        pace.applied(MS(702), HOLD);
        assert_eq!(pace.due(), Some(MS(702)), "more has to be");
        pace.applied(MS(702), HOLD - 1);
        assert!(!pace.is_due(MS(703), 99_100, HOLD - 1), "no more than has to be");
    }
}
