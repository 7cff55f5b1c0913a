//! Checks on a schedule: what is broken, since when, and for how long it was.

use crate::harness::ways;
use crate::harness::{Daemon, Home, eventually};
use crate::standins::Standins;
use crate::standins::script::Fault;
use serde_json::{Value, json};

const CHECKS: &str = r#"
[levels.low]
channels = ["hook"]

[levels.high]
channels = ["sms", "mail", "hook"]

[heartbeats.twilio]
probe = "sms"
cron  = "* * * * * *"

[heartbeats.smtp]
probe = "mail"
cron  = "*/2 * * * * *"

[heartbeats.chat]
probe = "chat"
every = "1d"

[heartbeats.proof]
kind = "notification"
every = "1d"
send = { channels = ["hook"], subject = "weekly proof" }

[heartbeats.backup-job]
kind  = "passive"
every = "1d"
grace = "1h"
"#;

const TIDE: &str = r#"
[heartbeats.tide]
kind  = "passive"
every = "1s"
grace = "2s"
level = "low"
"#;

async fn up(more: &str) -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let config = ways::and(&format!("{CHECKS}\n{more}"));
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    (standins, daemon)
}

async fn heartbeat(daemon: &Daemon, name: &str) -> Value {
    let listed = daemon.ok(&["heartbeats", "list"]).await;
    let rows = listed["heartbeats"].as_array().unwrap();
    rows.iter().find(|h| h["name"] == name).unwrap_or_else(|| panic!("no {name}: {listed}")).clone()
}

async fn incident_of(daemon: &Daemon, name: &str) -> Option<Value> {
    let listed = daemon.ok(&["incidents", "list", "--all"]).await;
    let rows = listed["incidents"].as_array().unwrap();
    rows.iter().find(|i| i["labels"]["name"] == name && i["labels"]["source"] == "heartbeat").cloned()
}

#[tokio::test]
async fn f39_revoked_credentials_open_an_incident_that_goes_by_the_other_ways_and_closes_by_itself() {
    let (standins, daemon) = up("").await;
    eventually("all is green", async || {
        let (twilio, smtp) = (heartbeat(&daemon, "twilio").await, heartbeat(&daemon, "smtp").await);
        (twilio["status"] == "ok" && smtp["status"] == "ok").then_some(())
    })
    .await;
    assert_eq!(standins.recorded("twilio").iter().filter(|r| r.method == "POST").count(), 0, "a probe sends nothing");

    standins.revoke_twilio(true);
    let incident = eventually("the incident opens", async || incident_of(&daemon, "twilio").await).await;
    assert_eq!((&incident["level"], &incident["labels"]["channel"]), (&json!("high"), &json!("sms")));
    assert_eq!(incident["subject"], "Twilio credentials refused");
    assert!(incident["body"].as_str().unwrap().contains("Authenticate"), "the provider's words: {incident}");
    let failing = heartbeat(&daemon, "twilio").await;
    assert_eq!(failing["status"], "failing");
    assert!(failing["failures_in_row"].as_u64().unwrap() >= 2, "{failing}");
    assert!(failing["failing_since"].is_string(), "{failing}");
    let mails = standins.wait_for("smtp", 1).await;
    assert!(mails[0].body.contains("#1"), "{}", mails[0].body);
    let attempts = daemon.ledger(&["attempt_started"]).await;
    assert!(attempts.iter().all(|a| a["channel"] != "sms"), "not by the channel that it is about: {attempts:?}");
    let status = daemon.ctl(&["status"]).await;
    assert_eq!((status.code, &status.json()["state"]), (1, &json!("failing")));

    let more = heartbeat(&daemon, "twilio").await["failures_in_row"].as_u64().unwrap();
    eventually("it goes on failing", async || {
        (heartbeat(&daemon, "twilio").await["failures_in_row"].as_u64().unwrap() > more).then_some(())
    })
    .await;
    let listed = daemon.ok(&["incidents", "list", "--all"]).await;
    assert_eq!(listed["incidents"].as_array().unwrap().len(), 1, "one incident: {listed}");

    standins.revoke_twilio(false);
    let resolved = eventually("it resolves by itself", async || {
        incident_of(&daemon, "twilio").await.filter(|i| i["status"] == "resolved")
    })
    .await;
    assert!(resolved["resolved_at"].is_string());
    let mails = standins.wait_for("smtp", 2).await;
    assert!(mails[1].body.contains("[RESOLVED #1 after "), "says for how long: {}", mails[1].body);
    assert_eq!(daemon.ctl(&["status"]).await.code, 0);
}

#[tokio::test]
async fn a_hung_probe_is_cut_and_runs_never_overlap() {
    let (standins, daemon) =
        up("[heartbeats.stuck]\nprobe = \"call\"\ncron = \"* * * * * *\"\ntimeout = \"3s\"\n").await;
    standins.set("twilio", Fault::Hang);
    let failing = eventually("it fails by its deadline", async || {
        let stuck = heartbeat(&daemon, "stuck").await;
        (stuck["failures_in_row"].as_u64().unwrap() >= 1).then_some(stuck)
    })
    .await;
    assert!(failing["detail"].as_str().is_some_and(|d| !d.is_empty()), "{failing}");
    let events = daemon.ledger(&["heartbeat_started", "heartbeat_finished"]).await;
    let mine: Vec<&Value> = events.iter().filter(|e| e["name"] == "stuck").collect();
    for pair in mine.windows(2) {
        assert_ne!(pair[0]["kind"], pair[1]["kind"], "a run began before the last had ended: {mine:?}");
    }
    assert_eq!(heartbeat(&daemon, "smtp").await["status"], "ok", "the others go on");
}

