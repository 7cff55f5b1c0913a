//! The finished text of each medium, and the templates it is made from.
//!
//! Rendered once, by the engine, for the first attempt; retries and fallbacks of the same format
//! reuse it. A failing template falls back to the built-in text.
//!
//! What strangers say is made harmless by form, whatever a template does: one line where a form has
//! one, no control characters, HTML and JSON escaped. A channel escapes its own wire format.

mod alertmanager;
pub mod attachment;
mod chat;
mod clean;
mod context;
mod document;
mod link;
pub mod links;
mod mail;
mod medium;
mod named;
mod numeral;
mod phrase;
pub mod sample;
pub mod segments;
mod sms;
mod speech;
mod template;
#[cfg(test)]
mod tests;

pub use context::{About, Context};
pub use link::{KEY as LINK_KEY, Link, LinkKey};
pub use medium::Checked;
pub use named::{Chosen, KEYS, Named};
pub use numeral::digits as spelled;
pub use template::{Failure, Form, Template, TemplateProblem, Why};

use crate::domain::delivery::Format;
use crate::domain::event::Rendered;
use medium::{built_in, finished};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whose text it is.
#[derive(Clone, Debug)]
pub enum Author<'a> {
    BuiltIn,
    /// A channel's own `body`.
    Body(&'a Template),
    Named(Chosen<'a>),
}

/// A text for an SMS in the letters of GSM 03.38, as far as there is a way to write it.
pub fn transliterated(rendered: Rendered) -> Rendered {
    Rendered { text: sms::finished(&segments::transliterated(&rendered.text)), is_object: false, ..rendered }
}

/// The built-in text.
pub fn render(format: Format, context: &Context<'_>) -> Rendered {
    built_in(format, context)
}

/// The author's text, or the built-in one where there is none or it fails.
pub fn render_by(author: &Author<'_>, format: Format, context: &Context<'_>) -> Checked {
    match author {
        Author::Named(chosen) if format != Format::None => {
            or_built_in(|| chosen.render(format, context), format, context)
        }
        Author::Body(template) if format != Format::None => {
            or_built_in(|| by_body(template, format, context), format, context)
        }
        _ => Checked { rendered: built_in(format, context), failure: None },
    }
}

/// A template that panics is one that fails: it must not end the loop, again at each start.
fn or_built_in(render: impl FnOnce() -> Checked, format: Format, context: &Context<'_>) -> Checked {
    catch_unwind(AssertUnwindSafe(render)).unwrap_or_else(|_| Checked {
        rendered: built_in(format, context),
        failure: Some(template::whole(Why::Other, "rendering it failed inside (a bug in stentor)")),
    })
}

fn by_body(template: &Template, format: Format, context: &Context<'_>) -> Checked {
    let built_in = built_in(format, context);
    match template.render(&template::tree(context, &sms::text(context))) {
        Ok(text) => {
            let text = finished(format, text);
            Checked { rendered: Rendered { text, is_object: false, ..built_in }, failure: None }
        }
        Err(failure) => Checked { rendered: built_in, failure: Some(failure) },
    }
}
