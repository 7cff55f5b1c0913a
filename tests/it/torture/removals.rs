//! Row 2, for what is removed: the process dies at each step of erasing a person's texts and of
//! forgetting what is too old; the next start makes up for it, and the ledger verifies.

use crate::harness::tools::libfaketime;
use crate::harness::{Daemon, Home, LONGEST, eventually, ways};
use crate::standins::Standins;
use futures_util::StreamExt;
use serde_json::Value;
use std::os::unix::process::ExitStatusExt;
use stentor::domain::failpoint::Point;
use strum::VariantNames;

/// So many points are walked side by side.
const AT_ONCE: usize = 4;
/// More than a segment holds.
const MESSAGES: usize = 8;

/// A daemon with small segments that has told alice and bob something.
async fn filled(standins: &Standins, more: &str) -> Daemon {
    let home = Home::new(&ways::and(&format!("[levels.low]\nchannels = [\"hook\"]\n{more}")));
    let mut daemon = home.envs(ways::environment(standins)).env("STENTOR_SEGMENT_BYTES", "4096").down();
    daemon.start().await;
    for n in 0..MESSAGES {
        for who in ["alice", "bob"] {
            let subject = format!("word {n} for {who}'s eyes");
            daemon.ok(&["send", "--to", who, "--channel", "mail", "--subject", &subject, "--wait"]).await;
        }
    }
    daemon
}

async fn dies_of_kill(daemon: &mut Daemon, point: &str) {
    let status = daemon.ends_within(LONGEST).await.unwrap_or_else(|| panic!("{point} was never reached"));
    assert_eq!(status.signal(), Some(9), "{point}: {status}");
}

async fn whole(daemon: &Daemon, point: &str) -> String {
    eventually("the history has it all", async || {
        let ledger = daemon.try_request("GET", "/api/v1/status", "").await?.1["ledger"].clone();
        (ledger["applied_seq"] == ledger["durable_seq"]).then_some(())
    })
    .await;
    let verified = daemon.ok(&["ledger", "verify"]).await;
    assert_eq!(verified["ok"], true, "{point}: {verified}");
    daemon.ctl_text(&["ledger", "export"]).await.out
}

#[tokio::test]
async fn f02_kill_at_each_step_of_erasing_a_persons_texts() {
    let points = Point::VARIANTS.iter().copied().filter(|point| point.starts_with("erase_"));
    let walk = points.map(async |point| {
        let standins = Standins::start().await;
        let mut daemon = filled(&standins, "").await;
        assert_eq!(daemon.stop().await, 0);
        daemon.spawn(&[("STENTOR_FAILPOINT", point)]);
        daemon.until_ready().await;
        // It never answers, or with a line that broke off; at the last step the answer may have left.
        let asked = daemon.stentorctl(&["ledger", "erase", "alice", "--because", "ticket 12"]).output();
        let _ = tokio::time::timeout(LONGEST, asked).await;
        dies_of_kill(&mut daemon, point).await;
        daemon.start().await;
        let events = eventually("it is recorded", async || {
            let rows = daemon.try_request("GET", "/api/v1/ledger?kind=erased", "").await?.1;
            rows["entries"].as_array().filter(|rows| !rows.is_empty()).cloned()
        })
        .await;
        assert!(events.iter().all(|e| e["because"] == "ticket 12"), "{point}: {events:?}");
        eventually("nothing is left to be done", async || (!daemon.state_dir().join("erasing").exists()).then_some(()))
            .await;
        let export = whole(&daemon, point).await;
        assert!(!export.contains("alice's eyes"), "{point}: {export}");
        for n in 0..MESSAGES {
            assert!(export.contains(&format!("word {n} for bob's eyes")), "{point}: {n} is gone");
        }
        // Nobody is told anything again.
        assert_eq!(standins.recorded("smtp").len(), 2 * MESSAGES, "{point}");
    });
    futures_util::stream::iter(walk).buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
}

#[tokio::test]
async fn f02_kill_at_each_step_of_forgetting_what_is_too_old() {
    let Some(library) = libfaketime("a kill at each step of forgetting") else { return };
    let library = library.display().to_string();
    let also = |point: &&str| point.starts_with("forget_") || *point == "erase_history";
    let points = Point::VARIANTS.iter().copied().filter(also);
    let walk = points.map(async |point| {
        let standins = Standins::start().await;
        let ages = "[retention]\nmail = \"7d\"\nsms = \"7d\"\nvoice = \"7d\"\nother = \"7d\"\naudit = \"8d\"\n";
        let mut daemon = filled(&standins, ages).await;
        assert_eq!(daemon.stop().await, 0);
        // Three weeks later.
        let later = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME", "+21d"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("STENTOR_EXPIRY_MS", "300"),
        ];
        daemon.spawn(&[&later[..], &[("STENTOR_FAILPOINT", point)]].concat());
        dies_of_kill(&mut daemon, point).await;
        daemon.spawn(&later);
        daemon.until_ready().await;
        eventually("what is too old is forgotten", async || {
            let rows = daemon.try_request("GET", "/api/v1/ledger?kind=forgotten", "").await?.1;
            rows["entries"].as_array().filter(|rows| !rows.is_empty()).map(|_| ())
        })
        .await;
        let export = whole(&daemon, point).await;
        let first = serde_json::from_str::<Value>(export.lines().next().unwrap()).unwrap();
        assert!(first["seq"].as_u64().unwrap() > 1, "{point}: it begins later: {first}");
        assert!(!export.contains("word 0 for"), "{point}");
        // It goes on.
        daemon.ok(&["send", "--to", "bob", "--channel", "mail", "--subject", "well", "--wait"]).await;
        assert_eq!(standins.recorded("smtp").len(), 2 * MESSAGES + 1, "{point}: nobody is told anything again");
    });
    futures_util::stream::iter(walk).buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
}
