//! Incidents in real time, with a policy whose minutes are seconds.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use serde_json::{Value, json};

const PAGE: &str = r#"
[levels.low]
channels = ["mail"]

[levels.high]
channels = ["mail", "hook"]

[levels.urgent]
channels = ["chat", "mail"]
policy   = "page"

[policies.page]
steps = [
  { after = "0s", channels = ["chat", "hook"] },
  { after = "2s", channels = ["sms"], to = ["alice"] },
  { after = "4s", channels = ["call"], to = ["alice", "bob"] },
]

[policies.nobody]
steps = [
  { after = "0s", channels = ["mail"], to = ["+15550177", "bob"] },
]
"#;

async fn up(more: &str) -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let config = ways::and(&format!("{PAGE}\n{more}"));
    let daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    (standins, daemon)
}

async fn show(daemon: &Daemon, number: &str) -> Value {
    daemon.ok(&["incidents", "show", number]).await
}

fn number(opened: &Value) -> String {
    opened["number"].to_string()
}

/// What the webhook was told, as its kinds.
fn kinds(standins: &Standins) -> Vec<String> {
    let kind = |body: &str| serde_json::from_str::<Value>(body).unwrap()["kind"].as_str().unwrap().to_owned();
    standins.recorded("hook").iter().map(|r| kind(&r.body)).collect()
}

#[tokio::test]
async fn a_page_gets_louder_until_somebody_acknowledges_and_those_who_were_told_hear_of_it() {
    let (standins, daemon) = up("").await;
    let opened = daemon.ok(&["page", "--subject", "db-1 does not answer", "--label", "team=storage"]).await;
    assert_eq!((&opened["number"], &opened["level"], &opened["status"]), (&json!(1), &json!("urgent"), &json!("open")));
    assert_eq!((&opened["policy"], &opened["step"], &opened["round"]), (&json!("page"), &json!(1), &json!(1)));
    assert_eq!(opened["rounds"], 1);
    assert_eq!((&opened["next"]["channels"], &opened["next"]["to"]), (&json!(["sms"]), &json!(["alice"])));
    let id = number(&opened);

    // Step 1, then step 2.
    assert_eq!(standins.wait_for("slack", 1).await.len(), 1);
    let sms = standins.wait_for("twilio", 1).await;
    assert!(sms[0].path.ends_with("/Messages.json"), "{:?}", sms[0].path);
    assert!(sms[0].form["Body"].starts_with("URGENT #1 prague-1: db-1 does not answer"), "{:?}", sms[0].form["Body"]);

    let acked = daemon.ok(&["ack", &id, "--note", "on it", "--by", "bob"]).await;
    let incident = &acked["incidents"][0];
    assert_eq!((&incident["status"], &incident["acknowledged_by"]), (&json!("acknowledged"), &json!("bob")));
    assert!(!incident["stopped"].as_array().unwrap().is_empty(), "says what stopped: {incident}");
    assert!(!incident["told"].as_array().unwrap().is_empty(), "says who is told: {incident}");
    let again = daemon.ok(&["ack", &id]).await;
    assert_eq!(
        (&again["incidents"][0]["already"], &again["incidents"][0]["acknowledged_by"]),
        (&json!(true), &json!("bob"))
    );

    // Notices go to where it was told, and only there; the call of step 3 never comes.
    let chat = standins.wait_for("slack", 2).await;
    assert!(chat[1].body.contains("bob"), "{}", chat[1].body);
    let twilio = standins.wait_for("twilio", 2).await;
    assert!(twilio[1].form["Body"].contains("bob"), "{:?}", twilio[1].form);
    // Two notices to one place may overtake each other; the end comes when the first has arrived.
    standins.wait_for("hook", 2).await;
    let resolved = daemon.ok(&["resolve", &id, "--note", "restarted"]).await;
    assert_eq!(resolved["incidents"][0]["status"], "resolved");
    let twilio = standins.wait_for("twilio", 3).await;
    standins.wait_for("slack", 3).await;
    standins.wait_for("hook", 3).await;
    assert!(twilio.iter().all(|r| r.path.ends_with("/Messages.json")), "no call");
    assert_eq!(standins.recorded("smtp").len(), 0, "who was told nothing hears nothing");
    assert_eq!(kinds(&standins), ["incident.opened", "incident.acknowledged", "incident.resolved"]);

    let shown = show(&daemon, &id).await;
    assert_eq!(each(&shown["notified"], "channel"), ["chat", "hook", "sms"], "{shown}");
    assert!(!shown["events"].as_array().unwrap().is_empty());
    let explained = daemon.ok(&["explain", &id]).await;
    let why = explained["steps"].to_string();
    for words in ["#1 opened", "step 1 of round 1", "step 2 of round 1", "acknowledged by bob", "on it", "resolved"] {
        assert!(why.contains(words), "{words}: {why}");
    }
    assert!(!why.contains("step 3"), "{why}");
}

