//! Days of load in simulated time: what has ended leaves, and the state is as small as the day before.

use super::three::*;
use super::world::asks::*;
use super::world::*;
use crate::domain::time::Span;

/// Every other minute an incident that is acknowledged and ends, one message that arrives and one whose
/// channel is down every other hour.
fn day(w: &mut World, day: i64) {
    for minute in (0..24 * 60).step_by(2) {
        let now = Span::days(day) + Span::mins(minute);
        w.run_until(now);
        w.untold();
        if minute % 60 == 0 {
            w.channel("hook", if minute % 120 == 0 { timeout() } else { Says::Yes });
        }
        let n = page(w, "three");
        w.send(|r| (r.channels, r.idempotency_key) = (names(&["ops-slack"]), Some(format!("{day} {minute}"))));
        w.send(|r| r.channels = names(&["hook"]));
        w.run_until(now + span("20s"));
        w.ack(n, "alice");
        w.run_until(now + span("40s"));
        w.resolve(n);
        w.untold();
    }
}

/// Bytes of the state as a snapshot has it, and entries of what is derived from it.
fn size(w: &World) -> (usize, usize) {
    let state = &w.engine.state;
    (serde_json::to_vec(state).unwrap().len(), format!("{:?}", state.index).len())
}

fn soak(days: i64) {
    let mut w = three();
    // What is kept for lists and for a day is there after two days.
    day(&mut w, 0);
    day(&mut w, 1);
    let before = size(&w);
    for n in 2..days {
        day(&mut w, n);
        let now = size(&w);
        assert!(now.0 < before.0 + before.0 / 50, "day {n}: {now:?} bytes, after the second {before:?}");
        assert!(now.1 < before.1 + before.1 / 50, "day {n}: {now:?} bytes, after the second {before:?}");
    }
    w.channel("hook", Says::Yes);
    w.run_until(Span::days(days) + span("26h"));
    w.untold();
    let state = &w.engine.state;
    assert_eq!((state.pending(), state.live_incidents().count(), state.queued_channels().count()), (0, 0, 0));
    assert_eq!((state.sounding.len(), state.dead_count()), (0, 0));
    assert!(state.next_timer().is_none(), "nothing is left to be done: {:?}", state.next_timer());
}

#[test]
fn f69_days_of_load_leave_nothing_behind() {
    soak(3);
}

#[test]
#[ignore = "a fortnight takes minutes: make torture"]
fn torture_f69_a_fortnight_of_load_leaves_nothing_behind() {
    soak(14);
}
