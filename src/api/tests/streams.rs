//! The event stream: no gap, nothing twice, whoever comes back goes on.

use super::world::*;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;

struct Reader(Lines<BufReader<UnixStream>>);

impl Reader {
    async fn open(world: &World, path: &str, headers: &str) -> Reader {
        let mut stream = world.connect(VIEWER);
        stream.write_all(&request("GET", path, b"", headers)).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "HTTP/1.1 200 OK");
        while !lines.next_line().await.unwrap().unwrap().is_empty() {}
        Reader(lines)
    }

    /// The next event; its id is its `seq`. `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        let mut id = None;
        let reading = async {
            while let Some(line) = self.0.next_line().await.unwrap() {
                if let Some(text) = line.strip_prefix("id: ") {
                    id = Some(text.to_owned());
                }
                if let Some(data) = line.strip_prefix("data: ") {
                    let event: Value = serde_json::from_str(data).unwrap();
                    assert_eq!(id, Some(event["seq"].to_string()));
                    return Some(event);
                }
            }
            None
        };
        tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap()
    }

    async fn all(mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|e| e["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_happened_is_told_as_a_webhook_gets_it() {
    let world = World::new().await;
    let number = world.incident("disk full").await;
    world.until("delivery_ended", 1).await;
    world.post(&format!("/api/v1/incidents/{number}/acknowledge"), json!({ "note": "on it" })).await;
    world.post(&format!("/api/v1/incidents/{number}/resolve"), json!({})).await;
    world.held.fail();
    world.held.release(1);
    world
        .post("/api/v1/notifications?wait=30s", json!({ "subject": "hello", "body": "you", "channels": ["slow"] }))
        .await;
    let events = Reader::open(&world, "/api/v1/events?follow=false", "").await.all().await;
    let of_incident: Vec<Value> =
        events.iter().filter(|e| e["incident"].is_object() && e["delivery"].is_null()).cloned().collect();
    assert_eq!(kinds(&of_incident), ["incident.opened", "incident.step", "incident.acknowledged", "incident.resolved"]);
    let opened = &of_incident[0];
    for (field, value) in [
        ("from", json!("test-1")),
        ("level", json!("urgent")),
        ("subject", json!("disk full")),
        ("type", json!("message")),
    ] {
        assert_eq!(opened[field], value, "{field}");
    }
    assert_eq!((&opened["incident"]["number"], &opened["incident"]["status"]), (&json!(number), &json!("open")));
    assert_eq!(opened["labels"]["source"], "manual");
    assert_eq!((&of_incident[1]["incident"]["step"], &of_incident[1]["incident"]["round"]), (&json!(1), &json!(1)));
    assert_eq!((&of_incident[2]["by"], &of_incident[2]["note"]), (&json!("bob"), &json!("on it")));
    assert_eq!(
        (&of_incident[3]["subject"], &of_incident[3]["incident"]["status"]),
        (&json!("disk full"), &json!("resolved"))
    );

    let delivered = events.iter().find(|e| e["kind"] == "delivery.delivered").unwrap();
    assert_eq!((&delivered["subject"], &delivered["channel"]), (&json!("disk full"), &json!("hook")));
    assert_eq!((&delivered["incident"]["number"], &delivered["status"]), (&json!(number), &json!("simulated")));
    let told = events.iter().find(|e| e["kind"] == "notification").unwrap();
    assert_eq!((&told["subject"], &told["body"]), (&json!("hello"), &json!("you")));
    let failed = events.iter().find(|e| e["kind"] == "delivery.failed").unwrap();
    assert_eq!((&failed["id"], &failed["status"]), (&told["id"], &json!("dead")));
    assert!(failed["reason"].as_str().unwrap().contains("no such place"));
    assert!(events.is_sorted_by_key(|e| e["seq"].as_u64()));
}

#[tokio::test]
async fn who_comes_back_goes_on_where_they_were() {
    let world = World::new().await;
    for n in 0..20 {
        world.post("/api/v1/notifications", json!({ "subject": format!("n{n}"), "channels": ["hook"] })).await;
    }
    world.until("delivery_ended", 20).await;
    let whole = Reader::open(&world, "/api/v1/events?since_seq=0&follow=false", "").await.all().await;
    assert_eq!(whole.len(), 40, "a message and its delivery, twenty times");
    for cut in [1, 7, 20, 39] {
        let seen = whole[cut - 1]["seq"].as_u64().unwrap();
        let by_header = format!("last-event-id: {seen}\r\n");
        // The header is newer than the address that a client began with.
        let rest = Reader::open(&world, "/api/v1/events?since_seq=0&follow=false", &by_header).await.all().await;
        assert_eq!(rest, whole[cut..], "after {cut}");
        let rest = Reader::open(&world, &format!("/api/v1/events?since_seq={seen}&follow=false"), "").await.all().await;
        assert_eq!(rest, whole[cut..], "after {cut}");
    }
}

#[tokio::test]
async fn past_and_present_join_without_a_gap() {
    let world = World::new().await;
    let send =
        |n: u32| world.post("/api/v1/notifications", json!({ "subject": format!("n{n}"), "channels": ["hook"] }));
    for n in 0..30 {
        send(n).await;
    }
    let mut reader = Reader::open(&world, "/api/v1/events?since_seq=0", "").await;
    let reading = async {
        let mut subjects = Vec::new();
        while subjects.len() < 60 {
            let event = reader.next().await.unwrap();
            if event["kind"] == "notification" {
                subjects.push(event["subject"].as_str().unwrap().to_owned());
            }
        }
        subjects
    };
    let sending = async {
        for n in 30..60 {
            send(n).await;
        }
    };
    let (subjects, ()) = tokio::join!(reading, sending);
    let expected: Vec<String> = (0..60).map(|n| format!("n{n}")).collect();
    assert_eq!(subjects, expected);
}

#[tokio::test]
async fn without_a_number_it_begins_now() {
    let world = World::new().await;
    world.post("/api/v1/notifications?wait=30s", json!({ "subject": "before" })).await;
    let mut reader = Reader::open(&world, "/api/v1/events", "").await;
    world.post("/api/v1/notifications", json!({ "subject": "after" })).await;
    assert_eq!(reader.next().await.unwrap()["subject"], "after");
}

#[tokio::test]
async fn a_delivery_from_before_is_told_with_its_subject() {
    let world = World::new().await;
    world.post("/api/v1/notifications", json!({ "subject": "long ago", "channels": ["slow"] })).await;
    let started = world.until("attempt_started", 1).await;
    let mut reader = Reader::open(&world, &format!("/api/v1/events?since_seq={}", started[0]["seq"]), "").await;
    world.held.release(1);
    let event = reader.next().await.unwrap();
    assert_eq!((&event["kind"], &event["subject"]), (&json!("delivery.delivered"), &json!("long ago")));
    assert_eq!(event["channel"], "slow");
}

#[tokio::test]
async fn a_stream_ends_when_the_daemon_stops() {
    let world = World::new().await;
    let mut reader = Reader::open(&world, "/api/v1/events", "").await;
    let (end, ()) = tokio::join!(reader.next(), world.api.stop());
    assert_eq!(end, None);
}

#[tokio::test]
async fn a_wrong_last_event_id_is_refused() {
    let world = World::new().await;
    let answer = world.raw(VIEWER, &request("GET", "/api/v1/events", b"", "last-event-id: soon\r\n")).await;
    assert_eq!((answer.status, answer.field()), (400, "Last-Event-ID"));
}

#[tokio::test]
async fn both_forms_of_one_event_come_together_and_the_place_after_them() {
    let world = World::new().await;
    world.held.release(1);
    world.post("/api/v1/notifications?wait=30s", json!({ "subject": "x", "channels": ["slow"] })).await;
    world.until("delivery_ended", 1).await;
    let stream = world.raw(VIEWER, &request("GET", "/api/v1/events?follow=false&kind=*", b"", "")).await;
    let lines: Vec<&str> = stream.text.lines().filter(|l| l.starts_with("id: ") || l.starts_with("data: ")).collect();
    let places: Vec<bool> = lines.iter().map(|l| l.starts_with("id: ")).collect();
    assert_eq!(places, [true, false, true, false, false, true, false], "{lines:?}");
    let kinds: Vec<String> = lines
        .iter()
        .filter_map(|l| serde_json::from_str::<Value>(l.strip_prefix("data: ")?).ok())
        .map(|e| e["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["notification", "webhook.sent", "delivery.delivered", "webhook.delivered"], "{lines:?}");
    let ids: std::collections::BTreeSet<String> = lines
        .iter()
        .filter_map(|l| serde_json::from_str::<Value>(l.strip_prefix("data: ")?).ok())
        .map(|e| e["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 4, "each has its own: who keeps them drops nothing: {ids:?}");
}

#[tokio::test]
async fn a_kind_that_there_is_not_is_refused() {
    let world = World::new().await;
    let answer = world.get("/api/v1/events?kind=sms.lost").await;
    assert_eq!((answer.status, answer.field()), (400, "kind"));
}

/// As after a restore: whoever waits there would be deaf.
#[tokio::test]
async fn a_place_beyond_the_end_is_refused() {
    let world = World::new().await;
    let answer = world.get("/api/v1/events?since_seq=999999").await;
    assert_eq!((answer.status, answer.code(), answer.field()), (400, "VALIDATION_ERROR", "since_seq"), "{answer:?}");
    assert!(answer.message().contains("the ledger ends at event"), "{}", answer.message());
}
