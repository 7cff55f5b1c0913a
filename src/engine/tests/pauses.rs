//! A pause that a provider asks for (`Retry-After`).

use super::world::asks::*;
use super::world::*;

fn post(w: &mut World, word: &str) {
    w.send(|r| (r.level, r.channels) = (level(word), names(&["hook"])));
}

#[test]
fn f38_a_pause_that_the_provider_asks_for_is_kept_and_those_in_a_hurry_go_round() {
    let mut w = World::calm();
    w.channel_first("sms", [Says::busy("60s")]);
    w.send(|r| (r.level, r.channels) = (level("normal"), names(&["sms"])));
    w.at("0m").rings("alice", "sms").nothing_else();
    w.send(|r| (r.level, r.channels, r.to) = (level("normal"), names(&["sms"]), who(&["bob"])));
    w.send(|r| (r.level, r.channels, r.to) = (level("urgent"), names(&["sms"]), who(&["bob"])));
    w.at("0m").rings("bob", "sms-telnyx").nothing_else();
    w.at("60s").rings("bob", "sms").rings("alice", "sms").nothing_else();
}

/// One that was under way before succeeds: that is no answer to the one that asked for a pause.
#[test]
fn f38_a_success_that_began_before_does_not_end_a_pause_that_was_asked_for() {
    let mut w = World::calm();
    w.channel_takes("hook", "1s").channel_first("hook", [Says::Yes, Says::busy("40s")]);
    post(&mut w, "normal");
    w.run_for("500ms");
    w.channel_takes("hook", "0s");
    post(&mut w, "normal");
    w.run_for("2s");
    post(&mut w, "normal");
    w.untold();
    // It works for others all the same: what is counted is failures in a row.
    assert_eq!((w.health("hook").as_str(), w.engine.state.channel("hook").failures), ("ok", 0));
    w.quiet_until("40s");
    w.at("40s500ms").posts("hook").posts("hook").nothing_else();
}

#[test]
fn f38_a_pause_that_is_too_long_is_a_reason_to_go_another_way() {
    let mut w = World::calm();
    w.channel_first("sms", [Says::busy("61s")]);
    w.send(|r| (r.level, r.channels) = (level("normal"), names(&["sms"])));
    w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx").nothing_else();
}

#[test]
fn f38_without_another_way_the_pause_holds_for_all_and_is_five_minutes_at_most() {
    let mut w = World::calm();
    w.channel_first("hook", [Says::busy("2h")]);
    post(&mut w, "normal");
    w.at("0m").posts("hook");
    post(&mut w, "urgent");
    w.quiet_until("4m59s");
    w.at("5m").posts("hook").posts("hook").nothing_else();
}
