//! Spans, instants, windows, cron expressions.

use crate::harness::{fuzz, text};
use stentor::domain::schedule::Schedule;
use stentor::domain::time::{Span, Timestamp};
use stentor::domain::window::Window;

#[test]
fn spans() {
    let seeds: [&[u8]; 8] = [b"5m", b"1h30m", b"2d", b"0s", b"500ms", b" 3w ", b"106751991167d", b"7y"];
    fuzz("span", &seeds, |bytes| {
        if let Ok(span) = Span::parse(&text(bytes)) {
            assert!(span >= Span::ZERO, "{span:?}");
            assert_eq!(Span::parse(&span.exact()), Ok(span), "what it is shown as means the same");
        }
    });
}

#[test]
fn instants() {
    let seeds: [&[u8]; 5] = [
        b"2026-11-20T02:47:03.120+01:00",
        b"2026-11-20T02:47:03Z",
        b"1970-01-01T00:00:00Z",
        b"-009999-01-01T00:00:00Z",
        b"9999-12-31T23:59:59.999999999Z",
    ];
    fuzz("instant", &seeds, |bytes| {
        if let Ok(at) = Timestamp::parse(&text(bytes)) {
            let shown = at.rfc3339(&jiff::tz::TimeZone::UTC);
            let again = Timestamp::parse(&shown).unwrap();
            assert!((at - again).as_secs().abs() <= 1, "{shown}");
        }
    });
}

#[test]
fn windows() {
    let seeds: [&[u8]; 4] = [b"mon-fri 22:00-07:00", b"22:00-07:00", b"sat,sun", b"daily 00:00-24:00"];
    fuzz("window", &seeds, |bytes| {
        let _ = Window::parse(&text(bytes)).map(|window| window.end());
    });
}

#[test]
fn crons() {
    let seeds: [&[u8]; 6] =
        [b"*/5 * * * *", b"0 30 2 * * *", b"0 0 29 2 *", b"0 9 * * 1-5", b"59 23 31 12 *", b"0 0 L * *"];
    let now = Timestamp::parse("2026-11-20T02:47:03Z").unwrap();
    fuzz("cron", &seeds, |bytes| {
        let Ok(schedule) = Schedule::cron(&text(bytes), "Europe/Prague") else { return };
        let mut at = now;
        for _ in 0..3 {
            let Some(next) = schedule.after(at) else { return };
            assert!(next > at, "time goes on");
            at = next;
        }
    });
}
