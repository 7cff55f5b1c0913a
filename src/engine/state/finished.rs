//! Finished texts: made once, kept for further attempts, or their place where they are long.

use crate::channel::Format;
use crate::config::ChannelConfig;
use crate::domain::event::{KEPT, Payload, Place, Rendered};
use serde::{Deserialize, Serialize};

/// A text that is finished, or where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// It is too long to be here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
}

impl Finished {
    /// The text that the payload of this event brings, for this form. One for SMS is short by nature,
    /// and a provider may be asked for it.
    pub fn of(form: &str, payload: &Payload, seq: u64) -> Option<Finished> {
        let Rendered { subject, text } = payload.text.clone()?;
        let long = text.len() > KEPT && !form.starts_with(format_key(Format::Sms));
        let here = || long.then(|| Place { seq, bytes: text.len() as u64, blob: None });
        let place = payload.more.clone().map(|place| place.from(seq)).or_else(here).map(Box::new);
        let text = if place.is_some() { String::new() } else { text };
        Some(Finished { subject, text, place })
    }

    /// The text, if it is here.
    pub fn here(&self) -> Option<Rendered> {
        self.place.is_none().then(|| Rendered { subject: self.subject.clone(), text: self.text.clone() })
    }
}

/// Under which a text is kept for further attempts: by its form, and one from a template only for
/// the channel whose template it is.
pub(in crate::engine) fn text_key(channel: &ChannelConfig) -> String {
    let form = match channel.transliterate {
        true => "sms in GSM letters",
        false => format_key(channel.format()),
    };
    // It says how it can be answered.
    let form = match channel.adapter.confirmer().is_some_and(|c| c.inbound()) {
        true => format!("{form} with answers"),
        false => form.to_owned(),
    };
    match channel.template {
        Some(_) => format!("{form} of {}", channel.name),
        None => form.clone(),
    }
}

fn format_key(format: Format) -> &'static str {
    match format {
        Format::Mail => "mail",
        Format::Sms => "sms",
        Format::Speech => "speech",
        Format::Chat => "chat",
        Format::Document => "document",
        Format::Alertmanager => "alertmanager",
        Format::None => "none",
    }
}
