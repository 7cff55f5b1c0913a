//! Frames of the journal and the events in them. Whole segments, snapshots and the history are turned
//! over byte by byte by the tests of rows 15 to 17.

use crate::harness::fuzz;
use stentor::domain::event::{Event, Frame};
use stentor::domain::time::Timestamp;
use stentor::ledger::codec::{RawFrame, decode_event, encode, next_frame};
use stentor::ledger::{FrameHash, Tip};

/// What each release wrote, an event a line.
const CORPUS: &str = include_str!("../corpus/events-1.jsonl");

fn events() -> Vec<Event> {
    let part = |line: &str, name: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        (!value[name].is_null()).then(|| value[name].to_string())
    };
    let event = |line: &str| {
        decode_event(part(line, "head").unwrap().as_bytes(), part(line, "payload").as_ref().map(String::as_bytes))
    };
    CORPUS.lines().map(event).collect()
}

#[test]
fn frames() {
    let mut bytes = Vec::new();
    let mut tip = Tip::default();
    for (events, late) in events().chunks(3).zip([false, true].into_iter().cycle()) {
        let at = Timestamp(1_700_000_000_000_000);
        let frame = Frame { seq: tip.seq + 1, at, by: "alice".into(), recorded_late: late, events: events.to_vec() };
        let hash: FrameHash = encode(&mut bytes, &frame, &tip.hash, &[7; 16], true).unwrap();
        tip = Tip { seq: tip.seq + events.len() as u64, hash };
    }
    fuzz("frame", &[&bytes, &bytes[..2_000.min(bytes.len())]], |bytes| {
        let mut from = 0;
        while let Some((at, frame)) = next_frame(bytes, from) {
            assert!(at >= from && at + frame.bytes.len() <= bytes.len());
            let again = RawFrame::read(frame.bytes).expect("it is a frame by itself");
            assert_eq!((again.seq, again.last_seq()), (frame.seq, frame.last_seq()));
            let _ = frame.decode();
            from = at + frame.bytes.len();
        }
        let _ = RawFrame::read(bytes);
    });
}

#[test]
fn single_events() {
    let seeds: Vec<&[u8]> = CORPUS.lines().map(str::as_bytes).collect();
    fuzz("event", &seeds, |bytes| {
        // Whatever it is, it is an event, perhaps one that nobody knows.
        let event = decode_event(bytes, Some(bytes));
        let head = serde_json::to_vec(&event.head).unwrap();
        let _ = decode_event(&head, None);
    });
}
