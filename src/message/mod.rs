//! The finished text of each medium, and the templates it is made from.
//!
//! Rendered once, by the engine, for the first attempt; retries and fallbacks of the same format
//! reuse it. A failing template falls back to the built-in text.

mod chat;
mod clean;
mod document;
mod mail;
mod phrase;
pub mod segments;
mod sms;
mod speech;
mod template;
#[cfg(test)]
mod tests;

pub use template::{TemplateProblem, check_template};

use crate::domain::Labels;
use crate::domain::delivery::Format;
use crate::domain::event::Rendered;
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use jiff::tz::TimeZone;

/// What a message is about: everything a text may say.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The daemon's name ("prague-1").
    pub from: &'a str,
    /// `notification`, `incident.opened`, `incident.step`, `incident.reminder`,
    /// `incident.acknowledged`, `incident.resolved`, `test`.
    pub kind: &'a str,
    pub level: Level,
    /// The notification's `type`.
    pub kind_of: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
    pub labels: &'a Labels,
    pub annotations: &'a Labels,
    pub incident: Option<About<'a>>,
    /// The notification's id; only a webhook gets it.
    pub id: String,
    /// The delivery's id; mail and webhooks get it, an SMS or a voice never.
    pub delivery: String,
    /// Now, and the zone of the reader.
    pub at: Timestamp,
    pub zone: TimeZone,
    /// A page where the incident can be acknowledged; only where it works.
    pub link: Option<String>,
    /// What an SMS can be answered with ("417a"); only where replies are read.
    pub reply: Option<String>,
    /// A call can be acknowledged by pressing 4.
    pub keys: bool,
    /// An earlier attempt's answer was lost: say that it may be the same one again.
    pub possibly_duplicate: bool,
}

/// The incident that a message belongs to.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub number: u64,
    pub id: String,
    pub fingerprint: &'a str,
    pub status: &'a str,
    /// Counted from 1; 0 where there is no policy.
    pub step: u32,
    pub round: u32,
    pub opened_at: Timestamp,
    /// Who acknowledged or resolved it, or why it ended.
    pub by: Option<&'a str>,
    /// "no longer reported" is not "resolved".
    pub no_longer_reported: bool,
    /// How long it was open, once resolved.
    pub lasted: Option<Span>,
}

/// A text, and why the template could not make it, if there was one and it could not.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub rendered: Rendered,
    pub failure: Option<String>,
}

/// The template's text, or the built-in one where there is no template or it fails.
pub fn render(format: Format, template: Option<&str>, context: &Context<'_>) -> Rendered {
    render_checked(format, template, context).rendered
}

/// As [`render`], and says how the template failed, so that it can be recorded.
pub fn render_checked(format: Format, template: Option<&str>, context: &Context<'_>) -> Checked {
    let built_in = built_in(format, context);
    let Some(template) = template.filter(|_| format != Format::None) else {
        return Checked { rendered: built_in, failure: None };
    };
    match template::render(template, context, &sms::text(context)) {
        Ok(text) => Checked { rendered: Rendered { text: finished(format, text), ..built_in }, failure: None },
        Err(words) => Checked { rendered: built_in, failure: Some(words) },
    }
}

fn built_in(format: Format, context: &Context<'_>) -> Rendered {
    let plain = |text| Rendered { subject: String::new(), text };
    match format {
        Format::Mail => mail::text(context),
        Format::Sms => plain(sms::text(context)),
        Format::Speech => plain(speech::text(context)),
        Format::Chat => plain(chat::text(context)),
        Format::Document => plain(document::text(context)),
        Format::None => Rendered::default(),
    }
}

/// What every text of a medium must be, whoever wrote it. A document is the template's business.
fn finished(format: Format, text: String) -> String {
    match format {
        Format::Mail => mail::finished(&text),
        Format::Sms => sms::finished(&text),
        Format::Speech => speech::finished(&text),
        Format::Chat => chat::finished(&text),
        Format::Document => text,
        Format::None => String::new(),
    }
}
