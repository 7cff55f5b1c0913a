//! What flags can hold, checked before anything is asked, and the JSON that is made from them.

use crate::domain::matcher::{Matcher, is_label_name};
use crate::domain::time::{Span, Timestamp};
use serde_json::{Map, Value};

/// A text with something in it.
pub fn filled(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it is empty".into()) } else { Ok(text.to_owned()) }
}

/// The name of a heartbeat, channel or metric: part of a path, so it is neither empty nor dots.
pub fn name(text: &str) -> Result<String, String> {
    match text {
        "" | "." | ".." => Err("this is not a name".into()),
        _ => Ok(text.to_owned()),
    }
}

/// `417`, `#417`, an id, a UUID, or the end of an id.
pub fn identifier(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix('#').unwrap_or(text);
    if !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Ok(bare.to_owned());
    }
    Err("write a number such as 417, an id, or its last 4 or more characters".into())
}

/// `name=value`.
pub fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if is_label_name(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write name=value; a name has letters, digits and _, not first a digit".into()),
    }
}

/// `name=value`, where a name is anything but empty.
pub fn entry(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write name=value".into()),
    }
}

/// `30m`, or `90` for as many seconds; goes on as a duration.
pub fn seconds(text: &str) -> Result<String, String> {
    let bare = text.trim();
    if !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit()) {
        duration(&format!("{bare}s"))
    } else {
        duration(text)
    }
}

/// `30m`; goes on as it was written.
pub fn duration(text: &str) -> Result<String, String> {
    Span::parse(text).map(|_| text.trim().to_owned())
}

/// `30s`, for ourselves.
pub fn span(text: &str) -> Result<Span, String> {
    Span::parse(text)
}

/// A time, RFC 3339.
pub fn time(text: &str) -> Result<String, String> {
    Timestamp::parse(text).map(|_| text.to_owned())
}

/// A time, or how long ago.
pub fn moment(text: &str) -> Result<String, String> {
    time(text)
        .or_else(|_| duration(text))
        .map_err(|_| "write a time such as 2026-11-20T07:00:00+01:00, or how long ago such as 30m, 24h, 7d".to_owned())
}

/// A value of a metric.
pub fn number(text: &str) -> Result<f64, String> {
    text.trim().parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| "write a number such as 12.5".to_owned())
}

/// A label matcher; goes on as it was written.
pub fn matcher(text: &str) -> Result<String, String> {
    Matcher::parse(text).map(|_| text.to_owned())
}

/// A request's body; fields that were not given are left out.
#[derive(Default)]
pub struct Body(Map<String, Value>);

impl Body {
    pub fn with<V: Into<Value>>(mut self, key: &str, value: Option<V>) -> Body {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
        self
    }

    /// A list; left out when it is empty, because an empty one says "nobody".
    pub fn list(self, key: &str, values: &[String]) -> Body {
        self.with(key, (!values.is_empty()).then(|| values.to_vec()))
    }
}

impl From<Body> for Value {
    fn from(body: Body) -> Value {
        Value::Object(body.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_lose_their_hash_and_cannot_leave_their_place_in_the_path() {
        assert_eq!(identifier("#417"), Ok("417".into()));
        assert_eq!(identifier("01KABCDEF"), Ok("01KABCDEF".into()));
        for bad in ["", "#", "..", ".", "a/b", "4 17", "a?b", "é"] {
            assert!(identifier(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn labels_are_a_name_and_anything() {
        assert_eq!(label("host=a=b"), Ok(("host".into(), "a=b".into())));
        assert_eq!(label("host="), Ok(("host".into(), String::new())));
        for bad in ["host", "=x", "9a=x", "a-b=x"] {
            assert!(label(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn moments_are_times_or_durations() {
        assert!(moment("24h").is_ok());
        assert!(moment("2026-11-20T07:00:00Z").is_ok());
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(number("-1e3"), Ok(-1000.0));
        assert!(number("NaN").is_err());
        assert!(number("inf").is_err());
    }
}
