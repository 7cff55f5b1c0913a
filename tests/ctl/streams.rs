//! What goes on for ever: `events -f` and `ledger tail -f`, over cuts and restarts, and readers that
//! go away.

use crate::standin::Standin;
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

fn sse(events: &[(u64, Value)]) -> String {
    events.iter().map(|(seq, event)| format!(": comment\nid: {seq}\nevent: x\ndata: {event}\n\n")).collect()
}

fn event(seq: u64, kind: &str) -> (u64, Value) {
    let event = json!({"seq": seq, "at": "2026-11-20T02:47:03.120+01:00", "kind": kind, "level": "urgent", "subject": "x\u{1b}",
        "incident": {"number": 417}});
    (seq, event)
}

/// Starts a follower; it is killed when dropped.
fn follow(mut command: Command) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

#[tokio::test]
async fn events_until_now_are_printed_and_that_is_all() {
    let standin = Standin::start();
    let stream = sse(&[event(7, "incident.opened"), event(9, "incident.step")]);
    standin.on_bytes("GET /api/v1/events", 200, "text/event-stream", stream);
    let people = standin.ctl(&["events", "--since-seq", "5"]).await;
    assert_eq!(
        people.out,
        "2026-11-20 02:47:03.120        7  incident.opened        #417 URGENT  x\\x1b\n\
         2026-11-20 02:47:03.120        9  incident.step          #417 URGENT  x\\x1b\n"
    );
    assert_eq!(people.code, 0);
    let seen = standin.seen();
    assert_eq!(seen[0].path, "/api/v1/events?since_seq=5&follow=false");
    assert_eq!(seen[0].headers["accept"], "text/event-stream");

    let scripts = standin.ctl(&["events", "--json"]).await;
    let lines: Vec<Value> = scripts.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines, [event(7, "incident.opened").1, event(9, "incident.step").1]);
}

#[tokio::test]
async fn a_stream_that_is_cut_goes_on_where_it_was() {
    let standin = Standin::start();
    let stream = |s: &str| standin.on_bytes("GET /api/v1/events", 200, "text/event-stream", s).socket();
    stream(&sse(&[event(7, "test")]));
    stream(&sse(&[event(8, "test")]));
    stream("");
    let (mut child, mut lines) = follow(standin.command(&["events", "-f", "--json", "--since-seq", "6"]));
    for seq in [7, 8] {
        let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(line["seq"], seq);
    }
    child.kill().await.unwrap();
    let seen = standin.seen();
    assert_eq!(seen[0].path, "/api/v1/events?since_seq=6");
    assert!(!seen[0].headers.contains_key("last-event-id"));
    assert_eq!(seen[1].path, "/api/v1/events");
    assert_eq!(seen[1].headers["last-event-id"], "7");
}

#[tokio::test]
async fn the_ledger_is_followed_by_sequence_number() {
    let standin = Standin::start();
    let entries = |seqs: &[u64]| {
        let entries: Vec<Value> = seqs
            .iter()
            .map(|s| json!({"seq": s, "at": "2026-11-20T01:47:03Z", "kind": "heartbeat_late", "name": "backup", "number": null}))
            .collect();
        json!({"entries": entries, "next_cursor": null})
    };
    standin.on("GET /api/v1/status", 200, json!({"ledger": {"durable_seq": 100}}));
    standin.on("GET /api/v1/ledger", 200, entries(&[99, 100]));
    standin.on("GET /api/v1/ledger", 503, json!({"error": {"code": "OVERLOADED", "message": "busy"}}));
    standin.on("GET /api/v1/ledger", 200, entries(&[]));
    standin.on("GET /api/v1/ledger", 200, entries(&[104]));
    standin.on("GET /api/v1/ledger", 200, entries(&[]));
    let (mut child, mut lines) = follow(standin.command(&["ledger", "tail", "-f", "-n", "2"]));
    for seq in [99, 100, 104] {
        let line = lines.next_line().await.unwrap().unwrap();
        assert_eq!(line, format!("2026-11-20 01:47:03.000  {seq:>7}  heartbeat_late                  backup is late"));
    }
    while standin.seen().iter().all(|s| s.path != "/api/v1/ledger?after_seq=104&limit=200") {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_stream_that_is_refused_ends_at_once() {
    let standin = Standin::start();
    standin.on("GET /api/v1/events", 403, json!({"error": {"code": "FORBIDDEN", "message": "viewers may not"}}));
    let ran = standin.ctl(&["events", "-f"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (5, "stentorctl: viewers may not\n"));
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() {
    let standin = Standin::start();
    let lines: String = (0..200_000).map(|n| format!("{{\"seq\":{n}}}\n")).collect();
    standin.on_bytes("GET /api/v1/ledger/export", 200, "application/x-ndjson", lines);
    let mut command = standin.command(&["ledger", "export"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(first.next_line().await.unwrap().unwrap(), "{\"seq\":0}");
    drop(first);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}
