//! Spans, instants and windows of the week.

use crate::domain::time::{EngineTime, Span, Timestamp, as_text};
use crate::domain::window::Window;
use jiff::civil::{Weekday, time};
use proptest::prelude::*;

#[test]
fn spans_are_read_as_the_config_has_them() {
    for (text, span) in [
        ("500ms", Span::millis(500)),
        ("30s", Span::secs(30)),
        ("5m", Span::mins(5)),
        ("2h", Span::hours(2)),
        ("1d", Span::days(1)),
        ("1w", Span::days(7)),
        ("1h30m", Span::mins(90)),
        (" 0s ", Span::ZERO),
        ("36525d", Span::days(36_525)),
    ] {
        assert_eq!(Span::parse(text).unwrap(), span, "{text}");
    }
    for wrong in
        ["", "5", "m", "5 m", "-5m", "5x", "1.5h", "5m!", "99999999999999999999s", "36526d", "9223372036854775807w"]
    {
        let error = Span::parse(wrong).unwrap_err();
        assert!(error.ends_with("write for example \"30s\", \"5m\", \"2h\" or \"1d\""), "{wrong:?}: {error}");
    }
}

#[test]
fn spans_are_printed_for_people_with_two_units_at_most() {
    for (span, text) in [
        (Span::ZERO, "0ms"),
        (Span::millis(250), "250ms"),
        (Span::secs(45), "45s"),
        (Span::mins(12), "12m"),
        (Span::secs(12 * 60 + 3), "12m3s"),
        (Span::mins(90), "1h30m"),
        (Span::hours(12 * 24 + 4) + Span::mins(59), "12d4h"),
        (Span::days(2) + Span::mins(1), "2d"),
        (Span(-5), "0ms"),
    ] {
        assert_eq!(span.to_string(), text);
    }
    assert_eq!(format!("{:>6}", Span::mins(5)), "    5m", "columns of a table line up");
}

#[test]
fn a_document_has_a_span_as_exact_text() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Doc {
        #[serde(with = "as_text")]
        base: Span,
    }
    let doc = Doc { base: Span::millis(1_500) };
    let text = serde_json::to_string(&doc).unwrap();
    assert_eq!(text, r#"{"base":"1s500ms"}"#);
    assert_eq!(serde_json::from_str::<Doc>(&text).unwrap(), doc);
}

#[test]
fn instants_saturate_instead_of_wrapping() {
    assert_eq!(EngineTime(i64::MAX) + Span::days(1), EngineTime(i64::MAX));
    assert_eq!(Timestamp(i64::MIN) - Span::days(1), Timestamp(i64::MIN));
    assert_eq!(Timestamp(5) - Timestamp(8), Span(-3));
    assert_eq!(Span(-3).to_std(), std::time::Duration::ZERO);
    assert_eq!(Timestamp(-1).millis(), 0);
}

#[test]
fn an_instant_is_printed_in_the_zone_of_its_reader() {
    let prague = jiff::tz::TimeZone::get("Europe/Prague").unwrap();
    let at = Timestamp::parse("2026-11-20T01:47:03.120Z").unwrap();
    assert_eq!(at.rfc3339(&prague), "2026-11-20T02:47:03.120+01:00");
    assert_eq!(at.rfc3339(&jiff::tz::TimeZone::UTC), "2026-11-20T01:47:03.120+00:00");
    assert_eq!(Timestamp::parse("2026-11-20T02:47:03.120+01:00").unwrap(), at);
    for never in ["9999-12-31T23:59:59Z", "9999-12-30T22:00:00.999Z", "9999-12-31T00:00:00+14:00"] {
        let shown = Timestamp::parse(never).unwrap().rfc3339(&jiff::tz::TimeZone::get("Pacific/Kiritimati").unwrap());
        assert!(shown.starts_with("9999-12-2"), "{never}: {shown}");
    }
    assert!(Timestamp::parse("9999-12-31Tx").is_err());
    assert_eq!(Timestamp(i64::MAX).rfc3339(&prague), "1970-01-01T01:00:00.000+01:00");
    for wrong in ["", "tomorrow", "2026-11-20", "2026-11-20T02:47:03", "2026-13-20T02:47:03Z"] {
        assert!(Timestamp::parse(wrong).unwrap_err().contains("2026-11-20T07:00:00+01:00"), "{wrong:?}");
    }
}

#[test]
fn a_window_ends_before_its_end() {
    let office = Window::parse("Mon-Fri 08:00-18:00").unwrap();
    assert!(office.contains(Weekday::Monday, time(8, 0, 0, 0)));
    assert!(office.contains(Weekday::Friday, time(17, 59, 59, 999_999_999)));
    assert!(!office.contains(Weekday::Friday, time(18, 0, 0, 0)));
    assert!(!office.contains(Weekday::Monday, time(7, 59, 59, 0)));
    assert!(!office.contains(Weekday::Saturday, time(12, 0, 0, 0)));
    assert_eq!(office.end(), "18:00");
}

