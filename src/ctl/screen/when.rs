//! Times for people: as the clock on the daemon's wall showed them.

use crate::ctl::moment::Moment;
use crate::ctl::screen::page::Screen;

impl Screen<'_> {
    /// `03:02` today, `2026-11-20 03:02` on another day; `-` for none.
    pub fn clock(&self, at: Option<Moment>) -> String {
        let Some(Moment { wall, .. }) = at else { return "-".into() };
        let today = self.now.zoned(wall.time_zone()).date();
        let format = if wall.date() == today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        wall.strftime(format).to_string()
    }

    /// `2026-11-20 03:02:03.120`; `-` for none.
    pub fn stamp(&self, at: Option<Moment>) -> String {
        at.map_or_else(|| "-".into(), |m| m.wall.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())
    }

    /// The daemon's time with the name of its zone: `03:02 CET`; with the offset where the name is not
    /// known.
    pub fn there(&self, at: Option<Moment>, zone: Option<&str>) -> String {
        let Some(at) = at else { return "-".into() };
        let wall = at.within(zone);
        let format = if wall.time_zone().iana_name().is_some() { "%H:%M %Z" } else { "%H:%M %:z" };
        wall.strftime(format).to_string()
    }

    /// How long ago, as [`age`] has it; `-` for never.
    pub fn since(&self, at: Option<Moment>) -> String {
        at.map_or_else(|| "-".into(), |m| age(u64::try_from((self.now - m.at).as_secs()).unwrap_or(0)))
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
