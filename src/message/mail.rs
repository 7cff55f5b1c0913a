//! A subject line that sorts and a plain body that holds everything.

use crate::domain::event::Rendered;
use crate::domain::time::Timestamp;
use crate::message::attachment;
use crate::message::clean;
use crate::message::context::{About, Context};
use crate::message::phrase::{self, Says};

/// The built-in text.
pub fn text(context: &Context<'_>) -> Rendered {
    let mut parts = vec![lead(context)];
    let body = clean::block(context.body);
    if !body.is_empty() && Says::of(context) != Says::Acknowledged {
        parts.push(body);
    }
    let files = attachment::lines(&context.enclosures);
    if !files.is_empty() {
        parts.push(files.join("\n"));
    }
    parts.push(facts(context));
    if let Some(ways) = phrase::acknowledge(context) {
        parts.push(clean::line(&ways));
    }
    if context.possibly_duplicate {
        parts.push("This may be a repeat: the answer to an earlier attempt was lost.".to_owned());
    }
    Rendered { subject: subject(context), text: parts.join("\n\n") + "\n", ..Rendered::default() }
}

/// `[URGENT #417] Twilio credentials refused`.
pub fn subject(context: &Context<'_>) -> String {
    let again = if Says::of(context) == Says::Reminder { " (not acknowledged)" } else { "" };
    format!("[{}] {}{again}", phrase::tag(context), clean::short(&phrase::subject(context), 200))
}

/// What every mail body must be, a template's too.
pub fn finished(text: &str) -> String {
    clean::block(text) + "\n"
}

/// The first sentence: what is the matter, or what has happened to it.
fn lead(context: &Context<'_>) -> String {
    let subject = phrase::subject(context);
    let Some(about) = &context.incident else {
        return match Says::of(context) {
            Says::Test => format!("{subject}\n\nThis is a test."),
            _ => subject,
        };
    };
    let now = context.at.zoned(&context.zone).strftime("%H:%M").to_string();
    let by = phrase::who(about);
    match Says::of(context) {
        Says::Acknowledged => {
            let by = by.unwrap_or_else(|| "somebody".to_owned());
            format!("{subject}\n\nAcknowledged by {by} at {now}. It stays open until it is resolved.")
        }
        Says::Resolved => {
            let ended = if about.no_longer_reported { "No longer reported" } else { "Resolved" };
            let after = about.lasted.map(|lasted| format!(", after {}", phrase::brief(lasted))).unwrap_or_default();
            let by = by.map(|by| format!(" ({by})")).unwrap_or_default();
            format!("{subject}\n\n{ended} at {now}{after}{by}.")
        }
        _ => format!("{subject}{}.", phrase::since(context)),
    }
}

/// A small table: what a person or a filter may want to know beside it.
fn facts(context: &Context<'_>) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: String| rows.push((clean::short(&clean::line(name), 24), clean::line(&value)));
    match &context.incident {
        Some(about) => row("Incident", incident(context, about)),
        None => row("Level", context.level.to_string()),
    }
    row("From", source(context));
    row("Sent", stamp(context, context.at));
    if let Some(about) = context.incident.as_ref().filter(|about| about.step > 0 && Says::of(context).is_open()) {
        row("Step", format!("{} of round {}", about.step, about.round));
    }
    let said = ["level", "source", "name", "type"];
    let labels: Vec<String> =
        context.labels.iter().filter(|(k, _)| !said.contains(k)).map(|(k, v)| format!("{k}={v}")).collect();
    if !labels.is_empty() {
        row("Labels", labels.join(", "));
    }
    for (name, value) in context.annotations.iter().filter(|(name, value)| !is_said(context, name, value)) {
        row(name, value.to_owned());
    }
    row("Delivery", context.delivery.clone());
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = rows.into_iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
    lines.join("\n")
}

fn incident(context: &Context<'_>, about: &About<'_>) -> String {
    format!("#{}, {}, opened {}", about.number, context.level, stamp(context, about.opened_at))
}

/// `prague-1, by heartbeat twilio`.
fn source(context: &Context<'_>) -> String {
    match (context.labels.get("source"), context.labels.get("name")) {
        (Some(source), Some(name)) if !name.is_empty() => format!("{}, by {source} {name}", context.from),
        _ => context.from.to_owned(),
    }
}

fn stamp(context: &Context<'_>, at: Timestamp) -> String {
    at.zoned(&context.zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// An alert's summary and description are its subject and body already, and a label or the time
/// since when it is broken need not stand there twice.
fn is_said(context: &Context<'_>, name: &str, value: &str) -> bool {
    let since = || context.incident.as_ref().is_some_and(|about| Timestamp::parse(value) == Ok(about.since));
    let label = || context.labels.get(name).is_some_and(|label| label == value);
    value.is_empty() || value == context.subject || value == context.body || label() || (name == "since" && since())
}
