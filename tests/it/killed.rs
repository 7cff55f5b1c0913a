//! kill -9 in the middle of two hundred sends: nothing that was accepted is lost.

use crate::harness::ways;
use crate::harness::{Daemon, Home, eventually};
use crate::standins::Standins;
use crate::standins::script::Fault;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

const SENDS: usize = 200;
const AT_ONCE: usize = 64;
/// So many of the callers use the command; starting a process for each would be most of the work.
const BY_COMMAND: usize = 4;
/// The kill comes when so many have been accepted.
const KILL_AT: usize = 70;

#[tokio::test]
async fn every_accepted_message_is_there_once_and_ends() {
    let standins = Standins::start().await;
    // Slow, so that attempts are in flight all the time.
    standins.set("hook", Fault::Slow { millis: 30 });
    let config = ways::and(ways::BY_HOOK).replace("[channels.hook]\n", "[channels.hook]\nslots = 8\n");
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;

    let accepted = send_until_killed(&mut daemon).await;
    assert!(accepted.len() >= KILL_AT, "{} were accepted", accepted.len());
    assert!(accepted.len() < SENDS, "the kill came too late to cut anything");

    daemon.start().await;
    let ended = eventually("all deliveries end", async || {
        let ended = daemon.ledger(&["delivery_ended"]).await;
        let created = daemon.ledger(&["delivery_created"]).await.len();
        (ended.len() >= created).then_some(ended)
    })
    .await;

    let notified = daemon.ledger(&["notification_accepted"]).await;
    let mut ids: Vec<&str> = notified.iter().map(|e| e["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "each is in the ledger once");
    let lost: Vec<_> = accepted.iter().filter(|id| !unique.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "accepted, and not in the ledger: {lost:?}");

    let created = daemon.ledger(&["delivery_created"]).await;
    assert_eq!(created.len(), notified.len(), "one delivery each");
    assert_eq!(ended.len(), created.len(), "each ended once");
    assert!(
        ended.iter().all(|e| e["status"] == "delivered"),
        "{:?}",
        ended.iter().find(|e| e["status"] != "delivered")
    );
    duplicates_are_marked(&standins, &daemon, &created).await;

    let verified = daemon.ok(&["ledger", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
    daemon.kill().await;
    daemon.start().await;
    let stats = daemon.ok(&["ledger", "stats"]).await;
    assert_eq!(stats["delivered"], created.len(), "the same after another kill: {stats}");
}

/// Sends from many callers; a daemon that is gone answers nobody.
async fn send_until_killed(running: &mut Daemon) -> Vec<String> {
    let daemon = &*running;
    let (next, accepted) = (Cell::new(0), RefCell::new(Vec::new()));
    let pid = daemon.pid();
    let caller = async |by_command: bool| {
        while next.get() < SENDS {
            next.set(next.get() + 1);
            let Some(answer) = send(daemon, next.get(), by_command).await else { return };
            accepted.borrow_mut().push(answer["id"].as_str().unwrap().to_owned());
            if accepted.borrow().len() == KILL_AT {
                nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
            }
        }
    };
    let callers: Vec<_> = (0..AT_ONCE).map(|n| caller(n < BY_COMMAND)).collect();
    futures_util::future::join_all(callers).await;
    running.wait().await;
    accepted.into_inner()
}

/// The answer, when it was accepted.
async fn send(daemon: &Daemon, n: usize, by_command: bool) -> Option<Value> {
    let subject = format!("message {n}");
    if by_command {
        let said = daemon.ctl(&["send", "--subject", &subject]).await;
        assert!([0, 4].contains(&said.code), "sent, or the daemon is gone: {said:?}");
        return (said.code == 0).then(|| said.json());
    }
    let body = format!(r#"{{"subject": "{subject}", "level": "normal"}}"#);
    let answer = daemon.try_request("POST", "/api/v1/notifications", &body).await;
    answer.filter(|(status, _)| *status == 202).map(|(_, answer)| answer)
}

/// The sink has each at least once, and twice only what was in flight when the daemon died.
async fn duplicates_are_marked(standins: &Standins, daemon: &Daemon, created: &[Value]) {
    let mut came = BTreeMap::<String, usize>::new();
    for request in standins.recorded("hook") {
        *came.entry(request.headers["idempotency-key"].clone()).or_default() += 1;
    }
    let starts = daemon.ledger(&["attempt_started"]).await;
    let marked: BTreeSet<&str> =
        starts.iter().filter(|e| e["possibly_duplicate"] == true).map(|e| e["delivery"].as_str().unwrap()).collect();
    assert!(!marked.is_empty(), "the kill hit no attempt in flight");
    assert!(marked.len() <= 8, "at most as many as there are slots: {marked:?}");
    for delivery in created.iter().map(|e| e["id"].as_str().unwrap()) {
        match came.get(delivery) {
            None => panic!("{delivery} never came"),
            Some(1) => {}
            Some(2) => assert!(marked.contains(delivery), "{delivery} came twice, and nothing says so"),
            Some(more) => panic!("{delivery} came {more} times"),
        }
    }
}
