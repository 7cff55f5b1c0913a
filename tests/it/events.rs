//! What other programs are told of deliveries: the forms of docs/events.md, field by field.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each};
use crate::standins::Standins;
use crate::standins::script::Fault;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const LEVELS: &str = r#"
[levels.low]
channels = ["mail"]
"#;

async fn up() -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let daemon = Home::new(&ways::and(LEVELS)).envs(ways::environment(&standins)).start().await;
    (standins, daemon)
}

async fn told(daemon: &Daemon, kinds: &[&str]) -> Vec<Value> {
    let mut words = vec!["events", "--json"];
    kinds.iter().for_each(|kind| words.extend(["--kind", kind]));
    let said = daemon.ctl_text(&words).await;
    assert_eq!(said.code, 0, "{said:?}");
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const NAMED: [&str; 10] = [
    "--correlation-id",
    "order-7",
    "--request-id",
    "req-9",
    "--tenant",
    "acme",
    "--actor",
    "billing",
    "--metadata",
    "campaign=autumn",
];

#[tokio::test]
async fn each_delivery_is_told_as_the_contract_says() {
    let (standins, daemon) = up().await;
    let send = ["send", "--subject", "your order is on its way", "--to", "bob", "--wait", "--channel", "sms"];
    let more = ["--channel", "mail", "--channel", "call", "--channel", "chat", "--channel", "hook"];
    let sent = daemon.ok(&[&send[..], &more[..], &NAMED[..]].concat()).await;

    let events = told(&daemon, &["sms.*", "email.*", "voice.sent", "slack.sent", "webhook.*"]).await;
    let by_kind: BTreeMap<&str, &Value> = events.iter().map(|e| (e["kind"].as_str().unwrap(), e)).collect();
    for (n, kind, provider) in [
        (0, "sms.sent", "twilio"),
        (1, "email.sent", "smtp"),
        (2, "voice.sent", "twilio"),
        (3, "slack.sent", "slack"),
        (4, "webhook.sent", "webhook"),
        (4, "webhook.delivered", "webhook"),
    ] {
        let event = by_kind[kind];
        let delivery = &sent["deliveries"][n];
        assert_eq!(event["data"]["delivery_id"], delivery["id"], "{kind}");
        assert_eq!(event["data"]["notification_id"], sent["id"]);
        assert_eq!((&event["data"]["provider"], &event["data"]["channel"]), (&json!(provider), &delivery["channel"]));
        assert_eq!(event["data"]["message_id"], delivery["attempts"][0]["provider_message_id"]);
        assert_eq!((&event["correlation_id"], &event["request_id"]), (&json!("order-7"), &json!("req-9")));
        assert_eq!((&event["tenant_id"], &event["actor"]), (&json!("acme"), &json!("billing")));
        assert_eq!(event["metadata"], json!({ "campaign": "autumn" }));
        assert_eq!(event["data"]["error"], Value::Null);
        assert!(event["event_id"].as_str().unwrap().starts_with(delivery["id"].as_str().unwrap()));
    }
    assert_eq!(by_kind["sms.sent"]["data"]["to_number"], "+15550101");
    assert_eq!(by_kind["email.sent"]["data"]["to_address"], "bob@example.org");
    assert_eq!(by_kind["webhook.delivered"]["status"], "delivered");

    // Without a kind it is what it always was, with the request's names beside it.
    let plain = told(&daemon, &[]).await;
    assert!(each(&json!(plain), "kind").iter().all(|kind| kind == "notification" || kind.starts_with("delivery.")));
    assert!(
        plain.iter().all(|e| e["correlation_id"] == "order-7" && e["metadata"]["campaign"] == "autumn"),
        "{plain:?}"
    );
    as_documented(by_kind["sms.sent"]);
    let end = plain.iter().find(|e| e["kind"] == "delivery.delivered" && e["channel"] == "mail").unwrap();
    as_documented(end);
    drop(standins);
}

#[tokio::test]
async fn what_failed_is_told_with_the_last_error() {
    let (standins, daemon) = up().await;
    standins.set("smtp", Fault::verb("rcpt", "550 5.1.1 no such user"));
    daemon.exits(1, &["send", "--subject", "x", "--to", "bob", "--channel", "mail", "--wait"]).await;
    let events = told(&daemon, &["email.*"]).await;
    assert_eq!(each(&json!(events), "kind"), ["email.failed"]);
    assert_eq!(events[0]["status"], "dead");
    let error = &events[0]["data"]["error"];
    assert!(error["message"].as_str().unwrap().contains("5.1.1"), "{error}");
    as_documented(&events[0]);
}

#[tokio::test]
async fn a_kind_that_there_is_not_is_refused() {
    let (_standins, daemon) = up().await;
    let refused = daemon.exits(2, &["events", "--kind", "incidents.*"]).await;
    assert_eq!(refused["error"]["field"], "kind");
}

/// The same names, with the same sorts of values where there are any, as the example of docs/events.md.
fn as_documented(event: &Value) {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events.md")).unwrap();
    let examples = docs.split("```json").skip(1).map(|part| part.split("```").next().unwrap());
    let mut examples = examples.map(|json| serde_json::from_str::<Value>(json).unwrap());
    let example = examples.find(|e| e["kind"] == event["kind"]).unwrap_or_else(|| panic!("no example of {event}"));
    same_form(&example, event, event["kind"].as_str().unwrap());
}

fn same_form(example: &Value, real: &Value, place: &str) {
    match (example, real) {
        (Value::Object(example), Value::Object(real)) => {
            let open = place.ends_with(".labels") || place.ends_with(".metadata");
            let names =
                |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<std::collections::BTreeSet<_>>();
            assert!(open || names(example) == names(real), "{place}: {:?} and {:?}", names(example), names(real));
            for (name, value) in example.iter().filter(|_| !open) {
                same_form(value, &real[name], &format!("{place}.{name}"));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (example, real) => {
            assert_eq!(std::mem::discriminant(example), std::mem::discriminant(real), "{place}: {example} and {real}");
        }
    }
}
