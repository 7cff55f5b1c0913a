//! One event as people and scripts see it.

use crate::domain::event::Event;
use crate::domain::time::Timestamp;
use crate::ledger::codec::{FrameHash, RawEvent, RawFrame, Slot, decode_event, kind_of};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// An event with what its frame says about it. The event is kept as it was written, also when this
/// version does not know its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub seq: u64,
    pub at: Timestamp,
    pub kind: String,
    /// The frame's.
    pub hash: FrameHash,
    /// Who or what caused the frame.
    pub by: String,
    pub recorded_late: bool,
    head: Vec<u8>,
    payload: Payload,
}

#[derive(Clone, Debug, PartialEq)]
enum Payload {
    None,
    Json(Vec<u8>),
    Erased,
}

/// What every entry has, beside the event's own fields.
const OWN: [&str; 6] = ["seq", "at", "hash", "initiator", "recorded_by", "recorded_late"];

impl Entry {
    /// `place` is the event's place in its frame, from 0.
    pub fn of(frame: &RawFrame<'_>, place: u64, event: &RawEvent<'_>) -> Entry {
        Entry {
            seq: frame.seq + place,
            at: frame.at,
            kind: kind_of(event.head).unwrap_or_default().into_owned(),
            hash: frame.hash,
            by: frame.by.to_owned(),
            recorded_late: frame.recorded_late(),
            head: event.head.to_vec(),
            payload: match event.payload {
                Slot::None => Payload::None,
                Slot::Live { json, .. } => Payload::Json(json.to_vec()),
                Slot::Blanked { .. } => Payload::Erased,
            },
        }
    }

    /// All events of a frame.
    pub fn all(frame: &RawFrame<'_>) -> Vec<Entry> {
        (0..).zip(frame.events()).map(|(place, event)| Entry::of(frame, place, &event)).collect()
    }

    /// The event as the engine knows it; `EventKind::Unknown` when it does not.
    pub fn event(&self) -> Event {
        match &self.payload {
            Payload::None => decode_event(&self.head, None),
            Payload::Json(json) => decode_event(&self.head, Some(json)),
            Payload::Erased => decode_event(&self.head, Some(ERASED)),
        }
    }

    /// One flat object: `seq`, `at` (RFC 3339 in this zone), `kind`, `hash`, `initiator`, where it is
    /// so `recorded_late`, and the event's fields; one that has a name of these comes as
    /// `event_NAME`. Where the event names an initiator (a sender may act for somebody), `recorded_by`
    /// says who caused the frame.
    pub fn to_json(&self, zone: &TimeZone) -> Map<String, Value> {
        let mut out = self.fields();
        let named = match out.remove("event_initiator") {
            Some(Value::String(name)) if !name.is_empty() && name != self.by => Some(name),
            _ => None,
        };
        if named.is_some() {
            out.insert("recorded_by".into(), self.by.clone().into());
        }
        out.insert("seq".into(), self.seq.into());
        out.insert("at".into(), self.at.rfc3339(zone).into());
        out.insert("kind".into(), self.kind.clone().into());
        out.insert("hash".into(), self.hash.to_string().into());
        out.insert("initiator".into(), named.unwrap_or_else(|| self.by.clone()).into());
        if self.recorded_late {
            out.insert("recorded_late".into(), true.into());
        }
        out
    }

    /// The head's fields and the payload's, none under a name that every entry has.
    fn fields(&self) -> Map<String, Value> {
        let read = |json: &[u8]| serde_json::from_slice::<Map<String, Value>>(json).unwrap_or_default();
        let mut fields = Map::new();
        for (name, value) in read(&self.head) {
            let name = if OWN.contains(&&*name) { format!("event_{name}") } else { name };
            fields.insert(name, value);
        }
        let payload = match &self.payload {
            Payload::None => Map::new(),
            Payload::Json(json) => read(json),
            Payload::Erased => read(ERASED),
        };
        for (name, value) in payload {
            let taken = fields.contains_key(&name) || OWN.contains(&&*name);
            fields.insert(if taken { format!("payload_{name}") } else { name }, value);
        }
        fields
    }
}

/// What stands for a payload that was blanked.
const ERASED: &[u8] = br#"{"erased":true}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{EventKind, Frame, Payload};
    use crate::domain::id::DeliveryId;
    use crate::ledger::codec::{blank, encode};
    use crate::ledger::testing::{SEED, at};
    use serde_json::json;

    fn entry_named(initiator: &str) -> Entry {
        entry_of(&format!(r#"{{"kind":"notification_accepted","initiator":"{initiator}"}}"#))
    }

    fn entry_of(head: &str) -> Entry {
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
        let events: Vec<_> = Entry::all(&raw).iter().map(Entry::event).collect();
        assert_eq!(events, frame.events);

        let blanked = blank(&raw, |_| true);
        let entry = &Entry::all(&RawFrame::read(&blanked).unwrap())[1];
        let json = entry.to_json(&TimeZone::UTC);
        assert_eq!((&json["why"], &json["erased"], json.get("subject")), (&"asked".into(), &true.into(), None));
        assert!(entry.event().payload.unwrap().erased);
    }

    #[test]
    fn an_event_comes_back_though_its_fields_are_named_as_every_entrys() {
        let config = EventKind::ConfigApplied { hash: "ab".into(), changed: vec!["sms".into()], kept: false };
        for head in [config, EventKind::Checkpoint { seq: 7, hash: "cd".into() }] {
            let entry = entry_of(&serde_json::to_string(&head).unwrap());
            assert_eq!(entry.event().head, head);
        }
    }

    #[test]
    fn who_did_it_for_whom_is_told() {
        let json = entry_named("deploy").to_json(&TimeZone::UTC);
        assert_eq!((&json["initiator"], &json["recorded_by"]), (&"deploy".into(), &"engine".into()));
        let json = entry_named("").to_json(&TimeZone::UTC);
        assert_eq!((&json["initiator"], json.get("recorded_by")), (&"engine".into(), None));
    }

    #[test]
    fn an_unknown_kind_is_shown_as_written() {
        let json = entry_of(r#"{"kind":"teleported","to":"moon","hash":"mine"}"#);
        assert_eq!(json.event().head, EventKind::Unknown);
        let json = json.to_json(&TimeZone::UTC);
        assert_eq!(
            (&json["kind"], &json["to"], &json["event_hash"]),
            (&"teleported".into(), &"moon".into(), &"mine".into())
        );
    }
}