#[tokio::test]
async fn a_job_that_must_report_and_one_that_says_that_it_failed() {
    let (_standins, daemon) = up(TIDE).await;
    let pinged = daemon.ok(&["ping", "backup-job"]).await;
    assert_eq!((&pinged["status"], &pinged["failures_in_row"]), (&json!("ok"), &json!(0)), "{pinged}");
    daemon.ok(&["ping", "backup-job", "--fail"]).await;
    let incident = eventually("it opens an incident", async || incident_of(&daemon, "backup-job").await).await;
    assert_eq!(incident["level"], "high");
    daemon.ok(&["ping", "backup-job"]).await;
    eventually("a good one resolves it", async || {
        incident_of(&daemon, "backup-job").await.filter(|i| i["status"] == "resolved")
    })
    .await;

    let late = eventually("one that never reports is late", async || {
        Some(heartbeat(&daemon, "tide").await).filter(|h| h["status"] == "late")
    })
    .await;
    assert!(late["last_run_at"].is_null() || late["last_ok_at"].is_null(), "{late}");
    eventually("and opens an incident", async || incident_of(&daemon, "tide").await).await;
    daemon.ok(&["ping", "tide"]).await;
    eventually("until it does", async || incident_of(&daemon, "tide").await.filter(|i| i["status"] == "resolved"))
        .await;

    daemon.exits(3, &["ping", "no-such-job"]).await;
    daemon.exits(2, &["heartbeats", "run", "backup-job"]).await;
}

#[tokio::test]
async fn one_is_run_now_and_answers_with_what_it_found() {
    let (standins, daemon) = up("").await;
    let ran = daemon.ok(&["heartbeats", "run", "chat"]).await;
    assert_eq!((&ran["name"], &ran["status"]), (&json!("chat"), &json!("ok")), "{ran}");
    let proof = daemon.ok(&["heartbeats", "run", "proof"]).await;
    assert_eq!(proof["status"], "ok", "{proof}");
    let hook = standins.recorded("hook");
    let document: Value = serde_json::from_str(&hook[0].body).unwrap();
    assert_eq!((&document["subject"], &document["level"]), (&json!("weekly proof"), &json!("low")));
    standins.revoke_twilio(true);
    let failed = daemon.ctl(&["heartbeats", "run", "twilio"]).await;
    assert_eq!(failed.code, 1, "a check that found faults: {failed:?}");
    assert!(failed.json()["failures_in_row"].as_u64().unwrap() >= 1);
    daemon.exits(3, &["heartbeats", "run", "no-such"]).await;
}

#[tokio::test]
async fn a_probe_with_a_test_call_really_calls() {
    let (standins, daemon) = up("[heartbeats.real-call]\nprobe = \"call\"\ntest_call = true\nevery = \"1d\"\n").await;
    let ran = daemon.ok(&["heartbeats", "run", "real-call"]).await;
    assert_eq!(ran["status"], "ok", "{ran}");
    let calls: Vec<_> = standins.recorded("twilio").into_iter().filter(|r| r.path.ends_with("/Calls.json")).collect();
    assert_eq!((calls.len(), calls[0].form["To"].as_str()), (1, "+15550100"));
    assert!(calls[0].form["Twiml"].contains("test call"), "{:?}", calls[0].form["Twiml"]);
    let stats = daemon.ok(&["ledger", "stats"]).await;
    assert_eq!(stats["by_channel"]["call"], Value::Null, "a probe is no delivery: {stats}");
}

#[tokio::test]
async fn the_scheduler_keeps_six_fields_to_the_second() {
    let (_standins, daemon) = up("").await;
    let runs = eventually("four runs", async || {
        let events = daemon.ledger(&["heartbeat_started"]).await;
        let runs: Vec<Value> = events.into_iter().filter(|e| e["name"] == "twilio").collect();
        (runs.len() >= 4).then_some(runs)
    })
    .await;
    let mut planned: Vec<i64> = runs.iter().map(|r| r["scheduled_at"].as_i64().unwrap()).collect();
    assert!(planned.iter().all(|t| t % 1_000_000 == 0), "at whole seconds: {planned:?}");
    let before = planned.len();
    planned.dedup();
    assert_eq!(planned.len(), before, "each second once");
}

#[tokio::test]
async fn the_dead_mans_switch_elsewhere_is_fetched_while_all_is_well() {
    let (standins, _daemon) = up("[deadman]\nurl = \"${HOOK_URL}/deadman\"\nevery = \"1s\"\n").await;
    let fetched = standins.wait_for("hook", 2).await;
    assert!(fetched.iter().any(|r| r.method == "GET" && r.path == "/hook/deadman"), "{fetched:?}");
}

#[tokio::test]
async fn f45_a_certificate_that_soon_ends_is_told_before_anything_fails() {
    let (standins, daemon) = up("[levels.normal]\nchannels = [\"hook\"]").await;
    standins.set("smtp", Fault::EndsSoon);
    let of_certificate = async || {
        let listed = daemon.ok(&["incidents", "list", "--all"]).await;
        let rows = listed["incidents"].as_array()?.clone();
        rows.into_iter().find(|i| i["fingerprint"] == "certificate/smtp")
    };
    let incident = eventually("it is told", async || of_certificate().await).await;
    assert_eq!((&incident["level"], &incident["status"]), (&json!("normal"), &json!("open")), "{incident}");
    assert_eq!(incident["subject"], "The certificate of mail ends in 9 days", "{incident}");
    let beat = heartbeat(&daemon, "smtp").await;
    assert!(beat["status"] == "ok" && beat["detail"].as_str().unwrap().ends_with("certificate ends in 9d"), "{beat}");
    standins.well("smtp");
    eventually("it is over when there is a newer one", async || {
        (of_certificate().await?["status"] == "resolved").then_some(())
    })
    .await;
}
