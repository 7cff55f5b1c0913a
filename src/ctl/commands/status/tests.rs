use super::{picture, reasons};
use crate::ctl::screen::testing::{assert_reads, coloured, printed};
use serde_json::{Value, json};

fn broken() -> Value {
    json!({
        "state": "failing", "reasons": ["#417 urgent is not acknowledged"], "name": "prague-1", "version": "0.1.0",
        "at": "2026-11-20T03:02:00.000+01:00", "timezone": "Europe/Prague",
        "uptime_seconds": 1_080_000, "ready": true, "emergency": false,
        "config": {"path": "/etc/stentor/stentor.toml", "hash": "ab", "loaded_at": "2026-11-08T03:00:00.000+01:00", "last_error": null},
        "channels": [
            {"name": "mail", "status": "ok", "detail": "connected", "last_proof_at": "2026-11-20T02:59:00.000+01:00"},
            {"name": "siren", "status": "ok", "last_proof_at": "2026-11-20T02:41:00.000+01:00"},
            {"name": "sms", "status": "dead", "detail": "401 Authenticate", "since": "2026-11-20T02:41:00.000+01:00"}
        ],
        "heartbeats": [
            {"name": "twilio", "status": "failing", "detail": "401 Authenticate", "failures_in_row": 2,
             "failing_since": "2026-11-20T02:41:00.000+01:00"},
            {"name": "smtp", "status": "ok", "failures_in_row": 0}
        ],
        "watches": [],
        "incidents": {"open": 1, "acknowledged": 0}, "open_incidents": [twilio()],
        "queue": {"pending": 0, "waiting": 0, "oldest_seconds": 0, "dead": 0},
        "ledger": {"events": 1200, "head": "cd", "durable_seq": 1200, "applied_seq": 1200, "verified_at": null}
    })
}

fn twilio() -> Value {
    json!({
        "number": 417, "id": "01KABCDEFGHJKMNPQRSTVWXYZ0", "level": "urgent", "subject": "Twilio credentials refused",
        "status": "open", "opened_at": "2026-11-20T02:41:00.000+01:00", "opened_by": "heartbeat twilio",
        "labels": {"source": "heartbeat", "name": "twilio"}, "policy": "wake", "step": 3, "round": 1, "rounds": 4,
        "next": {"at": "2026-11-20T03:11:00.000+01:00", "to": [], "channels": ["siren", "ops-slack"], "what": "step", "round": 2, "step": 1},
        "silenced_by": null, "snoozed_until": null,
        "notified": [
            {"who": null, "channel": "siren", "status": "delivered", "at": "2026-11-20T02:41:00.000+01:00"},
            {"who": null, "channel": "ops-slack", "status": "delivered", "at": "2026-11-20T02:41:02.000+01:00"},
            {"who": "alice", "channel": "sms", "status": "sent", "at": "2026-11-20T02:46:00.000+01:00", "via": "sms-telnyx"},
            {"who": "alice", "channel": "call", "status": "dead", "at": "2026-11-20T02:51:00.000+01:00", "reason": "no answer"}
        ]
    })
}

#[test]
fn at_three_in_the_morning_one_screen_says_it_all() {
    let text = printed(|screen| picture(screen, &broken()));
    assert_reads(
        &text,
        "
FAILING  1 urgent incident, not acknowledged          prague-1  03:02 CET  up 12d
 #417 URGENT  Twilio credentials refused    open 21m   by heartbeat twilio (2 failures since 02:41)
      told    siren 02:41 ok   ops-slack 02:41 ok   sms alice 02:46 ok, by sms-telnyx   call alice 02:51 no answer
      next    03:11 round 2 of 4, step 1: siren, ops-slack
      do      stentorctl ack 417      stentorctl explain 417
channels  sms DEAD 21m (401 Authenticate)   mail ok 3m   siren ok 21m      dead letters 0   waiting 0
heartbeats  1 ok   twilio failing (401 Authenticate)
",
    );
}

#[test]
fn colours_change_nothing_but_colours() {
    let plain = printed(|screen| picture(screen, &broken()));
    let coloured = coloured(|screen| picture(screen, &broken()));
    assert_ne!(plain, coloured);
    let codes = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
    assert_eq!(codes.replace_all(&coloured, ""), plain);
}

#[test]
fn a_quiet_day_is_three_lines() {
    let status = json!({
        "state": "ok", "reasons": [], "name": "prague-1", "uptime_seconds": 7_200,
        "at": "2026-11-20T02:02:00.000+00:00", "timezone": null,
        "channels": [{"name": "mail", "status": "ok", "last_proof_at": "2026-11-20T01:59:00Z"}, {"name": "sms", "status": "unknown"}],
        "heartbeats": [{"name": "smtp", "status": "ok"}], "watches": [{"name": "deal-a", "status": "no-data"}],
        "incidents": {"open": 0, "acknowledged": 0}, "queue": {"dead": 2, "waiting": 0}
    });
    assert_reads(
        &printed(|screen| picture(screen, &status)),
        "
OK  all is well                                       prague-1  02:02 UTC  up 2h
channels  mail ok 3m   sms unknown      dead letters 2   waiting 0
heartbeats  1 ok
watches  0 ok, 1 without data
",
    );
}

