//! One event as people and scripts see it.

use crate::domain::time::Timestamp;
use crate::ledger::codec::{FrameHash, RawEvent, RawFrame, Slot, kind_of};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// An event with what its frame says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub seq: u64,
    pub at: Timestamp,
    /// As written, also when this version does not know it.
    pub kind: String,
    /// The frame's.
    pub hash: FrameHash,
    /// As the event names it (a sender may act for somebody), else who or what caused the frame.
    pub initiator: String,
    /// Who or what caused the frame, where the event names another initiator.
    pub recorded_by: Option<String>,
    pub recorded_late: bool,
    /// The head's other fields and the payload's.
    pub fields: Map<String, Value>,
}

/// What every entry has, beside the event's own fields.
const OWN: [&str; 5] = ["seq", "at", "hash", "recorded_by", "recorded_late"];

impl Entry {
    /// `place` is the event's place in its frame, from 0.
    pub fn of(frame: &RawFrame<'_>, place: u64, event: &RawEvent<'_>) -> Entry {
        let mut fields: Map<String, Value> = serde_json::from_slice(event.head).unwrap_or_default();
        fields.remove("kind");
        let named = match fields.remove("initiator") {
            Some(Value::String(name)) if !name.is_empty() && name != frame.by => Some(name),
            _ => None,
        };
        for own in OWN {
            if let Some(value) = fields.remove(own) {
                fields.insert(format!("event_{own}"), value);
            }
        }
        let payload = match event.payload {
            Slot::None => Map::new(),
            Slot::Live { json, .. } => serde_json::from_slice(json).unwrap_or_default(),
            Slot::Blanked { .. } => Map::from_iter([("erased".to_owned(), Value::Bool(true))]),
        };
        for (name, value) in payload {
            let name =
                if fields.contains_key(&name) || OWN.contains(&&*name) { format!("payload_{name}") } else { name };
            fields.insert(name, value);
        }
        Entry {
            seq: frame.seq + place,
            at: frame.at,
            kind: kind_of(event.head).unwrap_or_default().into_owned(),
            hash: frame.hash,
            recorded_by: named.is_some().then(|| frame.by.to_owned()),
            initiator: named.unwrap_or_else(|| frame.by.to_owned()),
            recorded_late: frame.recorded_late(),
            fields,
        }
    }

    /// All events of a frame.
    pub fn all(frame: &RawFrame<'_>) -> Vec<Entry> {
        (0..).zip(frame.events()).map(|(place, event)| Entry::of(frame, place, &event)).collect()
    }

    /// One flat object: `seq`, `at` (RFC 3339 in this zone), `kind`, `hash`, `initiator`,
    /// `recorded_by` and `recorded_late` where it is so, and the event's fields; one that has a name of
    /// these comes as `event_NAME`.
    pub fn to_json(&self, zone: &TimeZone) -> Map<String, Value> {
        let mut out = self.fields.clone();
        out.insert("seq".into(), self.seq.into());
        out.insert("at".into(), self.at.rfc3339(zone).into());
        out.insert("kind".into(), self.kind.clone().into());
        out.insert("hash".into(), self.hash.to_string().into());
        out.insert("initiator".into(), self.initiator.clone().into());
        if let Some(by) = &self.recorded_by {
            out.insert("recorded_by".into(), by.clone().into());
        }
        if self.recorded_late {
            out.insert("recorded_late".into(), true.into());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{EventKind, Frame, Payload};
    use crate::domain::id::DeliveryId;
    use crate::ledger::codec::{blank, encode};
    use crate::ledger::testing::{SEED, at};
    use serde_json::json;

    /// Of an event that names its initiator.
    fn entry_named(initiator: &str) -> Entry {
        let head = format!(r#"{{"kind":"notification_accepted","initiator":"{initiator}"}}"#);
        let stopping = EventKind::Stopping { why: String::new() }.bare();
        let frame = Frame { seq: 1, at: at(0), by: "engine".into(), recorded_late: false, events: vec![stopping] };
        let mut bytes = Vec::new();
        encode(&mut bytes, &frame, &FrameHash::default(), &SEED, true).unwrap();
        let event = RawEvent { head: head.as_bytes(), payload: Slot::None };
        Entry::of(&RawFrame::read(&bytes).unwrap(), 0, &event)
    }

    #[test]
    fn an_entry_is_flat_and_loses_nothing() {
        let id = DeliveryId(ulid::Ulid(99));
        let moved = EventKind::DeliveryMoved {
            id,
            status: crate::domain::delivery::Status::Ready,
            at: 1,
            until: None,
            lap: 0,
            because: "free".into(),
        };
        let stopping = EventKind::Stopping { why: "asked".into() };
        let payload = Payload { subject: "S".into(), address: Some("+15550100".into()), ..Payload::default() };
        let frame = Frame {
            seq: 7,
            at: at(0),
            by: "engine".into(),
            recorded_late: true,
            events: vec![moved.bare(), stopping.with(payload)],
        };
        let mut bytes = Vec::new();
        let hash = encode(&mut bytes, &frame, &FrameHash::default(), &SEED, true).unwrap();
        let raw = RawFrame::read(&bytes).unwrap();
        let shown: Vec<_> = Entry::all(&raw).iter().map(|e| Value::Object(e.to_json(&TimeZone::UTC))).collect();
        let hash = hash.to_string();
        assert_eq!(
            shown,
            [
                json!({"seq": 7, "at": "2023-11-14T22:13:20.000+00:00", "kind": "delivery_moved", "hash": hash,
                       "initiator": "engine", "recorded_late": true, "id": id.to_string(), "status": "ready",
                       "event_at": 1, "lap": 0, "because": "free"}),
                json!({"seq": 8, "at": "2023-11-14T22:13:20.000+00:00", "kind": "stopping", "hash": hash,
                       "initiator": "engine", "recorded_late": true, "why": "asked", "subject": "S",
                       "address": "+15550100"}),
            ]
        );
        assert_eq!(
            (entry_named("deploy").initiator, entry_named("deploy").recorded_by),
            ("deploy".into(), Some("engine".into()))
        );
        assert_eq!((entry_named("").initiator, entry_named("").recorded_by), ("engine".into(), None));
        let blanked = blank(&raw, |_| true);
        let entry = &Entry::all(&RawFrame::read(&blanked).unwrap())[1];
        assert_eq!(Value::Object(entry.fields.clone()), json!({"why": "asked", "erased": true}));
    }
}
