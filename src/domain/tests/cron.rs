//! Cron in a zone, through the days on which the clock changes.

use crate::domain::schedule::Schedule;
use crate::domain::time::{Span, Timestamp};
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// Due times after `from` (a local RFC 3339 time), printed in the zone.
fn due(text: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::cron(text, zone).unwrap();
    let tz = TimeZone::get(zone).unwrap();
    let mut at = Timestamp::parse(from).unwrap();
    let mut times = Vec::new();
    for _ in 0..count {
        let next = schedule.after(at).unwrap();
        assert!(next > at, "{text} in {zone}: {} does not come after {}", next.rfc3339(&tz), at.rfc3339(&tz));
        at = next;
        times.push(at.zoned(&tz).strftime("%m-%d %H:%M:%S%:z").to_string());
    }
    times
}

#[test]
fn fields_mean_what_cron_means() {
    for (text, times) in [
        ("0 10 * * MON", ["01-05 10:00:00+01:00", "01-12 10:00:00+01:00"]),
        ("*/20 8-9 * * *", ["01-01 08:00:00+01:00", "01-01 08:20:00+01:00"]),
        ("30 7 1,15 * *", ["01-01 07:30:00+01:00", "01-15 07:30:00+01:00"]),
        ("0 0 * 3 *", ["03-01 00:00:00+01:00", "03-02 00:00:00+01:00"]),
        ("0 9 * * MON#1", ["01-05 09:00:00+01:00", "02-02 09:00:00+01:00"]),
        ("0 9 * * 7", ["01-04 09:00:00+01:00", "01-11 09:00:00+01:00"]),
        ("0 9 L * *", ["01-31 09:00:00+01:00", "02-28 09:00:00+01:00"]),
        ("0 0 9 * * ?", ["01-01 09:00:00+01:00", "01-02 09:00:00+01:00"]),
        ("15 */5 * * * *", ["01-01 00:00:15+01:00", "01-01 00:05:15+01:00"]),
    ] {
        assert_eq!(due(text, "Europe/Prague", "2026-01-01T00:00:00+01:00", 2), times, "{text}");
    }
}

#[test]
fn the_next_time_is_strictly_later_and_on_the_second() {
    let schedule = Schedule::cron("0 * * * *", "UTC").unwrap();
    let hour = Timestamp::parse("2026-01-01T05:00:00Z").unwrap();
    assert_eq!(schedule.after(hour), Some(hour + Span::hours(1)));
    assert_eq!(schedule.after(hour - Span(1)), Some(hour));
    assert_eq!(schedule.after(hour + Span(1)), Some(hour + Span::hours(1)));
    assert_eq!(schedule.after(Timestamp(-1)), Some(Timestamp(0)));
    let every = Schedule::Every(Span::mins(5));
    assert_eq!(every.after(hour + Span(1)), Some(hour + Span::mins(5) + Span(1)));
}

#[test]
fn five_fields_are_spread_and_six_are_exact() {
    let exact = |text| matches!(Schedule::cron(text, "UTC"), Ok(Schedule::Cron(c)) if c.exact && c.text == text);
    assert!(exact("0 */5 * * * *"));
    assert!(!exact("*/5 * * * *"));
}

#[test]
fn wrong_expressions_say_what_would_be_right() {
    for (text, part) in [
        ("", "has 0 fields; write 5 (minute hour day month weekday) or 6"),
        ("* * * *", "has 4 fields"),
        ("0 0 9 * * * 2027", "has 7 fields"),
        ("@daily", "has 1 fields"),
        ("0 9 1 * MON", "restricts both day and weekday"),
        ("0 0 9 1 * MON", "restricts both day and weekday"),
        ("61 * * * *", "is not a cron expression"),
        ("a b * * *", "is not a cron expression"),
        ("0 0 31 2 *", "never comes"),
    ] {
        let error = Schedule::cron(text, "UTC").unwrap_err();
        assert!(error.contains(part), "{text:?}: {error}");
    }
    assert!(Schedule::cron("* * * * *", "Europe/Atlantis").unwrap_err().contains("\"Europe/Prague\""));
}

