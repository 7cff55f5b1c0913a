//! The process itself: stopped for a while, a thread that never comes back, panics, an older and a
//! newer release.

use crate::harness::{Home, each, eventually, ways};
use crate::standins::Standins;
use crate::torture::random::Random;
use crate::torture::sink::Sink;
use crate::torture::{home, settled};
use nix::sys::signal::Signal;
use serde_json::json;
use std::time::Duration;

const STEPS: &str = r#"
[channels.hook]
kind = "webhook"
url = "${SINK}/hook"
updates = []
[levels.low]
channels = ["hook"]
[levels.urgent]
channels = ["hook"]
policy = "page"
[policies.page]
steps = [
    { after = "0s", channels = ["hook"] },
    { after = "2s", channels = ["hook"] },
    { after = "3s", channels = ["hook"] },
    { after = "4s", channels = ["hook"] },
    { after = "7s", channels = ["hook"] },
]
[heartbeats.hook]
probe = "hook"
every = "1s"
"#;

#[tokio::test]
async fn f03_stopped_for_a_while_it_catches_up_once() {
    let sink = Sink::start(Random::of(3), 0).await;
    let home = Home::new(STEPS).env("SINK", sink.address.as_str()).env("WATCHDOG_USEC", "2000000");
    let mut daemon = home.start().await;
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    eventually("step 1", async || (sink.times().len() == 1).then_some(())).await;
    daemon.signal(Signal::SIGSTOP);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(sink.times().len(), 1, "it is stopped");
    let runs = |daemon: &crate::harness::Daemon| {
        let notices = daemon.notices();
        notices.iter().filter(|n| *n == "WATCHDOG=1").count()
    };
    let fed = runs(&daemon);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(runs(&daemon), fed, "systemd hears nothing and would start it anew (row 10)");
    daemon.signal(Signal::SIGCONT);
    let record = settled(&daemon).await;

    let steps = record.of("incident_stepped");
    let fired: Vec<u64> = steps.iter().map(|s| s["step"].as_u64().unwrap()).collect();
    assert_eq!(fired, [0, 3, 4], "of those missed the latest, once: {steps:?}");
    assert_eq!(steps[1]["passed_over"], json!([[0, 1], [0, 2]]), "{}", steps[1]);
    record.check(&[], &sink.counts());
    assert!(runs(&daemon) > fed, "the watchdog is fed again");

    let resumed = steps[1]["seq"].as_u64().unwrap();
    let beats = record.of("heartbeat_started");
    let around: Vec<_> = beats.iter().filter(|b| b["seq"].as_u64().unwrap().abs_diff(resumed) <= 12).collect();
    assert!(around.len() <= 4, "the heartbeat's missed runs are one: {around:?}");
    assert_eq!(daemon.stop().await, 0);
}

#[tokio::test]
async fn f04_a_thread_that_never_comes_back_ends_the_watchdog_and_others_go_on() {
    let standins = Standins::start().await;
    let config = ways::and("[levels.low]\nchannels = [\"chat\"]\n").replace("kind ", "timeout = \"1s\"\nkind ");
    let home = Home::new(&config).envs(ways::environment(&standins)).env("WATCHDOG_USEC", "2000000");
    let mut daemon = home.down();
    daemon.spawn(&[("STENTOR_FAILPOINT", "attempt_started@hook=block")]);
    daemon.until_ready().await;
    daemon.ok(&["send", "--subject", "into the mire", "--channel", "hook"]).await;
    for n in 0..20 {
        let sent = daemon.ok(&["send", "--subject", &format!("{n}"), "--wait"]).await;
        assert_eq!(sent["status"], "delivered", "another channel goes on");
    }
    eventually("the watchdog is not fed any more", async || {
        daemon.ok(&["send", "--subject", "goes on", "--wait"]).await;
        let seen = daemon.log().contains("an attempt does not end at its deadline");
        seen.then_some(())
    })
    .await;
    let fed = daemon.notices().iter().filter(|n| *n == "WATCHDOG=1").count();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(daemon.notices().iter().filter(|n| *n == "WATCHDOG=1").count(), fed, "so systemd starts it anew");

    // As systemd does.
    daemon.signal(Signal::SIGABRT);
    daemon.wait().await;
    daemon.start().await;
    settled(&daemon).await;
    let hook = standins.recorded("hook");
    assert_eq!(hook.len(), 1, "and what hung goes out: {hook:?}");
}

