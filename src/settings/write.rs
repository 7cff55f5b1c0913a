//! A table of settings as TOML, from JSON: for files that are written by a program.

use crate::settings::mask::{key, quoted};
use serde_json::{Map, Value};

/// `[channels.sms]`, and a line for each field.
///
/// # Errors
/// The path of a value that TOML does not have.
pub fn written(path: &[&str], fields: &Map<String, Value>) -> Result<String, String> {
    let head: Vec<String> = path.iter().map(|name| key(name)).collect();
    let mut text = format!("[{}]\n", head.join("."));
    for (name, of) in fields {
        text.push_str(&format!("{} = {}\n", key(name), value(name, of)?));
    }
    Ok(text)
}

fn value(path: &str, of: &Value) -> Result<String, String> {
    Ok(match of {
        Value::Null => return Err(path.to_owned()),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if number.is_u64() && number.as_i64().is_none() => return Err(path.to_owned()),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(elements) => {
            let place = |n: usize| format!("{path}[{}]", n + 1);
            let elements: Result<Vec<String>, String> =
                elements.iter().enumerate().map(|(n, element)| value(&place(n), element)).collect();
            format!("[{}]", elements?.join(", "))
        }
        Value::Object(fields) => {
            let entry = |(name, of): (&String, &Value)| {
                Ok(format!("{} = {}", key(name), value(&format!("{path}.{name}"), of)?))
            };
            let entries: Result<Vec<String>, String> = fields.iter().map(entry).collect();
            format!("{{ {} }}", entries?.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(fields: Value) -> Result<String, String> {
        written(&["channels", "sms"], fields.as_object().unwrap())
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let fields = json!({
            "kind": "webhook", "url": "https://x.example/\"a\\b\"\n[channels.evil]\n\u{7f}\u{0}", "slots": 4, "ratio": 0.5, "simulate": true,
            "to": ["a", "b"], "retry": { "times": 3, "base": "1s" }, "odd key": { "x.y": [] }
        });
        let text = of(fields.clone()).unwrap();
        let read: toml::Table = text.parse().unwrap();
        let back = &read["channels"]["sms"];
        assert_eq!(read["channels"].as_table().unwrap().len(), 1, "{text}");
        assert_eq!(back["url"].as_str(), fields["url"].as_str());
        assert_eq!(
            (back["slots"].as_integer(), back["ratio"].as_float(), back["simulate"].as_bool()),
            (Some(4), Some(0.5), Some(true))
        );
        assert_eq!(back["retry"]["base"].as_str(), Some("1s"));
        assert_eq!(back["to"].as_array().map(Vec::len), Some(2));
        assert!(back["odd key"]["x.y"].as_array().is_some_and(Vec::is_empty));
    }

    #[test]
    fn what_toml_does_not_have_is_named() {
        assert_eq!(of(json!({ "a": { "b": [1, null] } })), Err("a.b[2]".into()));
        assert_eq!(of(json!({ "a": u64::MAX })), Err("a".into()));
    }
}
