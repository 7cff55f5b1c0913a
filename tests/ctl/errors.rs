//! Every way to fail has its exit code, its words, and with `--json` its document.

use crate::standin::{Standin, run, stentorctl};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

fn error(code: &str) -> Value {
    json!({"error": {"code": code, "message": "the words of the daemon", "field": null, "retry_after_seconds": null}})
}

#[tokio::test]
async fn each_code_of_the_api_has_its_exit_code() {
    let table = [
        ("VALIDATION_ERROR", 400, 2),
        ("UNAUTHENTICATED", 401, 5),
        ("FORBIDDEN", 403, 5),
        ("NOT_FOUND", 404, 3),
        ("NOBODY", 409, 3),
        ("CONFLICT", 409, 2),
        ("TOO_LARGE", 413, 2),
        ("RATE_LIMITED", 429, 6),
        ("OVERLOADED", 503, 6),
        ("REBUILDING", 503, 6),
        ("PROVIDER_ERROR", 500, 1),
        ("OF_THE_FUTURE", 404, 3),
        ("OF_THE_FUTURE", 503, 6),
        ("OF_THE_FUTURE", 403, 5),
        ("OF_THE_FUTURE", 400, 2),
    ];
    for (code, status, exit) in table {
        let standin = Standin::start();
        standin.on("GET /api/v1/channels", status, error(code));
        let people = standin.ctl(&["channels", "list"]).await;
        assert_eq!((people.code, people.out.as_str()), (exit, ""), "{code} {people:?}");
        assert_eq!(people.err, "stentorctl: the words of the daemon\n");
        let scripts = standin.ctl(&["channels", "list", "--json"]).await;
        assert_eq!((scripts.code, scripts.json()), (exit, error(code)), "{code}");
        assert_eq!(standin.ctl(&["channels", "list", "-q"]).await.code, exit);
    }
}

#[tokio::test]
async fn an_error_says_the_field_the_reasons_and_when_to_try_again() {
    let standin = Standin::start();
    standin.on(
        "POST /api/v1/notifications",
        400,
        json!({"error": {"code": "VALIDATION_ERROR", "message": "nobody is called bob", "field": "to",
            "reasons": ["sms: bob has quiet hours until 07:00", "mail: bob has no address \u{1b}[31m"], "retry_after_seconds": 1.5}}),
    );
    let ran = standin.ctl(&["send", "--subject", "x", "--to", "bob"]).await;
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.err,
        "stentorctl: nobody is called bob (field to)\n    sms: bob has quiet hours until 07:00\n    \
         mail: bob has no address \\x1b[31m\n  try again in 2s\n"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_ours_is_an_error_that_shows_it() {
    let standin = Standin::start();
    standin.on_bytes("GET /api/v1/watches", 502, "text/html", "<html>\u{1b}[2J");
    let ran = standin.ctl(&["watches", "list", "--json"]).await;
    assert_eq!((ran.code, ran.json()["error"]["code"].as_str()), (1, Some("INTERNAL")), "{ran:?}");
    assert!(ran.err.contains("502") && ran.err.contains("<html>") && !ran.err.contains('\u{1b}'), "{ran:?}");

    standin.on_bytes("GET /api/v1/channels", 200, "text/html", "<html>");
    let ran = standin.ctl(&["channels", "list"]).await;
    assert_eq!((ran.code, ran.err.contains("not JSON")), (1, true), "{ran:?}");
}

#[tokio::test]
async fn without_a_daemon_it_is_4_and_says_where_it_looked() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("none.sock");
    let dead = dir.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    for (socket, why) in [(&missing, "No such file"), (&dead, "refused")] {
        let path = socket.to_str().unwrap();
        let people = run(stentorctl(&["--socket", path, "ack"]), None).await;
        assert_eq!((people.code, people.out.as_str()), (4, ""), "{people:?}");
        assert!(people.err.contains(path) && people.err.contains(why), "{people:?}");
        let scripts = run(stentorctl(&["--socket", path, "--json"]), None).await;
        assert_eq!((scripts.code, scripts.json()["error"]["code"].as_str()), (4, Some("UNREACHABLE")), "{scripts:?}");
        let streams = run(stentorctl(&["--socket", path, "events", "-f"]), None).await;
        assert_eq!(streams.code, 4, "the first connection has to work: {streams:?}");
    }
    let net = run(stentorctl(&["--url", "http://127.0.0.1:1"]), None).await;
    assert_eq!((net.code, net.err.contains("http://127.0.0.1:1")), (4, true), "{net:?}");
}

