//! Each command makes exactly the request of docs/api.md, and with `--json` prints the answer as it
//! came.

use crate::standin::{Standin, stentorctl};
use serde_json::{Value, json};

type Row = (&'static [&'static str], &'static str, Value);

fn rows() -> Vec<Row> {
    vec![
        (&[], "GET /api/v1/status", Value::Null),
        (&["status"], "GET /api/v1/status", Value::Null),
        (&["send", "--subject", "x"], "POST /api/v1/notifications", json!({"subject": "x"})),
        (
            &[
                "send",
                "--level",
                "crit",
                "--subject",
                "-5 degrees",
                "--body",
                "cold",
                "--to",
                "alice",
                "--to",
                "+1 555 0199",
                "--channel",
                "sms",
                "--channel",
                "mail",
                "--type",
                "margin_call",
                "--label",
                "host=db=1",
                "--label",
                "empty=",
                "--initiator",
                "cron",
                "--tenant",
                "acme",
                "--idempotency-key",
                "k 1",
                "--correlation-id",
                "c",
                "--request-id",
                "r 1",
                "--actor",
                "billing",
                "--metadata",
                "order.no=7=a",
                "--metadata",
                "note=",
                "--ttl",
                "1h30m",
                "--at",
                "2026-11-20T07:00:00+01:00",
            ],
            "POST /api/v1/notifications",
            json!({"level": "crit", "subject": "-5 degrees", "body": "cold", "to": ["alice", "+1 555 0199"],
                "channels": ["sms", "mail"], "type": "margin_call", "labels": {"host": "db=1", "empty": ""}, "initiator": "cron",
                "tenant": "acme", "idempotency_key": "k 1", "correlation_id": "c", "ttl": "1h30m",
                "request_id": "r 1", "actor": "billing", "metadata": {"order.no": "7=a", "note": ""},
                "at": "2026-11-20T07:00:00+01:00"}),
        ),
        (
            &["send", "--subject", "x", "--ttl", "90"],
            "POST /api/v1/notifications",
            json!({"subject": "x", "ttl": "90s"}),
        ),
        (&["send", "--subject", "x", "--wait"], "POST /api/v1/notifications?wait=30s", json!({"subject": "x"})),
        (&["send", "--wait=5m", "--subject", "x"], "POST /api/v1/notifications?wait=5m", json!({"subject": "x"})),
        (&["selftest"], "POST /api/v1/selftest", json!({})),
        (
            &["selftest", "sms", "mail", "--send", "--to", "bob"],
            "POST /api/v1/selftest",
            json!({"channels": ["sms", "mail"], "send": true, "to": ["bob"]}),
        ),
        (&["page", "--subject", "x"], "POST /api/v1/incidents", json!({"level": "urgent", "subject": "x"})),
        (
            &[
                "incidents",
                "open",
                "--level",
                "high",
                "--subject",
                "x",
                "--body",
                "y",
                "--fingerprint",
                "f",
                "--policy",
                "none",
                "--to",
                "group:ops",
                "--channel",
                "siren",
                "--type",
                "t",
                "--label",
                "a=b",
            ],
            "POST /api/v1/incidents",
            json!({"level": "high", "subject": "x", "body": "y", "fingerprint": "f", "policy": "none", "to": ["group:ops"],
                "channels": ["siren"], "type": "t", "labels": {"a": "b"}}),
        ),
        (&["incidents", "list"], "GET /api/v1/incidents", Value::Null),
        (
            &["incidents", "list", "--all", "--cursor", "c/1"],
            "GET /api/v1/incidents?all=true&cursor=c%2F1",
            Value::Null,
        ),
        (&["incidents", "show", "#417"], "GET /api/v1/incidents/417", Value::Null),
        (&["ack"], "POST /api/v1/incidents/acknowledge", json!({})),
        (
            &["ack", "417", "--note", "on it", "--by", "bob"],
            "POST /api/v1/incidents/417/acknowledge",
            json!({"note": "on it", "by": "bob"}),
        ),
        (&["unack", "417"], "POST /api/v1/incidents/417/unacknowledge", json!({})),
        (&["resolve", "#417", "--note", "fixed"], "POST /api/v1/incidents/417/resolve", json!({"note": "fixed"})),
        (&["escalate", "WXYZ"], "POST /api/v1/incidents/WXYZ/escalate", json!({})),
        (&["snooze", "417", "30m"], "POST /api/v1/incidents/417/snooze", json!({"for": "30m"})),
        (&["deliveries", "list"], "GET /api/v1/deliveries", Value::Null),
        (
            &[
                "deliveries",
                "list",
                "--status",
                "dead",
                "--channel",
                "sms & more",
                "--incident",
                "#417",
                "--since",
                "24h",
                "--limit",
                "5",
                "--cursor",
                "c",
            ],
            "GET /api/v1/deliveries?status=dead&channel=sms+%26+more&incident=417&since=24h&limit=5&cursor=c",
            Value::Null,
        ),
        (&["deliveries", "show", "01KABC"], "GET /api/v1/deliveries/01KABC", Value::Null),
        (&["heartbeats", "list"], "GET /api/v1/heartbeats", Value::Null),
        (&["heartbeats", "run", "twilio"], "POST /api/v1/heartbeats/twilio/run", json!({})),
        (&["ping", "nightly backup"], "POST /api/v1/heartbeats/nightly%20backup/ping", json!({"fail": false})),
        (&["ping", "a/b", "--fail"], "POST /api/v1/heartbeats/a%2Fb/ping", json!({"fail": true})),
        (&["watches", "list"], "GET /api/v1/watches", Value::Null),
        (&["metric", "set", "queue", "-12.5"], "PUT /api/v1/metrics/queue", json!({"value": -12.5})),
        (&["metric", "get", "queue"], "GET /api/v1/metrics/queue", Value::Null),
        (
            &["fomo", "push", "--deal", "A", "--remaining", "400000", "--tier", "TIER_1", "--tier", "TIER_2"],
            "POST /api/v1/fomo",
            json!({"deal": "A", "remaining": 400_000.0, "tiers": ["TIER_1", "TIER_2"]}),
        ),
        (&["fomo", "list"], "GET /api/v1/fomo", Value::Null),
        (&["channels", "list"], "GET /api/v1/channels", Value::Null),
        (
            &["test", "sms", "--to", "alice", "--force"],
            "POST /api/v1/channels/sms/test?wait=30s",
            json!({"to": ["alice"], "force": true}),
        ),
        (&["test", "--to", "bob"], "POST /api/v1/channels/test?wait=30s", json!({"to": ["bob"]})),
        (&["test", "sms", "mail"], "POST /api/v1/channels/test?wait=30s", json!({"channels": ["sms", "mail"]})),
        (
            &[
                "silence",
                "add",
                "name=twilio",
                "level=~high|urgent",
                "--for",
                "2h",
                "--comment",
                "works",
                "--author",
                "bob",
            ],
            "POST /api/v1/silences",
            json!({"matchers": ["name=twilio", "level=~high|urgent"], "for": "2h", "comment": "works", "author": "bob"}),
        ),
        (&["silence", "list"], "GET /api/v1/silences", Value::Null),
        (
            &["silence", "expire", "6f1c9e0a-0b1f-4c57-9d53-9f3b4b1f2a11"],
            "DELETE /api/v1/silences/6f1c9e0a-0b1f-4c57-9d53-9f3b4b1f2a11",
            Value::Null,
        ),
        (
            &[
                "ledger",
                "query",
                "--since",
                "24h",
                "--until",
                "2026-11-20T07:00:00Z",
                "--kind",
                "started",
                "--kind",
                "stopping",
                "--incident",
                "417",
                "--delivery",
                "WXYZ",
                "--limit",
                "9",
                "--cursor",
                "c",
            ],
            "GET /api/v1/ledger?since=24h&until=2026-11-20T07%3A00%3A00Z&kind=started&kind=stopping&incident=417&delivery=WXYZ\
             &limit=9&cursor=c",
            Value::Null,
        ),
        (&["ledger", "stats", "--since", "7d"], "GET /api/v1/ledger/stats?since=7d", Value::Null),
        (&["ledger", "verify"], "GET /api/v1/ledger/verify", Value::Null),
        (&["explain", "417"], "GET /api/v1/explain/417", Value::Null),
        (&["reload"], "POST /api/v1/reload", json!({})),
        (&["sound", "stop"], "POST /api/v1/sound/stop", json!({})),
    ]
}

