//! The ledger when it is large.
// It measures: the one kind of test that reads the machine's own clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::disallowed_methods)]

mod filled;

use filled::{Filled, resident, size, thread_time};

#[test]
fn figures() {
    let n: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let home = tempfile::tempdir().unwrap();
    let mut filled = Filled::open(home.path());
    filled.fill(1_000);
    let (t0, r0, e0) = (thread_time(), resident(), filled.events());
    filled.fill(3_000);
    let early = (thread_time() - t0) / (filled.events() - e0) as u32;
    let began = std::time::Instant::now();
    let mut at = filled.events();
    while at < n {
        at += 20_000;
        filled.fill(at.min(n));
        let before = resident();
        filled::until("caught up", || filled.ledger.history().applied_seq() + 5_000 > filled.events());
        eprintln!("{at}: {before} {} history {} ", resident(), size(&home.path().join("history")));
    }
    eprintln!("filled {} in {:?}, json {}", filled.events(), began.elapsed(), filled.json);
    let (t0, e0) = (thread_time(), filled.events());
    filled.fill(n + 2_000);
    let late = (thread_time() - t0) / (filled.events() - e0) as u32;
    eprintln!("append {early:?} early {late:?} late; resident {r0} then {}", resident());
    filled.settle();
    let (j, h, s) =
        (size(&home.path().join("journal")), size(&home.path().join("history")), size(&home.path().join("snapshots")));
    eprintln!("journal {j} history {h} snapshots {s} ratio {}", (j + h) as f64 / filled.json as f64);
    eprintln!("resident {}", resident());
    let copy = home.path().join("copy");
    let out = std::process::Command::new("cp")
        .arg("-r")
        .arg(home.path())
        .arg(format!("{}-copy", home.path().display()))
        .output()
        .unwrap();
    assert!(out.status.success());
    drop(copy);
    let other = std::path::PathBuf::from(format!("{}-copy", home.path().display()));
    let again = Filled::open(&other);
    eprintln!("opened in {:?} after {} events replayed", again.opened_in, again.recovery.events);
    drop(again);
    std::fs::remove_dir_all(other).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = std::time::Instant::now();
    let history = filled.ledger.history().clone();
    let (id, _) = filled.incidents[filled.incidents.len() / 3];
    let query = stentor::ledger::history::EntryQuery { incident: Some(id), newest_first: false, ..Default::default() };
    let page = runtime.block_on(history.entries(query)).unwrap();
    eprintln!("query by incident {} in {:?}", page.entries.len(), began.elapsed());
    let began = std::time::Instant::now();
    let stats = runtime
        .block_on(history.stats(stentor::domain::time::Timestamp(0), stentor::domain::time::Timestamp(i64::MAX / 2)))
        .unwrap();
    eprintln!("stats in {:?}: {:?}", began.elapsed(), stats.by_channel.len());
}
