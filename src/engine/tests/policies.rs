//! Policies: steps and rounds, their times, and what lets a step fire early.

use super::three::*;
use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;

// ---- times

#[test]
fn each_step_has_its_time_in_each_round_and_time_alone_moves_it() {
    let mut w = three();
    page(&mut w, "three");
    for (a, b, c) in [("0m", "10m", "20m"), ("60m", "70m", "80m")] {
        w.at(a).posts("ops-slack");
        w.at(b).rings("bob", "sms");
        w.at(c).posts("hook");
    }
    // High reminds each 4h: from the end of the last round, which is its start and an hour.
    w.at("6h").posts_again("hook");
    w.at("10h").posts_again("hook");
}

#[test]
fn a_step_without_channels_uses_the_levels() {
    let steps = r#"
[policies.bare]
steps = [ { after = "0s" }, { after = "5m", to = ["bob"] } ]
"#;
    let mut w = World::with(&(calm() + steps));
    w.open_with(|r| (r.level, r.policy, r.to) = (level("normal"), Some("bare".into()), who(&["alice"])));
    w.at("0m").rings("ops@example.org", "mail").nothing_else();
    w.at("5m").rings("bob", "mail");
    w.quiet_until("1d");
}

#[test]
fn a_step_is_resolved_at_its_instant() {
    // Sunday night; on Monday at nine the turn is Bob's.
    let mut w = World::at_time(&calm(), "2026-01-12T08:50:00+01:00");
    w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.at("5m").rings("alice", "sms");
    w.at("10m").rings("bob", "call").nothing_else();
}

#[test]
fn a_step_fires_while_deliveries_of_earlier_ones_are_still_tried() {
    let mut w = three();
    w.channel("ops-slack", Says::Never);
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.at("10m").rings("bob", "sms");
    assert_eq!(w.status("ops-slack", ""), "sending");
    w.at("20m").posts("hook");
}

#[test]
fn a_delivered_message_stops_nothing() {
    let mut w = three();
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    assert_eq!(w.status("ops-slack", ""), "delivered");
    w.at("10m").rings("bob", "sms");
    w.at("20m").posts("hook");
}

// ---- reaches nobody, all ways dead, all ended dead

#[test]
fn a_step_that_reaches_nobody_lets_the_next_one_fire_at_once() {
    let toml = calm() + THREE + "\n[people.bob.preferences.sms]\ntypes = []\n";
    let toml = toml
        .replace("[people.bob.preferences]", "[people.bob.preferences]\nsms = false")
        .replace("\n[people.bob.preferences.sms]\ntypes = []\n", "");
    let mut w = World::with(&toml);
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.at("10m").posts("hook").nothing_else();
    assert_eq!(w.told()[1], "sms bob skipped: preference", "made all the same");
    // Ten minutes were saved: round 2 begins so much earlier, and saves as much once more.
    w.at("50m").posts("ops-slack");
    w.at("60m").posts("hook");
}

#[test]
fn the_last_step_of_a_round_that_gets_nowhere_does_not_hurry_the_next_round() {
    let mut w = three();
    w.channel("hook", refused());
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.at("10m").rings("bob", "sms");
    assert_eq!(w.loud_until("1h30m"), ["1h ops-slack", "1h10m sms bob"]);
}

#[test]
fn ways_that_die_after_the_step_let_the_next_one_fire_then() {
    let mut w = three();
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, timeout());
    }
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    let told = w.all_until("15m");
    let tries: Vec<_> = told.iter().filter(|h| h.channel != "hook").collect();
    let hook: Vec<_> = told.iter().filter(|h| h.channel == "hook").collect();
    assert_eq!(hook.len(), 1, "{told:?}");
    assert!(hook[0].at > span("10m") && hook[0].at < span("14m"), "{} is when the last way died", hook[0].at);
    let before = tries.iter().filter(|h| h.at < hook[0].at).count();
    assert_eq!(before, 12, "four times through the chain; in the fifth each one dies");
    // Of the delivery itself nothing is lost.
    assert_eq!(w.status("sms", "bob"), "waiting");
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, Says::Yes);
    }
    w.all_until("16m");
    assert_eq!(w.status("sms", "bob"), "sent");
}

#[test]
fn deliveries_that_all_ended_dead_let_the_next_one_fire_at_once() {
    let mut w = three();
    w.without_letters();
    w.channel("sms", Says::bad_number()).channel_takes("sms", "30s");
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.at("10m").rings("bob", "sms");
    w.at("10m30s").posts("hook");
    assert_eq!(w.status("sms", "bob"), "dead");
    // 9m30s were saved.
    w.at("50m30s").posts("ops-slack");
}

#[test]
fn one_of_two_that_is_alive_is_enough_to_wait() {
    let both = r#"
[policies.both]
steps = [ { after = "0s", channels = ["sms"], to = ["alice", "bob"] }, { after = "10m", channels = ["hook"] } ]
"#;
    let mut w = World::with(&(calm() + both));
    w.without_letters();
    w.channel_about("sms", "alice", Says::bad_number());
    page(&mut w, "both");
    w.at("0m").rings("alice", "sms").rings("bob", "sms").nothing_else();
    w.at("10m").posts("hook");
}

#[test]
fn an_earlier_step_that_dies_later_hurries_nothing() {
    let mut w = three();
    w.without_letters();
    w.channel("ops-slack", Says::bad_number()).channel_takes("ops-slack", "12m");
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.at("10m").rings("bob", "sms");
    w.quiet_until("19m59s");
    w.at("20m").posts("hook");
}