#[test]
fn f24_a_time_in_a_skipped_hour_comes_at_the_jump() {
    for (zone, text, from, times) in [
        // 02:00 -> 03:00
        (
            "Europe/Prague",
            "30 2 * * *",
            "2026-03-28T00:00:00+01:00",
            ["03-28 02:30:00+01:00", "03-29 03:00:00+02:00", "03-30 02:30:00+02:00"],
        ),
        (
            "America/New_York",
            "30 2 * * *",
            "2026-03-07T00:00:00-05:00",
            ["03-07 02:30:00-05:00", "03-08 03:00:00-04:00", "03-09 02:30:00-04:00"],
        ),
        // Midnight itself is skipped: 00:00 -> 01:00
        (
            "Africa/Cairo",
            "0 0 * * *",
            "2026-04-23T00:00:00+02:00",
            ["04-24 01:00:00+03:00", "04-25 00:00:00+03:00", "04-26 00:00:00+03:00"],
        ),
        // Half an hour only: 02:00 -> 02:30
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T00:00:00+10:30",
            ["10-03 02:15:00+10:30", "10-04 02:30:00+11:00", "10-05 02:15:00+11:00"],
        ),
        // Several times of a skipped hour are one run.
        (
            "Europe/Prague",
            "*/20 2 * * *",
            "2026-03-28T02:30:00+01:00",
            ["03-28 02:40:00+01:00", "03-29 03:00:00+02:00", "03-30 02:00:00+02:00"],
        ),
    ] {
        assert_eq!(due(text, zone, from, 3), times, "{text} in {zone}");
    }
}

#[test]
fn f24_a_time_in_a_doubled_hour_comes_once() {
    for (zone, text, from, times) in [
        ("Europe/Prague", "30 2 * * *", "2026-10-24T12:00:00+02:00", ["10-25 02:30:00+02:00", "10-26 02:30:00+01:00"]),
        (
            "America/New_York",
            "30 1 * * *",
            "2026-10-31T12:00:00-04:00",
            ["11-01 01:30:00-04:00", "11-02 01:30:00-05:00"],
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-04T12:00:00+11:00",
            ["04-05 01:45:00+11:00", "04-06 01:45:00+10:30"],
        ),
        // Asked in the second of the two hours, for a time that the first one had.
        ("Europe/Prague", "30 2 * * *", "2026-10-25T02:10:00+01:00", ["10-26 02:30:00+01:00", "10-27 02:30:00+01:00"]),
    ] {
        assert_eq!(due(text, zone, from, 2), times, "{text} in {zone}");
    }
}

#[test]
fn f24_a_beat_goes_on_through_both_changes() {
    for (zone, from) in [
        ("Europe/Prague", "2026-03-29T00:00:00+01:00"),
        ("Europe/Prague", "2026-10-25T00:00:00+02:00"),
        ("America/New_York", "2026-03-08T00:00:00-05:00"),
        ("America/New_York", "2026-11-01T00:00:00-04:00"),
        ("Australia/Lord_Howe", "2026-04-05T00:00:00+11:00"),
        ("Australia/Lord_Howe", "2026-10-04T00:00:00+10:30"),
        ("Africa/Cairo", "2026-04-23T20:00:00+02:00"),
        ("Asia/Kolkata", "2026-01-01T00:00:00+05:30"),
    ] {
        for (text, gap) in [("*/5 * * * *", Span::mins(5)), ("*/30 * * * * *", Span::secs(30))] {
            let schedule = Schedule::cron(text, zone).unwrap();
            let mut at = Timestamp::parse(from).unwrap();
            for _ in 0..Span::hours(6).0 / gap.0 {
                let next = schedule.after(at).unwrap();
                assert_eq!(next - at, gap, "{text} in {zone} after {}", at.rfc3339(&TimeZone::get(zone).unwrap()));
                at = next;
            }
        }
    }
    assert_eq!(
        due("0 * * * *", "Europe/Prague", "2026-10-25T01:30:00+02:00", 3),
        ["10-25 02:00:00+02:00", "10-25 02:00:00+01:00", "10-25 03:00:00+01:00"]
    );
}

