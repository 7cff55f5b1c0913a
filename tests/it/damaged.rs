//! A ledger that was harmed while the daemon was down: it starts, says what it found, and has lost
//! nothing that the history can give back.

use crate::harness::ways;
use crate::harness::{Daemon, Home, each, eventually, files_under};
use crate::standins::Standins;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

async fn after_six_messages() -> (Standins, Daemon) {
    after_six_messages_with(&[]).await
}

async fn after_six_messages_with(environment: &[(&str, &str)]) -> (Standins, Daemon) {
    let standins = Standins::start().await;
    let home = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins));
    let daemon = environment.iter().fold(home, |home, (name, value)| home.env(name, *value)).start().await;
    for n in 0..6 {
        daemon.ok(&["send", "--subject", &format!("message {n}"), "--wait"]).await;
    }
    eventually("the history has them all", async || {
        let ledger = daemon.status().await["ledger"].clone();
        (ledger["applied_seq"] == ledger["durable_seq"]).then_some(())
    })
    .await;
    (standins, daemon)
}

fn segments(daemon: &Daemon) -> Vec<PathBuf> {
    let mut segments = files_under(&daemon.state_dir().join("journal"));
    segments.retain(|path| path.extension().is_some_and(|e| e == "journal"));
    segments.sort();
    segments
}

fn last_segment(daemon: &Daemon) -> PathBuf {
    segments(daemon).pop().unwrap()
}

async fn subjects(daemon: &Daemon) -> Vec<Value> {
    let accepted = daemon.ledger(&["notification_accepted"]).await;
    let own = accepted.into_iter().filter(|e| e["origin"] == "one_shot");
    own.map(|e| e["subject"].clone()).collect()
}

