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
        Value::Number(n) => Some(number_of(n)),
        Value::Bool(b) => Some(b.to_string()),
    }
}

/// As people write it: `400000` and not `400000.0`.
fn number_of(n: &serde_json::Number) -> String {
    match n.as_f64() {
        Some(whole) if n.is_f64() && whole.fract() == 0.0 && whole.abs() < 1e15 => format!("{whole:.0}"),
        _ => n.to_string(),
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

/// How many of something: `1 error`, `3 errors`.
pub fn some(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// `#417` of an incident; without a number the short id.
pub fn number(document: &Value) -> String {
    plain(document, "number").map_or_else(|| short(document, "id"), |n| format!("#{n}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_as_people_write_them() {
        let document = json!({"whole": 400_000.0, "part": 0.35, "count": 7, "huge": 1e300, "minus": -3.0, "is": true});
        let shown: Vec<String> = ["whole", "part", "count", "minus", "is"].iter().map(|k| text(&document, k)).collect();
        assert_eq!(shown, ["400000", "0.35", "7", "-3", "true"]);
        assert_eq!(text(&document, "huge"), "1e+300");
    }
}
