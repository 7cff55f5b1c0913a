//! The finished text of each medium, and the templates it is made from.
//!
//! Rendered once, by the engine, for the first attempt; retries and fallbacks of the same format
//! reuse it. A failing template falls back to the built-in text.

mod alertmanager;
pub mod attachment;
mod chat;
mod clean;
mod context;
mod document;
mod link;
pub mod links;
mod mail;
mod phrase;
pub mod segments;
mod sms;
mod speech;
mod template;
#[cfg(test)]
mod tests;

pub use context::{About, Context};
pub use link::{KEY as LINK_KEY, Link, LinkKey};
pub use speech::digits as spelled;
pub use template::{TemplateProblem, check_template};

use crate::domain::delivery::Format;
use crate::domain::event::Rendered;

/// A text, and why the template could not make it, if there was one and it could not.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub rendered: Rendered,
    pub failure: Option<String>,
}

/// A text for an SMS in the letters of GSM 03.38, as far as there is a way to write it.
pub fn transliterated(rendered: Rendered) -> Rendered {
    Rendered { text: sms::finished(&segments::transliterated(&rendered.text)), ..rendered }
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
        Format::Alertmanager => plain(alertmanager::text(context)),
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
        Format::Document | Format::Alertmanager => text,
        Format::None => String::new(),
    }
}
