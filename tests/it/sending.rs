//! One-shots over every way, and what the record says of them afterwards.

use crate::harness::ways::{self, HOOK_TOKEN};
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use serde_json::{Value, json};

const LEVELS: &str = r#"
[levels.low]
channels = ["mail"]

[levels.high]
channels = ["mail", "chat"]
"#;

async fn up(levels: &str) -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let home = Home::new(&ways::and(levels)).envs(ways::environment(&standins));
    let daemon = home.start().await;
    (standins, daemon)
}

#[tokio::test]
async fn one_message_by_mail_sms_chat_webhook_and_call() {
    let (standins, daemon) = up(LEVELS).await;
    let send = [
        "send",
        "--level",
        "high",
        "--subject",
        "disk of db-1 is at 91 %",
        "--body",
        "nothing else",
        "--to",
        "bob",
        "--channel",
        "mail",
        "--channel",
        "sms",
        "--channel",
        "chat",
        "--channel",
        "hook",
        "--channel",
        "call",
        "--label",
        "team=storage",
        "--correlation-id",
        "deploy-7",
        "--wait",
    ];
    let sent = daemon.ok(&send).await;

    assert_eq!(sent["correlation_id"], "deploy-7");
    assert_eq!(sent["status"], "delivered");
    assert_eq!(sent["id"].as_str().unwrap().len(), 26, "a ULID: {sent}");
    assert_eq!(each(&sent["deliveries"], "channel"), ["mail", "sms", "chat", "hook", "call"]);
    assert_eq!(each(&sent["deliveries"], "provider"), ["smtp", "twilio", "slack", "webhook", "twilio"]);
    for delivery in sent["deliveries"].as_array().unwrap() {
        assert!(["delivered", "sent", "submitted"].contains(&delivery["status"].as_str().unwrap()), "{delivery}");
        assert_eq!(delivery["notification"], sent["id"]);
        assert_eq!(delivery["incident"], Value::Null);
        assert_eq!(delivery["attempts"][0]["n"], 1);
        assert_eq!(delivery["attempts"][0]["class"], Value::Null);
        assert_eq!(delivery["attempts"][0]["possibly_duplicate"], false);
        assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
        assert!(!delivery["sent_at"].is_null(), "{delivery}");
    }
    assert_eq!(sent["deliveries"][3]["recipient"], Value::Null, "a webhook has a place, no recipient");

    arrived(&standins, &sent);
    recorded(&daemon, &sent).await;
}

/// Each provider got it once, in its own form.
fn arrived(standins: &Standins, sent: &Value) {
    let mails = standins.recorded("smtp");
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].path.as_str(), mails[0].headers["tls"].as_str()), ("bob@example.org", "true"));
    assert!(mails[0].body.contains("Subject: [HIGH] disk of db-1 is at 91 %\r\n"), "{}", mails[0].body);
    assert!(mails[0].body.contains("nothing else"));

    let twilio = standins.recorded("twilio");
    let paths: Vec<&str> = twilio.iter().map(|r| r.path.rsplit('/').next().unwrap()).collect();
    assert_eq!(paths.len(), 2);
    let sms = twilio.iter().find(|r| r.path.ends_with("/Messages.json")).unwrap();
    assert_eq!((sms.status, sms.form["To"].as_str()), (201, "+15550101"));
    assert!(sms.form["Body"].starts_with("HIGH prague-1: disk of db-1 is at 91 %"), "{:?}", sms.form["Body"]);
    let call = twilio.iter().find(|r| r.path.ends_with("/Calls.json")).unwrap();
    assert!(call.form["Twiml"].starts_with("<Response>"), "{:?}", call.form["Twiml"]);

    let chat: Value = serde_json::from_str(&standins.recorded("slack")[0].body).unwrap();
    assert!(chat["text"].as_str().unwrap().contains("disk of db-1 is at 91 %"), "{chat}");

    let hook = &standins.recorded("hook")[0];
    let document: Value = serde_json::from_str(&hook.body).unwrap();
    assert_eq!(hook.headers["authorization"], format!("Bearer {HOOK_TOKEN}"));
    assert_eq!(hook.headers["idempotency-key"], sent["deliveries"][3]["id"].as_str().unwrap());
    assert_eq!((&document["kind"], &document["level"]), (&json!("notification"), &json!("high")));
    assert_eq!((&document["subject"], &document["from"]), (&json!("disk of db-1 is at 91 %"), &json!("prague-1")));
    assert_eq!((&document["labels"]["team"], &document["labels"]["source"]), (&json!("storage"), &json!("manual")));
    assert_eq!(document["delivery"], sent["deliveries"][3]["id"]);
}

