//! Somebody who can write the ledger's files changes the record: `verify` says so, and a head that
//! was noted elsewhere finds what is chained anew.

use crate::harness::Daemon;
use crate::torture::random::Random;
use crate::torture::sink::Sink;
use crate::torture::{home, settled};
use serde_json::{Value, json};
use std::path::Path;
use stentor::ledger::{Extract, Options, open};

/// Five messages and an incident, an end in order, and the head that the log has of it.
async fn made(sink: &Sink) -> (Daemon, String) {
    let mut daemon = home(sink).start().await;
    for n in 0..5 {
        daemon.ok(&["send", "--subject", &format!("message {n}"), "--wait"]).await;
    }
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    settled(&daemon).await;
    assert_eq!(daemon.stop().await, 0);
    let log = daemon.log();
    let line = log.lines().rev().find(|line| line.contains("the ledger is closed")).expect("the head is logged");
    let head = line.split("head=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    (daemon, head)
}

async fn verify(daemon: &Daemon, against: Option<&str>) -> Value {
    let dir = daemon.state_dir();
    let mut words = vec!["ledger", "verify", "--offline", "--state-dir", dir.to_str().unwrap()];
    words.extend(against.into_iter().flat_map(|head| ["--against", head]));
    let said = daemon.ctl(&words).await;
    let document = said.json();
    assert_eq!(said.code, i32::from(document["ok"] != true), "{said:?}");
    document
}

fn segment(daemon: &Daemon) -> std::path::PathBuf {
    let mut found = crate::harness::files_under(&daemon.state_dir().join("journal"));
    found.retain(|path| path.extension().is_some_and(|e| e == "journal"));
    found.remove(0)
}

/// The same events with another subject in one, chained anew from its beginning, without history
/// and snapshots that could tell.
fn chain_anew(dir: &Path) {
    let mut frames = Vec::new();
    let opening = open(dir, Options::default()).unwrap();
    let mut opening = opening;
    opening.reject_snapshot("from the beginning").unwrap();
    opening.reject_snapshot("from the beginning").unwrap();
    let recovered = opening.replay(&mut |frame| {
        frames.push(frame.clone());
        Extract::default()
    });
    drop(recovered.unwrap());
    for part in ["journal", "history", "snapshots"] {
        std::fs::remove_dir_all(dir.join(part)).unwrap();
    }
    let recovered = open(dir, Options::default()).unwrap().replay(&mut |_| Extract::default()).unwrap();
    let ledger = recovered.start(std::sync::Arc::new(|_| ())).unwrap();
    for mut frame in frames {
        for payload in frame.events.iter_mut().filter_map(|event| event.payload.as_mut()) {
            payload.subject = payload.subject.replace("message 2", "nothing at all");
        }
        ledger.append(frame.into(), &[7; 16], Extract::default()).unwrap();
    }
    ledger.stop().unwrap();
}

#[tokio::test]
async fn f80_an_edited_or_cut_or_reordered_ledger_does_not_verify() {
    let sink = Sink::start(Random::of(80), 0).await;
    let (daemon, head) = made(&sink).await;
    assert_eq!(verify(&daemon, Some(&head)).await["ok"], true);
    let path = segment(&daemon);
    let good = std::fs::read(&path).unwrap();
    let place = |text: &str| good.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();

    let mut edited = good.clone();
    edited[place("message 3")] = b'M';
    let cut = good[..place("message 4")].to_vec();
    let mut without = good.clone();
    without.drain(place("message 1") - 300..place("message 2") - 300);
    let (one, two, end) = (place("message 1") - 300, place("message 2") - 300, place("message 3") - 300);
    let reordered = [&good[..one], &good[two..end], &good[one..two], &good[end..]].concat();
    for (what, bytes) in [("edited", edited), ("cut", cut), ("shortened", without), ("reordered", reordered)] {
        std::fs::write(&path, bytes).unwrap();
        let verified = verify(&daemon, None).await;
        assert_eq!(verified["ok"], false, "{what}");
        let place = &verified["faults"][0];
        assert!(place["seq"].is_u64() || place["offset"].is_u64(), "{what}: with its place: {verified}");
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(verify(&daemon, Some(&head)).await["ok"], true);
}

#[tokio::test]
async fn f80_a_ledger_that_was_chained_anew_is_found_by_a_head_noted_elsewhere() {
    let sink = Sink::start(Random::of(81), 0).await;
    let (mut daemon, head) = made(&sink).await;
    chain_anew(&daemon.state_dir());
    assert_eq!(verify(&daemon, None).await["ok"], true, "in itself it is whole");
    let verified = verify(&daemon, Some(&head)).await;
    assert_eq!(verified["ok"], false, "{verified}");

    // A running daemon says the same.
    daemon.start().await;
    let verified = daemon.exits(1, &["ledger", "verify", "--against", &head]).await;
    assert_eq!(verified["ok"], false, "{verified}");
    let refused = daemon.request("GET", "/api/v1/ledger/verify?against=417", "").await;
    assert_eq!((refused.0, &refused.1["error"]["field"]), (400, &json!("against")));
}