/// Every zone, every change of its clock in a few years, times of day around it: due once on each
/// local day that has the time or skips it, at the instant that the rules of this project name.
#[test]
fn f24_in_every_zone_each_local_day_has_its_time_once() {
    let mut changes = 0;
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        let from: jiff::Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        let soon = zone.following(from).take_while(|t| t.timestamp().as_second() < 1_861_920_000);
        for change in soon.map(|t| t.timestamp()) {
            changes += 1;
            let local = zone.to_datetime(change);
            for minutes in [-61, -31, -1, 0, 14, 29, 59, 119] {
                let near = local.checked_add(jiff::Span::new().minutes(minutes)).unwrap();
                let (hour, minute) = (near.hour(), near.minute());
                let schedule = Schedule::cron(&format!("{minute} {hour} * * *"), name.as_str()).unwrap();
                let mut at = Timestamp(change.as_microsecond() - Span::hours(60).0);
                let mut day = zone.to_datetime(jiff::Timestamp::from_microsecond(at.0).unwrap()).date();
                for _ in 0..4 {
                    let next = schedule.after(at).unwrap();
                    let due = loop {
                        let due = due_on(&zone, day.at(hour, minute, 0, 0));
                        day = day.tomorrow().unwrap();
                        if due.as_microsecond() > at.0 {
                            break due;
                        }
                    };
                    assert_eq!(next.0, due.as_microsecond(), "{hour}:{minute:02} in {} by {change}", name.as_str());
                    at = next;
                }
            }
        }
    }
    assert!(changes > 500, "only {changes} changes: is there no zone database?");
}

/// The instant of a local time: the first of two, and the jump over one that does not exist.
fn due_on(zone: &TimeZone, local: jiff::civil::DateTime) -> jiff::Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        jiff::tz::AmbiguousOffset::Gap { .. } => {
            // The first instant whose local time is not before it.
            let (mut low, mut high) = (ambiguous.earlier().unwrap(), ambiguous.later().unwrap());
            (low, high) = (low.min(high), low.max(high));
            while high.as_second() - low.as_second() > 1 {
                let middle = jiff::Timestamp::from_second((low.as_second() + high.as_second()) / 2).unwrap();
                if zone.to_datetime(middle) < local { low = middle } else { high = middle }
            }
            high
        }
        _ => ambiguous.earlier().unwrap(),
    }
}

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Prague",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
];

proptest! {
    /// Whatever the zone and the day, a daily time comes once on each local day.
    #[test]
    fn a_daily_time_comes_once_a_day(zone in 0usize..12, hour in 0u32..24, minute in 0u32..60, start in 0i64..15_000) {
        let tz = TimeZone::get(ZONES[zone]).unwrap();
        let schedule = Schedule::cron(&format!("{minute} {hour} * * *"), ZONES[zone]).unwrap();
        let mut at = Timestamp(Span::days(start).0);
        let mut last = None;
        for _ in 0..200 {
            let next = schedule.after(at).unwrap();
            prop_assert!(next > at);
            let day = next.zoned(&tz).date();
            if let Some(last) = last {
                prop_assert_eq!(day, jiff::civil::Date::tomorrow(last).unwrap(), "at {}", next.rfc3339(&tz));
            }
            (at, last) = (next, Some(day));
        }
    }

    /// Asking twice, or from any moment in between, gives the same answer.
    #[test]
    fn the_answer_does_not_depend_on_when_one_asks(zone in 0usize..12, start in 0i64..1_300_000_000, part in 0.0f64..1.0, which in 0usize..4) {
        let text = ["*/7 * * * *", "30 2 * * *", "15 */6 * * SUN", "0 0 1 * *"][which];
        let schedule = Schedule::cron(text, ZONES[zone]).unwrap();
        let first = Timestamp(start * 1_000_000);
        let next = schedule.after(first).unwrap();
        let between = first + Span(((next - first).0 as f64 * part) as i64);
        prop_assume!(between < next);
        prop_assert_eq!(schedule.after(between).unwrap(), next);
    }

    #[test]
    fn reading_an_expression_never_panics(text in "[-0-9*/,?#LW A-Z]{0,25}", any in any::<String>()) {
        let _ = (Schedule::cron(&text, "UTC"), Schedule::cron(&any, "UTC"), Schedule::cron("* * * * *", &any));
    }
}
