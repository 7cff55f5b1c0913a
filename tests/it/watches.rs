//! Values and the rules over them.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use serde_json::{Value, json};

const RULES: &str = r#"
[levels.low]
channels = ["hook"]

[watches.spacex]
kind        = "capacity"
deal        = "SpaceX Secondary Series N"
metric      = "deal.spacex-n.remaining"
below       = 500000
clear_above = 550000
tiers       = ["TIER_1", "TIER_2"]
channels    = ["mail", "sms"]
type        = "fomo"
level       = "high"

[watches.load]
kind   = "above"
metric = "load"
above  = 8
level  = "normal"

[watches.stock]
kind   = "below"
metric = "stock"
below  = 10
level  = "normal"
"#;

async fn up() -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let daemon = Home::new(&ways::and(RULES)).envs(ways::environment(&standins)).start().await;
    (standins, daemon)
}

async fn watch(daemon: &Daemon, name: &str) -> Value {
    let listed = daemon.ok(&["watches", "list"]).await;
    let rows = listed["watches"].as_array().unwrap();
    rows.iter().find(|w| w["name"] == name).unwrap_or_else(|| panic!("no {name}: {listed}")).clone()
}

#[tokio::test]
async fn a_deal_that_falls_under_its_threshold_tells_the_tiers_in_order_and_once() {
    let (standins, daemon) = up().await;
    assert_eq!(watch(&daemon, "spacex").await["status"], "no-data");
    daemon.ok(&["metric", "set", "deal.spacex-n.remaining", "600000"]).await;
    assert_eq!(watch(&daemon, "spacex").await["status"], "ok");
    assert_eq!(standins.recorded("smtp").len(), 0);

    daemon.ok(&["metric", "set", "deal.spacex-n.remaining", "400000"]).await;
    let mails = standins.wait_for("smtp", 2).await;
    let sms = standins.wait_for("twilio", 1).await;
    let mut told: Vec<&str> = mails.iter().map(|m| m.path.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["carol@client.example", "dave@client.example"]);
    assert_eq!(sms[0].form["To"], "+15550102", "carol has a phone, dave has none");
    for words in ["SpaceX Secondary Series N", "400000", "500000"] {
        assert!(
            mails[0].body.replace("=\r\n", "").replace([',', '\u{202f}', ' '], "").contains(&words.replace(' ', "")),
            "{words}: {}",
            mails[0].body
        );
    }
    let created = daemon.ledger(&["delivery_created"]).await;
    let started = daemon.ledger(&["attempt_started"]).await;
    let begun = |who: &str| {
        let mine: Vec<&Value> = created.iter().filter(|d| d["who"] == who).map(|d| &d["id"]).collect();
        started.iter().position(|a| a["channel"] == "mail" && mine.contains(&&a["delivery"])).unwrap()
    };
    assert!(begun("carol") < begun("dave"), "the mail to TIER_1 leaves before the one to TIER_2: {started:?}");
    let skipped: Vec<&Value> = created.iter().filter(|d| d["status"] == "skipped").collect();
    assert_eq!(skipped.len(), 1, "dave's sms, with its reason: {created:?}");

    let breached = watch(&daemon, "spacex").await;
    assert_eq!((&breached["status"], &breached["value"]), (&json!("breached"), &json!(400000.0)), "{breached}");
    assert_eq!(
        (&breached["deal"], &breached["tiers"]),
        (&json!("SpaceX Secondary Series N"), &json!(["TIER_1", "TIER_2"]))
    );
    let incidents = daemon.ok(&["incidents", "list"]).await;
    let row = &incidents["incidents"][0];
    assert_eq!(
        (&row["type"], &row["labels"]["deal"], &row["policy"]),
        (&json!("fomo"), &breached["deal"], &Value::Null)
    );

    // Lower still, and between the threshold and the clearing: nothing new.
    for value in ["300000", "510000"] {
        daemon.ok(&["metric", "set", "deal.spacex-n.remaining", value]).await;
    }
    assert_eq!(watch(&daemon, "spacex").await["status"], "breached");
    daemon.ok(&["metric", "set", "deal.spacex-n.remaining", "560000"]).await;
    eventually("it clears", async || {
        let all = daemon.ok(&["incidents", "list", "--all"]).await;
        (each(&all["incidents"], "status") == ["resolved"]).then_some(())
    })
    .await;
    assert_eq!(standins.recorded("smtp").len(), 2, "clients hear of no end");
}

