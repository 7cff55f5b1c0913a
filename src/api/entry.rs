//! A ledger entry as JSON: what every entry has, and the fields of its kind.

use super::history::Entry;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// Fields of kinds that would hide what every entry has.
const RENAMED: [(&str, &str); 3] = [("at", "of_at"), ("seq", "of_seq"), ("hash", "of_hash")];

/// `number` is that of the incident it is about. Times inside the fields of a kind are as they are
/// recorded: microseconds.
pub fn document(entry: &Entry, number: Option<u64>, zone: &TimeZone) -> Value {
    let mut fields = match serde_json::to_value(&entry.event.head) {
        Ok(Value::Object(fields)) => fields,
        // Every kind is a struct with a tag.
        _ => Map::new(),
    };
    for (common, own) in RENAMED {
        if let Some(value) = fields.remove(common) {
            fields.insert(own.to_owned(), value);
        }
    }
    // Who is named in the request counts as its initiator; who called is in `caller`.
    let named = fields.remove("initiator").filter(|i| i.as_str().is_some_and(|i| !i.is_empty()));
    fields.insert("seq".into(), entry.seq.into());
    fields.insert("at".into(), entry.at.rfc3339(zone).into());
    fields.insert("hash".into(), entry.hash.as_str().into());
    fields.insert("initiator".into(), named.unwrap_or_else(|| entry.by.as_str().into()));
    fields.insert("caller".into(), entry.by.as_str().into());
    fields.entry("number").or_insert(number.into());
    if entry.late {
        fields.insert("recorded_late".into(), true.into());
    }
    if let Some(payload) = &entry.event.payload {
        // A struct of texts always serialises.
        fields.insert("payload".into(), serde_json::to_value(payload).unwrap_or_default());
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::Status;
    use crate::domain::event::{Event, EventKind, Payload};
    use crate::domain::id::DeliveryId;
    use crate::domain::time::Timestamp;
    use ulid::Ulid;

    fn entry(event: Event) -> Entry {
        Entry { seq: 7, at: Timestamp(0), by: "alice".into(), late: false, hash: "ab".into(), event }
    }

    #[test]
    fn fields_of_a_kind_do_not_hide_what_every_entry_has() {
        let id = DeliveryId(Ulid(5));
        let moved =
            EventKind::DeliveryMoved { id, status: Status::Ready, at: 1, until: None, lap: 0, because: "x".into() };
        let shown = document(&entry(moved.bare()), Some(417), &TimeZone::UTC);
        assert_eq!(shown["at"], "1970-01-01T00:00:00.000+00:00");
        assert_eq!(shown["of_at"], 1);
        assert_eq!((&shown["seq"], &shown["number"], &shown["initiator"]), (&7.into(), &417.into(), &"alice".into()));
        let checkpoint = EventKind::Checkpoint { seq: 3, hash: "cd".into() };
        let shown = document(&entry(checkpoint.bare()), None, &TimeZone::UTC);
        assert_eq!((&shown["seq"], &shown["of_seq"]), (&7.into(), &3.into()));
        assert_eq!((&shown["hash"], &shown["of_hash"]), (&"ab".into(), &"cd".into()));
    }

    #[test]
    fn payloads_are_shown_unless_erased() {
        let payload = Payload { subject: "disk full".into(), ..Payload::default() };
        let shown = document(&entry(EventKind::HeartbeatLate { name: "x".into() }.with(payload)), None, &TimeZone::UTC);
        assert_eq!(shown["payload"]["subject"], "disk full");
        let gone = Payload { erased: true, ..Payload::default() };
        let shown = document(&entry(EventKind::HeartbeatLate { name: "x".into() }.with(gone)), None, &TimeZone::UTC);
        assert_eq!(shown["payload"], serde_json::json!({ "erased": true }));
    }
}
