//! SIGTERM while attempts are in flight: they finish, or are taken up by the next start.

use crate::harness::ways;
use crate::harness::{Home, eventually};
use crate::standins::Standins;
use crate::standins::script::Fault;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::ChildStdout;
use tokio::time::{Duration, timeout};

#[tokio::test]
async fn f07_running_attempts_finish_and_the_rest_goes_out_after_the_next_start() {
    let standins = Standins::start().await;
    standins.set("hook", Fault::Slow { millis: 1_500 });
    let config = ways::and(ways::BY_HOOK).replace("[channels.hook]\n", "[channels.hook]\nslots = 2\n");
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    for n in 0..5 {
        daemon.ok(&["send", "--subject", &format!("message {n}")]).await;
    }
    standins.wait_for("hook", 2).await;
    assert_eq!(daemon.stop().await, 0);
    assert_eq!(standins.recorded("hook").len(), 2, "no attempt starts after SIGTERM");
    assert!(daemon.notices().iter().any(|n| n == "STOPPING=1"));
    assert!(!daemon.socket().exists(), "the socket is gone");

    standins.well("hook");
    daemon.start().await;
    let ended = eventually("the rest goes out", async || {
        let ended = daemon.ledger(&["delivery_ended"]).await;
        (ended.len() == 5).then_some(ended)
    })
    .await;
    assert!(ended.iter().all(|e| e["status"] == "delivered"));
    assert_eq!(standins.recorded("hook").len(), 5, "each exactly once");
    let duplicates = daemon.ledger(&["attempt_started"]).await;
    assert!(duplicates.iter().all(|e| e["possibly_duplicate"] != true), "the two finished before the end");
}

/// The first thing that a life does is to say that it has begun; else it takes what it begins itself for lost.
#[tokio::test]
async fn f25_what_came_due_while_it_was_down_goes_out_once() {
    let standins = Standins::start().await;
    let urgent = "[levels.urgent]\nchannels = [\"hook\"]\npolicy = \"page\"\n[policies.page]\n\
                  steps = [{ after = \"0s\", channels = [\"hook\"] }, { after = \"15s\", channels = [\"hook\"] }]\n";
    let config = format!("{}\n{urgent}", ways::and(ways::BY_HOOK));
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    daemon.ok(&["page", "--level", "urgent", "--subject", "db-1 does not answer"]).await;
    standins.wait_for("hook", 1).await;
    // Soon, and not before all are asked for on a busy machine.
    let now: jiff::Timestamp = daemon.status().await["at"].as_str().unwrap().parse().unwrap();
    let at = now + Duration::from_secs(15);
    for n in 0..10 {
        daemon.ok(&["send", "--subject", &format!("later {n}"), "--at", &at.to_string()]).await;
    }
    daemon.kill().await;
    assert_eq!(standins.recorded("hook").len(), 1, "it died before anything came due");
    tokio::time::sleep(Duration::from_secs(16)).await;
    daemon.start().await;
    eventually("all is out", async || (daemon.ledger(&["delivery_ended"]).await.len() == 12).then_some(())).await;
    assert_eq!(standins.recorded("hook").len(), 12, "each exactly once");
    let attempts = daemon.ledger(&["attempt_started"]).await;
    assert!(attempts.iter().all(|e| e["n"] == 1 && e["possibly_duplicate"] != true), "{attempts:?}");
    let begun = daemon.ledger(&["started", "incident_stepped"]).await;
    let kinds: Vec<&str> = begun.iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["started", "incident_stepped", "started", "incident_stepped"]);
}

