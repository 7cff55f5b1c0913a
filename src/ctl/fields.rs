//! Reads the API's documents leniently: for the eyes of people a field that is missing is `-`, and
//! no answer of another version is an error.

use crate::ctl::moment::Moment;
use serde_json::Value;

/// A field as text, `-` where there is none; several texts joined by commas.
pub fn text(document: &Value, key: &str) -> String {
    plain(document, key).unwrap_or_else(|| "-".into())
}

/// A field as text, where there is one that is not empty.
pub fn plain(document: &Value, key: &str) -> Option<String> {
    document.get(key).and_then(shown)
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(s) => Some(s.clone()).filter(|s| !s.is_empty()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(shown).collect();
            (!texts.is_empty()).then(|| texts.join(", "))
        }
        Value::Object(fields) => {
            let pairs: Vec<String> = fields.iter().filter_map(|(k, v)| Some(format!("{k}={}", shown(v)?))).collect();
            (!pairs.is_empty()).then(|| pairs.join(" "))
        }
        other => Some(other.to_string()),
    }
}

/// An array's elements; none where it is missing.
pub fn items<'a>(document: &'a Value, key: &str) -> &'a [Value] {
    document.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A count, 0 where it is missing.
pub fn count(document: &Value, key: &str) -> u64 {
    document.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// `true`, and nothing else.
pub fn flag(document: &Value, key: &str) -> bool {
    document.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// A time.
pub fn when(document: &Value, key: &str) -> Option<Moment> {
    Moment::parse(document.get(key)?.as_str()?)
}

/// Whether it is an object with something in it.
pub fn is_there(document: &Value, key: &str) -> bool {
    document.get(key).is_some_and(|v| !v.is_null())
}

/// The last 6 characters of an id, as tables have it.
pub fn short(document: &Value, key: &str) -> String {
    let id = text(document, key);
    let skip = id.chars().count().saturating_sub(6);
    id.chars().skip(skip).collect()
}

/// `#417` of an incident; without a number the short id.
pub fn number(document: &Value) -> String {
    plain(document, "number").map_or_else(|| short(document, "id"), |n| format!("#{n}"))
}