#[test]
fn all_steps_may_fire_in_one_moment() {
    let mut w = three();
    w.without_letters();
    for channel in ["ops-slack", "hook"] {
        w.channel(channel, refused());
        w.send(|r| r.channels = names(&[channel]));
    }
    w.channel("sms", Says::bad_number());
    w.at("0m").posts("ops-slack").posts("hook").nothing_else();
    page(&mut w, "three");
    assert_eq!(w.loud_until("39m59s"), ["0s sms bob"]);
    // Twenty minutes saved in the first round.
    let rounds = w.count(|e| matches!(e, EventKind::IncidentStepped { round: 1, .. }));
    assert_eq!(rounds, 0);
    w.all_until("40m");
    assert_eq!(w.count(|e| matches!(e, EventKind::IncidentStepped { round: 1, .. })), 3);
}

#[test]
fn a_whole_round_that_reaches_nobody_uses_the_levels_channels_and_says_so() {
    let nobody = r#"
[policies.deaf]
repeat = 1
every = "1h"
steps = [ { after = "0s", channels = ["sms"], to = ["tier:TIER_7"] }, { after = "5m", channels = ["call"], to = ["tier:TIER_7"] } ]
"#;
    // A tier that loses its only member by a reload.
    let with_member =
        calm() + nobody + "\n[people.dora]\nemail = \"d@x.example\"\nphone = \"+15550109\"\ntier = \"TIER_7\"\n";
    let mut w = World::with(&with_member);
    w.engine.config = std::sync::Arc::new({
        let mut config = crate::config::testing::from_toml(&with_member);
        config.people.remove("dora");
        config
    });
    let n = page(&mut w, "deaf");
    // Both steps at once, then mail and slack of level high, and the same for the second incident.
    w.at("0m")
        .rings("ops@example.org", "mail")
        .posts("ops-slack")
        .rings("ops@example.org", "mail")
        .posts("ops-slack")
        .nothing_else();
    assert_eq!(w.incident(n + 1).content.subject, "Policy deaf reaches nobody");
    assert_eq!(w.incident(n + 1).labels.get("source").unwrap(), "self");
    // Once a round: the second begins five minutes early.
    w.at("55m").rings("ops@example.org", "mail").posts("ops-slack").nothing_else();
    assert_eq!(w.incident(n + 1).count, 2);
    // A step that reaches somebody ends it, or a reload that takes the policy away.
    w.reload(&with_member);
    w.escalate(n);
    assert_eq!(w.incident(n + 1).status, crate::engine::IncidentStatus::Resolved);
    w.untold();
}

/// It follows a policy itself, maybe the same: its own step proves nothing.
#[test]
fn what_says_that_a_policy_reaches_nobody_is_not_ended_by_itself() {
    let bare = r#"
[policies.bare]
steps = [ { after = "0s" }, { after = "5m" } ]
"#;
    let toml = calm().replace("[levels.high]\n", "[levels.high]\npolicy = \"bare\"\n");
    let toml = toml + bare;
    let mut w = World::with(&toml);
    // At urgent the level's own channels reach nobody.
    w.engine.config = std::sync::Arc::new({
        let mut config = crate::config::testing::from_toml(&toml);
        config.levels.get_mut(&crate::domain::level::Level::Urgent).unwrap().channels.clear();
        config
    });
    let n = w.open_with(|r| (r.level, r.policy) = (level("urgent"), Some("bare".into())));
    let told = w.all_until("1s");
    assert!(told.iter().any(|t| t.channel == "ops-slack"), "somebody hears that nobody does: {told:?}");
    assert_eq!(w.incident(n + 1).content.subject, "Policy bare reaches nobody");
    assert_eq!(w.incident(n + 1).status, crate::engine::IncidentStatus::Open);
}

// ---- about a channel

#[test]
fn an_incident_about_a_channel_does_not_go_by_it() {
    let toml = calm().replace("[heartbeats.smtp]\nenabled = false", "[heartbeats.smtp]\nlevel = \"high\"");
    let mut w = World::with(&toml);
    w.probe("mail", timeout());
    assert_eq!(w.loud_until("6m"), ["5m543ms334us ops-slack"]);
    assert_eq!(w.incident(1).about.as_deref(), Some("mail"));
    assert_eq!(w.incident(1).labels.get("channel").unwrap(), "mail");
}

#[test]
fn if_it_is_the_only_way_it_stays_and_begins_with_its_fallback() {
    let toml = calm().replace("[heartbeats.smtp]\nenabled = false", "[heartbeats.smtp]\nlevel = \"normal\"");
    let mut w = World::with(&toml);
    w.probe("mail", timeout());
    assert_eq!(w.loud_until("6m"), ["5m543ms334us mail-backup ops@example.org"]);
    assert_eq!(w.delivery("mail", "ops@example.org").chain, ["mail", "mail-backup"]);
}

// ---- a newer delivery

const TWICE: &str = r#"
[policies.twice]
repeat = 1
every = "10m"
steps = [ { after = "0s", channels = ["hook"] } ]
"#;

#[test]
fn a_newer_delivery_to_the_same_place_ends_one_that_still_waits() {
    let mut w = World::with(&(calm() + TWICE));
    w.channel("hook", timeout());
    page(&mut w, "twice");
    w.all_until("11m");
    assert_eq!(w.told(), ["hook - superseded: by a newer one", "hook - waiting"]);
    w.channel("hook", Says::Yes);
    w.all_until("12m");
    assert_eq!(w.told()[1], "hook - delivered");
}

#[test]
fn what_is_under_way_is_not_ended_by_a_newer_one() {
    let mut w = World::with(&(calm() + TWICE));
    w.channel_takes("hook", "10m5s");
    page(&mut w, "twice");
    w.all_until("10m1s");
    assert_eq!(w.told(), ["hook - sending", "hook - sending"]);
    w.all_until("21m");
    assert_eq!(w.told(), ["hook - delivered", "hook - delivered"]);
}
