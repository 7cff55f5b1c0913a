//! What monitoring gets, on the socket and on TCP.

use super::world::*;
use crate::api::serve_tcp;
use serde_json::json;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn over_tcp(address: std::net::SocketAddr, method: &str, path: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&request(method, path, b"", "")).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Answer::read(&bytes)
}

#[tokio::test]
async fn tcp_serves_health_metrics_and_alerts_and_nothing_else() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve_tcp(world.api.clone(), Arc::new(listener)));
    for path in ["/healthz", "/readyz"] {
        let answer = over_tcp(address, "GET", path).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok\n"));
    }
    let metrics = over_tcp(address, "GET", "/metrics").await;
    assert!(metrics.status == 200 && metrics.head.contains("text/plain; version=0.0.4"), "{metrics:?}");
    for path in ["/", "/api/v1/status", "/api/v1/notifications", "/api/v2/silences"] {
        let answer = over_tcp(address, "GET", path).await;
        assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"), "{path}");
    }
    assert_eq!(over_tcp(address, "GET", "/api/v2/alerts").await.text, "[]");
    assert_eq!(over_tcp(address, "POST", "/api/v1/reload").await.status, 404);
    serving.abort();
}

#[tokio::test]
async fn metrics_tell_of_everything_by_fixed_labels() {
    let world = World::new().await;
    let counting = tokio::spawn(world.api.clone().count(world.handle.subscribe()));
    world.incident("disk full").await;
    world.until("delivery_ended", 1).await;
    world.held.release(1);
    world.post("/api/v1/notifications?wait=30s", json!({ "subject": "x", "channels": ["slow"] })).await;
    world.post("/api/v1/heartbeats/hook/run", json!({})).await;
    world.post("/api/v1/notifications", json!({ "subject": 5 })).await;
    world.get("/api/v1/incidents/999").await;
    let mut text = String::new();
    // The counters follow what is durable; they are not waited for.
    for _ in 0..500 {
        text = world.get("/metrics").await.text;
        if text.contains("stentor_delivery_seconds_count") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for line in [
        r#"stentor_deliveries_total{channel="hook",status="simulated"} 1"#,
        r#"stentor_deliveries_total{channel="slow",status="delivered"} 1"#,
        r#"stentor_attempts_total{channel="slow",outcome="delivered"} 1"#,
        r#"stentor_delivery_seconds_count{channel="slow"} 1"#,
        r#"stentor_requests_refused_total{code="VALIDATION_ERROR"} 1"#,
        r#"stentor_requests_refused_total{code="NOT_FOUND"} 1"#,
        r#"stentor_incidents{status="open",level="urgent"} 1"#,
        r#"stentor_incidents{status="acknowledged",level="low"} 0"#,
        r#"stentor_heartbeat_up{name="hook"} 1"#,
        "stentor_queue_pending 0",
        "stentor_queue_waiting 0",
        "stentor_queue_dead 0",
        "stentor_config_last_reload_successful 1",
        r#"stentor_build_info{version="0.1.0"} 1"#,
        "# TYPE stentor_delivery_seconds histogram",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    let durable = world.get("/api/v1/status").await.json["ledger"]["durable_seq"].as_u64().unwrap();
    assert!(text.contains(&format!("stentor_ledger_durable_seq {durable}")), "{durable} is not in\n{text}");
    assert!(!text.contains("backup"), "a heartbeat that was never heard of is neither up nor down");
    counting.abort();
}

#[tokio::test]
async fn a_daemon_that_stops_is_not_ready() {
    let mut world = World::new().await;
    assert_eq!(world.get("/readyz").await.status, 200);
    world.stop.take().unwrap().send("test".into()).unwrap();
    (&mut world.cycle).await.unwrap();
    let answer = world.get("/readyz").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains("stopping"), "{}", answer.text);
    assert_eq!(world.get("/healthz").await.status, 200);
}
