//! Whatever answers on the socket, the command ends with one of its codes and never panics.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

const COMMANDS: [&[&str]; 12] = [
    &["status"],
    &["incidents", "list"],
    &["incidents", "show", "1"],
    &["deliveries", "list"],
    &["deliveries", "show", "1234"],
    &["channels", "list"],
    &["explain", "1"],
    &["ack"],
    &["send", "--subject", "x"],
    &["ledger", "stats"],
    &["ledger", "tail", "-n", "3"],
    &["events"],
];

const FIELDS: [&str; 26] = [
    "state",
    "reasons",
    "incidents",
    "deliveries",
    "channels",
    "heartbeats",
    "watches",
    "config",
    "ledger",
    "queue",
    "number",
    "level",
    "subject",
    "status",
    "opened_at",
    "next",
    "at",
    "notified",
    "attempts",
    "steps",
    "error",
    "code",
    "message",
    "next_cursor",
    "entries",
    "labels",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from("2026-11-20T02:47:03.120+01:00")),
        Just(Value::from("-9999-01-01T00:00:00Z")),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let object = prop::collection::btree_map(prop::sample::select(FIELDS.to_vec()), inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
            object.prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// An answer, byte by byte as it goes over the socket.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        6 => value().prop_map(|v| v.to_string().into_bytes()),
        1 => value().prop_map(|v| format!("id: 7\nevent: x\ndata: {v}\n\n:\ndata\n\n").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ];
    let whole = (prop::sample::select(vec![200u16, 202, 400, 404, 409, 503]), body).prop_map(|(status, body)| {
        let head = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    });
    prop_oneof![8 => whole, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

#[test]
fn no_answer_upsets_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let listener = UnixListener::bind(&socket).unwrap();
    let answers = Arc::<Mutex<Vec<u8>>>::default();
    let said = answers.clone();
    // It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::{Read, Write};
            let mut stream = stream.unwrap();
            let mut request = [0; 16_384];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&said.lock().unwrap());
        }
    });
    let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
    let all = (prop::sample::select(COMMANDS.to_vec()), any::<bool>(), answer());
    let run = TestRunner::new(config).run(&all, |(arguments, json, answer)| {
        *answers.lock().unwrap() = answer.clone();
        let mut command = Command::new(env!("CARGO_BIN_EXE_stentorctl"));
        command.args(arguments).args(json.then_some("--json")).env_clear().env("STENTOR_SOCKET", &socket);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let code = output.status.code();
        let shown = String::from_utf8_lossy(&answer);
        prop_assert!(code.is_some_and(|code| (0..=6).contains(&code)), "{arguments:?} {shown}: {output:?}");
        prop_assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{arguments:?} {shown}");
        Ok(())
    });
    run.unwrap();
}
