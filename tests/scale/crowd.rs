//! Many open incidents: what one takes in memory, and that a start has them from the snapshot.

use super::filled::{Filled, resident, until};

/// Bytes for each, with all that keeps them: rows, timers, names, and what the allocator wastes (300 MiB for a
/// hundred thousand).
const EACH: u64 = 3 << 10;

#[test]
fn an_open_incident_takes_little_memory() {
    super::alone("crowd::an_open_incident_takes_little_memory", || crowd(20_000));
}

#[test]
#[ignore = "a minute: make torture"]
fn torture_a_hundred_thousand_open_incidents() {
    super::alone("crowd::torture_a_hundred_thousand_open_incidents", || crowd(100_000));
}

fn crowd(count: u64) {
    let home = tempfile::tempdir().unwrap();
    let mut filled = Filled::open(home.path());
    // What the ledger's threads take once, whatever is open.
    filled.fill(20_000);
    filled.settle();
    let before = resident();
    for _ in 0..count / 1_000 {
        filled.crowd(1_000);
        until("the history has caught up", || filled.ledger.history().applied_seq() + 5_000 > filled.events());
    }
    filled.settle();
    let each = (resident().saturating_sub(before) << 10) / count;
    eprintln!("{count} open incidents, {} events: {each} bytes of memory for each", filled.events());
    assert_eq!(filled.engine.state.open_alerts() as u64, count);
    assert!(each < EACH, "{each} bytes for each");
    super::after_a_kill(home.path(), filled.events(), count);
}
