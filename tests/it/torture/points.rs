//! Row 2: the process dies at each named point, once; the next start goes on.

use super::callers::Callers;
use super::checker::Summary;
use super::random::{Random, seeds};
use super::sink::Sink;
use super::{home_with_alerts, settled};
use crate::harness::{Daemon, LONGEST};
use futures_util::StreamExt;
use nix::sys::signal::Signal;
use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;
use stentor::domain::failpoint::Point;
use strum::VariantNames;

/// So many points are walked side by side.
const AT_ONCE: usize = 6;

/// Those of removing are not reached by load alone: `removals.rs` walks them.
fn points() -> impl Iterator<Item = &'static str> {
    Point::VARIANTS.iter().copied().filter(|point| !point.starts_with("erase_") && !point.starts_with("forget_"))
}

/// A first life in order, a second one that dies there the `nth` time, a third one that goes on.
async fn die_at(point: &'static str, nth: u64, seed: u64) -> Option<Summary> {
    let random = Random::of(seed);
    let sink = Sink::start(random.fork(1), 20).await;
    let (home, alerts) = home_with_alerts(&sink);
    let small = if point.starts_with("file_") || point.starts_with("pack_") { "4096" } else { "" };
    let mut daemon = home.env("STENTOR_SEGMENT_BYTES", small).down();
    if point != "segment_made" {
        daemon.start().await;
        daemon.ok(&["send", "--subject", "before", "--wait"]).await;
        assert_eq!(daemon.stop().await, 0);
    }
    let over = Cell::new(false);
    let door = daemon.door();
    let calling = Callers::of(&door, &over).alerting(&alerts).run(6, random.fork(2));
    let living = async {
        daemon.spawn(&[("STENTOR_FAILPOINT", &format!("{point}:{nth}"))]);
        let died = dies(&mut daemon).await;
        daemon.start().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        over.set(true);
        died
    };
    let (calls, died) = tokio::join!(calling, living);
    let record = settled(&daemon).await;
    record.check_lateness();
    let summary = record.check(&calls, &sink.counts());
    died.then_some(summary)
}

/// Whether the point was reached: at the start, by the work of two seconds, or by stopping after it.
async fn dies(daemon: &mut Daemon) -> bool {
    let mut ended = None;
    while ended.is_none() && !daemon.is_ready() {
        ended = daemon.ends_within(Duration::from_millis(50)).await;
    }
    if ended.is_none() {
        ended = daemon.ends_within(Duration::from_secs(2)).await;
    }
    let status = match ended {
        Some(status) => status,
        None => {
            daemon.signal(Signal::SIGTERM);
            daemon.ends_within(LONGEST).await.expect("it does not stop")
        }
    };
    assert!(status.signal() == Some(9) || status.code() == Some(0), "it ended with {status}");
    status.signal() == Some(9)
}

#[tokio::test]
async fn f02_kill_at_each_named_point() {
    let walk = points().map(|point| async move {
        let summary = die_at(point, 1, 0).await;
        assert!(summary.is_some(), "{point} was never reached");
        println!("{point}: {summary:?}");
    });
    futures_util::stream::iter(walk).buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
}

#[tokio::test]
#[ignore = "each point several times takes minutes: make torture"]
async fn torture_f02_kill_at_each_named_point_later() {
    for seed in seeds(1..6) {
        let walk = points().map(|point| async move {
            let nth = 2 + Random::of(seed).fork(point.len() as u64).below(30);
            println!("STENTOR_SEEDS={seed}..{} {point}:{nth}: {:?}", seed + 1, die_at(point, nth, seed).await);
        });
        futures_util::stream::iter(walk).buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
    }
}
