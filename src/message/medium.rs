//! Each medium's built-in text, and what every text of it must be.

use crate::domain::delivery::Format;
use crate::domain::event::Rendered;
use crate::message::context::Context;
use crate::message::template::Failure;
use crate::message::{alertmanager, chat, document, mail, sms, speech};

/// A text, and why the template could not make it, if there was one and it could not.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub rendered: Rendered,
    pub failure: Option<Failure>,
}

/// The text that is made where no template makes another.
pub fn built_in(format: Format, context: &Context<'_>) -> Rendered {
    let plain = |text| Rendered { text, ..Rendered::default() };
    match format {
        Format::Mail => mail::text(context),
        Format::Sms => plain(sms::text(context)),
        Format::Speech => plain(speech::text(context)),
        Format::Chat => plain(chat::text(context)),
        Format::Document => Rendered { is_object: true, ..plain(document::text(context)) },
        Format::Alertmanager => plain(alertmanager::text(context)),
        Format::None => Rendered::default(),
    }
}

/// What every text of a medium must be, whoever wrote it. A document is the template's business.
pub fn finished(format: Format, text: String) -> String {
    match format {
        Format::Mail => mail::finished(&text),
        Format::Sms => sms::finished(&text),
        Format::Speech => speech::finished(&text),
        Format::Chat => chat::finished(&text),
        Format::Document | Format::Alertmanager => text,
        Format::None => String::new(),
    }
}
