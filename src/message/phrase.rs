//! The parts that the texts of all media are put together from.

use crate::domain::time::Span;
use crate::message::clean;
use crate::message::context::{About, Context};
use std::borrow::Cow;

/// What a message says; from its `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    OneShot,
    Test,
    Alarm,
    Reminder,
    Acknowledged,
    Resolved,
}

impl Says {
    pub fn of(context: &Context<'_>) -> Says {
        match context.kind {
            "test" => Says::Test,
            _ if context.incident.is_none() => Says::OneShot,
            "incident.acknowledged" => Says::Acknowledged,
            "incident.resolved" => Says::Resolved,
            "incident.reminder" => Says::Reminder,
            _ => Says::Alarm,
        }
    }

    /// It asks somebody to act.
    pub fn is_open(self) -> bool {
        matches!(self, Says::Alarm | Says::Reminder)
    }
}

/// The subject on one line, without the full stop that would come in the way.
pub fn subject(context: &Context<'_>) -> String {
    clean::line(context.subject).trim_end_matches(['.', ' ']).to_owned()
}

/// The daemon's name, short enough to leave room for what happened.
pub fn from(context: &Context<'_>) -> String {
    clean::line(context.from).chars().take(24).collect()
}

/// `URGENT #417`, `ACK #417 by bob`, `RESOLVED #417 after 12m`, `HIGH`, `TEST`.
pub fn tag(context: &Context<'_>) -> String {
    let level = context.level.as_str().to_uppercase();
    let Some(about) = &context.incident else {
        return if Says::of(context) == Says::Test { "TEST".to_owned() } else { level };
    };
    let number = about.number;
    match Says::of(context) {
        Says::Test => "TEST".to_owned(),
        Says::OneShot | Says::Alarm | Says::Reminder => format!("{level} #{number}"),
        Says::Acknowledged => match who(about) {
            Some(by) => format!("ACK #{number} by {by}"),
            None => format!("ACK #{number}"),
        },
        Says::Resolved => {
            let ended = if about.no_longer_reported { "NO LONGER REPORTED" } else { "RESOLVED" };
            match about.lasted {
                Some(lasted) => format!("{ended} #{number} after {}", brief(lasted)),
                None => format!("{ended} #{number}"),
            }
        }
    }
}

/// The line that an SMS and a chat begin with: `URGENT #417 prague-1: Twilio refused since 02:41`.
pub fn headline(context: &Context<'_>, subject: &str) -> String {
    let says = Says::of(context);
    let comma = if matches!(says, Says::Acknowledged | Says::Resolved) { "," } else { "" };
    format!("{}{comma} {}: {subject}{}", tag(context), from(context), since(context))
}

/// ` since 02:41`, and for a reminder that nobody did anything.
pub fn since(context: &Context<'_>) -> String {
    match (&context.incident, Says::of(context)) {
        (Some(about), Says::Alarm) => format!(" since {}", clock(context, about)),
        (Some(about), Says::Reminder) => format!(" since {}, not acknowledged", clock(context, about)),
        _ => String::new(),
    }
}

/// `02:41`; on another day than today `19 Nov 02:41`.
pub fn clock(context: &Context<'_>, about: &About<'_>) -> String {
    let since = about.since.zoned(&context.zone);
    let today = since.date() == context.at.zoned(&context.zone).date();
    since.strftime(if today { "%H:%M" } else { "%-d %b %H:%M" }).to_string()
}

/// How it can be acknowledged: `Ack: <link> or reply 417a`; `None` where nothing works.
pub fn acknowledge(context: &Context<'_>) -> Option<String> {
    if !Says::of(context).is_open() {
        return None;
    }
    let reply = context.reply.as_ref().map(|code| format!("reply {code}"));
    let ways: Vec<&str> = [&context.link, &reply].into_iter().filter_map(Option::as_deref).collect();
    (!ways.is_empty()).then(|| format!("Ack: {}", ways.join(" or ")))
}

/// Who acknowledged, or what ended it, short enough for a headline.
pub fn who(about: &About<'_>) -> Option<String> {
    about.by.map(|by| clean::short(&clean::line(by), 24)).filter(|by| !by.is_empty())
}

/// Two sentences: `disk full. /var is at 98 %`.
pub fn sentences<'a>(first: &'a str, second: &str) -> Cow<'a, str> {
    match (first, second) {
        (_, "") => Cow::Borrowed(first),
        _ if first.ends_with(['!', '?', ':']) => Cow::Owned(format!("{first} {second}")),
        _ => Cow::Owned(format!("{first}. {second}")),
    }
}

/// As long as it lasted, in what matters of it: `45s`, `12m`, `1h5m`, `2d3h`.
pub fn brief(span: Span) -> String {
    let seconds = span.as_secs().max(0);
    if seconds < 60 { format!("{seconds}s") } else { Span::mins(seconds / 60).to_string() }
}
