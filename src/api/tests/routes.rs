//! What each route answers when all is well.

use super::world::*;
use serde_json::{Value, json};

#[tokio::test]
async fn a_message_is_accepted_and_can_be_looked_at() {
    let world = World::new().await;
    let sent = world
        .post("/api/v1/notifications", json!({ "subject": "hello", "level": "warn", "correlation_id": "c-1" }))
        .await;
    assert_eq!(sent.status, 202);
    assert_eq!((&sent.json["correlation_id"], &sent.json["level"]), (&json!("c-1"), &json!("normal")));
    let id = sent.json["deliveries"][0]["id"].as_str().unwrap();
    for found in [id, &id[20..]] {
        let delivery = world.get(&format!("/api/v1/deliveries/{found}")).await;
        assert_eq!((delivery.status, &delivery.json["id"]), (200, &json!(id)));
        assert_eq!(delivery.json["channel"], "hook");
    }
    let listed = world.get("/api/v1/deliveries?channel=hook&since=1h&limit=5").await;
    assert_eq!(listed.json["deliveries"][0]["id"], id);
    assert_eq!(listed.json["next_cursor"], json!(null));
    assert_eq!(world.get("/api/v1/deliveries?status=dead").await.json["deliveries"], json!([]));
    assert_eq!(world.get("/api/v1/deliveries?channel=mail").await.json["deliveries"], json!([]));
}

#[tokio::test]
async fn an_incident_lives_through_all_its_verbs() {
    let world = World::new().await;
    let open = json!({ "subject": "disk full", "level": "critical", "fingerprint": "disk" });
    let opened = world.post("/api/v1/incidents", open.clone()).await;
    assert_eq!(
        (opened.status, &opened.json["status"], &opened.json["already_open"]),
        (202, &json!("open"), &json!(false))
    );
    let number = opened.json["number"].as_u64().unwrap();
    let again = world.post("/api/v1/incidents", open).await;
    assert_eq!((&again.json["number"], &again.json["already_open"]), (&json!(number), &json!(true)));

    let world = &world;
    let verb = |verb: &'static str, body: serde_json::Value| async move {
        let answer = world.post(&format!("/api/v1/incidents/{number}/{verb}"), body).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.json
    };
    let escalated = verb("escalate", json!({})).await;
    assert_eq!((&escalated["incidents"][0]["round"], &escalated["incidents"][0]["step"]), (&json!(1), &json!(2)));
    let acknowledged = verb("acknowledge", json!({ "note": "on it" })).await;
    assert_eq!(acknowledged["incidents"][0]["acknowledged_by"], "bob");
    assert_eq!(acknowledged["incidents"][0]["stopped"], json!([acknowledged["incidents"][0]["stopped"][0]]));
    let back = verb("unacknowledge", json!({})).await;
    assert_eq!(back["incidents"][0]["status"], "open");
    let snoozed = verb("snooze", json!({ "for": "30m" })).await;
    assert!(snoozed["incidents"][0]["snoozed_until"].is_string());
    let resolved = verb("resolve", json!({ "note": "freed" })).await;
    assert_eq!(resolved["incidents"][0]["status"], "resolved");

    let shown = world.get(&format!("/api/v1/incidents/%23{number}")).await;
    let kinds: Vec<_> = shown.json["events"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"incident_opened"));
    assert!(kinds.contains(&"incident_acknowledged") && kinds.contains(&"incident_resolved"), "{kinds:?}");
    assert!(shown.json["events"].as_array().unwrap().iter().all(|e| e["number"] == number));
    assert_eq!(world.get("/api/v1/incidents").await.json["incidents"], json!([]));
    assert_eq!(world.get("/api/v1/incidents?all=true").await.json["incidents"][0]["number"], number);
    let conflict = world.post(&format!("/api/v1/incidents/{number}/escalate"), json!({})).await;
    assert_eq!((conflict.status, conflict.code()), (409, "CONFLICT"));
}

