//! `?wait=`, and runs by hand.

use super::world::*;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_wait_ends_when_the_last_delivery_does() {
    let world = World::new().await;
    let held = world.held.clone();
    let body = json!({ "subject": "x", "channels": ["hook", "slow"] });
    let waiting = world.post("/api/v1/notifications?wait=30s", body);
    let releasing = async {
        world.until("attempt_started", 2).await;
        world.until("delivery_ended", 1).await;
        held.release(1);
    };
    let (answer, ()) = tokio::join!(waiting, releasing);
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("delivered")));
    let statuses: Vec<_> = answer.json["deliveries"].as_array().unwrap().iter().map(|d| d["status"].clone()).collect();
    assert_eq!(json!(statuses), json!(["simulated", "delivered"]));
}

#[tokio::test]
async fn a_wait_that_is_over_tells_what_is_pending() {
    let world = World::new().await;
    let answer = world.post("/api/v1/notifications?wait=100ms", json!({ "subject": "x", "channels": ["slow"] })).await;
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("pending")));
    assert_eq!(answer.json["deliveries"][0]["status"], "sending");
}

#[tokio::test]
async fn a_wait_tells_of_a_dead_one() {
    let world = World::new().await;
    world.held.fail();
    world.held.release(1);
    let answer = world.post("/api/v1/channels/slow/test?wait=30s", json!({})).await;
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("failed")));
    assert_eq!(answer.json["deliveries"][0]["status"], "dead");
    assert!(answer.json["deliveries"][0]["reason"].as_str().unwrap().contains("no such place"));
}

#[tokio::test]
async fn a_wait_is_answered_when_the_daemon_stops() {
    let world = World::new().await;
    let waiting = world.post("/api/v1/notifications?wait=10m", json!({ "subject": "x", "channels": ["slow"] }));
    let stopping = async {
        world.until("attempt_started", 1).await;
        world.api.stop().await;
    };
    let (answer, ()) = tokio::join!(waiting, stopping);
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("pending")));
}

#[tokio::test]
async fn a_run_by_hand_is_waited_for() {
    let world = World::new().await;
    let ran = world.post("/api/v1/heartbeats/hook/run", json!({})).await;
    assert_eq!((ran.status, &ran.json["status"], &ran.json["running"]), (200, &json!("ok"), &json!(false)));
    let passive = world.post("/api/v1/heartbeats/backup/run", json!({})).await;
    assert_eq!((passive.status, passive.code()), (409, "CONFLICT"));
}

#[tokio::test]
async fn a_run_that_hangs_is_answered_at_its_deadline() {
    let world = World::new().await;
    let mut config = config(&world.held);
    let slow = config.channels["slow"].adapter.clone();
    config.channels.get_mut("hook").unwrap().adapter = slow;
    config.heartbeats.get_mut("hook").unwrap().timeout = crate::domain::time::Span::millis(100);
    let ask = crate::engine::Ask::Apply { config: std::sync::Arc::new(config), changed: vec![], kept: false };
    world.handle.ask(crate::engine::Caller::engine(), ask).await.unwrap();
    let ran = tokio::time::timeout(Duration::from_secs(60), world.post("/api/v1/heartbeats/hook/run", json!({})));
    let ran = ran.await.unwrap();
    assert_eq!((ran.status, &ran.json["failures_in_row"]), (200, &json!(1)), "{ran:?}");
}

/// What is decided has to be held until it is durable, so large ones come in as there is room for them.
#[tokio::test]
async fn f65_a_large_request_waits_for_others_on_their_way_and_a_small_one_does_not() {
    let world = World::new().await;
    let others =
        world.api.heavy_bodies.clone().acquire_many_owned(crate::api::body::ON_THEIR_WAY as u32).await.unwrap();
    let message = |bytes: usize| json!({ "subject": "x", "channels": ["hook"], "body": "x".repeat(bytes) });
    let large = world.post("/api/v1/notifications", message(100_000));
    tokio::pin!(large);
    let early = tokio::time::timeout(std::time::Duration::from_millis(200), &mut large).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(world.post("/api/v1/notifications", message(1_000)).await.status, 202);
    drop(others);
    assert_eq!(large.await.status, 202);
    assert_eq!(world.api.heavy_bodies.available_permits(), crate::api::body::ON_THEIR_WAY, "durable, and out again");
}