#[tokio::test]
async fn f07_an_attempt_that_does_not_end_does_not_hold_the_end_up() {
    let standins = Standins::start().await;
    standins.set_times("hook", Fault::Hang, 1);
    let config = ways::and(ways::BY_HOOK).replace("[channels.hook]\n", "[channels.hook]\ntimeout = \"5m\"\n");
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    let sent = daemon.ok(&["send", "--subject", "into the void"]).await;
    standins.wait_for("hook", 1).await;
    // Ten seconds are promised; the rest is for a busy machine.
    let code = timeout(Duration::from_secs(20), daemon.stop()).await.expect("it did not stop in time");
    assert_eq!(code, 0);

    daemon.start().await;
    let id = sent["deliveries"][0]["id"].as_str().unwrap();
    let shown = eventually("it is taken up", async || {
        let shown = daemon.ok(&["deliveries", "show", id]).await;
        (shown["status"] == "delivered").then_some(shown)
    })
    .await;
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 2, "{shown}");
    assert_eq!(shown["attempts"][1]["possibly_duplicate"], true, "{shown}");
    assert_eq!(standins.recorded("hook").len(), 2);
}

#[tokio::test]
async fn f10_systemd_hears_of_every_turn_and_an_idle_daemon_feeds_its_watchdog() {
    let config = ways::and(ways::BY_HOOK);
    let standins = Standins::start().await;
    let home = Home::new(&config).envs(ways::environment(&standins)).env("WATCHDOG_USEC", "2000000");
    let mut daemon = home.start().await;
    eventually("the watchdog is fed, again and again", async || {
        let fed = daemon.notices().iter().filter(|n| *n == "WATCHDOG=1").count();
        (fed >= 3).then_some(())
    })
    .await;
    assert!(!daemon.log().contains("no progress"), "{}", daemon.log());
    assert_eq!(daemon.stop().await, 0);
    let notices = daemon.notices();
    let place = |wanted: &str| notices.iter().position(|n| n.starts_with(wanted));
    assert!(place("READY=1") < place("WATCHDOG=1") && place("WATCHDOG=1") < place("STOPPING=1"), "{notices:?}");
    assert!(place("STATUS=").is_some(), "{notices:?}");
}

/// The numbers of the entries, up to the one of this subject.
async fn read_until(lines: &mut Lines<BufReader<ChildStdout>>, subject: &str, seqs: &mut Vec<u64>) {
    let reading = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            let entry: serde_json::Value = serde_json::from_str(&line).unwrap();
            seqs.push(entry["seq"].as_u64().unwrap_or_else(|| panic!("no entry: {line}")));
            if entry["subject"] == subject {
                return;
            }
        }
    };
    timeout(crate::harness::LONGEST, reading).await.expect("it does not follow");
}

#[tokio::test]
async fn who_follows_the_ledger_misses_nothing_when_the_daemon_is_killed() {
    let standins = Standins::start().await;
    let mut daemon = Home::new(&ways::and(ways::BY_HOOK)).envs(ways::environment(&standins)).start().await;
    let mut follower = daemon.stentorctl(&["ledger", "tail", "-f", "-n", "100", "--json"]).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut seqs = Vec::new();
    daemon.ok(&["send", "--subject", "before", "--wait"]).await;
    // It has to be there before the daemon is not.
    read_until(&mut lines, "before", &mut seqs).await;
    daemon.kill().await;
    daemon.start().await;
    daemon.ok(&["send", "--subject", "after", "--wait"]).await;
    read_until(&mut lines, "after", &mut seqs).await;
    let whole: Vec<u64> = (1..=seqs.len() as u64).collect();
    assert_eq!(seqs, whole, "each event once, in order");
    follower.kill().await.unwrap();
}

#[tokio::test]
async fn f08_an_open_incident_goes_on_where_it_was() {
    let standins = Standins::start().await;
    let config = ways::and(
        r#"
        [levels.urgent]
        channels = ["hook"]
        policy = "page"
        [policies.page]
        steps = [{ after = "0s", channels = ["hook"] }, { after = "3s", channels = ["chat"] }]
        "#,
    );
    let mut daemon = Home::new(&config).envs(ways::environment(&standins)).start().await;
    let opened = daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    standins.wait_for("hook", 1).await;
    assert_eq!(daemon.stop().await, 0);
    daemon.start().await;
    assert_eq!(standins.wait_for("slack", 1).await.len(), 1, "step 2");
    let shown = daemon.ok(&["incidents", "show", &opened["number"].to_string()]).await;
    assert_eq!(shown["step"], 2, "{shown}");
    assert_eq!(standins.recorded("hook").len(), 1, "step 1 was not told again");
}
