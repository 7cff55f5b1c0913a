//! Too little of the machine: memory, threads, processor time.

use crate::harness::tools::{Tracer, has};
use crate::harness::{Home, skip};
use crate::torture::callers::Callers;
use crate::torture::random::Random;
use crate::torture::sink::Sink;
use crate::torture::{CONFIG, home, settled};
use serde_json::json;
use std::cell::Cell;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio::process::Command;

/// Callers with large bodies, and room for a few megabytes more: whatever gives way, nothing that was
/// promised is lost, and the next start is clean.
#[tokio::test]
async fn f65_a_limit_of_memory_costs_nothing_that_was_promised() {
    if !has("prlimit", "a limit of memory") {
        return;
    }
    let sink = Sink::start(Random::of(65), 30).await;
    let mut daemon = home(&sink).start().await;
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", daemon.pid())).unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    let limit = format!("--as={}", pages * 4_096 + (24 << 20));
    let limited = Command::new("prlimit").args(["--pid", &daemon.pid().to_string(), &limit]).status().await;
    assert!(limited.unwrap().success());

    let (over, door) = (Cell::new(false), daemon.door());
    let large = json!({ "subject": "large", "body": "x".repeat(500_000) }).to_string();
    let flood = async {
        let one = async |_| {
            let mut promised = Vec::new();
            for _ in 0..6 {
                if let Some((202, answer)) = door.try_request("POST", "/api/v1/notifications", &large).await {
                    promised.push(answer["id"].as_str().unwrap().to_owned());
                }
            }
            promised
        };
        let promised = futures_util::future::join_all((0..24).map(one)).await.concat();
        over.set(true);
        promised
    };
    let calling = Callers::of(&door, &over).run(8, Random::of(65));
    let (promised, calls) = tokio::join!(flood, calling);
    let survived = daemon.is_running();
    println!("it {} {} large ones", if survived { "took" } else { "gave way after" }, promised.len());
    if survived {
        daemon.kill().await;
    } else {
        assert_ne!(daemon.wait().await, 0);
    }
    daemon.start().await;
    let record = settled(&daemon).await;
    record.check(&calls, &sink.counts());
    let there = record.of("notification_accepted");
    assert!(promised.iter().all(|id| there.iter().any(|e| e["id"] == id.as_str())));
}

/// So many threads and no more, of a user who has no others.
#[tokio::test]
async fn f66_without_threads_the_start_fails_loudly() {
    const NOBODY: u32 = 65_534;
    let story = "a limit of threads";
    if !nix::unistd::geteuid().is_root() {
        return skip(story, "only root can start it as somebody who has no other processes");
    }
    if !has("setpriv", story) || !has("prlimit", story) {
        return;
    }
    let sink = Sink::start(Random::of(66), 0).await;
    let user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    for most in [1, 2, 3, 10, 20, 22, 23, 40] {
        let limit = format!("--nproc={most}");
        let home = home(&sink).started_by(&[&user[..], &["prlimit", &limit]].concat());
        std::os::unix::fs::chown(home.path("."), Some(NOBODY), Some(NOBODY)).unwrap();
        if most >= 23 {
            let mut daemon = home.down();
            std::fs::set_permissions(daemon.path("notify"), std::fs::Permissions::from_mode(0o777)).unwrap();
            daemon.start().await;
            let sent = daemon.ok(&["send", "--subject", "x", "--wait"]).await;
            assert_eq!(sent["status"], "delivered", "{most} are enough");
            assert_eq!(daemon.stop().await, 0);
            continue;
        }
        let (code, words) = home.ends().await;
        assert_eq!(code, 1, "{most} threads: {words}");
        assert!(words.contains("no threads can be started") && words.contains("os error 11"), "{most}: {words}");
    }
}

#[tokio::test]
async fn f66_once_up_it_needs_no_new_thread() {
    let sink = Sink::start(Random::of(66), 0).await;
    let daemon = Home::new(&CONFIG.replace("${SINK}", &sink.address.replace("127.0.0.1", "localhost"))).start().await;
    // Longer than a pool keeps a thread that has nothing to do.
    tokio::time::sleep(Duration::from_secs(11)).await;
    let none = "clone,clone3:error=EAGAIN";
    let Some(tracer) = Tracer::on(daemon.pid(), none, "no new threads").await else { return };
    for n in 0..3 {
        let sent = daemon.ok(&["send", "--subject", &format!("message {n}"), "--wait"]).await;
        assert_eq!(sent["status"], "delivered");
    }
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    daemon.ok(&["ack"]).await;
    tracer.off().await;
    settled(&daemon).await.check(&[], &sink.counts());
}

/// Everybody else is more important than it, on the one processor that it has.
#[tokio::test]
async fn f67_without_processor_time_it_is_late_and_loses_nothing() {
    if !has("taskset", "no processor time") || !has("nice", "no processor time") {
        return;
    }
    let sink = Sink::start(Random::of(67), 5).await;
    let mut daemon = home(&sink).started_by(&["taskset", "-c", "0", "nice", "-n", "10"]).start().await;
    let busy = || {
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "sh", "-c", "while :; do :; done"]).kill_on_drop(true).spawn().unwrap()
    };
    let others: Vec<_> = (0..4).map(|_| busy()).collect();
    let (over, door) = (Cell::new(false), daemon.door());
    let calling = Callers::of(&door, &over).run(16, Random::of(67));
    let (calls, ()) = tokio::join!(calling, async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        over.set(true);
    });
    drop(others);
    let summary = settled(&daemon).await.check(&calls, &sink.counts());
    assert!(summary.accepted > 0 && summary.lost == 0, "{summary:?}");
    assert_eq!(daemon.stop().await, 0);
}
