//! Starts that never become ready: after three in a row it runs in safe mode, and says so.

use crate::harness::ways;
use crate::harness::{Home, eventually};
use crate::standins::Standins;

#[tokio::test]
async fn f06_after_three_starts_that_never_became_ready_it_runs_in_safe_mode_and_pages() {
    let standins = Standins::start().await;
    let mut daemon = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["send", "--subject", "before", "--wait"]).await;
    daemon.kill().await;
    for _ in 0..3 {
        daemon.spawn(&[("STENTOR_FAILPOINT", "start_replayed")]);
        daemon.wait().await;
    }
    // Whoever touched the history would die of it.
    daemon.spawn(&[("STENTOR_FAILPOINT", "history_applying")]);
    daemon.until_ready().await;
    assert!(daemon.notices().iter().any(|n| n.starts_with("STATUS=SAFE MODE")), "{:?}", daemon.notices());
    let open = eventually("the page", async || {
        let open = daemon.ok(&["incidents", "list"]).await;
        open["incidents"].as_array().unwrap().iter().find(|i| i["fingerprint"] == "self/safe-mode").cloned()
    })
    .await;
    assert_eq!(open["level"], "urgent", "{open}");
    assert!(open["body"].as_str().unwrap().contains("3 starts in a row never became ready"), "{open}");
    eventually("somebody is paged", async || {
        standins.recorded("hook").iter().any(|r| r.body.contains("stentor is broken")).then_some(())
    })
    .await;
    // Alarms go on; the history is not opened.
    let sent = daemon.ok(&["send", "--subject", "in safe mode", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
    daemon.exits(6, &["ledger", "stats"]).await;
    assert_eq!(daemon.status().await["state"], "failing");
    assert!(daemon.is_running());

    // The next start is a usual one, and has it all.
    assert_eq!(daemon.stop().await, 0);
    daemon.start().await;
    eventually("it is over", async || {
        let open = daemon.ok(&["incidents", "list"]).await;
        open["incidents"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    let stats = eventually("the history is back", async || {
        let said = daemon.ctl(&["ledger", "stats"]).await;
        (said.code == 0).then(|| said.json())
    })
    .await;
    assert!(stats["delivered"].as_u64().unwrap() >= 2, "{stats}");
}

#[tokio::test]
async fn f06_whoever_is_killed_after_it_was_ready_is_no_failed_start() {
    let standins = Standins::start().await;
    let mut daemon = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    for _ in 0..5 {
        // It has gone round once by then.
        daemon.ok(&["send", "--subject", "x", "--wait"]).await;
        daemon.kill().await;
        daemon.start().await;
    }
    assert!(!daemon.notices().iter().any(|n| n.contains("SAFE MODE")));
    assert!(daemon.ok(&["incidents", "list"]).await["incidents"].as_array().unwrap().is_empty());
}