#[tokio::test]
async fn the_lists_are_named_after_what_is_in_them() {
    let world = World::new().await;
    for (path, name, count) in [
        ("deliveries", "deliveries", 0),
        ("incidents", "incidents", 0),
        ("heartbeats", "heartbeats", 2),
        ("watches", "watches", 4),
        ("fomo", "watches", 1),
        ("channels", "channels", 4),
        ("silences", "silences", 0),
    ] {
        let list = world.ask(VIEWER, "GET", &format!("/api/v1/{path}"), "").await;
        assert_eq!((list.status, list.json[name].as_array().map(Vec::len)), (200, Some(count)), "{path}: {list:?}");
        assert_eq!(list.json["next_cursor"], json!(null));
    }
}

#[tokio::test]
async fn status_is_the_whole_picture() {
    let world = World::new().await;
    let number = world.incident("disk full").await;
    let status = world.ask(VIEWER, "GET", "/api/v1/status", "").await;
    assert_eq!((status.status, &status.json["state"], &status.json["ready"]), (200, &json!("failing"), &json!(true)));
    assert_eq!((&status.json["name"], &status.json["open_incidents"][0]["number"]), (&json!("test-1"), &json!(number)));
    let ledger = &status.json["ledger"];
    assert!(ledger["durable_seq"].as_u64() >= Some(2) && ledger["events"] == ledger["durable_seq"], "{ledger}");
    assert_eq!(ledger["head"].as_str().map(str::len), Some(64));
    assert_eq!(ledger["verified_at"], json!(null));
    let verified = world.get("/api/v1/ledger/verify").await;
    assert_eq!((&verified.json["ok"], &verified.json["faults"]), (&json!(true), &json!([])));
    assert!(world.get("/api/v1/status").await.json["ledger"]["verified_at"].is_string());
}

#[tokio::test]
async fn silences_come_and_go() {
    let world = World::new().await;
    let body = json!({ "matchers": ["name=\"disk\"", "level=~high|urgent"], "for": "2h", "comment": "works" });
    let made = world.post("/api/v1/silences", body).await;
    assert_eq!((made.status, &made.json["status"], &made.json["created_by"]), (201, &json!("active"), &json!("bob")));
    let id = made.json["id"].as_str().unwrap();
    assert_eq!(world.get("/api/v1/silences").await.json["silences"][0]["id"], id);
    let ended = world.ask(OPERATOR, "DELETE", &format!("/api/v1/silences/{}", &id[30..]), "").await;
    assert_eq!((ended.status, &ended.json["status"]), (202, &json!("expired")));
}