/// Odd blanks and an unknown field: only a copy looks like this.
const ANSWER: &str = "{ \"ok\": true,\n  \"from the future\" : [1.50] }";

#[tokio::test]
async fn every_command_makes_its_request_and_hands_the_document_on() {
    let standin = Standin::start();
    for (args, request, body) in rows() {
        let path = request.split('?').next().unwrap();
        standin.on_bytes(path, 200, "application/json", ANSWER);
        let args: Vec<&str> = ["--json"].iter().chain(args).copied().collect();
        let ran = standin.ctl(&args).await;
        let seen = standin.seen();
        assert_eq!(seen.len(), 1, "{args:?} {ran:?} {seen:?}");
        let asked = format!("{} {}", seen[0].method, seen[0].path);
        assert_eq!((asked.as_str(), &seen[0].body), (request, &body), "{args:?}");
        assert_eq!(ran.out.trim_end_matches('\n'), ANSWER, "{args:?}");
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}");
    }
}

#[tokio::test]
async fn quiet_prints_nothing_and_keeps_the_code() {
    let standin = Standin::start();
    for (args, request, _) in rows() {
        standin.on(request.split('?').next().unwrap(), 200, json!({"ok": true}));
        let args: Vec<&str> = args.iter().chain(&["--quiet"]).copied().collect();
        let ran = standin.ctl(&args).await;
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""), "{args:?}");
    }
}

