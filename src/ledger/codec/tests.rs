#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::encode::seal;
use super::events::{Upcast, head};
use super::*;
use crate::domain::event::{Event, EventKind, Frame, Payload};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::DeliveryId;
use crate::domain::time::Timestamp;
use proptest::prelude::*;
use ulid::Ulid;

const SEED: [u8; 16] = [7; 16];

fn sample() -> Frame {
    let failure = Failure::new(FailureClass::Timeout, Blame::Channel, "no answer").code(504).unknown();
    let delivery = DeliveryId(Ulid::from_parts(1_700_000_000_000, 5));
    let payload = Payload {
        subject: "disk full on db-1 \u{1f525}".into(),
        body: "line 1\nline 2".into(),
        annotations: [("runbook", "https://wiki.example.org/db")].into(),
        address: Some("+15550100".into()),
        ..Payload::default()
    };
    Frame {
        seq: 41,
        at: Timestamp(1_700_000_000_123_456),
        by: "alice (uid 1000)".into(),
        recorded_late: true,
        events: vec![
            EventKind::Started(crate::domain::event::Started { version: "0.1.0".into(), boot: "b".into(), up: None })
                .with(payload),
            EventKind::AttemptFinished {
                delivery,
                n: 2,
                channel: "sms".into(),
                medium: None,
                result: crate::domain::event::AttemptResult::Failed(failure),
            }
            .bare(),
            EventKind::HeartbeatPinged { name: "backup".into(), ok: true }
                .with(Payload { body: "second".into(), ..Payload::default() }),
        ],
    }
}

fn encoded(frame: &Frame) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, frame, &FrameHash([3; 32]), &SEED, true).unwrap();
    out
}

#[test]
fn a_frame_comes_back_as_it_went() {
    let bytes = encoded(&sample());
    let raw = RawFrame::read(&bytes).unwrap();
    assert_eq!(raw.decode(), sample());
    assert!(raw.first_of_group());
    assert_eq!((raw.last_seq(), raw.bytes.len()), (43, bytes.len()));
    assert_eq!(raw.chained(&FrameHash([3; 32])), raw.hash);
    assert_ne!(raw.chained(&FrameHash([4; 32])), raw.hash);
}

#[test]
fn the_group_flag_is_no_part_of_the_chain() {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    let a = encode(&mut first, &sample(), &FrameHash::default(), &SEED, true).unwrap();
    let b = encode(&mut later, &sample(), &FrameHash::default(), &SEED, false).unwrap();
    assert_eq!(a, b);
    assert_ne!(first, later);
}

#[test]
fn everything_that_happened_is_in_the_chain() {
    let hash = |frame: &Frame| encode(&mut Vec::new(), frame, &FrameHash::default(), &SEED, true).unwrap();
    let base = hash(&sample());
    let changes: [fn(&mut Frame); 7] = [
        |f| f.seq += 1,
        |f| f.at.0 += 1,
        |f| f.by.push('x'),
        |f| f.recorded_late = false,
        |f| f.events.truncate(2),
        |f| f.events.swap(0, 2),
        |f| f.events[0].payload.as_mut().unwrap().body.push('x'),
    ];
    for change in changes {
        let mut frame = sample();
        change(&mut frame);
        assert_ne!(hash(&frame), base);
    }
}