async fn whole(daemon: &Daemon) {
    assert_eq!(subjects(daemon).await.len(), 6);
    let verified = daemon.ok(&["ledger", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
    let sent = daemon.ok(&["send", "--subject", "it goes on", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
}

#[tokio::test]
async fn f15_a_torn_end_is_cut_and_what_it_said_happens_again() {
    let (_standins, mut daemon) = after_six_messages().await;
    daemon.kill().await;
    let segment = last_segment(&daemon);
    let mut bytes = fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|b| *b != 0).unwrap();
    bytes[end - 20..=end].fill(0);
    fs::write(&segment, bytes).unwrap();
    daemon.start().await;
    whole(&daemon).await;
}

#[tokio::test]
async fn f16_a_flipped_byte_in_the_middle_is_told_with_its_place_and_filled_from_the_history() {
    let (_standins, mut daemon) = after_six_messages().await;
    // An end in order, so that the history is on disk; in a crash its last second may not be.
    assert_eq!(daemon.stop().await, 0);
    let segment = last_segment(&daemon);
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(9).position(|w| w == b"message 2").unwrap();
    bytes[at] ^= 0x20;
    fs::write(&segment, bytes).unwrap();

    daemon.start().await;
    let incidents = daemon.ok(&["incidents", "list"]).await;
    let told = &incidents["incidents"][0];
    assert_eq!((&told["level"], &told["labels"]["source"]), (&"urgent".into(), &"self".into()), "{incidents}");
    let body = told["body"].as_str().unwrap();
    assert!(body.contains("at byte") && body.contains(".journal"), "{body}");
    whole(&daemon).await;
    let after = subjects(&daemon).await;
    assert!(after.contains(&"message 2".into()), "as it was before: {after:?}");
    assert!(daemon.log().contains("the ledger is damaged"));
    // It was verified, and is whole again: nothing is left to tell of.
    eventually("the incident about the damage ends", async || {
        let open = daemon.ok(&["incidents", "list"]).await;
        open["incidents"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn f17_without_its_history_it_starts_at_once_and_makes_it_anew() {
    let (_standins, mut daemon) = after_six_messages().await;
    daemon.kill().await;
    fs::remove_dir_all(daemon.state_dir().join("history")).unwrap();
    daemon.start().await;
    let sent = daemon.ok(&["send", "--subject", "it goes on", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
    eventually("the history is there again", async || {
        let stats = daemon.ctl(&["ledger", "stats"]).await;
        (stats.code == 0 && stats.json()["delivered"] == 7).then_some(())
    })
    .await;

    daemon.kill().await;
    for file in files_under(&daemon.state_dir().join("history")) {
        fs::write(file, b"this is no database").unwrap();
    }
    daemon.start().await;
    eventually("and once more, where it was rubbish", async || {
        let stats = daemon.ctl(&["ledger", "stats"]).await;
        // The seven, and what was said about the rubbish.
        (stats.code == 0 && stats.json()["delivered"].as_u64() >= Some(7)).then_some(())
    })
    .await;
    let all = daemon.ok(&["incidents", "list", "--all"]).await;
    assert_eq!(each(&all["incidents"], "level"), ["normal"], "said, but nobody is woken for it: {all}");
    assert_eq!(daemon.ok(&["ledger", "verify"]).await["ok"], true);
}

#[tokio::test]
async fn f16_a_journal_that_is_gone_altogether_is_told() {
    let (_standins, mut daemon) = after_six_messages().await;
    assert_eq!(daemon.stop().await, 0);
    fs::remove_dir_all(daemon.state_dir().join("journal")).unwrap();
    daemon.start().await;
    eventually("it says so", async || {
        let (_, open) = daemon.try_request("GET", "/api/v1/incidents", "").await?;
        each(&open["incidents"], "body")
            .iter()
            .any(|s| s.contains("are missing before the first segment"))
            .then_some(())
    })
    .await;
    let sent = daemon.ok(&["send", "--subject", "it goes on", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
}

/// Before the last snapshot no start looks.
#[tokio::test]
async fn f16_old_damage_is_told_and_mended_by_whoever_verifies() {
    let (_standins, mut daemon) = after_six_messages_with(&[("STENTOR_SEGMENT_BYTES", "4096")]).await;
    let first = segments(&daemon)[1].clone();
    daemon.ok(&["send", "--subject", "the last one", "--wait"]).await;
    let bytes = fs::read(&first).unwrap();
    let middle = bytes.iter().rposition(|b| *b != 0).unwrap() / 2;
    let file = fs::OpenOptions::new().write(true).open(&first).unwrap();
    file.write_all_at(&[bytes[middle] ^ 1], middle as u64).unwrap();
    let exported = daemon.ctl_text(&["ledger", "export"]).await;
    assert_ne!(exported.code, 0, "half a ledger is not taken for a whole one");
    assert!(exported.out.contains("the last one"), "and what can be read is there");
    let found = daemon.exits(1, &["ledger", "verify"]).await;
    assert!(found["put_back"].as_u64() > Some(0), "{found}");
    // Whoever packs it may have come first: the incident says what was found first, the ledger all.
    eventually("both are recorded", async || {
        let (_, open) = daemon.try_request("GET", "/api/v1/incidents", "").await?;
        let told = daemon.ledger(&["storage_troubled"]).await;
        let both = |e: &Value| e["words"].as_str().is_some_and(|s| s.contains("at byte") && s.contains("put back"));
        let damaged = each(&open["incidents"], "subject").iter().any(|s| s.contains("ledger is damaged"));
        (damaged && told.iter().any(both)).then_some(())
    })
    .await;
    assert_eq!(daemon.ok(&["ledger", "verify"]).await["ok"], true);
    assert_eq!(daemon.ctl_text(&["ledger", "export"]).await.code, 0);
    assert_eq!(daemon.stop().await, 0);
    daemon.start().await;
    assert_eq!(subjects(&daemon).await.len(), 7);
}

/// What a start finds is a reason to read what it has not read, too.
#[tokio::test]
async fn f16_the_daemon_looks_at_all_of_it_where_something_is_wrong() {
    let (_standins, mut daemon) = after_six_messages_with(&[("STENTOR_SEGMENT_BYTES", "4096")]).await;
    assert_eq!(daemon.stop().await, 0);
    let old = segments(&daemon);
    daemon.start().await;
    for n in 0..6 {
        daemon.ok(&["send", "--subject", &format!("more {n}"), "--wait"]).await;
    }
    let new = segments(&daemon);
    daemon.kill().await;
    for harmed in [&old[1], &new[old.len() + 1]] {
        let mut bytes = fs::read(harmed).unwrap();
        let middle = bytes.iter().rposition(|b| *b != 0).unwrap() / 2;
        bytes[middle] ^= 1;
        fs::write(harmed, bytes).unwrap();
    }
    daemon.start().await;
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(daemon.log().contains(&name(&new[old.len() + 1])), "what comes after the snapshot is read by the start");
    let mended = |line: &str| line.contains(&name(&old[1])) && line.contains("they are put back");
    eventually("the daemon finds the other one by itself", async || daemon.log().lines().any(mended).then_some(()))
        .await;
    // What came within a second of the kill may be in no history.
    let faults = each(&daemon.ctl(&["ledger", "verify"]).await.json()["faults"], "file");
    assert!(!faults.iter().any(|file| file.ends_with(&name(&old[1]))), "{faults:?}");
}