#[tokio::test]
async fn the_tail_is_counted_from_the_last_durable_entry() {
    let standin = Standin::start();
    standin.on("GET /api/v1/status", 200, json!({"ledger": {"durable_seq": 1200}}));
    standin.on_bytes("GET /api/v1/ledger", 200, "application/json", ANSWER);
    let ran = standin.ctl(&["--json", "ledger", "tail", "-n", "5"]).await;
    assert_eq!((ran.code, ran.out.trim_end()), (0, ANSWER));
    assert_eq!(standin.seen()[1].path, "/api/v1/ledger?after_seq=1195&limit=5");
}

#[tokio::test]
async fn the_body_comes_from_standard_input() {
    let standin = Standin::start();
    standin.on("POST /api/v1/notifications", 202, json!({"id": "01K"}));
    let send = ["send", "--subject", "x", "--body", "-"];
    assert_eq!(standin.ctl_with_input(&send, "líne 1\nline 2\n".as_bytes()).await.code, 0);
    assert_eq!(standin.seen()[0].body, json!({"subject": "x", "body": "líne 1\nline 2"}));

    for (input, word) in [(vec![b'x'; (1 << 20) + 1], "1 MiB"), (vec![0xff, 0xfe], "UTF-8")] {
        let ran = standin.ctl_with_input(&send, &input).await;
        assert_eq!((ran.code, ran.err.contains(word)), (2, true), "{ran:?}");
    }
    let scripts = [&send[..], &["--json"]].concat();
    let error = standin.ctl_with_input(&scripts, &vec![b'x'; (1 << 20) + 1]).await.json();
    assert_eq!((&error["error"]["code"], &error["error"]["field"]), (&json!("TOO_LARGE"), &json!("body")), "{error}");
    assert!(standin.seen().is_empty());
}

#[tokio::test]
async fn an_export_is_handed_through_byte_for_byte() {
    let standin = Standin::start();
    let lines: String = (0..20_000).map(|n| format!("{{\"seq\":{n}}}\n")).collect();
    standin.on_bytes("GET /api/v1/ledger/export", 200, "application/x-ndjson", lines.as_str());
    let ran = standin.ctl(&["ledger", "export"]).await;
    assert_eq!((ran.code, ran.out == lines), (0, true));
    assert_eq!(standin.seen()[0].path, "/api/v1/ledger/export?format=jsonl");
    standin.ctl(&["ledger", "export", "--format", "csv"]).await;
    assert_eq!(standin.seen()[0].path, "/api/v1/ledger/export?format=csv");
}

#[tokio::test]
async fn over_tcp_the_token_goes_along_and_stays_out_of_sight() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/behind/", listener.local_addr().unwrap());
    let app = axum::Router::new().route(
        "/behind/api/v1/status",
        axum::routing::get(|headers: axum::http::HeaderMap| async move {
            axum::Json(json!({"token": headers["authorization"].to_str().unwrap()}))
        }),
    );
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "s3cret\n").unwrap();
    let file = file.to_str().unwrap();

    let ran = crate::standin::run(stentorctl(&["--json", "--url", &url, "--token-file", file]), None).await;
    assert_eq!((ran.code, ran.json()), (0, json!({"token": "Bearer s3cret"})), "{ran:?}");

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ran = crate::standin::run(stentorctl(&["--url", &format!("https://{closed}/secret")]), None).await;
    assert!(ran.code == 4 && ran.err.contains("Connection refused") && !ran.err.contains("secret"), "{ran:?}");

    let wrong = [("ftp://x", file), ("no url", file), ("https://alice:s3cret@x", file), (&url, "/does/not/exist")];
    for (url, token) in wrong.into_iter().chain([(url.as_str(), "/dev/null")]) {
        let ran = crate::standin::run(stentorctl(&["--url", url, "--token-file", token]), None).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(!ran.err.contains("s3cret"));
    }
}
