//! The wall clock is set while the real daemon runs; libfaketime tells it the time.

use crate::harness::tools::libfaketime;
use crate::harness::{Daemon, Home, eventually};
use crate::torture::random::Random;
use crate::torture::settled;
use crate::torture::sink::Sink;
use std::path::PathBuf;
use std::time::Duration;

/// A daemon that is told the time by a file.
async fn told_the_time(sink: &Sink, time: &str, story: &str) -> Option<(Daemon, PathBuf)> {
    let library = libfaketime(story)?;
    let steps = crate::torture::CONFIG.replace(
        "{ after = \"1s\", channels = [\"other\"] }",
        "{ after = \"3s\", channels = [\"other\"] }, { after = \"6s\", channels = [\"hook\"] }",
    );
    let home = Home::new(&steps).env("SINK", sink.address.as_str());
    let file = home.path("time");
    std::fs::write(&file, time).unwrap();
    let home = home.env("LD_PRELOAD", library.display().to_string()).env("FAKETIME_NO_CACHE", "1");
    let home = home.env("FAKETIME_TIMESTAMP_FILE", file.display().to_string());
    // As in life: the time since boot is never set.
    let home = home.env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    Some((home.start().await, file))
}

/// By how many seconds the clock was set, as the ledger says.
async fn jumps(daemon: &Daemon) -> Vec<i64> {
    let record = settled(daemon).await;
    let by = |e: &&serde_json::Value| (e["by"].as_f64().unwrap() / 1e6).round() as i64;
    record.of("clock_stepped").iter().map(by).collect()
}

#[tokio::test]
async fn f23_wall_clock_jump() {
    let sink = Sink::start(Random::of(23), 0).await;
    let Some((mut daemon, time)) = told_the_time(&sink, "+0", "jumps of the wall clock").await else { return };
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    eventually("step 1", async || (sink.times().len() == 1).then_some(())).await;
    std::fs::write(&time, "+1h").unwrap();
    eventually("step 2", async || (sink.times().len() == 2).then_some(())).await;
    // 3 s and 6 s after the opening were said, and the opening was at most a moment before step 1 came.
    let times = sink.times();
    assert!(times[1] - times[0] > Duration::from_millis(2_500), "an hour ahead on the clock is no time");
    std::fs::write(&time, "-1h").unwrap();
    eventually("step 3, though the clock was set back by two hours", async || (sink.times().len() == 3).then_some(()))
        .await;
    assert!(sink.times()[2] - times[0] > Duration::from_millis(5_500));
    let seen = jumps(&daemon).await;
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!((seen[0] - 3_600).abs() <= 1 && (seen[1] + 7_200).abs() <= 1, "{seen:?}");

    // With the clock two hours back it goes on after a kill, too.
    daemon.kill().await;
    daemon.start().await;
    let sent = daemon.ok(&["send", "--subject", "it goes on", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
    assert_eq!(sink.times().len(), 4);
}

#[tokio::test]
async fn f23_a_clock_that_is_set_while_the_daemon_is_down_brings_no_step_forward() {
    let sink = Sink::start(Random::of(23), 0).await;
    let Some((mut daemon, time)) = told_the_time(&sink, "+0", "a clock set while the daemon is down").await else {
        return;
    };
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    eventually("step 1", async || (sink.times().len() == 1).then_some(())).await;
    daemon.stop().await;
    std::fs::write(&time, "+1h").unwrap();
    daemon.start().await;
    eventually("steps 2 and 3", async || (sink.times().len() == 3).then_some(())).await;
    let times = sink.times();
    assert!(times[1] - times[0] > Duration::from_millis(2_500), "an hour ahead on the clock is no time");
    assert!(times[2] - times[0] > Duration::from_millis(5_500), "nor for the step after it");
}

#[tokio::test]
async fn f26_a_machine_that_starts_in_1970() {
    let sink = Sink::start(Random::of(26), 0).await;
    let story = "a clock that starts in 1970";
    let Some((daemon, time)) = told_the_time(&sink, "@1970-01-01 00:00:30", story).await else { return };
    let sent = daemon.ok(&["send", "--subject", "at the beginning of time", "--wait"]).await;
    assert_eq!(sent["status"], "delivered");
    daemon.ok(&["page", "--subject", "db-1 does not answer"]).await;
    eventually("step 1", async || (sink.times().len() == 2).then_some(())).await;
    // The network sets the clock.
    std::fs::write(&time, "+0").unwrap();
    eventually("steps 2 and 3", async || (sink.times().len() == 4).then_some(())).await;
    let times = sink.times();
    assert!(times[2] - times[1] > Duration::from_millis(2_500), "in their time");
    assert!(times[3] - times[1] > Duration::from_millis(5_500), "in their time");
    let seen = jumps(&daemon).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0] > 50 * 365 * 86_400, "{seen:?}");
}
