//! `/api/v2/alerts`, over TCP as Prometheus comes, and on the socket.

use super::world::*;
use crate::api::serve::connection;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const ALERTS: &str = "/api/v2/alerts";

impl World {
    /// A request to the TCP listener's routes.
    async fn over_tcp(&self, method: &str, path: &str, body: &str, headers: &str) -> Answer {
        let (mut near, far) = UnixStream::pair().unwrap();
        let api = self.api.clone();
        tokio::spawn(async move { connection(far, api.open_router(), None, &api).await });
        let _ = near.write_all(&request(method, path, body.as_bytes(), headers)).await;
        let mut bytes = Vec::new();
        let _ = near.read_to_end(&mut bytes).await;
        Answer::read(&bytes)
    }

    async fn report(&self, alerts: Value) -> Answer {
        self.over_tcp("POST", ALERTS, &alerts.to_string(), "content-type: application/json\r\n").await
    }

    async fn alerts(&self, query: &str) -> Vec<Value> {
        let answer = self.over_tcp("GET", &format!("{ALERTS}{query}"), "", "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json.as_array().unwrap().clone()
    }

    async fn incidents(&self) -> Vec<Value> {
        self.get("/api/v1/incidents?all=true").await.json["incidents"].as_array().unwrap().clone()
    }
}

fn disk() -> Value {
    json!({
        "labels": { "alertname": "DiskFull", "instance": "db-1", "severity": "critical", "empty": "" },
        "annotations": { "summary": "db-1 is full", "description": "/var is at 98 %" },
        "startsAt": "2026-11-20T10:00:00.123456789Z",
        "endsAt": "2999-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph",
    })
}

#[tokio::test]
async fn what_is_reported_is_an_incident_and_can_be_read_back() {
    let world = World::new().await;
    let before = world.over_tcp("GET", ALERTS, "", "").await;
    assert_eq!((before.status, before.text.as_str()), (200, "[]"), "never null: {before:?}");

    let answer = world.report(json!([disk()])).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
    let incident = &world.incidents().await[0];
    assert_eq!(
        (&incident["level"], &incident["subject"], &incident["type"]),
        (&json!("urgent"), &json!("db-1 is full"), &json!("DiskFull"))
    );
    let labels = json!({ "alertname": "DiskFull", "instance": "db-1", "severity": "critical", "level": "urgent",
        "name": "DiskFull", "source": "alert", "type": "DiskFull" });
    assert_eq!((&incident["labels"], &incident["body"]), (&labels, &json!("/var is at 98 %")));

    let read = world.alerts("").await;
    let fingerprint = read[0]["fingerprint"].as_str().unwrap();
    assert_eq!(incident["fingerprint"], format!("alert/{fingerprint}"));
    assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(read[0]["labels"], json!({ "alertname": "DiskFull", "instance": "db-1", "severity": "critical" }));
    assert_eq!(read[0]["startsAt"], "2026-11-20T10:00:00.123+00:00");
    assert_eq!(read[0]["endsAt"], "2999-01-01T00:00:00.000+00:00");
    assert_eq!(read[0]["generatorURL"], "http://prometheus.example.org/graph");
    assert_eq!(read[0]["receivers"], json!([{ "name": "call-out" }]));
    let status = json!({ "state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": [] });
    assert_eq!(read[0]["status"], status);
    assert!(read[0]["updatedAt"].is_string() && read[0]["annotations"]["description"].is_string());
}
