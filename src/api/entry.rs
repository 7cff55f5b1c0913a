//! A ledger entry as JSON.

use super::history::Entry;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// What may be erased, and is told apart from the decision.
const PAYLOAD: [&str; 6] = ["subject", "body", "annotations", "address", "text", "erased"];

/// `number` is that of the incident it is about. Times inside the fields of a kind are as they are
/// recorded: microseconds.
pub fn document(entry: &Entry, number: Option<u64>, zone: &TimeZone) -> Value {
    let mut fields = entry.to_json(zone);
    fields.entry("number").or_insert(number.into());
    let mut payload = Map::new();
    for name in PAYLOAD {
        // Under the other name, where the kind has a field like it.
        let value = fields.remove(&format!("payload_{name}")).or_else(|| fields.remove(name));
        payload.extend(value.map(|value| (name.to_owned(), value)));
    }
    if !payload.is_empty() {
        fields.insert("payload".to_owned(), Value::Object(payload));
    }
    Value::Object(fields)
}
