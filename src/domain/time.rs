//! Instants and spans. Everything is a whole number of microseconds, so that a replay is exact.

use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// An instant of the wall clock: microseconds since 1970, UTC. In JSON a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// An instant of engine time: the wall clock minus all steps observed so far. Delays are due in
/// it, so that a jump of the wall clock moves none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EngineTime(pub i64);

/// A length of time in microseconds, never negative when read from text. In JSON a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    pub const ZERO: Span = Span(0);

    pub const fn millis(n: i64) -> Span {
        Span(n * 1_000)
    }
    pub const fn secs(n: i64) -> Span {
        Span(n * 1_000_000)
    }
    pub const fn mins(n: i64) -> Span {
        Span::secs(n * 60)
    }
    pub const fn hours(n: i64) -> Span {
        Span::mins(n * 60)
    }
    pub const fn days(n: i64) -> Span {
        Span::hours(n * 24)
    }

    pub fn as_secs(self) -> i64 {
        self.0 / 1_000_000
    }
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    pub fn times(self, n: i64) -> Span {
        Span(self.0.saturating_mul(n))
    }

    /// For timers and deadlines; a negative span is zero.
    pub fn to_std(self) -> Duration {
        Duration::from_micros(self.0.max(0) as u64)
    }

    pub fn from_std(d: Duration) -> Span {
        Span(i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }

    /// Reads a number with its unit, as the config has them: `500ms`, `30s`, `5m`, `2h`, `1d`,
    /// `1w`, `7y` (of 365 days), also joined (`1h30m`).
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Span, String> {
        let wrong = || format!("{text:?} is not a duration; write for example \"30s\", \"5m\", \"2h\" or \"1d\"");
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong());
        }
        let mut total: i64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let unit = match &rest[..letters] {
                "us" => 1,
                "ms" => 1_000,
                "s" => Span::secs(1).0,
                "m" | "min" => Span::mins(1).0,
                "h" => Span::hours(1).0,
                "d" => Span::days(1).0,
                "w" => Span::days(7).0,
                "y" => Span::days(365).0,
                _ => return Err(wrong()),
            };
            rest = &rest[letters..];
            total = number.checked_mul(unit).and_then(|n| total.checked_add(n)).ok_or_else(wrong)?;
        }
        // A century is as good as for ever, and keeps every sum far from overflow.
        if total > Span::days(36_525).0 { Err(wrong()) } else { Ok(Span(total)) }
    }

    /// All of it, so that [`Span::parse`] gives the same span again: `1m30s`, `1s500ms`, `0s`.
    pub fn exact(self) -> String {
        let units = [
            (Span::days(1).0, "d"),
            (Span::hours(1).0, "h"),
            (Span::mins(1).0, "m"),
            (Span::secs(1).0, "s"),
            (1_000, "ms"),
            (1, "us"),
        ];
        let mut rest = self.0.max(0);
        let mut text = String::new();
        for (size, unit) in units {
            if rest >= size {
                text.push_str(&format!("{}{unit}", rest / size));
                rest %= size;
            }
        }
        if text.is_empty() { "0s".to_owned() } else { text }
    }
}

/// For people: rounded down to the largest unit and the one under it: `5m`, `1h30m`, `250ms`,
/// `12d4h`. What must be read back exactly is written by [`Span::exact`].
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.0.max(0);
        if us < 1_000_000 {
            return f.pad(&format!("{}ms", us / 1_000));
        }
        let s = us / 1_000_000;
        let parts = [(s / 86_400, "d"), (s / 3_600 % 24, "h"), (s / 60 % 60, "m"), (s % 60, "s")];
        let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(3);
        let shown: String =
            parts[first..].iter().take(2).filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
        f.pad(&shown)
    }
}

macro_rules! instant_maths {
    ($t:ident) => {
        impl Add<Span> for $t {
            type Output = $t;
            fn add(self, span: Span) -> $t {
                $t(self.0.saturating_add(span.0))
            }
        }
        impl Sub<Span> for $t {
            type Output = $t;
            fn sub(self, span: Span) -> $t {
                $t(self.0.saturating_sub(span.0))
            }
        }
        impl Sub for $t {
            type Output = Span;
            fn sub(self, other: $t) -> Span {
                Span(self.0.saturating_sub(other.0))
            }
        }
    };
}
instant_maths!(Timestamp);
instant_maths!(EngineTime);

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}
impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

/// 9999-12-29T00:00:00Z: what is later cannot be shown in every zone.
const LATEST: Timestamp = Timestamp(253_402_041_600_000_000);

impl Timestamp {
    /// Milliseconds since 1970, never negative; what a ULID begins with.
    pub fn millis(self) -> u64 {
        (self.0.max(0) / 1_000) as u64
    }

    /// As a time in a zone; an instant outside jiff's range becomes 1970.
    pub fn zoned(self, zone: &jiff::tz::TimeZone) -> jiff::Zoned {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
    }

    /// RFC 3339 with milliseconds and the zone's offset: `2026-11-20T02:47:03.120+01:00`.
    pub fn rfc3339(self, zone: &jiff::tz::TimeZone) -> String {
        // A general format string takes four times as long, and there are many times in a document.
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
        let at = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        PRINTER.timestamp_with_offset_to_string(&at, zone.to_offset(at))
    }

    /// Reads RFC 3339 (an offset or `Z` is needed).
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Timestamp, String> {
        // The last days of 9999 are written for "never", and are beyond what the library takes.
        let never = || format!("9999-12-29{}", text.strip_prefix("9999-12-31")?).parse().ok();
        text.parse::<jiff::Timestamp>()
            .or_else(|e| never().ok_or(e))
            .map(|t| Timestamp(t.as_microsecond()).min(LATEST))
            .map_err(|_| format!("{text:?} is not a time; write for example \"2026-11-20T07:00:00+01:00\""))
    }
}

/// A span in JSON documents for people and scripts: `"5m"`.
pub mod as_text {
    use super::*;

    pub fn serialize<S: Serializer>(span: &Span, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&span.exact())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Span, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Span::parse(&text).map_err(serde::de::Error::custom)
    }
}
