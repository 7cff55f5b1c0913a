//! Large and odd reports of alerts: what is good in them is kept.

use super::alerts::ALERTS;
use super::world::*;
use serde_json::{Value, json};

fn named(n: usize, description: &str) -> Value {
    json!({ "labels": { "alertname": format!("A{n}") }, "annotations": { "description": description } })
}

async fn is_there(world: &World, n: usize) -> bool {
    let answer = world.over_tcp("GET", &format!("{ALERTS}?filter=alertname%3DA{n}"), "", "").await;
    answer.text.contains(&format!("\"A{n}\""))
}

/// What Prometheus sends at once, with texts as long as people write them.
#[tokio::test]
async fn a_batch_of_more_than_a_mebibyte_is_taken() {
    let world = World::new().await;
    let text = "x".repeat(4_200);
    let batch: Vec<Value> = (0..300).map(|n| named(n, &text)).collect();
    let answer = world.report(batch.into()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(is_there(&world, 0).await && is_there(&world, 299).await);
}

#[tokio::test]
async fn several_thousand_are_several_decisions_and_of_more_than_ten_thousand_the_first_are_kept() {
    let world = World::new().await;
    let batch: Vec<Value> = (0..1_500).map(|n| named(n, "")).collect();
    assert_eq!(world.report(batch.into()).await.status, 200);
    assert!(is_there(&world, 0).await && is_there(&world, 1_499).await && !is_there(&world, 1_500).await);
    // One again and again, so that no bound of ours is met but this one.
    let over = vec![named(0, ""); 10_003];
    let answer = world.report(over.into()).await;
    let words = "alerts[10000]: 10000 alerts are taken of one request; this one and all after it (3) are not";
    assert!(answer.status == 400 && answer.text.contains(words), "{answer:?}");
}

#[tokio::test]
async fn a_byte_that_is_no_text_and_a_name_that_is_odd_cost_nobody_an_alarm() {
    let world = World::new().await;
    let mut spoilt =
        br#"[{"labels":{"alertname":"A"}},{"labels":{"alertname":"B"},"annotations":{"x":"\u00fc"#.to_vec();
    spoilt.extend_from_slice(b"\xff");
    spoilt.extend_from_slice(br#"","runbook-url":"https://wiki.example.org/b","a.b/c":"d"}}]"#);
    let answer = world
        .by(world.api.open_router(), &request("POST", ALERTS, &spoilt, "content-type: application/json\r\n"))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let alerts = world.alerts("").await;
    let b = alerts.iter().find(|a| a["labels"]["alertname"] == "B").unwrap();
    assert_eq!(alerts.len(), 2);
    assert_eq!((&b["annotations"]["x"], &b["annotations"]["a.b/c"]), (&json!("\u{fc}\u{fffd}"), &json!("d")));
    assert_eq!(b["annotations"]["runbook-url"], "https://wiki.example.org/b");
}

/// What there is no room for is to be the least urgent, wherever it stands.
#[tokio::test]
async fn of_a_large_batch_the_urgent_come_first() {
    let world = World::new().await;
    let mut batch: Vec<Value> = (0..1_200).map(|n| named(n, "")).collect();
    batch.push(json!({ "labels": { "alertname": "Last", "severity": "critical" } }));
    assert_eq!(world.report(batch.into()).await.status, 200);
    let first = world.get("/api/v1/incidents/1").await;
    assert_eq!(first.json["labels"]["alertname"], "Last", "{first:?}");
}
