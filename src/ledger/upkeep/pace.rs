//! When the files are worth a look: by what was appended since, and not in the middle of a rush.

use crate::domain::time::Span;

/// So many events are worth a snapshot, once it is quiet; a start folds them in a tenth of a second.
const EVENTS: u64 = 10_000;
/// With so many times as many it is time, quiet or not.
const MOST: u64 = 8;
/// Bytes of an event at the least: where so few of them are worth a look, few events are worth a snapshot.
const BYTES_OF_AN_EVENT: u64 = 400;
/// A snapshot costs as its body is long: there is an event for each of so many bytes before the next, more events in a
/// rush. A start folds an event in the time in which a snapshot writes about so many bytes.
const BYTES_AN_EVENT: u64 = 4_096;
const BYTES_IN_A_RUSH: u64 = 1_024;
/// With so many times the bytes that are worth a look it is time for one, quiet or not.
const RUSH: u64 = 8;
/// A few events are worth it after this long.
const AGE: Span = Span::hours(1);
/// So few events in this time are quiet.
const QUIET: u64 = 500;
const LOOK: Span = Span::secs(1);

/// What was appended since the last look at the files.
#[derive(Debug)]
pub struct Pace {
    /// The last durable event, and the one of the last look.
    seq: u64,
    done: u64,
    done_at: Span,
    bytes: u64,
    /// So many bytes are worth it, too.
    look_bytes: u64,
    /// So many events are worth a snapshot.
    events: u64,
    /// Of the last snapshot.
    body: u64,
    /// The look that is due is for a snapshot, too.
    state: bool,
    /// When the rush was measured last, and where it was.
    measured: Option<(Span, u64)>,
}

impl Pace {
    /// `now` is the time since boot; `seq` the last event, `snapshot` that of the last snapshot.
    pub fn new(now: Span, seq: u64, snapshot: u64, look_bytes: u64) -> Pace {
        let done = snapshot.min(seq);
        let events = EVENTS.min(look_bytes / BYTES_OF_AN_EVENT);
        Pace { seq, done, done_at: now, bytes: 0, look_bytes, events, body: 0, state: false, measured: None }
    }

    /// Events became durable; whether that is worth waking up for.
    pub fn grew(&mut self, seq: u64, bytes: u64) -> bool {
        let (before, first) = (self.is_worth(), self.since() == 0);
        self.seq = self.seq.max(seq);
        self.bytes += bytes;
        (first && self.since() > 0) || (!before && self.is_worth())
    }

    /// The files were looked at, and no snapshot made.
    pub fn looked(&mut self) {
        self.bytes = 0;
        self.measured = None;
    }

    /// The files were looked at, and a snapshot was made or asked for; its body had this length.
    pub fn done(&mut self, now: Span, seq: u64, body: Option<u64>) {
        // What was looked at may be durable and not told yet.
        self.done = seq;
        self.seq = self.seq.max(seq);
        self.done_at = now;
        self.bytes = 0;
        self.body = body.unwrap_or(self.body);
        self.measured = None;
    }

    /// A snapshot's body had this length.
    pub fn wrote(&mut self, body: u64) {
        self.body = body;
    }

    /// Whether what is due is a snapshot, too, and not only what else is done with files.
    pub fn wants_state(&self) -> bool {
        self.state
    }

    /// How long to wait before it is due (zero: now); `None`: nothing was appended.
    pub fn wait(&mut self, now: Span) -> Option<Span> {
        let old = now - self.done_at >= AGE;
        self.state = old || self.since() >= self.worth();
        if self.since() == 0 {
            return None;
        }
        let age = (self.done_at + AGE - now).max(Span::ZERO);
        if !self.is_worth() || age == Span::ZERO {
            return Some(age);
        }
        if self.since() >= (MOST * self.events).max(self.body / BYTES_IN_A_RUSH) {
            return Some(Span::ZERO);
        }
        if self.bytes >= RUSH * self.look_bytes {
            self.state = false;
            return Some(Span::ZERO);
        }
        match self.measured {
            Some((at, seq)) if now - at >= LOOK => {
                self.measured = Some((now, self.seq));
                Some(if self.seq.saturating_sub(seq) < QUIET { Span::ZERO } else { LOOK })
            }
            Some((at, _)) => Some(at + LOOK - now),
            None => {
                self.measured = Some((now, self.seq));
                Some(LOOK)
            }
        }
    }

    fn since(&self) -> u64 {
        self.seq.saturating_sub(self.done)
    }

    fn worth(&self) -> u64 {
        self.events.max(self.body / BYTES_AN_EVENT)
    }

    fn is_worth(&self) -> bool {
        self.since() >= self.worth() || self.bytes >= self.look_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace::new(Span::ZERO, 100, 100, 8 << 20)
    }

    #[test]
    fn nothing_is_due_when_nothing_came() {
        assert_eq!(pace().wait(Span::hours(9)), None);
    }

    #[test]
    fn a_look_may_see_more_than_was_told() {
        let mut pace = pace();
        pace.grew(200, 1);
        pace.done(Span::ZERO, 250, Some(1));
        assert_eq!(pace.wait(Span::secs(1)), None);
        assert!(!pace.grew(230, 1) && !pace.grew(250, 1), "it was looked at before");
        assert_eq!(pace.wait(Span::secs(1)), None);
        assert!(pace.grew(251, 1));
    }

    #[test]
    fn a_few_events_wait_an_hour() {
        let mut pace = pace();
        assert!(pace.grew(101, 300), "the first one sets the clock");
        assert!(!pace.grew(102, 300));
        assert_eq!(pace.wait(Span::mins(1)), Some(Span::mins(59)));
        assert_eq!(pace.wait(Span::mins(61)), Some(Span::ZERO));
        pace.done(Span::mins(61), 102, Some(10));
        assert_eq!(pace.wait(Span::mins(62)), None);
    }

    #[test]
    fn many_wait_until_it_is_quiet() {
        let mut pace = pace();
        pace.grew(200, 1);
        assert!(pace.grew(10_100, 1), "enough to wake up for");
        assert_eq!(pace.wait(Span::secs(1)), Some(LOOK));
        pace.grew(12_000, 1);
        assert_eq!(pace.wait(Span::secs(2)), Some(LOOK), "still a rush");
        pace.grew(12_100, 1);
        assert_eq!(pace.wait(Span::millis(2_500)), Some(Span::millis(500)));
        assert_eq!(pace.wait(Span::secs(3)), Some(Span::ZERO));
    }

    #[test]
    fn a_rush_that_does_not_end_is_no_excuse() {
        let mut pace = pace();
        pace.grew(80_100, 1);
        assert_eq!((pace.wait(Span::secs(1)), pace.wants_state()), (Some(Span::ZERO), true));
        pace.done(Span::secs(1), 80_100, None);
        pace.grew(100_100, 8 * (8 << 20));
        assert_eq!((pace.wait(Span::secs(2)), pace.wants_state()), (Some(Span::ZERO), false), "to be packed");
        pace.looked();
        assert_eq!(pace.wait(Span::secs(3)), Some(LOOK), "a snapshot can wait until it is quiet");
    }

    #[test]
    fn a_large_state_is_written_less_often() {
        let mut pace = pace();
        pace.done(Span::ZERO, 100, Some(100 << 20));
        pace.grew(25_000, 1);
        assert_eq!(pace.wait(Span::secs(1)), Some(AGE - Span::secs(1)));
        pace.grew(26_000, 1);
        assert_eq!(pace.wait(Span::secs(1)), Some(LOOK));
    }
}
