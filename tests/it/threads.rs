//! One incident is one alert at PagerDuty and one thread at Slack, from its opening to its end, also
//! over a restart of the daemon.

use crate::harness::{Daemon, Home, each, eventually};
use crate::standins::Standins;
use serde_json::Value;

const CONFIG: &str = r##"
[daemon]
name = "prague-1"

[channels.pager]
kind        = "pagerduty"
base_url    = "${PAGERDUTY_URL}"
routing_key = "${PAGERDUTY_ROUTING_KEY}"
updates     = []

[channels.chat]
kind     = "slack"
base_url = "${SLACK_API}"
token    = "${SLACK_TOKEN}"
channel  = "#alarms"

[levels.high]
channels = ["pager", "chat"]
"##;

async fn up() -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let a = standins.addresses();
    let pairs = [
        ("PAGERDUTY_URL", a.pagerduty.as_str()),
        ("PAGERDUTY_ROUTING_KEY", a.pagerduty_routing_key),
        ("SLACK_API", a.slack_api.as_str()),
        ("SLACK_TOKEN", a.slack_token),
    ];
    let environment: Vec<(String, String)> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let daemon = Home::new(CONFIG).envs(environment).start().await;
    (standins, daemon)
}

async fn bodies(standins: &Standins, service: &str, count: usize) -> Vec<Value> {
    let got = standins.wait_for(service, count).await;
    got.iter().map(|r| serde_json::from_str(&r.body).unwrap()).collect()
}

#[tokio::test]
async fn an_incident_is_one_alert_and_one_thread() {
    let (standins, mut daemon) = up().await;
    let opened = daemon.ok(&["page", "--level", "high", "--subject", "db-1 does not answer"]).await;
    let number = opened["number"].to_string();
    eventually("both have it, and that is recorded", async || {
        let shown = daemon.ok(&["incidents", "show", &number]).await;
        (each(&shown["notified"], "status") == ["delivered", "delivered"]).then_some(())
    })
    .await;
    // What Slack called the first message is in the ledger, so a restart forgets nothing.
    daemon.kill().await;
    daemon.start().await;
    daemon.ok(&["ack", &number, "--by", "bob"]).await;
    bodies(&standins, "pagerduty", 2).await;
    bodies(&standins, "slack-web", 3).await;
    daemon.ok(&["resolve", &number]).await;
    let events = bodies(&standins, "pagerduty", 3).await;
    let actions: Vec<&str> = events.iter().map(|e| e["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "acknowledge", "resolve"]);
    assert!(events.iter().all(|e| e["dedup_key"] == opened["id"]), "{events:?}");
    assert_eq!(events[0]["payload"]["source"], "prague-1");
    let posts = bodies(&standins, "slack-web", 5).await;
    let first = "1503435956.000001";
    // Said in the thread, and then the first message changed: twice.
    assert!(posts[0]["thread_ts"].is_null());
    let places: Vec<[&Value; 2]> = posts[1..].iter().map(|p| [&p["thread_ts"], &p["ts"]]).collect();
    assert!(places.iter().all(|[thread, ts]| *thread == first || *ts == first), "{posts:?}");
    assert!(posts[2]["text"].as_str().unwrap().starts_with("ACK #1 by bob"), "{posts:?}");
    assert!(posts[4]["text"].as_str().unwrap().starts_with("RESOLVED #1"), "{posts:?}");
}