#[test]
fn a_window_that_passes_midnight_belongs_to_the_day_it_begins_on() {
    let friday_night = Window::parse("Fri 22:00-07:00").unwrap();
    assert!(friday_night.contains(Weekday::Friday, time(22, 0, 0, 0)));
    assert!(friday_night.contains(Weekday::Saturday, time(6, 59, 0, 0)));
    assert!(!friday_night.contains(Weekday::Saturday, time(7, 0, 0, 0)));
    assert!(!friday_night.contains(Weekday::Friday, time(6, 0, 0, 0)), "that night began on Thursday");
    assert!(!friday_night.contains(Weekday::Saturday, time(23, 0, 0, 0)));
    let sunday_night = Window::parse("Sun 22:00-07:00").unwrap();
    assert!(sunday_night.contains(Weekday::Monday, time(3, 0, 0, 0)));
    assert_eq!(sunday_night.end(), "07:00");
}

#[test]
fn windows_take_lists_ranges_over_the_weekend_and_the_whole_day() {
    let weekend = Window::parse("Sat,Sun 00:00-24:00").unwrap();
    assert!(
        weekend.contains(Weekday::Sunday, time(23, 59, 59, 0)) && !weekend.contains(Weekday::Monday, time(0, 0, 0, 0))
    );
    let around = Window::parse("fri-mon 09:00-10:00").unwrap();
    for (day, inside) in
        [(Weekday::Friday, true), (Weekday::Sunday, true), (Weekday::Monday, true), (Weekday::Wednesday, false)]
    {
        assert_eq!(around.contains(day, time(9, 30, 0, 0)), inside, "{day:?}");
    }
    let daily = Window::parse("22:00-07:00").unwrap();
    assert!(
        daily.contains(Weekday::Wednesday, time(0, 0, 0, 0)) && !daily.contains(Weekday::Wednesday, time(12, 0, 0, 0))
    );
    assert_eq!(Window::parse("18:00-24:00").unwrap().end(), "00:00");
}

#[test]
fn a_wrong_window_is_refused() {
    for wrong in [
        "",
        "22:00",
        "22-07",
        "22:00-22:00",
        "24:00-07:00",
        "22:00-24:30",
        "22:60-23:00",
        "+8:00-18:00",
        "2000:00-3:00",
        "65535:59-01:00",
        "Mon 8-18",
        "Mo 08:00-18:00",
        "Mon- 08:00-18:00",
        ", 08:00-18:00",
        "08:00-18:00 Mon",
        "-1:00-02:00",
    ] {
        assert!(Window::parse(wrong).is_err(), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn a_span_comes_back_from_its_exact_text(us in 0..=Span::days(36_525).0) {
        prop_assert_eq!(Span::parse(&Span(us).exact()).unwrap(), Span(us));
    }

    #[test]
    fn whole_units_come_back_from_the_text_for_people(n in 1i64..60, unit in 0usize..4) {
        let size = [Span::secs(1), Span::mins(1), Span::hours(1), Span::days(1)][unit];
        let span = size.times(n);
        prop_assert_eq!(Span::parse(&span.to_string()).unwrap(), span);
    }

    #[test]
    fn the_text_for_people_is_never_more_and_at_most_a_second_unit_less(us in 0..=Span::days(3_000).0) {
        let shown = Span::parse(&Span(us).to_string()).unwrap();
        prop_assert!(shown <= Span(us));
        prop_assert!((us - shown.0) as f64 <= (us as f64 / 24.0).max(1_000_000.0));
    }

    #[test]
    fn reading_spans_windows_and_instants_never_panics(text in "\\PC{0,30}") {
        let _ = (Span::parse(&text), Window::parse(&text), Timestamp::parse(&text));
    }

    #[test]
    fn near_windows_never_panic(a in "[0-9]{0,6}", b in "[0-9]{0,6}", c in "[0-9]{0,6}", d in "[0-9]{0,6}") {
        let _ = Window::parse(&format!("{a}:{b}-{c}:{d}"));
    }

    #[test]
    fn an_instant_comes_back_from_rfc3339(ms in -62_000_000_000_000i64..250_000_000_000_000) {
        let at = Timestamp(ms * 1_000);
        let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
        prop_assume!(ms > -2_000_000_000_000); // before 1906 offsets have seconds, which RFC 3339 cannot say
        prop_assert_eq!(Timestamp::parse(&at.rfc3339(&zone)).unwrap(), at);
    }
}
