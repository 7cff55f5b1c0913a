//! Windows of the week: `22:00-07:00`, `Mon-Fri 08:00-18:00`, `Sat,Sun 00:00-24:00`. The end is
//! outside; a window that passes midnight belongs to the day it begins on.

use jiff::civil::{Time, Weekday};

/// One window. Minutes count from midnight, 1440 is the end of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Monday first.
    days: [bool; 7],
    from: u16,
    to: u16,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Window {
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Window, String> {
        let wrong = || {
            format!(
                "{text:?} is not a window; write \"22:00-07:00\", \"Mon-Fri 08:00-18:00\" or \"Sat,Sun 00:00-24:00\""
            )
        };
        let (days, hours) = match text.trim().rsplit_once(' ') {
            Some((days, hours)) => (parse_days(days).ok_or_else(wrong)?, hours),
            None => ([true; 7], text.trim()),
        };
        let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minutes(from).ok_or_else(wrong)?, minutes(to).ok_or_else(wrong)?);
        if from == 1440 || from == to {
            return Err(wrong());
        }
        Ok(Window { days, from, to })
    }

    /// Whether this local time lies inside.
    pub fn contains(&self, day: Weekday, time: Time) -> bool {
        let today = day.to_monday_zero_offset() as usize;
        let now = time.hour() as u16 * 60 + time.minute() as u16;
        if self.from < self.to {
            return self.days[today] && (self.from..self.to).contains(&now);
        }
        (self.days[today] && now >= self.from) || (self.days[(today + 6) % 7] && now < self.to)
    }

    /// `07:00`, for "quiet hours until".
    pub fn end(&self) -> String {
        format!("{:02}:{:02}", self.to / 60 % 24, self.to % 60)
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (h, m) = text.trim().split_once(':')?;
    let number = |s: &str| -> Option<u16> {
        let short = (1..=2).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
        short.then(|| s.parse().ok())?
    };
    let (h, m) = (number(h)?, number(m)?);
    (m < 60 && h * 60 + m <= 1440).then_some(h * 60 + m)
}

fn parse_days(text: &str) -> Option<[bool; 7]> {
    let index = |d: &str| DAYS.iter().position(|n| *n == d.trim().to_ascii_lowercase());
    let mut days = [false; 7];
    for part in text.split(',') {
        match part.split_once('-') {
            None => days[index(part)?] = true,
            Some((a, b)) => {
                let (a, b) = (index(a)?, index(b)?);
                for i in 0..=((b + 7 - a) % 7) {
                    days[(a + i) % 7] = true;
                }
            }
        }
    }
    Some(days)
}
