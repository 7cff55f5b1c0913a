//! JSON without surprises: an object, UTF-8, no name twice, not deeper than 32; and the name of the field
//! that is wrong.

use crate::engine::{Code, Refusal};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

const DEEPEST: usize = 32;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a body; an empty one is an object without fields.
///
/// # Errors
/// VALIDATION_ERROR with line and column, and the field where one is to blame.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let text = text_of(bytes)?;
    let text = if text.trim_ascii().is_empty() { "{}" } else { text };
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Refusal::new(Code::ValidationError, "the body has to be one JSON object: {...}"));
    }
    check(text)?;
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let path = e.path().to_string();
        refusal(e.inner(), Some(path).filter(|p| p != "."))
    })
}

/// A body's text.
///
/// # Errors
/// When it is not UTF-8.
pub fn text_of(bytes: &[u8]) -> Result<&str, Refusal> {
    // RFC 8259, 8.1: a reader may ignore the mark.
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        Refusal::new(Code::ValidationError, format!("the body is not UTF-8 (byte {} is wrong)", e.valid_up_to() + 1))
    })
}

/// What the typed reading would let pass.
fn check(text: &str) -> Result<(), Refusal> {
    let blamed = RefCell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    Walk { depth: 0, blamed: &blamed }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|e| refusal(&e, blamed.into_inner()))
}

fn refusal(error: &serde_json::Error, path: Option<String>) -> Refusal {
    let field = named(&error.to_string()).or(path);
    Refusal { field, ..Refusal::new(Code::ValidationError, words_of(error)) }
}

/// A value of the wrong sort is found by its field; a place helps only where the text is no JSON.
pub fn words_of(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once(" at line ") {
        Some((words, _)) if error.is_data() => words.to_owned(),
        _ => format!("the body is not JSON: {message}"),
    }
}

/// The field that serde's own words name.
fn named(message: &str) -> Option<String> {
    let rest =
        ["unknown field `", "missing field `", "duplicate field `"].iter().find_map(|b| message.strip_prefix(b))?;
    rest.split_once('`').map(|(name, _)| name.to_owned())
}

/// Passes over a value, and finds names that are there twice.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    depth: usize,
    /// The name that is there twice.
    blamed: &'a RefCell<Option<String>>,
}

impl<'a> Walk<'a> {
    /// For a value so many levels down.
    pub fn inside(depth: usize, blamed: &'a RefCell<Option<String>>) -> Walk<'a> {
        Walk { depth, blamed }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth {
            DEEPEST => Err(E::custom("it is nested too deep, more than 32 levels")),
            depth => Ok(Walk { depth: depth + 1, ..self }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while elements.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut names = HashSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            entries.next_value_seed(inner)?;
            if names.contains(&name) {
                let words = format!("the name {name:?} is there twice");
                *self.blamed.borrow_mut() = Some(name);
                return Err(A::Error::custom(words));
            }
            names.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::SendRequest;

    fn wrong(body: impl AsRef<[u8]>) -> (String, Option<String>) {
        let refusal = parse::<SendRequest>(body.as_ref()).unwrap_err();
        assert_eq!(refusal.code, Code::ValidationError);
        (refusal.message, refusal.field)
    }

    #[test]
    fn an_object_is_read_with_or_without_a_byte_order_mark() {
        for body in [r#"{"subject":"x","level":"crit"}"#, "\u{feff} {\"subject\": \"x\", \"level\": \"urgent\"}\n"] {
            let read: SendRequest = parse(body.as_bytes()).unwrap();
            assert_eq!((read.subject.as_str(), read.level.unwrap().0.as_str()), ("x", "urgent"));
        }
        assert_eq!(parse::<SendRequest>(b" \n").unwrap().subject, "");
    }

    #[test]
    fn malformed_json_is_told_with_its_place() {
        assert!(wrong("{\"subject\": \"x\",\n  oops}").0.ends_with("at line 2 column 3"));
        assert!(wrong("{\"subject\": \"x\"} {}").0.contains("trailing characters"));
        assert!(wrong("{\"subject\": \"x\"").0.contains("EOF"));
        assert!(wrong(r#"{"labels": NaN}"#).0.contains("expected value"));
        assert!(wrong(r#"{"value": 1e999}"#).0.contains("number out of range"));
        assert!(wrong(r#"{"subject": "\ud800"}"#).0.contains("at line 1"));
        assert!(wrong(b"{\"subject\": \"\xff\"}").0.contains("not UTF-8 (byte 14"));
        for other in ["[]", "\"x\"", "[\"urgent\"]", "null", "7"] {
            assert!(wrong(other).0.contains("one JSON object"), "{other}");
        }
    }

    #[test]
    fn the_field_to_blame_is_named() {
        assert_eq!(wrong(r#"{"subjet": "x"}"#).1.as_deref(), Some("subjet"));
        assert_eq!(wrong(r#"{"subject": 5}"#).1.as_deref(), Some("subject"));
        let level =
            (r#""loud" is not a level; write low, normal, high or urgent"#.to_owned(), Some("level".to_owned()));
        assert_eq!(wrong(r#"{"level": "loud"}"#), level);
        assert_eq!(wrong(r#"{"to": ["alice", "a b"]}"#).1.as_deref(), Some("to[1]"));
        assert_eq!(wrong(r#"{"labels": {"a": 1}}"#).1.as_deref(), Some("labels.a"));
        assert_eq!(wrong(r#"{"ttl": "soon"}"#).1.as_deref(), Some("ttl"));
        assert!(wrong(r#"{"ttl": -1}"#).0.contains("\"-1\" is no time to live"), "it says what came");
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused_at_any_depth() {
        assert_eq!(wrong(r#"{"subject": "x", "subject": "y"}"#).1.as_deref(), Some("subject"));
        assert_eq!(wrong(r#"{"labels": {"a": "1", "b": "2", "a": "3"}}"#).1.as_deref(), Some("a"));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{{\"labels\": {}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(wrong(nested(32)).0.contains("nested too deep"));
        assert!(wrong(nested(100_000)).0.contains("nested too deep"));
        assert!(!wrong(nested(31)).0.contains("nested too deep"));
    }
}