#[tokio::test]
async fn a_socket_that_is_not_for_this_user_is_5() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("control.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let mode = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(&socket, 0o000);
    mode(dir.path(), 0o755);
    // Root may use any socket: then somebody else has to try, who needs a binary within reach.
    let binary = dir.path().join("stentorctl");
    // By another process: a file that is written here may be open in what another test forks just then, and then cannot be run.
    let copied = std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_stentorctl")).arg(&binary).status();
    assert!(copied.unwrap().success());
    let mut command = tokio::process::Command::new(&binary);
    if nix::unistd::geteuid().is_root() {
        command.uid(65_534);
    }
    command.args(["--socket", socket.to_str().unwrap(), "status", "--json"]);
    let ran = run(command, None).await;
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (5, &json!("FORBIDDEN")), "{ran:?}");
    assert!(ran.err.contains(socket.to_str().unwrap()) && ran.err.contains("[access]"), "{ran:?}");
}

#[tokio::test]
async fn a_daemon_that_breaks_off_is_4_and_leaves_it_open_whether_it_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("control.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{").await;
        }
    });
    let ran = run(stentorctl(&["--socket", socket.to_str().unwrap(), "page", "--subject", "x"]), None).await;
    assert_eq!((ran.code, ran.err.contains("broke the connection off")), (4, true), "{ran:?}");

    let socket = dir.path().join("silent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    for (args, open) in [(&["page", "--subject", "x"][..], true), (&["status"][..], false)] {
        let ran = run(stentorctl(&[&["--socket", socket.to_str().unwrap()], args].concat()), None).await;
        let says = ran.err.contains("whether it took the request is not known");
        assert_eq!((ran.code, says), (4, open), "{ran:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_on_the_command_line_is_2_and_asks_nothing() {
    let standin = Standin::start();
    let wrong: &[&[&str]] = &[
        &["frobnicate"],
        &["incidents"],
        &["send"],
        &["send", "--subject", ""],
        &["send", "--subject", "x", "--label", "novalue"],
        &["send", "--subject", "x", "--label", "9a=x"],
        &["send", "--subject", "x", "--label", "a=1", "--label", "a=2"],
        &["send", "--subject", "x", "--ttl", "soon"],
        &["send", "--subject", "x", "--at", "18:30"],
        &["send", "--subject", "x", "--wait=soon"],
        &["send", "--subject", "x", "--channel", ""],
        &["page"],
        &["incidents", "show", "../status"],
        &["ack", ""],
        &["ack", ".."],
        &["snooze", "417"],
        &["snooze", "417", "later"],
        &["ping", ".."],
        &["metric", "set", "m", "NaN"],
        &["metric", "set", "m", "many"],
        &["silence", "add", "--for", "1h", "--comment", "c"],
        &["silence", "add", "no matcher", "--for", "1h", "--comment", "c"],
        &["silence", "add", "a=~(", "--for", "1h", "--comment", "c"],
        &["silence", "add", "a=b", "--comment", "c"],
        &["deliveries", "list", "--limit", "0"],
        &["deliveries", "list", "--since", "yesterday"],
        &["ledger", "rebuild"],
        &["ledger", "tail", "-n", "many"],
        &["status", "--token-file", "/x"],
        &["completions", "tcsh"],
    ];
    for args in wrong {
        let ran = standin.ctl(args).await;
        assert_eq!((ran.code, ran.out.as_str(), ran.err.is_empty()), (2, "", false), "{args:?} {ran:?}");
        let scripts: Vec<&str> = args.iter().chain(&["--json"]).copied().collect();
        let ran = standin.ctl(&scripts).await;
        assert_eq!((ran.code, &ran.json()["error"]["code"]), (2, &json!("VALIDATION_ERROR")), "{args:?}");
    }
    let half = standin.ctl(&["--json", "ledger"]).await;
    assert_eq!(half.json()["error"]["message"], "a command is missing; --help lists them");
    assert!(standin.seen().is_empty());
}

#[tokio::test]
async fn what_is_still_to_come_is_named_and_refused() {
    let standin = Standin::start();
    let table: &[(&[&str], &str)] = &[
        (&["who", "--level", "high", "--to", "bob", "--label", "a=b", "--at", "2026-11-20T07:00:00Z"], "who"),
        (&["rehearse", "--level", "urgent", "--assume", "nobody-acks,ack-after=6m"], "rehearse"),
    ];
    for (args, name) in table {
        let ran = standin.ctl(args).await;
        assert_eq!((ran.code, ran.err), (2, format!("stentorctl: {name} is not yet supported\n")), "{args:?}");
    }
    assert!(standin.seen().is_empty());
}