#[tokio::test]
async fn a_push_by_hand_tells_the_tiers_whatever_the_threshold() {
    let (standins, daemon) = up().await;
    daemon.ok(&["fomo", "push", "--deal", "SpaceX Secondary Series N", "--remaining", "700000"]).await;
    standins.wait_for("smtp", 2).await;
    assert_eq!(watch(&daemon, "spacex").await["value"], 700000.0, "it sets the metric");
    let listed = daemon.ok(&["fomo", "list"]).await;
    assert_eq!(each(&listed["watches"], "name"), ["spacex"]);

    let no_tiers = daemon.exits(2, &["fomo", "push", "--deal", "Anthill", "--remaining", "5"]).await;
    assert_eq!(no_tiers["error"]["field"], "tiers", "{no_tiers}");
    let by_hand = ["fomo", "push", "--deal", "Anthill", "--remaining", "5", "--tier", "TIER_2"];
    let pushed = daemon.ctl(&by_hand).await;
    assert_eq!(pushed.code, 0, "{pushed:?}");

    // One that opens the watch's incident is the push: nobody is told twice.
    let told = standins.recorded("smtp").len();
    daemon.ok(&["fomo", "push", "--deal", "SpaceX Secondary Series N", "--remaining", "100"]).await;
    let mails = standins.wait_for("smtp", told + 2).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(standins.recorded("smtp").len(), mails.len());
}

#[tokio::test]
async fn above_below_and_what_is_no_value() {
    let (standins, daemon) = up().await;
    daemon.ok(&["metric", "set", "load", "8"]).await;
    assert_eq!(watch(&daemon, "load").await["status"], "ok", "at the threshold is not above it");
    daemon.ok(&["metric", "set", "load", "8.5"]).await;
    standins.wait_for("hook", 1).await;
    daemon.ok(&["metric", "set", "load", "-3"]).await;
    let hook = standins.wait_for("hook", 2).await;
    let kinds: Vec<Value> =
        hook.iter().map(|r| serde_json::from_str::<Value>(&r.body).unwrap()["kind"].clone()).collect();
    assert_eq!(kinds, ["incident.opened", "incident.resolved"]);
    daemon.ok(&["metric", "set", "stock", "0"]).await;
    assert_eq!(watch(&daemon, "stock").await["status"], "breached");

    let got = daemon.ok(&["metric", "get", "load"]).await;
    assert_eq!((&got["name"], &got["value"]), (&json!("load"), &json!(-3.0)));
    daemon.exits(3, &["metric", "get", "never-set"]).await;
    for wrong in ["NaN", "inf", "many", "1e999", ""] {
        assert_eq!(daemon.ctl(&["metric", "set", "load", wrong]).await.code, 2, "{wrong:?}");
    }
    for (body, field) in [(r#"{"value": "8"}"#, "value"), ("{}", "value"), (r#"{"value": 1, "unit": "s"}"#, "unit")] {
        let (status, answer) = daemon.request("PUT", "/api/v1/metrics/load", body).await;
        assert_eq!((status, answer["error"]["field"].as_str()), (400, Some(field)), "{body}: {answer}");
    }
    assert_eq!(daemon.ok(&["metric", "get", "load"]).await["value"], -3.0, "nothing half done");
}

#[tokio::test]
async fn built_in_rules_are_there_and_the_last_values_outlive_a_kill() {
    let (_standins, mut daemon) = up().await;
    for name in ["high-failure-rate", "queue-overflow", "low-processing-rate"] {
        assert_ne!(watch(&daemon, name).await["status"], "breached");
    }
    daemon.ok(&["metric", "set", "stock", "3"]).await;
    daemon.kill().await;
    daemon.start().await;
    let stock = watch(&daemon, "stock").await;
    assert_eq!((&stock["status"], &stock["value"]), (&json!("breached"), &json!(3.0)), "{stock}");
    daemon.ok(&["metric", "set", "stock", "30"]).await;
    eventually("its incident is the same, and ends", async || {
        let all = daemon.ok(&["incidents", "list", "--all"]).await;
        (each(&all["incidents"], "status") == ["resolved"]).then_some(())
    })
    .await;
}
