//! One event's JSON to the engine's types. Old kinds are upcast here, for ever.

use crate::domain::event::{Event, EventKind, Frame, Payload};
use crate::ledger::codec::decode::{RawEvent, RawFrame, Slot};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A kind that is no longer written, and what turns its head into one of today's.
pub(super) type Upcast = (&'static str, fn(Map<String, Value>) -> Map<String, Value>);

/// When a kind's meaning changes it gets a new name, and the old name a line here.
const UPCASTS: &[Upcast] = &[];

impl RawFrame<'_> {
    /// As the engine knows it. An event of an unknown or unreadable kind is `EventKind::Unknown`, a
    /// blanked payload one that says `erased`.
    pub fn decode(&self) -> Frame {
        Frame {
            seq: self.seq,
            at: self.at,
            by: self.by.to_owned(),
            recorded_late: self.recorded_late(),
            events: self.events().map(|e| decode(&e)).collect(),
        }
    }
}

fn decode(raw: &RawEvent<'_>) -> Event {
    Event { head: head(raw.head, UPCASTS), payload: payload(&raw.payload) }
}

/// An event from its JSON as it was written.
pub fn decode_event(head_json: &[u8], payload_json: Option<&[u8]>) -> Event {
    let payload = payload_json.map(read_payload);
    Event { head: head(head_json, UPCASTS), payload }
}

/// Today's kinds are read straight; what is none of them may be an old one.
pub(super) fn head(json: &[u8], upcasts: &[Upcast]) -> EventKind {
    match serde_json::from_slice(json) {
        Ok(EventKind::Unknown) | Err(_) => upcast(json, upcasts).unwrap_or(EventKind::Unknown),
        Ok(head) => head,
    }
}

fn upcast(json: &[u8], upcasts: &[Upcast]) -> Option<EventKind> {
    let kind = kind_of(json)?;
    let (_, change) = upcasts.iter().find(|(old, _)| *old == kind)?;
    let fields = change(serde_json::from_slice(json).ok()?);
    serde_json::from_value(Value::Object(fields)).ok()
}

fn payload(slot: &Slot<'_>) -> Option<Box<Payload>> {
    match slot {
        Slot::None => None,
        Slot::Live { json, .. } => Some(read_payload(json)),
        Slot::Blanked { .. } => Some(Box::new(Payload { erased: true, ..Payload::default() })),
    }
}

fn read_payload(json: &[u8]) -> Box<Payload> {
    Box::new(serde_json::from_slice(json).unwrap_or_default())
}

/// The `kind` of a head, also of one that this version does not know.
pub fn kind_of(head: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow)]
        kind: Cow<'a, str>,
    }
    serde_json::from_slice::<Kind<'_>>(head).ok().map(|k| k.kind)
}
