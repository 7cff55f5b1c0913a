//! Times for people: in the zone of whoever reads.

use crate::ctl::screen::page::Screen;
use crate::domain::time::Timestamp;

impl Screen<'_> {
    /// `03:02` today, `2026-11-20 03:02` on another day; `-` for none.
    pub fn clock(&self, at: Option<Timestamp>) -> String {
        let Some(at) = at else { return "-".into() };
        let (at, now) = (at.zoned(&self.zone), self.now.zoned(&self.zone));
        let format = if at.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        at.strftime(format).to_string()
    }

    /// `2026-11-20 03:02:03.120`: always of one width, for lines that stand under each other.
    pub fn stamp(&self, at: Option<Timestamp>) -> String {
        at.map_or_else(|| format!("{:<23}", "-"), |t| t.zoned(&self.zone).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())
    }

    /// Now, with the zone's name: `03:02 CET`.
    pub fn now_here(&self) -> String {
        self.now.zoned(&self.zone).strftime("%H:%M %Z").to_string()
    }

    /// How long ago, as [`age`] has it; `-` for never.
    pub fn since(&self, at: Option<Timestamp>) -> String {
        at.map_or_else(|| "-".into(), |t| age(u64::try_from((self.now - t).as_secs()).unwrap_or(0)))
    }
}

/// Seconds, rounded down to what matters: `45s`, `21m`, `3h`, `12d`.
pub fn age(seconds: u64) -> String {
    let (n, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "m"),
        3_600..86_400 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{n}{unit}")
}
