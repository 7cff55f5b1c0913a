//! A time as the daemon wrote it: the instant, and what the daemon's clock on the wall showed.

use crate::domain::time::Timestamp;
use jiff::Zoned;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;

/// A time of an answer. The API writes all of them in the zone of the daemon, and people are shown
/// that wall time, so that a table agrees with the texts that the daemon made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    /// In a zone that is nothing but the offset.
    pub wall: Zoned,
}

impl Moment {
    /// Reads RFC 3339; `None` for anything else.
    pub fn parse(text: &str) -> Option<Moment> {
        let at = Timestamp::parse(text).ok()?;
        let offset = Pieces::parse(text).ok()?.to_numeric_offset()?;
        Some(Moment { at, wall: at.zoned(&TimeZone::fixed(offset)) })
    }

    /// The same in a zone of this IANA name; as it is where that is unknown.
    pub fn within(&self, zone: Option<&str>) -> Zoned {
        let zone = zone.and_then(|name| TimeZone::get(name).ok());
        zone.map_or_else(|| self.wall.clone(), |zone| self.at.zoned(&zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_time_is_the_one_that_was_written() {
        let wall = |text: &str| Moment::parse(text).unwrap().wall.strftime("%F %H:%M %:z").to_string();
        assert_eq!(wall("2026-11-20T03:02:00.000+01:00"), "2026-11-20 03:02 +01:00");
        assert_eq!(wall("2026-11-20T03:02:00Z"), "2026-11-20 03:02 +00:00");
        assert_eq!(wall("2026-11-20T03:02:00-09:30"), "2026-11-20 03:02 -09:30");
        for wrong in ["", "03:02", "2026-11-20T03:02:00", "later"] {
            assert_eq!(Moment::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_zone_gives_the_time_its_name() {
        let moment = Moment::parse("2026-11-20T02:02:00Z").unwrap();
        assert_eq!(moment.within(Some("Europe/Prague")).strftime("%H:%M %Z").to_string(), "03:02 CET");
        assert_eq!(moment.within(Some("Nowhere/Else")), moment.wall);
        assert_eq!(moment.within(None), moment.wall);
    }
}