#[test]
fn who_is_not_seen_to_stands_first_and_more_are_counted() {
    let one = |n: u64, status: &str| {
        json!({"number": n, "level": "high", "subject": "x", "status": status, "opened_at": "2026-11-20T03:00:00+01:00",
            "acknowledged_by": "bob", "acknowledged_at": "2026-11-20T03:01:00+01:00"})
    };
    let mut all: Vec<Value> = (1..=6).map(|n| one(n, "acknowledged")).collect();
    all.push(one(7, "open"));
    let mut status = broken();
    status["open_incidents"] = all.into();
    status["incidents"] = json!({"open": 1, "acknowledged": 30});
    let text = printed(|screen| picture(screen, &status));
    assert!(text.starts_with("FAILING  1 high incident, not acknowledged  "), "{text}");
    let heads: Vec<&str> = text.lines().filter(|l| l.starts_with(" #") || l.starts_with(" and")).collect();
    assert_eq!(heads[0], " #7 HIGH  x    open 2m");
    assert_eq!(heads[1], " #1 HIGH  x    acknowledged 03:01 by bob");
    assert_eq!(heads.last(), Some(&" and 25 more: stentorctl incidents list"));
}

#[test]
fn a_refused_config_and_further_reasons_are_shown() {
    let mut status = broken();
    status["reasons"] = json!(["#417 urgent is not acknowledged", "channel sms is dead"]);
    status["config"]["last_error"] = json!({"at": "2026-11-20T03:00:00+01:00", "errors": [
        {"file": "stentor.toml", "line": 7, "column": 3, "message": "unknown key \"chanels\"", "hint": "write channels"},
        "as text"
    ]});
    let text = printed(|screen| picture(screen, &status));
    for line in [
        "         channel sms is dead",
        "config    /etc/stentor/stentor.toml was refused 03:00; in force is the one loaded 2026-11-08 03:00",
        "          stentor.toml:7:3: unknown key \"chanels\"",
        "          as text",
    ] {
        assert!(text.lines().any(|l| l == line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn what_an_alert_says_cannot_harm_the_terminal() {
    let mut incident = twilio();
    incident["subject"] = json!("\u{1b}[2Jgone\r\n\u{202e}evil");
    incident["notified"][3]["reason"] = json!("\u{1b}[31m");
    let mut status = broken();
    status["open_incidents"] = json!([incident]);
    let text = printed(|screen| picture(screen, &status));
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert!(text.contains("\\x1b[2Jgone\\r\\n\\u{202e}evil"));
}

#[test]
fn an_answer_with_nothing_in_it_is_printed_with_dashes() {
    let text = printed(|screen| picture(screen, &json!({"open_incidents": [{}]})));
    assert!(text.starts_with("-  1 incident, acknowledged"), "{text}");
    let huge = json!({"uptime_seconds": u64::MAX, "incidents": {"open": u64::MAX, "acknowledged": u64::MAX}});
    assert!(printed(|screen| picture(screen, &huge)).contains("up 213503982334601d"));
}

#[test]
fn incidents_are_summed_up_by_level_and_other_reasons_follow() {
    let one = |level: &str, status: &str| json!({"level": level, "status": status});
    let status = json!({"reasons": ["#3 urgent is not acknowledged", "1 dead letter"], "open_incidents": [
        one("high", "open"), one("urgent", "open"), one("high", "open"), one("low", "acknowledged")]});
    assert_eq!(reasons(&status), ["1 urgent incident, 2 high incidents, not acknowledged", "1 dead letter"]);
    let seen_to = json!({"open_incidents": [one("high", "acknowledged"), one("low", "acknowledged")]});
    assert_eq!(reasons(&seen_to), ["2 incidents, all acknowledged"]);
    assert!(reasons(&json!({})).is_empty());
}

#[test]
fn a_task_is_shown_when_it_does_not_run() {
    let task = |name: &str, policy: &str, state: &str, error: Option<&str>| json!({"name": name, "policy": policy, "state": state, "restarts": 3, "last_error": error});
    let mut status = json!({"tasks": [
        task("control socket", "restarted", "running", Some("it ended")),
        task("sound check", "once", "ended", None),
        task("config watcher", "restarted", "pausing", Some("no inotify")),
    ]});
    let text = printed(|screen| picture(screen, &status));
    let lines: Vec<&str> = text.lines().filter(|l| l.starts_with("tasks")).collect();
    assert_eq!(lines, ["tasks     config watcher pausing (no inotify, restarted 3 times)"]);
    status["tasks"].as_array_mut().unwrap().pop();
    assert!(!printed(|screen| picture(screen, &status)).contains("tasks"));
}