/// The ledger, the statistics, the explanation and the lists tell the same.
async fn recorded(daemon: &Daemon, sent: &Value) {
    let mine = |entries: &Value| -> Vec<String> { each(entries, "kind") };
    let id = sent["deliveries"][0]["id"].as_str().unwrap();
    let entries = daemon.ok(&["ledger", "query", "--delivery", id]).await;
    for kind in ["delivery_created", "attempt_started", "attempt_finished"] {
        assert!(mine(&entries["entries"]).contains(&kind.to_owned()), "{kind}: {entries}");
    }
    let accepted = daemon.ok(&["ledger", "query", "--kind", "notification_accepted"]).await;
    assert_eq!(each(&accepted["entries"], "id"), [sent["id"].as_str().unwrap()]);
    assert_eq!(accepted["entries"][0]["subject"], "disk of db-1 is at 91 %");
    let us = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().map(|user| user.name);
    assert!(us.is_none_or(|us| accepted["entries"][0]["initiator"] == us), "{accepted}");

    let explained = daemon.ok(&["explain", id]).await;
    let steps = explained["steps"].as_array().unwrap();
    assert!(
        steps.iter().all(|s| s["at"].is_string() && s["what"].is_string() && s["because"].is_string()),
        "{steps:?}"
    );
    assert!(each(&explained["steps"], "what").iter().any(|what| what.contains("attempt 1 by mail")), "{explained}");

    let stats = daemon.ok(&["ledger", "stats", "--since", "1h"]).await;
    assert_eq!(stats["total"], 5, "{stats}");
    assert_eq!(stats["failed"], 0, "{stats}");
    assert_eq!(
        stats["delivered"].as_u64().unwrap() + stats["pending"].as_u64().unwrap(),
        5,
        "all are out, a submitted one awaits its confirmation: {stats}"
    );
    assert!(stats["by_channel"]["hook"]["delivered"] == 1, "{stats}");

    let listed = daemon.ok(&["deliveries", "list", "--channel", "hook"]).await;
    assert_eq!(each(&listed["deliveries"], "id"), [sent["deliveries"][3]["id"].as_str().unwrap()]);
    let shown = daemon.ok(&["deliveries", "show", id]).await;
    assert_eq!(shown["id"], id);
    let by_its_end = daemon.ok(&["deliveries", "show", &id[id.len() - 8..]]).await;
    assert_eq!(by_its_end["id"], id);

    let verified = daemon.ok(&["ledger", "verify"]).await;
    assert_eq!((&verified["ok"], verified["faults"].as_array().unwrap().len()), (&json!(true), 0), "{verified}");
}

#[tokio::test]
async fn by_the_level_alone_and_to_nobody_at_all() {
    let (standins, daemon) = up(LEVELS).await;
    let sent = daemon.ok(&["send", "--level", "warning", "--subject", "by an alias", "--wait"]).await;
    assert_eq!(each(&sent["deliveries"], "recipient"), ["ops@example.org"]);
    assert_eq!(each(&sent["deliveries"], "channel"), ["mail"]);

    let refused = daemon.exits(3, &["send", "--level", "low", "--subject", "x", "--to", "+15550199"]).await;
    assert_eq!(refused["error"]["code"], "NOBODY");
    assert!(refused["error"]["message"].as_str().unwrap().contains("--channel"), "{refused}");
    assert_eq!(daemon.ledger(&["notification_accepted"]).await.len(), 1, "nothing was accepted");
    assert_eq!(daemon.ledger(&["request_refused"]).await.len(), 1, "but the refusal is on record");
    assert_eq!(standins.recorded("smtp").len(), 1);
}

#[tokio::test]
async fn the_same_key_is_one_message_and_other_content_a_conflict() {
    let (standins, daemon) = up(ways::BY_HOOK).await;
    let send = ["send", "--subject", "once", "--idempotency-key", "k-1", "--wait"];
    let first = daemon.ok(&send).await;
    let second = daemon.ok(&send).await;
    assert_eq!(first["id"], second["id"]);
    let other = daemon.exits(2, &["send", "--subject", "twice", "--idempotency-key", "k-1"]).await;
    assert_eq!((&other["error"]["code"], &other["error"]["field"]), (&json!("CONFLICT"), &json!("idempotency_key")));
    assert_eq!(standins.recorded("hook").len(), 1);
}

