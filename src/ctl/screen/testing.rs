//! For the tests of what people read: a screen in memory, at three in the morning in Prague.

#![allow(clippy::unwrap_used)]

use crate::ctl::screen::Screen;
use crate::domain::time::Timestamp;
use std::io;

/// What is printed at 2026-11-20 03:02 CET, without colours.
pub fn printed(print: impl FnOnce(&mut Screen<'_>) -> io::Result<()>) -> String {
    on(false, print)
}

/// The same on a terminal.
pub fn coloured(print: impl FnOnce(&mut Screen<'_>) -> io::Result<()>) -> String {
    on(true, print)
}

fn on(colour: bool, print: impl FnOnce(&mut Screen<'_>) -> io::Result<()>) -> String {
    let mut out: Vec<u8> = vec![];
    let now = Timestamp::parse("2026-11-20T03:02:00+01:00").unwrap();
    print(&mut Screen::new(&mut out, colour, now)).unwrap();
    String::from_utf8(out).unwrap()
}

/// Compares line by line; blanks at the ends of lines do not count.
pub fn assert_reads(actual: &str, expected: &str) {
    let lines = |text: &str| text.trim_matches('\n').lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(actual), lines(expected), "\n--- printed\n{actual}\n--- expected\n{expected}");
}
