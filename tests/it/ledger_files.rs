//! The ledger's files in an operator's hands: a backup while the daemon runs, its restore, and the
//! texts of a person who asks for them to be gone.

use crate::harness::ways;
use crate::harness::{Daemon, Home, eventually};
use crate::standins::Standins;
use serde_json::{Value, json};

const LEVELS: &str = r#"
[levels.low]
channels = ["hook"]
"#;

async fn up() -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let home = Home::new(&ways::and(LEVELS)).envs(ways::environment(&standins));
    let daemon = home.start().await;
    (standins, daemon)
}

fn place(status: &Value) -> String {
    format!("{}:{}", status["ledger"]["durable_seq"], status["ledger"]["head"].as_str().unwrap())
}

#[tokio::test]
async fn f21_a_restored_old_copy_is_noticed_and_pages_nobody_about_what_was_closed() {
    let (standins, mut daemon) = up().await;
    let opened = daemon.ok(&["page", "--level", "low", "--subject", "disk full"]).await;
    let number = opened["number"].to_string();
    standins.wait_for("hook", 1).await;
    daemon.ok(&["resolve", &number]).await;
    let told = standins.wait_for("hook", 2).await.len();
    // An attempt under way would be made again by the copy, and rightly.
    eventually("all is delivered", async || (daemon.status().await["queue"]["pending"] == 0).then_some(())).await;

    let copy = daemon.path("copy");
    let backup = daemon.ok(&["ledger", "backup", copy.to_str().unwrap()]).await;
    assert_eq!((&backup["ok"], &backup["faults"]), (&json!(true), &json!([])), "{backup}");
    assert_eq!(backup["seq"], backup["events"], "{backup}");
    let early = format!("{}:{}", backup["seq"], backup["head"].as_str().unwrap());
    let refused = daemon.ctl(&["ledger", "backup", copy.to_str().unwrap()]).await;
    assert_eq!(refused.code, 2, "not over another one: {refused:?}");

    // What happens after the copy is lost with it; a place noted elsewhere tells.
    daemon.ok(&["send", "--subject", "after the copy", "--wait"]).await;
    let late = place(&daemon.status().await);
    assert_eq!(daemon.ok(&["ledger", "verify", "--against", &early, "--against", &late]).await["ok"], true);
    let before = standins.recorded("hook").len();
    assert_eq!(before, told + 1);
    daemon.stop().await;
    std::fs::remove_dir_all(daemon.state_dir()).unwrap();
    std::fs::rename(&copy, daemon.state_dir()).unwrap();
    daemon.start().await;

    assert_eq!(daemon.ok(&["ledger", "verify", "--against", &early]).await["ok"], true);
    let noticed = daemon.exits(1, &["ledger", "verify", "--against", &late]).await;
    // By now it may have written as many events, other ones.
    let kind = noticed["faults"][0]["kind"].as_str().unwrap();
    assert!(["journal-behind", "foreign-snapshot"].contains(&kind), "{noticed}");
    let shown = eventually("the history is made again", async || {
        let said = daemon.ctl(&["incidents", "show", &number]).await;
        (said.code == 0).then(|| said.json())
    })
    .await;
    assert_eq!(shown["status"], "resolved", "{shown}");
    let subjects = daemon.ledger(&["notification_accepted"]).await;
    assert!(subjects.iter().all(|n| n["subject"] != "after the copy"), "{subjects:?}");
    // The daemon is up and can send; nothing else has gone out.
    daemon.ok(&["send", "--subject", "well again", "--wait"]).await;
    assert_eq!(standins.recorded("hook").len(), before + 1);
}

#[tokio::test]
async fn a_persons_texts_are_erased_and_the_chain_holds() {
    let (standins, mut daemon) = up().await;
    for who in ["alice", "bob"] {
        let subject = format!("a word for {who}'s eyes");
        daemon.ok(&["send", "--to", who, "--channel", "mail", "--subject", &subject, "--wait"]).await;
    }
    standins.wait_for("mail", 2).await;
    let noted = place(&daemon.status().await);
    let erased = daemon.ok(&["ledger", "erase", "alice", "--because", "ticket 12"]).await;
    assert!(erased["events"].as_u64().unwrap() >= 3 && erased["left"] == 0, "{erased}");

    let erased_everywhere = async |daemon: &Daemon| {
        let export = daemon.ctl_text(&["ledger", "export"]).await.out;
        assert!(!export.contains("alice@example.org") && !export.contains("alice's eyes"), "{export}");
        assert!(export.contains("bob@example.org") && export.contains("bob's eyes"));
        let listed = daemon.ok(&["deliveries", "list"]).await.to_string();
        assert!(!listed.contains("alice@example.org") && listed.contains("bob@example.org"), "{listed}");
        let events = daemon.ledger(&["erased"]).await;
        assert_eq!((events.len(), &events[0]["because"]), (1, &json!("ticket 12")), "{events:?}");
        let verified = daemon.ok(&["ledger", "verify", "--against", &noted]).await;
        assert_eq!(verified["ok"], true, "{verified}");
    };
    erased_everywhere(&daemon).await;
    assert_eq!(daemon.ok(&["ledger", "erase", "alice@example.org"]).await["events"], 0, "nothing is left");
    let unknown = daemon.exits(3, &["ledger", "erase", "alcie"]).await;
    assert_eq!(unknown["error"]["field"], "who", "a slip of the pen is no success: {unknown}");
    let refused = daemon.exits(2, &["ledger", "erase", "group:ops"]).await;
    assert_eq!(refused["error"]["field"], "who");

    daemon.kill().await;
    daemon.start().await;
    eventually("the history is there", async || {
        (daemon.ctl(&["ledger", "query", "--limit", "1"]).await.code == 0).then_some(())
    })
    .await;
    // Each start records its config, which names her as long as she is in it.
    let export = daemon.ctl_text(&["ledger", "export"]).await.out;
    let lines = export.lines().filter(|line| line.contains("alice@example.org"));
    assert!(lines.map(|l| serde_json::from_str::<Value>(l).unwrap()).all(|e| e["kind"] == "config_applied"));
    assert!(!export.contains("alice's eyes"));
    assert_eq!(daemon.ok(&["ledger", "verify", "--against", &noted]).await["ok"], true);
}

#[tokio::test]
async fn statistics_have_an_end_too() {
    let (_standins, daemon) = up().await;
    daemon.ok(&["send", "--subject", "x", "--wait"]).await;
    assert_eq!(daemon.ok(&["ledger", "stats", "--since", "1h"]).await["delivered"], 1);
    assert_eq!(daemon.ok(&["ledger", "stats", "--since", "48h", "--until", "24h"]).await["delivered"], 0);
}
