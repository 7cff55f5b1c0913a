//! A disk that takes nothing more: alarms go on, nothing new is accepted, and all is recorded when
//! the disk is back. The limit of a process's file size stands in for the full disk.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually, skip};
use crate::standins::Standins;
use serde_json::{Value, json};
use std::process::Stdio;

/// Files of the daemon may not grow beyond this any more (soft limit).
async fn limit_files(daemon: &Daemon, size: &str) -> bool {
    let pid = daemon.pid().to_string();
    let prlimit = tokio::process::Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={size}:unlimited")])
        .stderr(Stdio::null())
        .status();
    prlimit.await.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn f11_alarms_go_on_without_a_disk_and_are_recorded_when_it_is_back() {
    let standins = Standins::start().await;
    // A write beyond the limit shall fail, not kill.
    let ignoring = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    let config = ways::and(
        r#"
        [levels.low]
        channels = ["hook"]
        [levels.urgent]
        channels = ["hook", "chat"]
        policy = "page"
        [policies.page]
        steps = [{ after = "0s", channels = ["chat"] }, { after = "6s", channels = ["sms"], to = ["alice"] }]
        "#,
    );
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).started_by(&ignoring).start().await;
    let opened = daemon.ok(&["page", "--subject", "before the disk was full"]).await;
    standins.wait_for("slack", 1).await;
    if !limit_files(&daemon, "0").await {
        return skip("a full disk", "there is no prlimit here");
    }

    // Whoever is first waits for what cannot be made durable; the daemon notices by it.
    let first = daemon.try_request("POST", "/api/v1/notifications", r#"{"subject": "at the wrong moment"}"#);
    let noticed = eventually("emergency mode", async || (daemon.status().await["emergency"] == true).then_some(()));
    let meanwhile = async {
        noticed.await;
        without_a_disk(&daemon, &standins).await;
        assert!(limit_files(&daemon, "unlimited").await);
    };
    let (answer, ()) = tokio::join!(first, meanwhile);
    assert!([202, 503].contains(&answer.expect("the first one is answered in the end").0));

    eventually("the emergency is over", async || (daemon.status().await["emergency"] == false).then_some(())).await;
    let sent = daemon.ok(&["send", "--subject", "after it", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
    let late = eventually("the history is back", async || {
        let (status, page) = daemon.request("GET", "/api/v1/ledger?limit=200&kind=incident_stepped", "").await;
        (status == 200).then(|| page["entries"].clone())
    })
    .await;
    let second = late.as_array().unwrap().iter().find(|e| e["number"] == opened["number"] && e["step"] == 1);
    assert_eq!(second.unwrap()["recorded_late"], true, "step 2 of the first one came without a disk: {late}");

    daemon.kill().await;
    daemon.start().await;
    let verified = daemon.ok(&["ledger", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
    let shown = daemon.ok(&["incidents", "show", "1"]).await;
    assert_eq!(shown["status"], "acknowledged", "{shown}");
}

async fn without_a_disk(daemon: &Daemon, standins: &Standins) {
    let refused = daemon.exits(6, &["send", "--subject", "not now"]).await;
    assert_eq!(refused["error"]["code"], "OVERLOADED");
    assert!(refused["error"]["retry_after_seconds"].is_u64(), "{refused}");
    let (ready, _) = daemon.request("GET", "/readyz", "").await;
    assert_eq!(ready, 503);
    let status = daemon.status().await;
    assert_eq!((&status["state"], &status["ready"]), (&json!("failing"), &json!(false)));

    let told = eventually("it says so itself", async || {
        let chat = standins.recorded("slack");
        chat.iter().any(|r| r.body.contains("cannot write its journal")).then_some(chat)
    })
    .await;
    assert!(told.len() >= 2);
    let sms = standins.wait_for("twilio", 1).await;
    assert!(sms[0].form["Body"].contains("before the disk was full"), "step 2 comes all the same: {:?}", sms[0].form);
    let acked = daemon.ok(&["ack", "1"]).await;
    assert_eq!(each(&acked["incidents"], "status"), ["acknowledged"]);
    let listed: Value = daemon.ok(&["incidents", "list"]).await;
    assert!(listed["incidents"].as_array().unwrap().len() >= 2, "{listed}");
}
