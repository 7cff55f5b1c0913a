//! Whatever comes, the answer is a refusal or a success, and the daemon goes on.

use super::world::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const POSTS: [&str; 13] = [
    "/api/v1/notifications",
    "/api/v1/incidents",
    "/api/v1/incidents/1/acknowledge",
    "/api/v1/incidents/acknowledge",
    "/api/v1/incidents/1/unacknowledge",
    "/api/v1/incidents/1/snooze",
    "/api/v1/incidents/1/resolve",
    "/api/v1/incidents/1/escalate",
    "/api/v1/silences",
    "/api/v1/heartbeats/backup/ping",
    "/api/v1/fomo",
    "/api/v1/channels/hook/test",
    "/api/v1/templates/html/render",
];
const GETS: [&str; 6] = ["deliveries", "incidents", "ledger", "ledger/stats", "incidents/1", "explain/1"];
const FIELDS: [&str; 28] = [
    "level",
    "subject",
    "body",
    "to",
    "channels",
    "type",
    "labels",
    "ttl",
    "at",
    "template",
    "vars",
    "attach",
    "idempotency_key",
    "correlation_id",
    "request_id",
    "actor",
    "metadata",
    "tenant_id",
    "tenant",
    "initiator",
    "fingerprint",
    "policy",
    "note",
    "by",
    "for",
    "matchers",
    "comment",
    "value",
];

/// Words that mean something somewhere, and any others.
fn word() -> impl Strategy<Value = String> {
    let known =
        ["urgent", "alice", "group:x", "schedule:", "tier:TIER_1", "+15550100", "5m", "1d", "hook", "a=~(", "none"];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), ".{0,30}", "[+0-9TZ:.-]{0,30}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn body() -> impl Strategy<Value = String> {
    let fields = prop::collection::btree_map(prop::sample::select(FIELDS.to_vec()), value(), 0..6);
    let object = fields.prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
    prop_oneof![6 => object.prop_map(|v| v.to_string()), 1 => value().prop_map(|v| v.to_string()), 1 => ".{0,60}"]
}

/// A path with a query, of what a client may put there.
fn question() -> impl Strategy<Value = String> {
    let names = ["limit", "since", "until", "kind", "incident", "delivery", "cursor", "status", "channel", "all"];
    let pairs = prop::collection::vec((prop::sample::select(names.to_vec()), word()), 0..4);
    (prop::sample::select(GETS.to_vec()), pairs).prop_map(|(path, pairs)| {
        let escaped = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        format!("/api/v1/{path}?{}", query.join("&"))
    })
}

/// What nearly is a batch of alerts.
fn alerts() -> impl Strategy<Value = String> {
    let times =
        ["2026-11-20T10:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999+23:59", "1970-01-01T00:00:00Z"];
    let time = prop_oneof![prop::sample::select(times.to_vec()).prop_map(Value::from), value()];
    let labels = prop_oneof![
        prop::collection::btree_map(word(), word().prop_map(Value::from), 0..4).prop_map(|m| json!(m)),
        Just(json!({ "alertname": "x", "severity": "critical" })),
        value(),
    ];
    let alert = (labels, value(), time.clone(), time, value()).prop_map(|(labels, annotations, starts, ends, url)| {
        json!({ "labels": labels, "annotations": annotations, "startsAt": starts, "endsAt": ends, "generatorURL": url })
    });
    prop::collection::vec(prop_oneof![5 => alert, 1 => value()], 0..4).prop_map(|all| Value::from(all).to_string())
}

#[test]
fn f47_no_batch_and_no_filter_of_alerts_upsets_the_daemon() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let names = ["filter", "receiver", "active", "silenced", "inhibited", "unprocessed", "receiver_matchers"];
    let all = (alerts(), prop::sample::select(names.to_vec()), word());
    let run = TestRunner::new(config).run(&all, |(batch, name, value)| {
        let value: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
        let filter = format!("/api/v2/alerts?{name}={value}");
        let (posted, got) = runtime.block_on(async {
            (world.ask(OWN, "POST", "/api/v2/alerts", &batch).await, world.ask(OWN, "GET", &filter, "").await)
        });
        prop_assert!([200, 400].contains(&posted.status), "{batch}: {posted:?}");
        prop_assert!([200, 400, 422].contains(&got.status), "{filter}: {got:?}");
        Ok(())
    });
    run.unwrap();
}

#[test]
fn f47_no_body_and_no_question_upsets_the_daemon() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let all = (prop::sample::select(POSTS.to_vec()), body(), question());
    let run = TestRunner::new(config).run(&all, |(path, body, question)| {
        let (posted, got) = runtime.block_on(async {
            (world.ask(OWN, "POST", path, &body).await, world.ask(OWN, "GET", &question, "").await)
        });
        // 503 only from a history that is being rebuilt.
        for answer in [posted, got] {
            prop_assert!(answer.status < 500 || answer.status == 503, "{path} {body} {question}: {answer:?}");
            prop_assert!(answer.status >= 200, "{path} {body} {question}: {answer:?}");
        }
        Ok(())
    });
    run.unwrap();
    let status = runtime.block_on(world.ask(OWN, "GET", "/api/v1/status", ""));
    assert_eq!((status.status, &status.json["ready"]), (200, &json!(true)), "{status:?}");
}