#[test]
fn heads_and_payloads_can_be_read_with_strings() {
    let bytes = encoded(&sample());
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains(r#"{"kind":"started","version":"0.1.0","boot":"b"}"#));
    assert!(text.contains(r#""subject":"disk full on db-1"#));
    assert!(text.contains("alice (uid 1000)"));
}

#[test]
fn blanking_a_payload_keeps_the_chain() {
    let bytes = encoded(&sample());
    let raw = RawFrame::read(&bytes).unwrap();
    let blanked = blank(&raw, |index| index == 0);
    let after = RawFrame::read(&blanked).unwrap();
    assert_eq!(after.hash, raw.hash);
    assert_eq!(after.chained(&FrameHash([3; 32])), raw.hash);
    assert!(!String::from_utf8_lossy(&blanked).contains("disk full"));
    let Slot::Live { salted, .. } = raw.events().next().unwrap().payload else { panic!("was live") };
    assert!(!blanked.windows(16).any(|w| w == &salted[..16]), "the salt must go with the payload");

    let frame = after.decode();
    assert_eq!(frame.events[0].payload, Some(Box::new(Payload { erased: true, ..Payload::default() })));
    assert_eq!(frame.events[0].head, sample().events[0].head);
    assert_eq!(frame.events[1..], sample().events[1..]);

    // Again, and the other one: still the same chain.
    let twice = blank(&after, |_| true);
    let after = RawFrame::read(&twice).unwrap();
    assert_eq!(after.chained(&FrameHash([3; 32])), raw.hash);
    assert!(!String::from_utf8_lossy(&twice).contains("second"));
}

#[test]
fn equal_payloads_have_different_salts() {
    let twin = EventKind::Stopping { why: String::new() }.with(Payload { body: "same".into(), ..Payload::default() });
    let frame = Frame { events: vec![twin.clone(), twin], ..sample() };
    let bytes = encoded(&frame);
    let raw = RawFrame::read(&bytes).unwrap();
    let salts: Vec<&[u8]> = raw
        .events()
        .map(|e| match e.payload {
            Slot::Live { salted, .. } => &salted[..16],
            _ => panic!("it has a payload"),
        })
        .collect();
    assert_ne!(salts[0], salts[1]);
}

#[test]
fn a_kind_from_a_newer_version_is_unknown_but_kept() {
    let bytes = encoded(&sample());
    let from = br#""kind":"started""#;
    let place = bytes.windows(from.len()).position(|w| w == from).unwrap();
    let mut bytes = bytes.clone();
    bytes[place..place + from.len()].copy_from_slice(br#""kind":"teleprt""#);
    seal(&mut bytes);
    let raw = RawFrame::read(&bytes).unwrap();
    assert_eq!(raw.decode().events[0].head, EventKind::Unknown);
    let head = raw.events().next().unwrap().head;
    assert_eq!(head, br#"{"kind":"teleprt","version":"0.1.0","boot":"b"}"#);
    assert_eq!(kind_of(head).unwrap(), "teleprt");
    assert_ne!(raw.chained(&FrameHash([3; 32])), raw.hash, "an edited head breaks the chain");
}

#[test]
fn an_old_kind_is_upcast() {
    let upcasts: &[Upcast] = &[("halted", |mut fields| {
        fields.insert("kind".into(), "stopping".into());
        let why = fields.remove("reason").unwrap_or_default();
        fields.insert("why".into(), why);
        fields
    })];
    let old = br#"{"kind":"halted","reason":"SIGTERM"}"#;
    assert_eq!(head(old, upcasts), EventKind::Stopping { why: "SIGTERM".into() });
    assert_eq!(head(old, &[]), EventKind::Unknown);
    assert_eq!(head(br#"{"kind":"stopping"}"#, upcasts), EventKind::Unknown, "a known kind that lacks a field");
}

#[test]
fn an_empty_frame_is_refused_and_leaves_no_trace() {
    let mut out = b"before".to_vec();
    let empty = Frame { events: Vec::new(), ..sample() };
    assert!(matches!(encode(&mut out, &empty, &FrameHash::default(), &SEED, true), Err(EncodeError::Empty)));
    assert_eq!(out, b"before");
}

#[test]
fn f16_every_flipped_bit_and_every_cut_is_noticed() {
    let bytes = encoded(&sample());
    for cut in 0..bytes.len() {
        assert!(RawFrame::read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(RawFrame::read(&bytes).is_err(), "bit {bit}");
    }
}

#[test]
fn the_next_frame_is_found_after_rubbish() {
    let frame = encoded(&sample());
    let rubbish = b"fRm1 but not a frame, fRm1 again \0\0\0";
    let bytes = [&rubbish[..], &frame, &frame].concat();
    assert_eq!(next_frame(&bytes, 0).unwrap().0, rubbish.len());
    assert_eq!(next_frame(&bytes, rubbish.len() + 1).unwrap().0, rubbish.len() + frame.len());
    assert!(next_frame(&bytes, bytes.len() - 3).is_none());
    assert!(next_frame(rubbish, 0).is_none());
    assert!(next_frame(rubbish, 999).is_none());
}

/// Reads all there is to read; whatever it is, nothing may panic.
fn exercise(bytes: &[u8]) {
    if let Some((_, raw)) = next_frame(bytes, 0) {
        let frame = raw.decode();
        assert_eq!(frame.events.len(), raw.count as usize);
        raw.chained(&FrameHash::default());
        let blanked = blank(&raw, |_| true);
        RawFrame::read(&blanked).unwrap();
        for event in raw.events() {
            kind_of(event.head);
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    ".{0,40}"
}

fn event() -> impl Strategy<Value = Event> {
    let payload = (text(), text(), prop::option::of(text())).prop_map(|(subject, body, address)| Payload {
        subject,
        body,
        address,
        ..Payload::default()
    });
    let kind = prop_oneof![
        text().prop_map(|why| EventKind::Stopping { why }),
        (text(), any::<bool>()).prop_map(|(name, ok)| EventKind::HeartbeatPinged { name, ok }),
        prop::collection::btree_map(text(), prop::num::f64::NORMAL | prop::num::f64::ZERO, 0..4)
            .prop_map(|values| EventKind::MetricsSeen { values }),
    ];
    (kind, prop::option::of(payload)).prop_map(|(head, payload)| Event { head, payload: payload.map(Box::new) })
}

proptest! {
    #[test]
    fn any_frame_comes_back(
        seq in 1..u64::MAX / 2, at: i64, by in text(), recorded_late: bool,
        events in prop::collection::vec(event(), 1..6), seed: [u8; 16], previous: [u8; 32],
    ) {
        let frame = Frame { seq, at: Timestamp(at), by, recorded_late, events };
        let mut out = b"xyz".to_vec();
        let hash = encode(&mut out, &frame, &FrameHash(previous), &seed, false).unwrap();
        let raw = RawFrame::read(&out[3..]).unwrap();
        prop_assert_eq!(raw.decode(), frame);
        prop_assert_eq!(raw.hash, hash);
        prop_assert_eq!(raw.chained(&FrameHash(previous)), hash);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    /// Bytes that pass the checksum although nobody sane wrote them.
    #[test]
    fn no_sealed_bytes_make_it_panic(
        tail in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((12usize..400, any::<u8>()), 0..12),
        count in 0u32..6, by_len in 0u32..30,
    ) {
        let mut bytes = encoded(&sample());
        bytes.extend_from_slice(&tail);
        for (place, value) in changes {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        seal(&mut bytes);
        exercise(&bytes);
        bytes[16..20].copy_from_slice(&count.to_le_bytes());
        bytes[20..24].copy_from_slice(&by_len.to_le_bytes());
        seal(&mut bytes);
        exercise(&bytes);
    }
}

#[test]
fn a_head_is_read_as_it_is_printed() {
    let tip = Tip { seq: 417, hash: FrameHash([0xa7; 32]) };
    assert_eq!(tip.to_string().parse(), Ok(tip));
    for wrong in ["", "417", ":", "417:", "417:a7", "x:a7"] {
        assert!(wrong.parse::<Tip>().is_err(), "{wrong}");
    }
}
