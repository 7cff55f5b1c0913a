//! Words to be spoken: numbers digit by digit, times as one says them, no marks and no codes.
//! It is said once here; the voice channel repeats it.

use crate::domain::time::Span;
use crate::message::clean;
use crate::message::context::{About, Context};
use crate::message::numeral::{capital, count, digits};
use crate::message::phrase::{self, Says};

/// More than this nobody listens to, and twice of it must fit into a call's inline script.
const LONGEST: usize = 600;

/// The built-in text.
pub fn text(context: &Context<'_>) -> String {
    let subject = clean::short(&phrase::subject(context), 300);
    let what = match &context.incident {
        Some(about) if Says::of(context).is_open() => format!("{subject} since {}", time(context, about)),
        _ => subject,
    };
    let mut text = format!("{}. {what}", opening(context));
    if matches!(Says::of(context), Says::OneShot | Says::Test) {
        let room = LONGEST.saturating_sub(text.chars().count() + 2);
        let body = clean::short(&clean::line(context.body), room);
        text = phrase::sentences(&text, &body).into_owned();
    }
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    if Says::of(context).is_open() || Says::of(context) == Says::OneShot {
        text.extend(context.enclosures.spoken().map(|files| format!(" {files}")));
    }
    if context.keys && Says::of(context).is_open() {
        text.push_str(" Press 4 to acknowledge.");
    }
    finished(&text)
}

/// What everything spoken must be, a template's too.
pub fn finished(text: &str) -> String {
    clean::short(&clean::line(text), 1_000)
}

fn opening(context: &Context<'_>) -> String {
    let from = phrase::from(context);
    let level = capital(context.level.as_str());
    let Some(about) = &context.incident else {
        let what = if Says::of(context) == Says::Test { "Test message".to_owned() } else { format!("{level} message") };
        return format!("{what} from {from}");
    };
    let number = digits(about.number);
    let by = phrase::who(about).map(|by| format!(" by {by}")).unwrap_or_default();
    let after = about.lasted.map(|lasted| format!(" after {}", spoken_span(lasted))).unwrap_or_default();
    match Says::of(context) {
        Says::Test => format!("Test message from {from}"),
        Says::OneShot | Says::Alarm => format!("{level} alarm {number} from {from}"),
        Says::Reminder => format!("{level} alarm {number} from {from}, still not acknowledged"),
        Says::Acknowledged => format!("Alarm {number} from {from} was acknowledged{by}"),
        Says::Resolved if about.no_longer_reported => {
            format!("Alarm {number} from {from} is no longer reported{after}")
        }
        Says::Resolved => format!("Alarm {number} from {from} is resolved{after}"),
    }
}

/// `two forty-one`; on another day than today with the day before it.
fn time(context: &Context<'_>, about: &About<'_>) -> String {
    let since = about.since.zoned(&context.zone);
    let clock = clock(since.hour().unsigned_abs(), since.minute().unsigned_abs());
    if since.date() == context.at.zoned(&context.zone).date() {
        clock
    } else {
        format!("{} {}, {clock}", since.strftime("%B"), count(u64::from(since.day().unsigned_abs())))
    }
}

/// A time of the 24-hour clock as one says it.
fn clock(hour: u8, minute: u8) -> String {
    let (h, m) = (count(hour.into()), count(minute.into()));
    match (hour, minute) {
        (0, 0) => "midnight".to_owned(),
        (0, 1) => "one minute past midnight".to_owned(),
        (0, _) => format!("{m} minutes past midnight"),
        (1..=12, 0) => format!("{h} o'clock"),
        (_, 0) => format!("{h} hundred"),
        (_, 1..=9) => format!("{h} oh {m}"),
        _ => format!("{h} {m}"),
    }
}

/// `twelve minutes`, `one hour five minutes`.
fn spoken_span(span: Span) -> String {
    let s = span.as_secs().max(0).unsigned_abs();
    let parts = [(s / 86_400, "day"), (s / 3_600 % 24, "hour"), (s / 60 % 60, "minute"), (s % 60, "second")];
    let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    // Seconds matter only where there is nothing larger.
    let last = if first == 3 { 4 } else { (first + 2).min(3) };
    let said: Vec<String> = parts[first..last]
        .iter()
        .filter(|(n, _)| *n > 0 || first == 3)
        .map(|(n, unit)| format!("{} {unit}{}", count(*n), if *n == 1 { "" } else { "s" }))
        .collect();
    said.join(" ")
}