#[tokio::test]
async fn viewers_feed_metrics_and_passive_heartbeats() {
    let world = World::new().await;
    let missing = world.ask(VIEWER, "GET", "/api/v1/metrics/deal.a7", "").await;
    assert_eq!((missing.status, missing.code()), (404, "NOT_FOUND"));
    let set = world.ask(VIEWER, "PUT", "/api/v1/metrics/deal.a7", r#"{"value": 700000.5}"#).await;
    assert_eq!((set.status, &set.json["name"], &set.json["value"]), (202, &json!("deal.a7"), &json!(700_000.5)));
    assert!(set.json["value_at"].is_string(), "{set:?}");
    assert_eq!(world.get("/api/v1/metrics/deal.a7").await.json["value"], 700_000.5);
    let pinged = world.ask(VIEWER, "POST", "/api/v1/heartbeats/backup/ping", "").await;
    assert_eq!((pinged.status, &pinged.json["status"]), (202, &json!("ok")));
    let failed = world.ask(VIEWER, "POST", "/api/v1/heartbeats/backup/ping", r#"{"fail": true}"#).await;
    assert_eq!(failed.json["failures_in_row"], 1);
}

#[tokio::test]
async fn fomo_tests_sounds_and_reloads() {
    let world = World::new().await;
    let pushed = world.post("/api/v1/fomo", json!({ "deal": "A7", "remaining": 400_000 })).await;
    assert_eq!((pushed.status, &pushed.json["deliveries"][0]["recipient"]), (202, &json!("carol")));
    let tested = world.post("/api/v1/channels/mail/test", json!({ "to": ["bob"] })).await;
    assert_eq!((tested.status, &tested.json["type"]), (202, &json!("test")));
    let tested = world.post("/api/v1/channels/test", json!({ "to": ["alice"] })).await;
    assert_eq!(tested.json["deliveries"].as_array().map(Vec::len), Some(2), "mail and sms: {tested:?}");
    let stopped = world.post("/api/v1/sound/stop", json!({})).await;
    assert_eq!((stopped.status, &stopped.json["stopped"]), (202, &json!([])));
    let reloaded = world.ask(ADMIN, "POST", "/api/v1/reload", "").await;
    assert_eq!((reloaded.status, &reloaded.json["changed"]), (200, &json!(["uid 1001"])));
}

#[tokio::test]
async fn the_ledger_is_read_by_kind_incident_and_delivery() {
    let world = World::new().await;
    let number = world.incident("disk full").await;
    let delivery = world.until("delivery_ended", 1).await[0]["id"].as_str().unwrap().to_owned();
    let of_incident = world.get(&format!("/api/v1/ledger?incident={number}&limit=100")).await;
    let entries = of_incident.json["entries"].as_array().unwrap();
    assert_eq!(entries[0]["kind"], "incident_opened");
    assert_eq!(entries[0]["subject"], "disk full");
    assert!(entries.iter().any(|e| e["kind"] == "attempt_finished"), "{entries:?}");
    assert!(entries.iter().all(|e| e["number"] == number), "{entries:?}");
    assert!(entries.is_sorted_by_key(|e| e["seq"].as_u64()));
    let of_delivery =
        world.get(&format!("/api/v1/ledger?delivery={delivery}&kind=attempt_started&kind=delivery_ended")).await;
    let kinds: Vec<_> = of_delivery.json["entries"].as_array().unwrap().iter().map(|e| e["kind"].clone()).collect();
    assert_eq!(json!(kinds), json!(["attempt_started", "delivery_ended"]));
    let first = world.get("/api/v1/ledger?limit=1").await;
    let next = first.json["next_cursor"].as_str().unwrap();
    let second = world.get(&format!("/api/v1/ledger?limit=1&cursor={next}")).await;
    assert_eq!(second.json["entries"][0]["seq"], 2);
    let after = world.get("/api/v1/ledger?after_seq=2&limit=1").await;
    assert_eq!(after.json["entries"][0]["seq"], 3);
    assert_eq!(world.get("/api/v1/ledger?until=1h").await.json["entries"], json!([]));
}

#[tokio::test]
async fn stats_explain_and_export_tell_of_the_same() {
    let world = World::new().await;
    let number = world.incident("disk full").await;
    let delivery = world.until("delivery_ended", 1).await[0]["id"].as_str().unwrap().to_owned();
    let stats = world.get("/api/v1/ledger/stats?since=24h").await;
    assert_eq!(stats.json["by_channel"]["hook"], json!({ "simulated": 1 }), "{stats:?}");
    assert_eq!((&stats.json["total"], &stats.json["pending"]), (&json!(1), &json!(0)));
    assert!(stats.json["since"].as_str().is_some_and(|s| s.contains(":00:00.000")), "from a whole hour on: {stats:?}");
    assert_eq!(world.get("/api/v1/ledger/stats").await.json["since"], Value::Null);
    let shown = world.get(&format!("/api/v1/deliveries/{delivery}")).await;
    let notification = shown.json["notification"].as_str().unwrap().to_owned();
    for id in [number.to_string(), delivery, notification[20..].to_owned(), notification] {
        let explained = world.get(&format!("/api/v1/explain/{id}")).await;
        let steps = explained.json["steps"].as_array().unwrap();
        assert!(
            steps.iter().any(|s| s["what"] == "hook: attempt 1 by hook" && s["because"] == "a slot was free"),
            "{steps:?}"
        );
        assert!(steps.iter().all(|s| s["at"].is_string()));
    }
    let lines = world.get("/api/v1/ledger/export").await;
    assert!(lines.head.contains("application/x-ndjson"));
    let count = lines.text.lines().filter(|l| l.starts_with("{\"") && l.ends_with('}')).count() as u64;
    assert_eq!(Some(count), world.get("/api/v1/status").await.json["ledger"]["events"].as_u64());
    let table = world.get("/api/v1/ledger/export?format=csv").await;
    assert!(table.text.contains("seq,at,kind,"), "{}", table.text);
}
