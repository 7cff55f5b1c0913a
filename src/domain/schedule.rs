//! When something is due by the calendar: a cron expression in a zone, or a fixed interval.
//!
//! croner does the field matching and the days on which the clock changes: a fixed time in a
//! skipped hour runs at the jump, one in a doubled hour runs once; `*/5` keeps its beat.

use crate::domain::time::{Span, Timestamp};
use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds};

/// `cron` or `every`.
#[derive(Clone, Debug)]
pub enum Schedule {
    Cron(CronIn),
    Every(Span),
}

/// A cron expression in a zone.
#[derive(Clone, Debug)]
pub struct CronIn {
    cron: Cron,
    zone: chrono_tz::Tz,
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
        let zone: chrono_tz::Tz =
            zone.parse().map_err(|_| format!("{zone:?} is not a time zone; write for example \"Europe/Prague\""))?;
        let schedule = CronIn { cron, zone, exact, text: text.to_owned() };
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
    fn after(&self, t: Timestamp) -> Option<Timestamp> {
        let from = DateTime::<Utc>::from_timestamp_micros(t.0)?.with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&from, false).ok()?;
        Some(Timestamp(next.timestamp_micros()))
    }
}
