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
    use crate::settings::tree::{Item, Tree, Value as Read, parse};
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
        let Value::Object(mut read) = json_of(&parse(&text, 0).unwrap()) else { panic!("{text}") };
        assert_eq!(read["channels"].as_object().unwrap().len(), 1, "{text}");
        assert_eq!(read["channels"]["sms"].take(), fields);
    }

    fn json_of(tree: &Tree) -> Value {
        tree.entries.iter().map(|(name, item)| (name.clone(), plain(item))).collect::<Map<_, _>>().into()
    }

    fn plain(item: &Item) -> Value {
        match &item.value {
            Read::Text(text) => json!(text),
            Read::Integer(number) => json!(number),
            Read::Float(number) => json!(number),
            Read::Flag(flag) => json!(flag),
            Read::List(elements) => elements.iter().map(plain).collect(),
            Read::Table(tree) => json_of(tree),
            Read::Datetime(_) => panic!("nobody writes these"),
        }
    }

    #[test]
    fn what_toml_does_not_have_is_named() {
        assert_eq!(of(json!({ "a": { "b": [1, null] } })), Err("a.b[2]".into()));
        assert_eq!(of(json!({ "a": u64::MAX })), Err("a".into()));
    }
}
