//! `/api/v2/alerts`, over TCP as Prometheus comes, and on the socket.

use super::world::*;
use crate::api::paths::Paths;
use crate::api::serve::connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

pub(super) const ALERTS: &str = "/api/v2/alerts";

impl World {
    /// A request to the TCP listener's routes.
    pub(super) async fn over_tcp(&self, method: &str, path: &str, body: &str, headers: &str) -> Answer {
        self.by(self.api.open_router(), &request(method, path, body.as_bytes(), headers)).await
    }

    pub(super) async fn by(&self, paths: Paths, request: &[u8]) -> Answer {
        let (mut near, far) = UnixStream::pair().unwrap();
        let api = self.api.clone();
        tokio::spawn(async move { connection(far, paths, None, &api).await });
        let _ = near.write_all(request).await;
        let mut bytes = Vec::new();
        let _ = near.read_to_end(&mut bytes).await;
        Answer::read(&bytes)
    }

    pub(super) async fn report(&self, alerts: Value) -> Answer {
        self.over_tcp("POST", ALERTS, &alerts.to_string(), "content-type: application/json\r\n").await
    }

    pub(super) async fn alerts(&self, query: &str) -> Vec<Value> {
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

#[tokio::test]
async fn the_good_ones_are_kept_and_the_others_named_by_index_and_field() {
    let world = World::new().await;
    let good = |name: &str| json!({ "labels": { "alertname": name } });
    let batch = json!([
        good("A"),
        { "labels": {} },
        { "labels": { "empty": "" } },
        { "annotations": { "summary": "x" } },
        { "labels": { "9x": "1", "a-b": "2" } },
        { "labels": { "alertname": "B" }, "startsAt": "2026-11-20T10:00:00Z", "endsAt": "2026-11-20T09:00:00Z" },
        { "labels": { "alertname": "C" }, "endsAt": "tomorrow" },
        { "labels": { "alertname": 7 } },
        { "labels": [] },
        "text",
        { "labels": { "alertname": "D" }, "annotations": { "": "y" } },
        { "labels": { "long": "x".repeat(1025) } },
        good("Z"),
    ]);
    let answer = world.report(batch).await;
    assert_eq!(answer.status, 400);
    let words = answer.json.as_str().unwrap_or_else(|| panic!("not a JSON string: {answer:?}"));
    for wanted in [
        "alerts[1].labels: at least one label",
        "alerts[2].labels: at least one label",
        "alerts[3].labels: at least one label",
        "alerts[4].labels[\"9x\"]: a name has",
        "alerts[4].labels[\"a-b\"]: a name has",
        "alerts[5].endsAt: it is before startsAt",
        "alerts[6].endsAt: \"tomorrow\" is not a time",
        "alerts[7].labels.alertname: it is a number, and has to be a text",
        "alerts[8].labels: it is an array, and has to be an object of texts",
        "alerts[9]: it is a text, and has to be an object",
        "alerts[10].annotations[\"\"]: a name has",
        "alerts[11].labels.long: a value has at most 1024 bytes",
    ] {
        assert!(words.contains(wanted), "{wanted}\n{words}");
    }
    let names: Vec<_> = world.alerts("").await.iter().map(|a| a["labels"]["alertname"].clone()).collect();
    assert!(names.len() == 2 && names.contains(&json!("A")) && names.contains(&json!("Z")), "{names:?}");
}

#[tokio::test]
async fn a_time_that_nobody_set_is_none() {
    let world = World::new().await;
    let never = "0001-01-01T00:00:00Z";
    let body = json!([
        { "labels": { "alertname": "A" }, "startsAt": never, "endsAt": never, "generatorURL": null, "annotations": null },
        { "labels": { "alertname": "B" }, "startsAt": null, "status": { "state": ["active", {}] }, "fingerprint": "x" },
    ]);
    assert_eq!(world.report(body).await.status, 200);
    for alert in world.alerts("").await {
        let time = |name: &str| crate::domain::time::Timestamp::parse(alert[name].as_str().unwrap()).unwrap();
        assert_eq!(time("endsAt") - time("startsAt"), crate::domain::time::Span::mins(5), "{alert}");
    }
}

#[tokio::test]
async fn what_is_read_is_filtered() {
    let world = World::new().await;
    world.post("/api/v1/silences", json!({ "matchers": ["team=b"], "for": "1h", "comment": "c" })).await;
    let alert = |name: &str, team: &str, severity: &str| json!({ "labels": { "alertname": name, "team": team, "severity": severity } });
    let batch = json!([alert("A", "a", "info"), alert("B", "b", "info"), alert("C", "c", "critical")]);
    assert_eq!(world.report(batch).await.status, 200);
    for (query, wanted) in [
        ("", "ABC"),
        ("?active=true&silenced=false&inhibited=false&unprocessed=false", "AC"),
        ("?active=false", "B"),
        ("?filter=team%3Da", "A"),
        ("?filter=team%3D~%22a%7Cb%22&filter=alertname!%3DA", "B"),
        ("?filter=%7Bteam!%3D%22a%22%2C%20alertname!%3DB%7D", "C"),
        ("?filter=none%3D", "ABC"),
        ("?receiver=call-out", "C"),
        ("?receiver=call", ""),
        ("?receiver=ma.l", "AB"),
        ("?receiver_matchers=name%3Dmail", "AB"),
    ] {
        let mut names: Vec<String> =
            world.alerts(query).await.iter().map(|a| a["labels"]["alertname"].as_str().unwrap().to_owned()).collect();
        names.sort();
        assert_eq!(names.concat(), wanted, "{query}");
    }
    let silenced = &world.alerts("?active=false").await[0]["status"];
    assert_eq!((&silenced["state"], silenced["silencedBy"].as_array().unwrap().len()), (&json!("suppressed"), 1));
    let wrong = world.over_tcp("GET", "/api/v2/alerts?active=maybe", "", "").await;
    assert_eq!((wrong.status, &wrong.json["code"]), (422, &json!(422)), "{wrong:?}");
    assert!(wrong.json["message"].as_str().unwrap().contains("active"));
    for query in ["filter=a%3D~%5B", "filter=%3D", "receiver=%28"] {
        let wrong = world.over_tcp("GET", &format!("{ALERTS}?{query}"), "", "").await;
        assert!(wrong.status == 400 && wrong.json.is_string(), "{query}: {wrong:?}");
    }
}

#[tokio::test]
async fn many_are_read_in_one_array_in_order() {
    let world = World::new().await;
    for part in 0..5 {
        let batch: Vec<Value> = (0..100)
            .map(|n| json!({ "labels": { "alertname": "A", "n": (part * 100 + n).to_string(), "severity": "info" } }))
            .collect();
        assert_eq!(world.report(json!(batch)).await.status, 200);
    }
    let answer = world.over_tcp("GET", ALERTS, "", "").await;
    assert!(answer.head.contains("transfer-encoding: chunked"));
    let rows: Vec<Value> = serde_json::from_str(&unchunked(&answer.text)).unwrap();
    let fingerprints: Vec<&str> = rows.iter().map(|row| row["fingerprint"].as_str().unwrap()).collect();
    assert!(fingerprints.len() == 500 && fingerprints.is_sorted(), "{}", fingerprints.len());
    let one = world.over_tcp("GET", "/api/v2/alerts?filter=n%3D499", "", "").await;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&unchunked(&one.text)).unwrap().len(), 1);
}

fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        text.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    text
}

/// Each is refused as a whole, with its place, and the next request finds all as it was.
#[tokio::test]
async fn f47_what_is_malformed_is_refused_with_its_place() {
    let world = World::new().await;
    let good = r#"{"labels":{"alertname":"A"}}"#;
    let deep = |n: usize| format!(r#"[{{"labels":{{"a":"b"}},"more":{}{}}}]"#, "[".repeat(n), "]".repeat(n));
    let corpus: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "JSON array"),
        (b"null".to_vec(), "JSON array"),
        (b"{}".to_vec(), "JSON array"),
        (good.into(), "JSON array"),
        (b"[".to_vec(), "line 1 column 1"),
        (format!("[{good},]").into(), "line 1 column 31"),
        (format!("[{good}] x").into(), "line 1 column 32"),
        (format!("[{good},\n {{\"labels\": oops}}]").into(), "line 2 column 13"),
        (format!("[{}", &good[..20]).into(), "line 1"),
        (br#"[{"labels":{"a":NaN}}]"#.to_vec(), "line 1 column 17"),
        (br#"[{"labels":{"a":"\ud800"}}]"#.to_vec(), "line 1"),
        (b"[{\"labels\":{\"a\":\"\x00\"}}]".to_vec(), "line 1"),
        (deep(10_000).into(), "nested too deep"),
        ("[".repeat(100_000).into(), ""),
    ];
    for (body, wanted) in corpus {
        let bytes = request("POST", ALERTS, &body, "content-type: application/json\r\n");
        let answer = world.raw(OPERATOR, &bytes).await;
        let words = answer.json.as_str().unwrap_or_else(|| panic!("no JSON string: {answer:?}"));
        assert!(answer.status == 400 && words.contains(wanted), "wanted {wanted:?}, got {answer:?}");
        assert!(words.len() < 500, "an answer is short: {words}");
    }
    assert!(world.alerts("").await.is_empty(), "nothing came of it");
    let spoilt =
        r#"[{"labels":{"a":"1","a":"2"}},{"labels":{"b":"1"},"labels":{"b":"2"}},{"labels":{"c":true,"d":{"e":[]}}}]"#;
    let answer = world.ask(OPERATOR, "POST", ALERTS, spoilt).await;
    for wanted in [
        "alerts[0].labels.a: the name is there twice",
        "alerts[1].labels: it is there twice",
        "alerts[2].labels.c: it is true or false",
        "alerts[2].labels.d: it is an object",
    ] {
        assert!(answer.status == 400 && answer.text.contains(wanted), "{wanted}: {answer:?}");
    }
    assert!(world.alerts("").await.is_empty());
    let marked = format!("\u{feff} [{good}] \n");
    assert_eq!(world.ask(OPERATOR, "POST", ALERTS, marked).await.status, 200, "a byte order mark is no fault");
    assert_eq!(world.ask(OPERATOR, "POST", ALERTS, deep(29)).await.status, 200);
    assert_eq!(world.ask(OPERATOR, "POST", ALERTS, "[]").await.status, 200);
}

/// Status, headers in whatever order, and body.
#[tokio::test]
async fn the_short_way_past_the_router_answers_as_the_router_does() {
    let (short, long) = (World::new().await, World::new().await);
    let good = json!([disk()]).to_string();
    let mixed = r#"[{"labels":{"alertname":"B"}},{"labels":{"1x":"y"}}]"#;
    let large = " ".repeat(11 << 20);
    let typed = "content-type: application/json\r\n";
    let asked = [
        ("POST", ALERTS, good.as_str(), typed),
        ("POST", ALERTS, &good, "content-type: text/plain\r\n"),
        ("POST", ALERTS, &good, ""),
        ("POST", ALERTS, &good, "authorization: Bearer nobody-knows-it\r\n"),
        ("POST", "/api/v2/alerts?of=whom", &good, typed),
        ("POST", "/api/v2/alerts/", &good, typed),
        ("POST", "/api/v2/%61lerts", &good, typed),
        ("POST", "/api/v2/alerts/groups", &good, typed),
        ("POST", ALERTS, mixed, typed),
        ("POST", ALERTS, "{", typed),
        ("POST", ALERTS, "", typed),
        ("POST", ALERTS, &large, typed),
        ("POST", ALERTS, &good, "expect: 100-continue\r\n"),
        ("PUT", ALERTS, &good, typed),
        ("DELETE", ALERTS, "", ""),
        ("OPTIONS", ALERTS, "", ""),
        ("HEAD", ALERTS, "", ""),
    ];
    for (method, path, body, headers) in asked {
        let bytes = request(method, path, body.as_bytes(), headers);
        let (near, far) = (short.by(short.api.open_router(), &bytes), long.by(long.api.open_routes().into(), &bytes));
        let (near, far) = (near.await, far.await);
        let undated = |answer: &Answer| -> BTreeSet<String> {
            answer.head.lines().filter(|line| !line.starts_with("date:")).map(str::to_owned).collect()
        };
        assert_eq!((undated(&near), &near.text), (undated(&far), &far.text), "{method} {path} {headers}");
    }
    let incidents = (short.incidents().await.len(), long.incidents().await.len());
    assert_eq!(incidents, (2, 2), "the good ones, and no more");
}

#[tokio::test]
async fn f48_a_body_that_is_too_large_is_not_read_to_its_end() {
    let world = World::new().await;
    let large = format!(r#"[{{"labels":{{"a":"{}"}}}}]"#, "x".repeat(10 << 20));
    let answer = world.ask(OPERATOR, "POST", ALERTS, &large).await;
    assert!(answer.status == 413 && answer.json.is_string(), "{}", answer.head);
    let claimed =
        b"POST /api/v2/alerts HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99999999999\r\n\r\n["
            .to_vec();
    assert_eq!(world.raw(OPERATOR, &claimed).await.status, 413);
    let mut endless =
        b"POST /api/v2/alerts HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..200 {
        endless.extend_from_slice(format!("10000\r\n{}\r\n", " ".repeat(0x10000)).as_bytes());
    }
    assert_eq!(world.raw(OPERATOR, &endless).await.status, 413);
    // What is compressed is not unpacked: it is no JSON.
    let gzip = world.over_tcp("POST", ALERTS, "\u{1f}\u{8}gz", "content-encoding: gzip\r\n").await;
    assert_eq!(gzip.status, 400);
    // What is refused has left its room.
    assert_eq!(world.report(json!([disk()])).await.status, 200);
}

#[tokio::test]
async fn f51_strange_letters_are_kept_and_a_long_annotation_is_cut() {
    let world = World::new().await;
    let label = "a\r\nBcc: x\u{1b}[31m\u{202e}\u{0}";
    let body = json!([{ "labels": { "alertname": label }, "annotations": { "description": "é".repeat(20_000) } }]);
    assert_eq!(world.report(body).await.status, 200);
    let read = &world.alerts("").await[0];
    assert_eq!(read["labels"]["alertname"], label);
    let cut = read["annotations"]["description"].as_str().unwrap();
    assert!(cut.len() < 17_000 && cut.ends_with("... (cut, it has 40000 bytes)"));
}

#[tokio::test]
async fn with_tokens_nobody_reports_without_one() {
    let world = World::new().await;
    let mut config = config(&world.held);
    let token = |name: &str, secret: &str, alerts| crate::config::Token {
        name: name.to_owned(),
        secret: crate::domain::secret::Secret::new(secret),
        alerts,
    };
    config.http.as_mut().unwrap().tokens =
        vec![token("prometheus", "0123456789abcdef", true), token("idle", "fedcba9876543210", false)];
    let ask = crate::engine::Ask::Apply { config: std::sync::Arc::new(config), changed: vec![], kept: false };
    world.handle.ask(crate::engine::Caller::engine(), ask).await.unwrap();

    let body = json!([disk()]).to_string();
    let with = |header: &str| if header.is_empty() { String::new() } else { format!("authorization: {header}\r\n") };
    for (header, status) in [
        ("", 401),
        ("Bearer", 401),
        ("Bearer 0123456789abcde", 401),
        ("Bearer 0123456789abcdef0", 401),
        ("Basic MDEyMzQ1Njc4OWFiY2RlZg==", 401),
        ("0123456789abcdef", 401),
        ("Bearer fedcba9876543210", 403),
    ] {
        for method in ["POST", "GET"] {
            let answer = world.over_tcp(method, ALERTS, &body, &with(header)).await;
            assert!(answer.status == status && answer.json.is_string(), "{method} {header}: {answer:?}");
            assert_eq!(answer.head.contains("www-authenticate: bearer"), status == 401);
        }
    }
    assert!(world.incidents().await.is_empty());
    let denied = world.until("auth_denied", 14).await;
    assert_eq!((&denied[0]["initiator"], &denied[0]["action"]), (&json!("over TCP"), &json!("POST /api/v2/alerts")));
    for header in ["Bearer 0123456789abcdef", "bearer  0123456789abcdef"] {
        assert_eq!(world.over_tcp("POST", ALERTS, &body, &with(header)).await.status, 200, "{header}");
    }
    assert_eq!(world.incidents().await[0]["opened_by"], "prometheus");
    assert_eq!(world.over_tcp("GET", "/healthz", "", "").await.status, 200, "health needs none");
}

#[tokio::test]
async fn f49_what_is_full_says_when_to_come_again_and_urgent_has_its_reserve() {
    let world = World::new().await;
    let report = |severity: &str| json!([{ "labels": { "alertname": "A", "severity": severity } }]);
    // The bodies of others fill nine tenths and more of the room.
    let filled = world.api.room.fill(0.95);
    let refused = world.report(report("info")).await;
    assert!(
        refused.status == 503 && refused.json.is_string() && refused.head.contains("retry-after: 1"),
        "{refused:?}"
    );
    assert_eq!(world.report(report("critical")).await.status, 200);
    drop(filled);
    let full = world.api.room.fill(1.0);
    assert_eq!(world.report(report("critical")).await.status, 503);
    drop(full);
    assert_eq!(world.report(report("info")).await.status, 200);
    // Nothing can be made durable.
    world.stuck();
    world.hear(crate::runtime::LogNews::Trouble("no space left".into()));
    let refused = world.report(report("error")).await;
    assert!(refused.status == 503 && refused.head.contains("retry-after: 1"), "{refused:?}");
}
