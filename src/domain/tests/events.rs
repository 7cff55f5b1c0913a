//! Events as they are written: every kind comes back, old ones for ever, strange ones do no harm.
//!
//! `tests/corpus/events-N.jsonl` holds what release N wrote, one event a line, as
//! `{"head": ..., "payload": ...}`. Lines are added, never changed: ledgers out there hold them.

use crate::domain::event::{Event, EventKind, Payload};
use crate::domain::json;
use crate::domain::tests::examples;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use strum::VariantNames;

#[derive(Serialize, Deserialize)]
struct Line {
    head: EventKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Box<Payload>>,
}

fn write(event: &Event) -> String {
    serde_json::to_string(&Line { head: event.head.clone(), payload: event.payload.clone() }).unwrap()
}

fn read(line: &str) -> Event {
    let Line { head, payload } = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line}"));
    Event { head, payload }
}

/// All but `unknown`, which nobody writes.
fn kinds() -> BTreeSet<&'static str> {
    EventKind::VARIANTS.iter().copied().filter(|k| *k != "unknown").collect()
}

#[test]
fn there_is_an_example_of_every_kind_and_each_comes_back() {
    let events = examples::events();
    let seen: BTreeSet<&str> = events.iter().map(|e| e.head.name()).collect();
    assert_eq!(seen, kinds(), "each kind needs an example in examples.rs");
    for event in &events {
        let line = write(event);
        assert_eq!(&read(&line), event, "{line}");
        assert!(line.contains(&format!(r#""kind":"{}""#, event.head.name())), "{line}");
        let mut ours = Vec::new();
        json::append(&mut ours, &Line { head: event.head.clone(), payload: event.payload.clone() }).unwrap();
        assert_eq!(String::from_utf8(ours).unwrap(), line, "as serde_json writes it");
    }
}

#[test]
fn f08_an_unknown_kind_is_unknown_and_no_error() {
    for line in [
        r#"{"kind":"telepathy_received","from":"carol","n":[1,{"a":null}],"until":1e300}"#,
        r#"{"n":1,"kind":"telepathy_received"}"#,
        r#"{"kind":"unknown"}"#,
    ] {
        assert_eq!(serde_json::from_str::<EventKind>(line).unwrap(), EventKind::Unknown, "{line}");
    }
    assert_eq!(EventKind::Unknown.name(), "unknown");
    assert!(serde_json::from_str::<EventKind>(r#"{"n":1}"#).is_err(), "no kind is damage");
}

#[test]
fn f08_fields_of_a_newer_release_are_passed_over() {
    for event in examples::events() {
        let mut head = serde_json::to_value(&event.head).unwrap();
        head["a_field_to_come"] = serde_json::json!({"deep": [1, 2]});
        assert_eq!(serde_json::from_value::<EventKind>(head).unwrap(), event.head);
    }
}

#[test]
fn fields_added_later_have_defaults() {
    let minimum = examples::bare_minimum();
    for (kind, fields) in &minimum {
        let line = format!(r#"{{"kind":"{kind}",{}"#, &fields[1..]);
        let head: EventKind = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e} in {line}"));
        assert_eq!(head.name(), *kind);
    }
    // The other kinds have no field that may be missing.
    for event in examples::events().iter().filter(|e| !minimum.contains_key(e.head.name())) {
        let head = serde_json::to_value(&event.head).unwrap();
        for field in head.as_object().unwrap().keys().filter(|k| *k != "kind") {
            let mut less = head.clone();
            less.as_object_mut().unwrap().remove(field);
            assert!(serde_json::from_value::<EventKind>(less).is_err(), "{} can be without {field}", event.head.name());
        }
    }
}

#[test]
fn an_erased_payload_is_empty_and_says_so() {
    let payload: Payload = serde_json::from_str(r#"{"erased":true}"#).unwrap();
    assert_eq!(payload, Payload { erased: true, ..Payload::default() });
    assert_eq!(serde_json::to_string(&Payload::default()).unwrap(), "{}");
}

#[test]
fn a_value_that_json_cannot_say_is_left_out() {
    let head = EventKind::MetricsSeen { values: [("a".into(), f64::NAN), ("b".into(), 1.5)].into() };
    let back: EventKind = serde_json::from_str(&serde_json::to_string(&head).unwrap()).unwrap();
    assert_eq!(back, EventKind::MetricsSeen { values: [("b".into(), 1.5)].into() });
}

fn corpus() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.file_name().unwrap().to_string_lossy().starts_with("events-"));
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(file).unwrap();
            text.lines().enumerate().map(|(n, l)| (format!("{name}:{}", n + 1), l.to_owned())).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn f08_what_every_release_wrote_is_still_read() {
    for (place, line) in corpus() {
        let event = read(&line);
        assert_ne!(event.head, EventKind::Unknown, "{place} is read no more");
        assert_eq!(read(&write(&event)), event, "{place}");
        // Nothing that was written is lost: each of its fields is still there when written again.
        let (old, new): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&line).unwrap(), serde_json::from_str(&write(&event)).unwrap());
        for part in ["head", "payload"] {
            for (field, value) in old.get(part).and_then(|p| p.as_object()).into_iter().flatten() {
                assert_eq!(new[part].get(field), Some(value), "{place}: {field}");
            }
        }
    }
}

#[test]
fn the_corpus_has_every_kind_and_every_shape() {
    let lines: BTreeSet<String> = corpus().into_iter().map(|(_, line)| line).collect();
    let missing: Vec<String> = examples::events().iter().map(write).filter(|line| !lines.contains(line)).collect();
    assert!(missing.is_empty(), "add to tests/corpus/events-1.jsonl:\n{}", missing.join("\n"));
}

proptest! {
    /// A value that a rule decided by is the same after a restart.
    #[test]
    fn numbers_come_back_to_the_last_bit(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
        let head = EventKind::MetricsSeen { values: [("m".into(), value)].into() };
        let back: EventKind = serde_json::from_str(&serde_json::to_string(&head).unwrap()).unwrap();
        prop_assert_eq!(back, head);
    }

    #[test]
    fn damaged_lines_are_errors_and_never_panics(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let events = examples::events();
        let mut line = serde_json::to_vec(&events[which.index(events.len())].head).unwrap();
        let at = at.index(line.len());
        line[at] = byte;
        let _ = serde_json::from_slice::<EventKind>(&line);
    }
}
