//! Everything that can be wrong with a request: a clear error that names the field, and nothing
//! half done.

use crate::harness::ways;
use crate::harness::{Daemon, Home, LONGEST};
use crate::standins::Standins;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Wrong {
    method: &'static str,
    path: &'static str,
    body: String,
    status: u16,
    code: &'static str,
    field: Option<&'static str>,
}

fn wrong(path: &'static str, body: &str, field: &'static str) -> Wrong {
    Wrong { method: "POST", path, body: body.into(), status: 400, code: "VALIDATION_ERROR", field: Some(field) }
}

impl Wrong {
    fn method(mut self, method: &'static str) -> Wrong {
        self.method = method;
        self
    }

    fn is(mut self, status: u16, code: &'static str) -> Wrong {
        (self.status, self.code) = (status, code);
        self
    }

    fn no_field(mut self) -> Wrong {
        self.field = None;
        self
    }
}

const SEND: &str = "/api/v1/notifications";
const OPEN: &str = "/api/v1/incidents";
const SILENCE: &str = "/api/v1/silences";

fn sends() -> Vec<Wrong> {
    vec![
        wrong(SEND, "{", "body").no_field(),
        wrong(SEND, "[]", "body").no_field(),
        wrong(SEND, "\"text\"", "body").no_field(),
        wrong(SEND, "{}", "subject"),
        wrong(SEND, r#"{"subject": ""}"#, "subject"),
        wrong(SEND, r#"{"subject": "  "}"#, "subject"),
        wrong(SEND, r#"{"subject": 7}"#, "subject"),
        wrong(SEND, r#"{"subject": "x", "colour": "red"}"#, "colour"),
        wrong(SEND, r#"{"subject": "x", "level": "purple"}"#, "level"),
        wrong(SEND, r#"{"subject": "x", "level": 3}"#, "level"),
        wrong(SEND, r#"{"subject": "x", "to": "alice"}"#, "to"),
        wrong(SEND, r#"{"subject": "x", "to": ["nobody-of-this-name"]}"#, "to").is(404, "NOT_FOUND"),
        wrong(SEND, r#"{"subject": "x", "to": ["group:none"]}"#, "to").is(404, "NOT_FOUND"),
        wrong(SEND, r#"{"subject": "x", "to": ["schedule:none"]}"#, "to").is(404, "NOT_FOUND"),
        wrong(SEND, r#"{"subject": "x", "to": ["+0155"]}"#, "to"),
        wrong(SEND, r#"{"subject": "x", "to": ["+1555010012345678"]}"#, "to"),
        wrong(SEND, r#"{"subject": "x", "to": ["a@"]}"#, "to"),
        wrong(SEND, r#"{"subject": "x", "to": ["a@b.example\r\nBcc: c@d.example"]}"#, "to"),
        wrong(SEND, r#"{"subject": "x", "channels": ["smoke"]}"#, "channels").is(404, "NOT_FOUND"),
        wrong(SEND, r#"{"subject": "x", "channels": "hook"}"#, "channels"),
        wrong(SEND, r#"{"subject": "x", "ttl": "soon"}"#, "ttl"),
        wrong(SEND, r#"{"subject": "x", "ttl": "-5m"}"#, "ttl"),
        wrong(SEND, r#"{"subject": "x", "ttl": "0s"}"#, "ttl"),
        // A whole number is seconds.
        wrong(SEND, r#"{"subject": "x", "ttl": -300}"#, "ttl"),
        wrong(SEND, r#"{"subject": "x", "ttl": 0}"#, "ttl"),
        wrong(SEND, r#"{"subject": "x", "ttl": 1.5}"#, "ttl"),
        wrong(SEND, r#"{"subject": "x", "ttl": 1e30}"#, "ttl"),
        wrong(SEND, r#"{"subject": "x", "ttl": NaN}"#, "body").no_field(),
        wrong(SEND, r#"{"subject": "x", "ttl": true}"#, "ttl"),
        wrong(SEND, r#"{"subject": "x", "at": "tomorrow"}"#, "at"),
        wrong(SEND, r#"{"subject": "x", "labels": {"9 x": "y"}}"#, "labels"),
        wrong(SEND, r#"{"subject": "x", "labels": {"team": 7}}"#, "labels"),
        wrong(SEND, r#"{"subject": "x", "idempotency_key": ""}"#, "idempotency_key"),
        wrong("/api/v1/notifications?wait=soon", r#"{"subject": "x"}"#, "wait"),
        wrong(SEND, r#"{"subject": "x", "channels": []}"#, "to").is(409, "NOBODY").no_field(),
    ]
}

fn others() -> Vec<Wrong> {
    vec![
        wrong(OPEN, r#"{"subject": "x", "policy": "no-such"}"#, "policy").is(404, "NOT_FOUND"),
        wrong(OPEN, r#"{"subject": "x", "fingerprint": ""}"#, "fingerprint"),
        wrong(OPEN, r#"{"level": "urgent"}"#, "subject"),
        wrong("/api/v1/incidents/999/acknowledge", "{}", "id").is(404, "NOT_FOUND").no_field(),
        wrong("/api/v1/incidents/1/snooze", "{}", "for"),
        wrong("/api/v1/incidents/1/snooze", r#"{"for": "-1h"}"#, "for"),
        wrong("/api/v1/incidents/1/acknowledge", r#"{"notes": "x"}"#, "notes"),
        wrong(SILENCE, r#"{"matchers": [], "for": "1h", "comment": "c"}"#, "matchers"),
        wrong(SILENCE, r#"{"matchers": ["=x"], "for": "1h", "comment": "c"}"#, "matchers"),
        wrong(SILENCE, r#"{"matchers": ["a=~["], "for": "1h", "comment": "c"}"#, "matchers"),
        wrong(SILENCE, r#"{"matchers": ["a=b"], "for": "ever", "comment": "c"}"#, "for"),
        wrong(SILENCE, r#"{"matchers": ["a=b"], "comment": "c"}"#, "for"),
        wrong(SILENCE, r#"{"matchers": ["a=b"], "for": "1h"}"#, "comment"),
        wrong("/api/v1/silences/none", "", "id").method("DELETE").is(404, "NOT_FOUND").no_field(),
        wrong("/api/v1/heartbeats/none/run", "{}", "name").is(404, "NOT_FOUND"),
        wrong("/api/v1/heartbeats/none/ping", "{}", "name").is(404, "NOT_FOUND"),
        wrong("/api/v1/heartbeats/job/ping", r#"{"fail": "yes"}"#, "fail"),
        wrong("/api/v1/metrics/none", "", "name").method("GET").is(404, "NOT_FOUND").no_field(),
        wrong("/api/v1/metrics/a%20b", r#"{"value": 1}"#, "name").method("PUT"),
        wrong("/api/v1/fomo", r#"{"deal": "x", "remaining": "many"}"#, "remaining"),
        wrong("/api/v1/fomo", r#"{"remaining": 7}"#, "deal"),
        wrong("/api/v1/fomo", r#"{"deal": "x", "remaining": 7, "tiers": ["TIER_9"]}"#, "tiers").is(404, "NOT_FOUND"),
        wrong("/api/v1/channels/smoke/test", "{}", "channels").is(404, "NOT_FOUND").no_field(),
        wrong("/api/v1/deliveries/01K00000000000000000000000", "", "id").method("GET").is(404, "NOT_FOUND").no_field(),
        wrong("/api/v1/deliveries?status=lost", "", "status").method("GET"),
        wrong("/api/v1/deliveries?limit=many", "", "limit").method("GET"),
        wrong("/api/v1/deliveries?colour=red", "", "colour").method("GET"),
        wrong("/api/v1/ledger?since=ever", "", "since").method("GET"),
        wrong("/api/v1/ledger?kind=no_such_kind", "", "kind").method("GET"),
        wrong("/api/v1/ledger/export?format=xml", "", "format").method("GET"),
        wrong("/api/v1/explain/999", "", "id").method("GET").is(404, "NOT_FOUND").no_field(),
        wrong("/api/v1/nothing-here", "", "path").method("GET").is(404, "NOT_FOUND").no_field(),
    ]
}

async fn up() -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let config = ways::and(&format!("{}\n[heartbeats.job]\nkind = \"passive\"\nevery = \"1d\"\n", ways::BY_HOOK));
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["page", "--level", "low", "--subject", "the one incident"]).await;
    standins.wait_for("hook", 1).await;
    (standins, daemon)
}

#[tokio::test]
async fn f47_every_wrong_request_is_refused_by_its_field_and_changes_nothing() {
    let (standins, daemon) = up().await;
    let changing = [
        "notification_accepted",
        "incident_opened",
        "silence_added",
        "incident_acknowledged",
        "incident_snoozed",
        "heartbeat_pinged",
        "metrics_seen",
    ];
    let before = daemon.ledger(&changing).await.len();
    let mut mistakes = Vec::new();
    for wrong in sends().into_iter().chain(others()) {
        let (status, answer) = daemon.request(wrong.method, wrong.path, &wrong.body).await;
        let error = &answer["error"];
        let told = error["message"].as_str().is_some_and(|m| m.len() > 5);
        let named = error["field"].as_str().unwrap_or_default();
        // `to[0]` and `labels.team` are of `to` and `labels`.
        let field = wrong.field.is_none_or(|field| named.split(['[', '.']).next() == Some(field));
        if status != wrong.status || error["code"] != wrong.code || !field || !told {
            mistakes.push(format!(
                "{} {} {}\n  wanted {} {} {:?}\n  got    {status} {answer}",
                wrong.method, wrong.path, wrong.body, wrong.status, wrong.code, wrong.field
            ));
        }
    }
    assert!(mistakes.is_empty(), "{}\n{} of them", mistakes.join("\n"), mistakes.len());
    assert_eq!(daemon.ledger(&changing).await.len(), before, "nothing half done");
    assert_eq!(standins.recorded("hook").len(), 1);
    assert!(standins.recorded("smtp").is_empty());
}

#[tokio::test]
async fn f48_bodies_that_are_too_large_broken_or_no_http_at_all() {
    let (_standins, daemon) = up().await;
    let large = format!(r#"{{"subject": "x", "body": "{}"}}"#, "y".repeat(1 << 20));
    let (status, answer) = daemon.request("POST", SEND, &large).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (413, Some("TOO_LARGE")), "{answer}");
    let said = daemon.ctl(&["send", "--subject", &"z".repeat(100_000)]).await;
    assert_eq!(said.code, 2, "a subject of 100 kB: {said:?}");

    let claims = format!("POST {SEND} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{{");
    let (status, _) = daemon.raw(claims.as_bytes()).await.expect("an answer to a claimed length");
    assert_eq!(status, 413);
    let not_utf8 = [b"POST /api/v1/notifications HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"subject\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
    let (status, _) = daemon.raw(&not_utf8).await.expect("an answer to what is no UTF-8");
    assert_eq!(status, 400);
    for noise in [b"\x00\x01\x02\x03\r\n\r\n".as_slice(), b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"] {
        if let Some((status, _)) = daemon.raw(&[noise, b"\r\n\r\n"].concat()).await {
            assert_eq!(status, 400);
        }
    }
    let (status, answer) = daemon.request("DELETE", "/api/v1/status", "").await;
    assert_eq!(status, 405, "{answer}");
    // A thousand levels of brackets are a lot for a parser that recurses.
    let (status, _) = daemon.request("POST", SEND, &"[".repeat(100_000)).await;
    assert_eq!(status, 400);
    assert_eq!(daemon.ok(&["incidents", "list"]).await["incidents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn f48_a_body_without_end_is_refused_at_a_mebibyte_and_nothing_is_unpacked() {
    let (_standins, daemon) = up().await;
    let mut stream = tokio::net::UnixStream::connect(daemon.socket()).await.unwrap();
    let head = format!("POST {SEND} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut answers, mut asks) = stream.into_split();
    let endless = tokio::spawn(async move {
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        let mut written = 0;
        while asks.write_all(&chunk).await.is_ok() {
            written += chunk.len();
        }
        written
    });
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LONGEST, answers.read_to_end(&mut answer)).await;
    read.expect("the connection is closed").ok();
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    let written = tokio::time::timeout(LONGEST, endless).await.expect("nobody reads any more").unwrap();
    assert!(written < 64 << 20, "{written} bytes were taken");

    // The beginning of any gzip file: it is no JSON, whatever it would become.
    let packed = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03];
    let head = format!(
        "POST {SEND} HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        packed.len()
    );
    let (status, answer) = daemon.raw(&[head.as_bytes(), &packed].concat()).await.unwrap();
    assert_eq!(status, 400, "{answer}");
    assert!(answer.contains("leave Content-Encoding out"), "{answer}");
}

#[tokio::test]
async fn the_command_refuses_before_it_asks() {
    let (_standins, daemon) = up().await;
    for arguments in [
        &["send"] as &[&str],
        &["send", "--subject", ""],
        &["send", "--subject", "x", "--label", "no-equals-sign"],
        &["send", "--subject", "x", "--ttl", "soon"],
        &["send", "--subject", "x", "--wait=soon"],
        &["send", "--subject", "x", "--var", "a=b"],
        &["snooze", "1", "later"],
        &["silence", "add", "a=b", "--for", "1h"],
        &["dlq", "requeue"],
        &["no-such-command"],
        &["status", "--no-such-flag"],
    ] {
        let said = daemon.ctl(arguments).await;
        assert_eq!(said.code, 2, "{arguments:?}: {said:?}");
        assert!(!said.err.is_empty() || !said.out.is_empty(), "{arguments:?} says nothing");
    }
}
