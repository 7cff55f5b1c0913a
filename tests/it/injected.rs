//! Texts that would be something else: escape sequences, line ends, turned writing, very long ones. They
//! stay what they are in what machines read, and are harmless where people read.

use crate::harness::ways;
use crate::harness::{Home, eventually};
use crate::standins::Standins;
use serde_json::{Value, json};
use std::sync::Arc;

const EVIL: &str =
    "disk\r\n2026-11-20T00:00:00Z  INFO stentor is well\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m \u{202e}lluf\u{2028}x\0";

/// What must reach no terminal, no log and nobody's phone.
fn treacherous(text: &str) -> Option<char> {
    let wanted = ['\n', '\t'];
    text.chars().find(|c| {
        (c.is_control() && !wanted.contains(c)) || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[tokio::test]
async fn f51_a_text_from_outside_is_harmless_wherever_people_read_it() {
    let standins = Standins::start().await;
    let config = ways::and("[levels.low]\nchannels = [\"mail\", \"sms\", \"call\", \"chat\", \"hook\"]\n");
    let daemon = Home::new(&config).envs(ways::environment(&standins)).env("RUST_LOG", "debug").start().await;
    let body = json!({ "level": "low", "subject": EVIL, "body": EVIL, "labels": { "team": EVIL }, "type": "evil" });
    let (status, opened) = daemon.request("POST", "/api/v1/incidents", &body.to_string()).await;
    assert_eq!(status, 202, "{opened}");
    for (service, count) in [("smtp", 1), ("twilio", 2), ("slack", 1), ("hook", 1)] {
        standins.wait_for(service, count).await;
    }
    let number = opened["number"].to_string();
    let delivered = async || {
        let listed = daemon.ok(&["deliveries", "list", "--incident", &number]).await;
        let ended = |d: &Value| ["delivered", "sent"].iter().any(|s| d["status"] == *s);
        listed["deliveries"].as_array()?.iter().all(ended).then_some(())
    };
    eventually("all are out", delivered).await;

    // As it was, where machines read it.
    assert_eq!(opened["subject"], EVIL);
    let hook: Value = serde_json::from_str(&standins.recorded("hook")[0].body).unwrap();
    assert_eq!((&hook["subject"], &hook["labels"]["team"]), (&json!(EVIL), &json!(EVIL)));

    for request in standins.recorded("twilio") {
        let text = request.form.get("Body").or(request.form.get("Twiml")).unwrap();
        assert_eq!(treacherous(text), None, "{text:?}");
    }
    let chat: Value = serde_json::from_str(&standins.recorded("slack")[0].body).unwrap();
    assert_eq!(treacherous(chat["text"].as_str().unwrap()), None, "{chat}");
    let mail = &standins.recorded("smtp")[0].body;
    assert!(!mail.contains('\u{1b}') && mail.lines().filter(|l| l.starts_with("Subject:")).count() == 1, "{mail}");

    let note = EVIL.replace('\0', "");
    for arguments in [
        &["status"] as &[&str],
        &["incidents", "list"],
        &["incidents", "show", &number],
        &["deliveries", "list"],
        &["explain", &number],
        &["ledger", "query", "--limit", "50"],
        &["ack", &number, "--note", &note],
    ] {
        let said = daemon.ctl_text(arguments).await;
        assert_eq!(treacherous(&said.out), None, "{arguments:?}: {said:?}");
        assert!(!said.out.lines().any(|l| l.starts_with("2026-11-20T00:00:00Z")), "{arguments:?}: {said:?}");
    }
    let log = daemon.log();
    assert_eq!(treacherous(&log), None, "{log:?}");
    assert!(log.contains("opened by") && log.contains("lluf"), "{log}");
    assert!(!log.lines().any(|l| l.starts_with("2026-11-20T00:00:00Z")), "no line of the log is forged: {log}");
}

#[tokio::test]
async fn f51_a_long_label_is_refused_and_a_long_provider_answer_is_cut() {
    let standins = Arc::new(Standins::start().await);
    let daemon = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    let long = json!({ "level": "low", "subject": "x", "labels": { "team": "x".repeat(900_000) } });
    let (status, answer) = daemon.request("POST", "/api/v1/incidents", &long.to_string()).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("VALIDATION_ERROR")), "a label of 900 kB");
    let body = Some(format!("{EVIL} {}", "y".repeat(60_000)));
    standins.set("hook", crate::standins::script::Fault::Status { status: 404, retry_after: None, body });
    let sent = daemon.ctl(&["send", "--subject", "x", "--wait"]).await.json();
    let error = sent["deliveries"][0]["attempts"][0]["error"].as_str().unwrap().to_owned();
    assert!(error.chars().count() < 300, "{error}");
    assert_eq!(treacherous(&error), None, "{error:?}");
}
