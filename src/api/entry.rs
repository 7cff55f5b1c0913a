//! A ledger entry as JSON: as the ledger exports it, and the incident's number.

use super::history::Entry;
use jiff::tz::TimeZone;
use serde_json::Value;

/// `number` is that of the incident it is about. Times inside the fields of a kind are as they are
/// recorded: microseconds.
pub fn document(entry: &Entry, number: Option<u64>, zone: &TimeZone) -> Value {
    let mut fields = entry.to_json(zone);
    fields.entry("number").or_insert(number.into());
    Value::Object(fields)
}
