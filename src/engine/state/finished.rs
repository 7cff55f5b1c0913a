//! Finished texts: made once, kept for further attempts, or their place where they are long.

use crate::domain::event::{KEPT, Payload, Place, Rendered};
use serde::{Deserialize, Serialize};

/// A text that is finished, or where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// A mail's HTML part.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub html: String,
    /// The text is too long to be here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
}

impl Finished {
    /// The text that the payload of this event brings, for this form. One for SMS is short by nature,
    /// and a provider may be asked for it.
    pub fn of(form: &str, payload: &Payload, seq: u64) -> Option<Finished> {
        let Rendered { subject, text, html, .. } = payload.text.clone()?;
        let long = text.len() > KEPT && !form.starts_with("sms");
        let here = || long.then_some(Place { seq, bytes: text.len() as u64, blob: None });
        let place = payload.more.clone().map(|place| place.from(seq)).or_else(here).map(Box::new);
        let text = if place.is_some() { String::new() } else { text };
        Some(Finished { subject, text, html, place })
    }

    /// The text, if it is here.
    pub fn here(&self) -> Option<Rendered> {
        let Finished { subject, text, html, place } = self;
        let (subject, html) = (subject.clone(), html.clone());
        place.is_none().then(|| Rendered { subject, text: text.clone(), html, is_object: false })
    }
}
