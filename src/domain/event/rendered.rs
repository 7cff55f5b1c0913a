//! A finished text, and how it is written down.

use crate::domain::json::Raw;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The finished text for one medium. A channel escapes only its own wire format.
///
/// In an event a text that is a JSON object stands as it is, under `document`: as a text within JSON it would be
/// longer and take thrice the time to write.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Mail's subject line; empty where the medium has none.
    pub subject: String,
    /// Mail body, SMS, words to speak, chat text, or a webhook's whole body.
    pub text: String,
    /// A mail's HTML part, beside the plain one; empty where there is none.
    pub html: String,
    /// Whoever made the text knows that it is an object. Where nobody says so it is looked at, which takes
    /// longer than making it did.
    pub is_object: bool,
}

impl PartialEq for Rendered {
    fn eq(&self, other: &Rendered) -> bool {
        self.subject == other.subject && self.text == other.text && self.html == other.html
    }
}

impl Eq for Rendered {}

#[derive(Serialize)]
struct Writing<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Raw<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    html: &'a str,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: String,
    document: Option<Box<RawValue>>,
    #[serde(default)]
    html: String,
}

/// Whether a text is a JSON object and nothing else.
fn is_object(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}') && serde_json::from_str::<&RawValue>(text).is_ok()
}

impl Serialize for Rendered {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        debug_assert!(!self.is_object || is_object(&self.text), "{} is no object", self.text);
        let text = self.text.as_str();
        let (document, text) = match (self.is_object && text.starts_with('{')) || is_object(text) {
            true => (Some(Raw(text)), None),
            false => (None, Some(text)),
        };
        Writing { subject: &self.subject, text, document, html: &self.html }.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Rendered {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Rendered, D::Error> {
        let Written { subject, text, document, html } = Written::deserialize(d)?;
        let is_object = document.is_some();
        let text = document.map_or(text, |document| document.get().to_owned());
        Ok(Rendered { subject, text, html, is_object })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Rendered {
        Rendered { text: text.to_owned(), ..Rendered::default() }
    }

    #[test]
    fn an_object_stands_as_it_is_and_comes_back_to_the_byte() {
        for text in [r#"{"a": "b\n", "n":1.50}"#, "{}", r#"{"deep":{"er":[{}]}}"#] {
            let json = serde_json::to_string(&of(text)).unwrap();
            assert_eq!(json, format!(r#"{{"document":{text}}}"#));
            assert_eq!(serde_json::from_str::<Rendered>(&json).unwrap(), of(text));
        }
    }

    #[test]
    fn what_is_no_object_is_a_text() {
        for text in ["", "disk full", "{", "{}{}", "{a}", "{} ", " {}", "{\"a\":1,}", "[1]"] {
            let json = serde_json::to_string(&of(text)).unwrap();
            assert_eq!(json, format!(r#"{{"text":{}}}"#, serde_json::to_string(text).unwrap()));
            assert_eq!(serde_json::from_str::<Rendered>(&json).unwrap(), of(text));
        }
        let whole = Rendered { subject: "s".into(), html: "<p>".into(), ..of("t") };
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(json, r#"{"subject":"s","text":"t","html":"<p>"}"#);
        assert_eq!(serde_json::from_str::<Rendered>(&json).unwrap(), whole);
    }
}