#[tokio::test]
async fn f05_a_panic_in_a_channel_is_a_failed_attempt() {
    let standins = Standins::start().await;
    let home = Home::new(&ways::and("[levels.low]\nchannels = [\"chat\"]\n")).envs(ways::environment(&standins));
    let mut daemon = home.down();
    daemon.spawn(&[("STENTOR_FAILPOINT", "attempt_started@hook=panic")]);
    daemon.until_ready().await;
    let sent = daemon.exits(1, &["send", "--subject", "x", "--channel", "hook", "--wait"]).await;
    let dead = &sent["deliveries"][0];
    assert_eq!((&dead["status"], &dead["attempts"][0]["class"]), (&json!("dead"), &json!("PROVIDER_ERROR")), "{sent}");
    assert!(dead["attempts"][0]["error"].as_str().unwrap().contains("a bug in stentor"), "{sent}");
    let sent = daemon.ok(&["send", "--subject", "y", "--wait"]).await;
    assert_eq!(sent["status"], "delivered", "others are not touched");
    assert!(daemon.is_running());
}

/// A rule that panics takes the loop with it: the process ends loudly, and systemd starts it anew.
#[tokio::test]
async fn f05_a_panic_in_the_engine_ends_the_process_and_loses_nothing() {
    let sink = Sink::start(Random::of(5), 0).await;
    let mut daemon = home(&sink).down();
    daemon.spawn(&[("STENTOR_FAILPOINT", "decided:3=panic")]);
    daemon.until_ready().await;
    let mut promised = Vec::new();
    for n in 0..3 {
        let body = json!({ "subject": n.to_string() }).to_string();
        let answer = daemon.try_request("POST", "/api/v1/notifications", &body).await;
        promised.extend(answer.filter(|(status, _)| *status == 202).map(|(_, answer)| answer["id"].clone()));
    }
    assert_eq!(promised.len(), 2, "the third one panics");
    assert_eq!(daemon.wait().await, 1);
    assert!(daemon.log().contains("the engine's loop has ended"));
    daemon.start().await;
    let record = settled(&daemon).await;
    let there: Vec<_> = record.of("notification_accepted").into_iter().map(|e| e["id"].clone()).collect();
    assert_eq!(there, promised);
    record.check(&[], &sink.counts());
}

/// What the next release may write: a segment of a later format.
#[tokio::test]
async fn f08_the_ledger_of_a_newer_release_is_refused_in_clear_words() {
    let sink = Sink::start(Random::of(8), 0).await;
    let mut daemon = home(&sink).start().await;
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    daemon.kill().await;
    let segment = crate::harness::files_under(&daemon.state_dir().join("journal")).remove(0);
    let good = std::fs::read(&segment).unwrap();
    let mut newer = good.clone();
    newer[8] = 99;
    let crc = crc32fast::hash(&newer[..124]);
    newer[124..128].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&segment, &newer).unwrap();
    let (code, words) = daemon.ends().await;
    assert_eq!(code, 75, "{words}");
    assert!(words.contains("newer stentor") && words.contains("99"), "{words}");
    assert_eq!(std::fs::read(&segment).unwrap(), newer, "and left as it is");

    std::fs::write(&segment, &good).unwrap();
    daemon.start().await;
    let open = daemon.ok(&["incidents", "list"]).await;
    assert_eq!(each(&open["incidents"], "subject"), ["db-1 does not answer"]);
}

/// A backup of this morning: what was told meanwhile is told again, which the head outside shows;
/// what had ended by then stays ended.
#[tokio::test]
async fn f21_an_old_copy_of_the_state_is_found_out_and_wakes_nobody_for_what_had_ended() {
    let sink = Sink::start(Random::of(21), 0).await;
    let mut daemon = home(&sink).start().await;
    let ended = daemon.ok(&["page", "--subject", "ended before the copy"]).await;
    settled(&daemon).await;
    daemon.ok(&["resolve", &ended["number"].to_string()]).await;
    daemon.ok(&["send", "--subject", "before the copy", "--wait"]).await;
    assert_eq!(daemon.stop().await, 0);
    let copy = daemon.path("copy");
    copy_dir(&daemon.state_dir(), &copy);
    daemon.start().await;
    daemon.ok(&["send", "--subject", "after the copy", "--wait"]).await;
    settled(&daemon).await;
    let status = daemon.status().await["ledger"].clone();
    let head = format!("{}:{}", status["durable_seq"], status["head"].as_str().unwrap());
    assert_eq!(daemon.stop().await, 0);
    let came = sink.times().len();

    std::fs::remove_dir_all(daemon.state_dir()).unwrap();
    copy_dir(&copy, &daemon.state_dir());
    daemon.start().await;
    let sent = daemon.ok(&["send", "--subject", "it goes on", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
    settled(&daemon).await;
    assert_eq!(sink.times().len(), came + 1, "nobody is told of what had ended");
    let verified = daemon.exits(1, &["ledger", "verify", "--against", &head]).await;
    assert_eq!(verified["ok"], false, "{verified}");
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &to)
        } else {
            assert!(std::fs::copy(entry.path(), to).is_ok())
        }
    }
}