#[tokio::test]
async fn a_message_for_later_waits_for_its_time_and_one_too_late_is_not_sent() {
    let (standins, daemon) = up(ways::BY_HOOK).await;
    let now: jiff::Timestamp = daemon.status().await["at"].as_str().unwrap().parse().unwrap();
    let at = (now + jiff::Span::new().seconds(2)).to_string();
    let later = daemon.ok(&["send", "--subject", "in two seconds", "--at", &at]).await;
    assert_eq!(later["status"], "scheduled", "{later}");
    assert_eq!(standins.recorded("hook").len(), 0);
    assert_eq!(standins.wait_for("hook", 1).await.len(), 1);

    standins.set("hook", crate::standins::script::Fault::status(500));
    let stale = daemon.ok(&["send", "--subject", "soon old news", "--ttl", "2s"]).await;
    let id = stale["deliveries"][0]["id"].as_str().unwrap();
    eventually("it expires", async || {
        let shown = daemon.ok(&["deliveries", "show", id]).await;
        (shown["status"] == "expired").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_test_reaches_every_addressed_way_and_says_that_it_is_one() {
    let (standins, daemon) = up(LEVELS).await;
    let tested = daemon.ok(&["test", "--to", "alice"]).await;
    let mut channels = each(&tested["deliveries"], "channel");
    channels.sort();
    assert_eq!(channels, ["call", "mail", "sms"]);
    let mails = standins.wait_for("smtp", 1).await;
    assert!(mails[0].body.contains("Subject: [TEST]"), "{}", mails[0].body);
    let one = daemon.ok(&["test", "chat"]).await;
    assert_eq!(each(&one["deliveries"], "channel"), ["chat"]);
}

#[tokio::test]
async fn the_body_may_come_by_standard_input() {
    let (standins, daemon) = up(ways::BY_HOOK).await;
    let mut command = daemon.stentorctl(&["send", "--subject", "long story", "--body", "-", "--wait"]);
    let said = crate::harness::run_with_input(&mut command, "line one\nline two: žluťoučký 🔥\n").await;
    assert_eq!(said.code, 0, "{said:?}");
    let document: Value = serde_json::from_str(&standins.recorded("hook")[0].body).unwrap();
    assert!(document["body"].as_str().unwrap().starts_with("line one\nline two: žluťoučký 🔥"), "{document}");
}

#[tokio::test]
async fn t12_deliveries_are_found_by_tenant_contact_and_time() {
    let standins = Standins::start().await;
    let config = ways::and("[levels.low]\nchannels = [\"mail\"]\n");
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    for (tenant, to) in [("acme", "alice"), ("acme", "bob"), ("other", "alice"), ("other", "carol@example.org")] {
        daemon.ok(&["send", "--level", "low", "--subject", "x", "--tenant", tenant, "--to", to, "--wait"]).await;
    }
    let list = async |words: &[&str]| {
        let found = daemon.ok(&[&["deliveries", "list"], words].concat()).await;
        let row = |d: &Value| format!("{} {}", d["tenant"].as_str().unwrap(), d["recipient"].as_str().unwrap());
        found["deliveries"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(list(&["--tenant", "acme"]).await, ["acme bob", "acme alice"]);
    assert_eq!(list(&["--contact", "alice"]).await, ["other alice", "acme alice"]);
    assert_eq!(list(&["--contact", "carol@example.org"]).await, ["other carol@example.org"]);
    let address = daemon.ok(&["deliveries", "list", "--contact", "alice"]).await["deliveries"][0]["address"].clone();
    assert_eq!(list(&["--tenant", "acme", "--contact", address.as_str().unwrap()]).await, ["acme alice"]);
    let id = daemon.ok(&["deliveries", "list", "--contact", "bob"]).await["deliveries"][0]["id"].clone();
    let shown = daemon.ok(&["deliveries", "show", id.as_str().unwrap()]).await;
    assert_eq!((&shown["subject"], shown["from"].as_str().is_some_and(|from| from.contains('@'))), (&json!("x"), true));
    assert!(list(&["--until", "1h"]).await.is_empty());
    assert_eq!(list(&["--since", "1h"]).await.len(), 4);
    assert!(list(&["--contact", "nobody"]).await.is_empty());
    assert_eq!(daemon.exits(2, &["deliveries", "list", "--contact", "group:ops"]).await["error"]["field"], "contact");
}