#[tokio::test]
async fn nobody_acts_and_every_step_comes_and_the_round_again() {
    let (standins, daemon) = up(
        "[policies.quick]\nrepeat = 1\nevery = \"3s\"\n\
         steps = [{ after = \"0s\", channels = [\"chat\"] }, { after = \"1s\", channels = [\"call\"], to = [\"bob\"] }]\n",
    )
    .await;
    let opened = daemon.ok(&["page", "--subject", "nobody acts", "--policy", "quick"]).await;
    assert_eq!(opened["rounds"], 2);
    assert_eq!(standins.wait_for("slack", 2).await.len(), 2);
    let calls = standins.wait_for("twilio", 2).await;
    assert!(calls.iter().all(|c| c.form["To"] == "+15550101"), "{calls:?}");
    let steps = daemon.ledger(&["incident_stepped"]).await;
    let places: Vec<_> = steps.iter().map(|s| (s["round"].as_u64().unwrap(), s["step"].as_u64().unwrap())).collect();
    assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    assert_eq!(show(&daemon, &number(&opened)).await["next"], Value::Null, "the policy is through");
}

#[tokio::test]
async fn a_policy_that_reaches_nobody_falls_back_to_the_level_and_says_so() {
    let (standins, daemon) = up(
        "[people.erin]\nphone = \"+15550178\"\n[policies.wrong]\n\
         steps = [{ after = \"0s\", channels = [\"mail\"], to = [\"schedule:empty\"] }]\n\
         [schedules.empty]\nlayers = [{ members = [\"alice\", \"bob\"], rotate = \"weekly\", start = \"2199-01-01 00:00\" }]\n",
    )
    .await;
    daemon.ok(&["page", "--subject", "who is there", "--policy", "wrong"]).await;
    let chat = standins.wait_for("slack", 1).await;
    assert!(!chat.is_empty(), "the level's channels instead");
    eventually("a second incident says that the policy reaches nobody", async || {
        let listed = daemon.ok(&["incidents", "list"]).await;
        let rows = listed["incidents"].as_array().unwrap();
        rows.iter().any(|i| i["labels"]["source"] == "self" && i.to_string().contains("wrong")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn escalate_unack_and_snooze() {
    let (standins, daemon) = up("").await;
    let opened = daemon.ok(&["page", "--subject", "hurry"]).await;
    let id = number(&opened);
    let escalated = daemon.ok(&["escalate", &id]).await;
    assert_eq!(escalated["incidents"][0]["step"], 2, "{escalated}");
    standins.wait_for("twilio", 1).await;

    daemon.ok(&["ack", &id]).await;
    let refused = daemon.exits(2, &["escalate", &id]).await;
    assert_eq!(refused["error"]["code"], "CONFLICT");
    let unacked = daemon.ok(&["unack", &id]).await;
    assert_eq!(unacked["incidents"][0]["status"], "open");
    assert_eq!(unacked["incidents"][0]["step"], 1, "from the first step: {unacked}");

    let snoozed = daemon.ok(&["snooze", &id, "30m"]).await;
    assert!(snoozed["incidents"][0]["snoozed_until"].is_string(), "{snoozed}");
    assert_eq!(snoozed["incidents"][0]["status"], "acknowledged", "as long as the snooze lasts: {snoozed}");
    daemon.ok(&["resolve", &id]).await;
    daemon.exits(3, &["ack"]).await;
    daemon.exits(3, &["ack", "999"]).await;
}

#[tokio::test]
async fn ack_without_a_number_means_the_only_one() {
    let (_standins, daemon) = up("").await;
    let one = daemon.ok(&["page", "--subject", "one", "--level", "high"]).await;
    let two = daemon.ok(&["page", "--subject", "two", "--level", "high"]).await;
    let several = daemon.exits(2, &["ack"]).await;
    let message = several["error"]["message"].as_str().unwrap();
    assert!(message.contains("#1") && message.contains("#2"), "{message}");
    daemon.ok(&["ack", &format!("#{}", one["number"])]).await;
    let acked = daemon.ok(&["ack"]).await;
    assert_eq!(acked["incidents"][0]["number"], two["number"]);
    let none = daemon.exits(3, &["ack"]).await;
    assert!(none["error"]["message"].as_str().unwrap().contains("#2"), "names the last one: {none}");
}

#[tokio::test]
async fn the_same_fingerprint_is_one_incident_and_a_higher_level_raises_it() {
    let (standins, daemon) = up("").await;
    let page = |level: &'static str| ["page", "--subject", "disk", "--fingerprint", "disk-db-1", "--level", level];
    let first = daemon.ok(&page("high")).await;
    standins.wait_for("smtp", 1).await;
    let second = daemon.ok(&page("high")).await;
    assert_eq!((&second["number"], &second["already_open"]), (&first["number"], &json!(true)));
    daemon.ok(&["ack", "1"]).await;
    let raised = daemon.ok(&page("urgent")).await;
    assert_eq!((&raised["number"], &raised["level"], &raised["status"]), (&json!(1), &json!("urgent"), &json!("open")));
    assert_eq!(raised["step"], 1, "{raised}");
    daemon.ok(&["resolve", "1"]).await;
    let anew = daemon.ok(&page("high")).await;
    assert_eq!(anew["number"], 2, "after its end, a new one");
}

#[tokio::test]
async fn a_silence_holds_back_what_matches_and_at_its_end_it_begins() {
    let (standins, daemon) = up("").await;
    let silence = daemon.ok(&["silence", "add", "team=storage", "--for", "1h", "--comment", "moving the disks"]).await;
    assert_eq!(silence["status"], "active", "{silence}");
    let opened = daemon.ok(&["page", "--subject", "db-1", "--label", "team=storage"]).await;
    assert_eq!(opened["silenced_by"], silence["id"], "{opened}");
    let sent = daemon.ok(&["send", "--subject", "x", "--label", "team=storage", "--channel", "hook", "--wait"]).await;
    assert_eq!(
        (&sent["deliveries"][0]["status"], &sent["deliveries"][0]["reason"]),
        (&json!("skipped"), &json!("silenced"))
    );
    let other = daemon.ok(&["page", "--subject", "another team's"]).await;
    assert_eq!(other["silenced_by"], Value::Null);
    standins.wait_for("slack", 1).await;
    let listed = daemon.ok(&["silence", "list"]).await;
    assert_eq!(listed["silences"][0]["held"], 2, "an incident and a message: {listed}");
    assert_eq!(standins.recorded("slack").len(), 1, "only the other one was told");

    daemon.ok(&["silence", "expire", silence["id"].as_str().unwrap()]).await;
    let chat = standins.wait_for("slack", 2).await;
    assert!(chat[1].body.contains("#1"), "now the first step of the first: {}", chat[1].body);
    assert_eq!(show(&daemon, "1").await["silenced_by"], Value::Null);
}

#[tokio::test]
async fn a_reminder_comes_while_nobody_acknowledges() {
    let (standins, daemon) = up("[levels.normal]\nchannels = [\"hook\"]\nremind = \"1s\"\n").await;
    let opened = daemon.ok(&["page", "--level", "normal", "--subject", "still there"]).await;
    standins.wait_for("hook", 3).await;
    assert_eq!(kinds(&standins)[..3], ["incident.opened", "incident.reminder", "incident.reminder"]);
    daemon.ok(&["ack", &number(&opened)]).await;
    let told = standins.recorded("hook").len();
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    let after = kinds(&standins);
    let late = after[told.min(after.len())..].iter().filter(|k| *k == "incident.reminder").count();
    assert_eq!(late, 0, "none after the acknowledgement: {after:?}");
}

#[tokio::test]
async fn the_event_stream_tells_it_as_it_happens_and_goes_on_where_it_was_left() {
    let (_standins, daemon) = up("").await;
    daemon.ok(&["page", "--subject", "watched", "--level", "high"]).await;
    let said = daemon.ctl(&["events"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let rows: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let opened = rows.iter().find(|r| r["kind"] == "incident.opened").unwrap_or_else(|| panic!("{rows:?}"));
    assert_eq!((&opened["subject"], &opened["incident"]["number"]), (&json!("watched"), &json!(1)));
    let seq = opened["seq"].as_u64().unwrap();
    let since = daemon.ctl(&["events", "--since-seq", &seq.to_string()]).await;
    let later: Vec<Value> = since.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(later.iter().all(|r| r["seq"].as_u64().unwrap() > seq), "{later:?}");
}
