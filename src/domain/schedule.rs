//! When something is due by the calendar: a cron expression in a zone, or a fixed interval.
//!
//! croner matches the fields; the days on which the clock changes are decided here:
//! - *A time of day* (the hour field does not begin with `*`): what falls into a skipped hour is
//!   due once, at the jump; what falls into a doubled hour is due in the first of the two.
//! - *A beat* (the hour field begins with `*`, as in `*/5 * * * *`): due whenever the local clock
//!   shows a matching time, so it keeps its beat through both.

use crate::domain::time::{Span, Timestamp};
use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// `cron` or `every`.
#[derive(Clone, Debug)]
pub enum Schedule {
    Cron(CronIn),
    Every(Span),
}

/// A cron expression in a zone.
#[derive(Clone, Debug)]
pub struct CronIn {
    cron: Box<Cron>,
    zone: TimeZone,
    /// Every hour has its turn: it follows the local clock wherever that goes.
    beat: bool,
    /// Six fields: kept to the second. Five are spread by the owner's jitter.
    pub exact: bool,
    pub text: String,
}

impl Schedule {
    /// Five fields, or six with the second first. `zone` is an IANA name.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn cron(text: &str, zone: &str) -> Result<Schedule, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let exact = match fields.len() {
            5 => false,
            6 => true,
            n => {
                return Err(format!(
                    "{text:?} has {n} fields; write 5 (minute hour day month weekday) or 6 (second first)"
                ));
            }
        };
        let n = fields.len();
        let restricted = |f: &str| f != "*" && f != "?";
        if restricted(fields[n - 3]) && restricted(fields[n - 1]) {
            return Err(format!(
                "{text:?} restricts both day and weekday, on which cron and others disagree; restrict one (MON#1 is the first Monday)"
            ));
        }
        let seconds = if exact { Seconds::Required } else { Seconds::Disallowed };
        let cron = CronParser::builder()
            .seconds(seconds)
            .build()
            .parse(text)
            .map_err(|e| format!("{text:?} is not a cron expression: {e}"))?;
        let zone = TimeZone::get(zone)
            .map_err(|_| format!("{zone:?} is not a time zone; write for example \"Europe/Prague\""))?;
        let beat = fields[n - 4].starts_with('*');
        let schedule = CronIn { cron: Box::new(cron), zone, beat, exact, text: text.to_owned() };
        // Any year will do: what does not come within the calendar after this one never comes.
        if schedule.after(Timestamp(1_735_689_600_000_000)).is_none() {
            return Err(format!("{text:?} never comes"));
        }
        Ok(Schedule::Cron(schedule))
    }

    /// The first time strictly after `t`; for an interval, `t` + interval.
    pub fn after(&self, t: Timestamp) -> Option<Timestamp> {
        match self {
            Schedule::Every(span) => Some(t + *span),
            Schedule::Cron(cron) => cron.after(t),
        }
    }
}

impl CronIn {
    /// IANA name of its zone.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The first due time strictly after `t`; `None` when it never comes again.
    pub fn after(&self, t: Timestamp) -> Option<Timestamp> {
        let second = jiff::Timestamp::from_second(t.0.div_euclid(1_000_000)).ok()?;
        let due = if self.beat { self.next_beat(second)? } else { self.next_time_of_day(second)? };
        Some(Timestamp(due.as_microsecond()))
    }

    /// Follows the local clock stretch by stretch, from one change of it to the next.
    fn next_beat(&self, t: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let mut from = t.checked_add(jiff::Span::new().seconds(1)).ok()?;
        loop {
            let offset = self.zone.to_offset(from);
            let due = offset.to_timestamp(self.next_match(offset.to_datetime(from), true)?).ok()?;
            match self.zone.following(from).next().map(|change| change.timestamp()) {
                Some(change) if change <= due => from = change,
                _ => return Some(due),
            }
        }
    }

    /// Matching local times in order, each at the instant that stands for it; the instants never
    /// go back, so the first one after `t` is the answer.
    fn next_time_of_day(&self, t: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let mut local = self.zone.to_datetime(t);
        loop {
            local = self.next_match(local, false)?;
            let due = self.instant(local)?;
            if due > t {
                return Some(due);
            }
        }
    }

    /// A doubled local time is its first; a skipped one is the jump over it.
    fn instant(&self, local: civil::DateTime) -> Option<jiff::Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let AmbiguousOffset::Gap { before, .. } = ambiguous.offset() else { return ambiguous.earlier().ok() };
        let beyond = before.to_timestamp(local).ok()?.checked_add(jiff::Span::new().seconds(1)).ok()?;
        self.zone.preceding(beyond).next().map(|jump| jump.timestamp())
    }

    /// The next match on a calendar whose clock never changes: croner sees it as UTC.
    fn next_match(&self, local: civil::DateTime, inclusive: bool) -> Option<civil::DateTime> {
        let utc = jiff::tz::Offset::UTC;
        let from = DateTime::<Utc>::from_timestamp(utc.to_timestamp(local).ok()?.as_second(), 0)?;
        let next = self.cron.find_next_occurrence(&from, inclusive).ok()?;
        Some(utc.to_datetime(jiff::Timestamp::from_second(next.timestamp()).ok()?))
    }
}
