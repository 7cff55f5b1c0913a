//! The last resort: nobody can be told of something urgent.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;
use crate::engine::Read;

/// The example with no policy at urgent, so that one sending is all.
fn house() -> World {
    World::with(&calm().replace(r#"policy   = "page" "#, r#"policy   = "none" "#))
}

fn all_fail(w: &mut World) {
    for channel in ["siren", "sms", "sms-telnyx", "sms-gateway", "ops-slack", "mail", "mail-backup"] {
        w.channel(channel, timeout());
    }
}

fn cries(w: &World) -> Vec<String> {
    w.walls.iter().map(|(at, _)| at.exact().to_string()).collect()
}

#[test]
fn f35_after_a_minute_in_which_every_way_failed_it_cries_out_once() {
    let mut w = house();
    all_fail(&mut w);
    let n = w.open("urgent");
    w.all_until("59s");
    assert!(w.walls.is_empty() && w.engine.state.unheard.is_empty());
    w.all_until("61s");
    assert_eq!(cries(&w), ["1m"]);
    let words = &w.walls[0].1;
    assert!(words.contains("URGENT #1 disk full") && words.contains("prague-1"), "{words}");
    assert_eq!(w.read(Read::Status)["state"], "failing");
    w.all_until("30m");
    assert_eq!(cries(&w).len(), 1, "once");
    // Somebody acknowledges: it is over at once.
    let before = w.sound_changes;
    w.ack(n, "alice");
    assert!(w.engine.state.unheard.is_empty());
    assert!(w.sound_changes > before);
    w.untold();
}

#[test]
fn f35_one_way_that_works_is_enough() {
    let mut w = house();
    all_fail(&mut w);
    w.channel("ops-slack", Says::Yes);
    w.open("urgent");
    w.all_until("10m");
    assert!(w.walls.is_empty());
}

#[test]
fn f35_it_is_over_when_somebody_is_told() {
    let mut w = house();
    all_fail(&mut w);
    w.send(|r| r.level = level("urgent"));
    w.all_until("2m");
    assert_eq!(w.engine.state.unheard.len(), 1);
    w.channel("ops-slack", Says::Yes);
    w.all_until("3m");
    assert!(w.engine.state.unheard.is_empty());
    assert_eq!(w.count(|e| matches!(e, EventKind::UrgentUnheard(u) if u.heard)), 1);
}

#[test]
fn f35_what_is_tried_for_the_first_time_is_waited_for() {
    let mut w = house();
    all_fail(&mut w);
    // The siren takes an attempt, and long; the config says 15s, and so does the stand-in.
    w.channel("siren", Says::Never);
    w.open("urgent");
    w.all_until("5m");
    assert!(w.walls.is_empty());
    w.down_for("0s");
    all_fail(&mut w);
    w.all_until("8m");
    assert_eq!(cries(&w).len(), 1, "{:?}", w.walls);
}

#[test]
fn f35_a_restart_does_not_begin_to_count_anew_and_goes_on_crying() {
    let mut w = house();
    all_fail(&mut w);
    w.open("urgent");
    w.all_until("50s");
    w.down_for("5s");
    w.all_until("61s");
    assert_eq!(cries(&w), ["1m"]);
    w.down_for("5s");
    assert_eq!(w.engine.state.unheard.len(), 1);
    w.all_until("10m");
    assert_eq!(cries(&w).len(), 1);
}

#[test]
fn f35_nothing_less_than_urgent_and_nothing_that_is_silenced() {
    let mut w = house();
    all_fail(&mut w);
    w.open("high");
    w.silence("level=urgent", "1h");
    w.open("urgent");
    w.all_until("30m");
    assert!(w.walls.is_empty());
}

#[test]
fn f35_an_incident_that_everybody_was_left_out_of_is_cried_out() {
    let mut w = World::with(
        &calm().replace(r#"policy   = "page" "#, r#"policy   = "none" "#).replace("email = \"bob@example.org\"\n", ""),
    );
    let n = w.open_with(|r| (r.level, r.channels, r.to) = (level("urgent"), names(&["mail"]), who(&["bob"])));
    w.all_until("59s");
    assert!(w.walls.is_empty());
    w.all_until("30m");
    assert_eq!(cries(&w), ["1m"]);
    w.resolve(n);
    assert!(w.engine.state.unheard.is_empty());
    // With no channel at all it is meant so.
    w.open_with(|r| (r.level, r.channels) = (level("urgent"), Some(Vec::new())));
    w.all_until("1h");
    assert_eq!(cries(&w), ["1m"]);
    w.untold();
}

#[test]
fn f35_a_policy_counts_as_a_whole() {
    let mut w = World::calm();
    w.open("urgent");
    w.all_until("1s");
    // The siren and slack are heard; that the later text fails is no reason to wake the whole house.
    all_fail(&mut w);
    w.channel("call", timeout());
    w.all_until("29m");
    assert!(w.walls.is_empty());
}

#[test]
fn f06_safe_mode_pages_by_every_way_of_urgent_and_sounds_where_it_would_not() {
    let mut w = World::with(
        &calm()
            .replace(r#"channels = ["siren", "sms", "ops-slack", "mail"]"#, r#"channels = ["ops-slack", "mail"]"#)
            .replace(r#"policy   = "page" "#, r#"policy   = "none" "#),
    );
    w.does(crate::engine::Ask::Broken { words: Some("3 starts in a row never became ready".into()) });
    w.at("0m").posts("ops-slack").rings("ops@example.org", "mail").posts("siren").nothing_else();
    assert_eq!(w.sounding(), ["siren"]);
    // The next start is a usual one.
    w.does(crate::engine::Ask::Broken { words: None });
    w.untold();
    assert!(w.sounding().is_empty());
    assert_eq!(w.engine.state.live_incidents().count(), 0);
}

/// Its provider kept it and then gave it up: its fallback has a minute like any other way.
#[test]
fn f35_a_way_that_is_tried_late_for_the_first_time_is_waited_for() {
    let mut w = house();
    w.channel("sms-telnyx", Says::Yes).channel_takes("sms-telnyx", "5s");
    w.channel_first("sms", [Says::Hangs]).channel_takes("sms", "70s");
    w.send(|r| (r.level, r.channels, r.to) = (level("urgent"), names(&["sms"]), who(&["alice"])));
    w.all_until("5m");
    assert_eq!(w.status("sms", "alice"), "sent");
    assert!(w.walls.is_empty(), "{:?}", w.walls);
}
