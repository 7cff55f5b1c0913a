//! Other programs that get events: in order, signed, whatever happens to them or to us.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use crate::standins::record::Recorded;
use crate::standins::script::Fault;
use ring::hmac;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CONFIG: &str = r#"
[levels.low]
channels = ["chat"]

[hooks.billing]
url            = "${HOOK_URL}"
signing_secret = "a secret between us"
events         = ["notification", "slack.sent", "incident.*"]
timeout        = "1s"
alarm_after    = "1s"
"#;

async fn up() -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let daemon = Home::new(&ways::and(CONFIG)).envs(ways::environment(&standins)).start().await;
    eventually("it has begun", async || (receiver(&daemon).await["status"] == "ok").then_some(())).await;
    (standins, daemon)
}

async fn receiver(daemon: &Daemon) -> Value {
    daemon.status().await["hooks"][0].clone()
}

async fn send(daemon: &Daemon, subject: &str) {
    daemon.ok(&["send", "--level", "low", "--subject", subject, "--wait"]).await;
}

fn document(request: &Recorded) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

/// What was taken, in order.
fn taken(standins: &Standins) -> Vec<Value> {
    standins.recorded("hook").iter().filter(|r| (200..300).contains(&r.status)).map(document).collect()
}

fn signed(request: &Recorded) {
    let header = &request.headers["x-stentor-signature"];
    let (time, mac) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret between us");
    let tag = hmac::sign(&key, format!("{time}.{}", request.body).as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(mac, hex, "{header}");
}

#[tokio::test]
async fn events_come_in_order_and_signed_each_under_its_own_key() {
    let (standins, daemon) = up().await;
    for n in 0..5 {
        send(&daemon, &format!("n{n}")).await;
    }
    let got = standins.wait_for("hook", 10).await;
    got.iter().for_each(signed);
    let documents: Vec<Value> = got.iter().map(document).collect();
    assert_eq!(each(&json!(documents), "kind"), ["notification", "slack.sent"].repeat(5));
    assert!(documents.is_sorted_by_key(|d| d["seq"].as_u64()));
    let keys: BTreeSet<&str> = got.iter().map(|r| r.headers["idempotency-key"].as_str()).collect();
    assert_eq!(keys.len(), 10);
    assert!(got.iter().zip(&documents).all(|(r, d)| r.headers["idempotency-key"] == d["event_id"].as_str().unwrap()));
}

#[tokio::test]
async fn what_a_receiver_misses_it_gets_later_and_an_incident_says_so_meanwhile() {
    let (standins, daemon) = up().await;
    standins.set("hook", Fault::status(503));
    for n in 0..20 {
        send(&daemon, &format!("n{n}")).await;
    }
    let opened = eventually("the incident", async || {
        let listed = daemon.ok(&["incidents", "list"]).await;
        listed["incidents"].get(0).cloned()
    })
    .await;
    assert_eq!(
        (&opened["subject"], &opened["level"]),
        (&json!("The receiver billing takes no events"), &json!("normal"))
    );
    let failing = receiver(&daemon).await;
    assert_eq!((&failing["status"], failing["detail"].as_str().unwrap().contains("503")), (&json!("failing"), true));

    standins.well("hook");
    let all = eventually("it has all of it", async || {
        let all = taken(&standins);
        (all.iter().filter(|d| d["kind"] == "incident.resolved").count() == 1).then_some(all)
    })
    .await;
    let subjects: Vec<String> =
        all.iter().filter(|d| d["kind"] == "notification").map(|d| d["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subjects, (0..20).map(|n| format!("n{n}")).collect::<Vec<_>>());
    assert!(all.is_sorted_by_key(|d| d["seq"].as_u64()), "in order, its own incident among them");
    assert_eq!(receiver(&daemon).await["status"], "ok");
}

#[tokio::test]
async fn after_a_kill_it_goes_on_and_nothing_is_missing() {
    let (standins, mut daemon) = up().await;
    send(&daemon, "before").await;
    standins.wait_for("hook", 2).await;
    standins.set("hook", Fault::Hang);
    send(&daemon, "under way").await;
    standins.wait_for("hook", 3).await;
    daemon.kill().await;
    standins.well("hook");
    daemon.start().await;
    send(&daemon, "after").await;
    let subjects = eventually("the last", async || {
        let all = taken(&standins);
        let told =
            all.iter().filter(|d| d["kind"] == "notification").map(|d| d["subject"].as_str().unwrap().to_owned());
        let told: Vec<String> = told.collect();
        told.contains(&"after".to_owned()).then_some(told)
    })
    .await;
    let first = |subject: &str| subjects.iter().position(|s| s == subject);
    assert!(first("under way").is_some() && first("under way") < first("after"), "{subjects:?}");
}

#[tokio::test]
async fn after_an_orderly_stop_nothing_comes_twice() {
    let (standins, mut daemon) = up().await;
    for n in 0..3 {
        send(&daemon, &format!("n{n}")).await;
    }
    standins.wait_for("hook", 6).await;
    // The last answer is on its way back.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(daemon.stop().await, 0);
    daemon.start().await;
    send(&daemon, "after").await;
    let all = eventually("the last", async || {
        let all = taken(&standins);
        all.iter().any(|d| d["kind"] == "slack.sent" && d["data"]["subject"] == "after").then_some(all)
    })
    .await;
    let ids: BTreeSet<&str> = all.iter().map(|d| d["event_id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), all.len()), (8, 8), "{all:?}");
}

#[tokio::test]
async fn one_that_hangs_delays_nobody_and_what_it_refuses_for_good_is_passed_over() {
    let (standins, daemon) = up().await;
    standins.set("hook", Fault::Hang);
    send(&daemon, "x").await;
    assert_eq!(standins.recorded("slack").len(), 1, "the message did not wait for the receiver");
    standins.set("hook", Fault::status(422));
    eventually("two are passed over", async || (receiver(&daemon).await["refused"] == 2).then_some(())).await;
    standins.well("hook");
    send(&daemon, "y").await;
    let all = eventually("what follows", async || Some(taken(&standins)).filter(|all| all.len() == 2)).await;
    assert_eq!(each(&json!(all), "kind"), ["notification", "slack.sent"]);
}

#[tokio::test]
async fn t7_requests_come_as_events_and_outcomes_leave_as_events() {
    let standins = Standins::start().await;
    let config = ways::and(&CONFIG.replace(r#""notification", "slack.sent", "incident.*""#, r#""sms.*""#));
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    eventually("it has begun", async || (receiver(&daemon).await["status"] == "ok").then_some(())).await;
    let event = |id: &str, more: serde_json::Value| {
        let mut event = json!({
            "kind": "sms.send_request", "event_id": id, "tenant_id": "acme", "metadata": { "campaign": "autumn" },
            "data": { "to_number": "+15550100", "body": "your order is on its way", "level": "normal" }
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event.to_string()
    };
    let lines = [
        event("e-1", json!({})),
        event("e-1", json!({})),
        event("e-2", json!({ "kind": "pigeon.send_request" })),
        event("e-3", json!({ "timestamp": "2020-01-01T00:00:00Z", "ttl": 60 })),
        "no event".to_owned(),
    ];
    let file = daemon.path("events.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let said = daemon.ctl_text(&["requests", file.to_str().unwrap()]).await;
    assert_eq!(said.code, 2, "the worst: {said:?}");
    let rows: Vec<&str> = said.out.lines().collect();
    assert_eq!(rows.len(), 2, "{said:?}");
    assert_eq!(rows[0].split_whitespace().nth(2), rows[1].split_whitespace().nth(2), "a bus may bring it again");
    for words in ["e-2: \"pigeon.send_request\" asks for nothing", "e-3: its time to live was over", "no JSON"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    let told = eventually("the outcome", async || Some(taken(&standins)).filter(|told| !told.is_empty())).await;
    assert_eq!(standins.recorded("twilio").iter().filter(|r| r.method == "POST").count(), 1);
    assert_eq!(
        (&told[0]["kind"], &told[0]["correlation_id"], &told[0]["request_id"]),
        (&json!("sms.sent"), &json!("e-1"), &json!("e-1"))
    );
    assert_eq!((&told[0]["tenant_id"], &told[0]["metadata"]["campaign"]), (&json!("acme"), &json!("autumn")));
    // Without the daemon it says which one it could not hand over, by stopping there.
    daemon.kill().await;
    assert_eq!(daemon.ctl_text(&["requests", file.to_str().unwrap()]).await.code, 4);
}
