//! What goes out: a line of JSON or text, a record of syslog, and never more than fits.

use crate::channel::Outgoing;
use crate::channel::matter::Occasion;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// At most so many bytes, ending between letters.
pub(super) fn within(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
    }
    text
}

/// A document that is too long loses what is longest and needed least.
pub(super) fn shrunk(text: String, most: usize) -> Result<String, Failure> {
    if text.len() <= most {
        return Ok(text);
    }
    let over = text.len() - most;
    let mut document: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(body) = document["body"].as_str() {
        let left = body.len().saturating_sub(over + 10);
        document["body"] = within(body.to_owned(), left).into();
    }
    for field in ["", "annotations", "labels", "body"] {
        if let Some(fields) = document.as_object_mut() {
            fields.remove(field);
        }
        let text = document.to_string();
        if !document.is_null() && text.len() <= most {
            return Ok(text);
        }
    }
    let words = format!("the message has {} bytes and a datagram holds {most}", text.len());
    Err(Failure::new(FailureClass::ProviderError, Blame::Provider, words))
}

/// `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA BOM MSG` (RFC 5424, 6).
pub(super) fn record(out: &Outgoing, facility: usize, at: Timestamp) -> String {
    let severity = match (out.matter.occasion, out.level) {
        (Occasion::Acknowledged | Occasion::Resolved, _) => 5,
        (_, Level::Urgent) => 1,
        (_, Level::High) => 3,
        (_, Level::Normal) => 4,
        (_, Level::Low) => 6,
    };
    let host: String = out.matter.from.chars().filter(char::is_ascii_graphic).take(255).collect();
    let host = if host.is_empty() { "-".to_owned() } else { host };
    let id = match out.matter.occasion {
        Occasion::Message => "message",
        Occasion::Test => "test",
        Occasion::Opened => "opened",
        Occasion::Step => "step",
        Occasion::Reminder => "reminder",
        Occasion::Acknowledged => "acknowledged",
        Occasion::Resolved => "resolved",
    };
    let time = at.rfc3339(&TimeZone::UTC);
    let pid = std::process::id();
    let text = out.text.text.replace(['\r', '\n'], " ");
    format!("<{}>1 {time} {host} stentor {pid} {id} - \u{feff}{text}", facility * 8 + severity)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_document_that_is_too_long_loses_its_body_first() {
        let long = serde_json::json!({ "subject": "s", "body": "ü".repeat(500), "labels": { "a": "b" } }).to_string();
        let short: Value = serde_json::from_str(&shrunk(long.clone(), 300).unwrap()).unwrap();
        assert!(short["body"].as_str().unwrap().len() > 150 && short["labels"]["a"] == "b", "{short}");
        let tiny: Value = serde_json::from_str(&shrunk(long.clone(), 20).unwrap()).unwrap();
        assert_eq!(tiny, serde_json::json!({ "subject": "s" }));
        assert_eq!(shrunk(long, 5).unwrap_err().blame, Blame::Provider);
        assert_eq!(shrunk("no json at all".into(), 5).unwrap_err().blame, Blame::Provider);
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!(within("üüü".into(), 5), "üü");
        assert_eq!(within("abc".into(), 3), "abc");
    }
}
