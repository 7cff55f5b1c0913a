//! Receivers of events: what is remembered of them, and when somebody is told.

use super::world::*;
use crate::domain::event::{HookFailing, HookMoved};
use crate::engine::{Ask, Read};

const HOOK: &str = "\n[hooks.billing]\nurl = \"https://billing.example.org/events\"\n";

fn failing(w: &World, long: bool) -> Option<HookFailing> {
    Some(HookFailing { since: w.wall(), words: "503 not now".into(), long })
}

fn moved(w: &mut World, seq: u64, failing: Option<HookFailing>) {
    w.does(Ask::HookMoved(HookMoved { hook: "billing".into(), seq, failing, ..HookMoved::default() }));
}

#[test]
fn where_it_is_survives_a_restart_and_leaves_with_the_config() {
    let mut w = World::with(&(calm() + HOOK));
    assert_eq!(w.read(Read::Hooks)[0]["status"], "unknown");
    moved(&mut w, 417, None);
    w.restart_from_snapshot();
    let row = w.read(Read::Hooks)[0].clone();
    assert_eq!((row["seq"].as_u64(), row["status"].as_str()), (Some(417), Some("ok")));
    w.reload(&calm());
    assert!(w.engine.state.hooks.is_empty());
    w.reload(&(calm() + HOOK));
    assert_eq!(w.read(Read::Hooks)[0]["seq"], serde_json::Value::Null, "it begins anew");
}

#[test]
fn one_that_fails_for_long_is_one_incident_until_it_takes_events_again() {
    let mut w = World::with(&(calm() + HOOK));
    let f = failing(&w, false);
    moved(&mut w, 5, f);
    w.nothing_untold();
    for _ in 0..3 {
        let f = failing(&w, true);
        moved(&mut w, 5, f);
    }
    let rung: Vec<_> = w.untold();
    assert_eq!(rung.len(), 1, "{rung:?}");
    let open = w.read(Read::Incidents { all: false });
    assert_eq!(open["incidents"][0]["subject"], "The receiver billing takes no events");
    moved(&mut w, 9, None);
    assert_eq!(w.read(Read::Incidents { all: false })["incidents"].as_array().unwrap().len(), 0);
    w.untold();
}

#[test]
fn the_incident_of_one_that_is_taken_out_is_over() {
    let mut w = World::with(&(calm() + HOOK));
    let f = failing(&w, true);
    moved(&mut w, 5, f);
    w.untold();
    w.reload(&calm());
    assert_eq!(w.read(Read::Incidents { all: false })["incidents"].as_array().unwrap().len(), 0);
    moved(&mut w, 6, None);
    assert!(w.engine.state.hooks.is_empty(), "a carrier's last word comes too late");
    w.untold();
}
