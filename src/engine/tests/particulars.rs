//! What a caller says of its own request: kept, shown, bounded; and its idempotency key.

use super::world::asks::*;
use super::world::*;
use crate::engine::{Read, SendRequest};
use serde_json::json;
use std::collections::BTreeMap;

fn named(r: &mut SendRequest) {
    r.request_id = Some("req-9".into());
    r.correlation_id = Some("order-7".into());
    r.tenant = Some("acme".into());
    r.actor = Some("billing".into());
    r.metadata = [("campaign".to_owned(), "autumn".to_owned())].into();
}

#[test]
fn it_is_shown_with_the_notification_and_each_delivery_also_after_a_restart() {
    let mut w = World::calm();
    let sent = w.send(named);
    w.untold();
    w.restart_from_snapshot();
    let id = sent["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let delivery = w.read(Read::Delivery(id));
    for document in [&sent, &delivery] {
        assert_eq!(document["request_id"], "req-9");
        assert_eq!(document["correlation_id"], "order-7");
        assert_eq!(document["tenant"], "acme");
        assert_eq!(document["actor"], "billing");
        assert_eq!(document["metadata"], json!({ "campaign": "autumn" }));
    }
}

#[test]
fn each_field_is_bounded_and_the_error_names_it() {
    type Change = fn(&mut SendRequest);
    let wrong: [(&str, Change); 8] = [
        ("request_id", |r| r.request_id = Some(String::new())),
        ("correlation_id", |r| r.correlation_id = Some("x".repeat(256))),
        ("actor", |r| r.actor = Some("a\nb".into())),
        ("tenant", |r| r.tenant = Some("\u{0}".into())),
        ("metadata", |r| r.metadata = (0..33).map(|n| (n.to_string(), String::new())).collect()),
        ("metadata", |r| r.metadata = [(String::new(), "x".into())].into()),
        ("metadata", |r| r.metadata = [("x".into(), "y".repeat(1_025))].into()),
        ("metadata", |r| r.metadata = (0..9).map(|n| (n.to_string(), "y".repeat(1_000))).collect()),
    ];
    let mut w = World::calm();
    for (field, change) in wrong {
        assert_eq!(w.try_send(change).unwrap_err().field.as_deref(), Some(field));
    }
    w.nothing_untold();
    w.send(|r| r.metadata = (0..32).map(|n| (n.to_string(), "y".repeat(200))).collect::<BTreeMap<_, _>>());
    w.untold();
}

#[test]
fn what_only_names_the_request_is_no_other_content() {
    let mut w = World::calm();
    let keyed = |r: &mut SendRequest| r.idempotency_key = Some("k1".into());
    let first = w.send(keyed);
    let again = w.send(|r| {
        keyed(r);
        (r.request_id, r.correlation_id) = (Some("second try".into()), Some("c".into()));
    });
    assert_eq!(first["id"], again["id"]);
    let other = w.try_send(|r| {
        keyed(r);
        r.metadata = [("a".to_owned(), "b".to_owned())].into();
    });
    assert_eq!(other.unwrap_err().field.as_deref(), Some("idempotency_key"));
    w.untold();
}

#[test]
fn a_key_outlives_its_message_in_the_state() {
    let mut w = World::calm();
    let keyed = |r: &mut SendRequest| {
        (r.idempotency_key, r.channels) = (Some("k1".into()), names(&["ops-slack"]));
    };
    let first = w.send(keyed);
    for _ in 0..1_001 {
        w.send(|r| r.channels = names(&["ops-slack"]));
        w.untold();
    }
    assert_eq!(w.send(keyed), json!({ "id": first["id"] }), "the door looks the rest up in the history");
    w.nothing_untold();
}

#[test]
fn a_time_to_live_is_a_duration_or_whole_seconds() {
    let read = |ttl: serde_json::Value| serde_json::from_value::<SendRequest>(json!({ "subject": "x", "ttl": ttl }));
    let span = |ttl| read(ttl).unwrap().ttl.map(|t| t.0.exact());
    assert_eq!(span(json!(90)).as_deref(), Some("1m30s"));
    assert_eq!(span(json!("5m")).as_deref(), Some("5m"));
    assert_eq!(span(json!(null)), None);
    for wrong in [json!(-1), json!(1.5), json!("soon"), json!([]), json!(true), json!(u64::MAX)] {
        let words = read(wrong.clone()).unwrap_err().to_string();
        assert!(words.contains("write whole seconds such as 90"), "{wrong}: {words}");
    }
}
