//! A way that fails as a whole: channel status, waiting, the breaker that narrows and widens.

use super::world::asks::*;
use super::world::*;
use crate::domain::delivery::ChannelStatus::*;
use crate::domain::event::{Breaker, EventKind};
use crate::domain::time::Span;
use crate::engine::Read;

fn post(w: &mut World, word: &str) {
    w.send(|r| (r.level, r.channels) = (level(word), names(&["hook"])));
}

fn breaker(w: &World, channel: &str) -> Breaker {
    w.engine.state.channel(channel).breaker
}

// ---- status

#[test]
fn unknown_before_the_first_ok_after_a_success_suspect_after_one_failure_dead_after_five() {
    let mut w = World::calm();
    assert_eq!(w.health("hook"), Unknown);
    post(&mut w, "normal");
    assert_eq!(w.health("hook"), Ok);
    w.channel("hook", timeout());
    post(&mut w, "normal");
    assert_eq!(w.health("hook"), Suspect);
    while w.engine.state.channel("hook").failures < 4 {
        w.run_for("100ms");
    }
    assert_eq!(w.health("hook"), Suspect);
    w.run_for("6s");
    assert_eq!(w.health("hook"), Dead);
    w.channel("hook", Says::Yes);
    w.run_for("6s");
    assert_eq!(w.health("hook"), Ok);
    w.untold();
}

#[test]
fn f39_dead_at_once_after_refused_credentials_or_an_account_limit() {
    for says in [refused(), account()] {
        let mut w = World::calm();
        w.channel("hook", says);
        post(&mut w, "normal");
        assert_eq!(w.health("hook"), Dead);
        w.untold();
    }
}

#[test]
fn a_bad_recipient_or_a_refused_message_says_nothing_about_the_channel() {
    let mut w = World::calm();
    post(&mut w, "normal");
    w.channel("hook", Says::bad_number());
    for _ in 0..6 {
        post(&mut w, "normal");
    }
    w.channel("hook", provider());
    post(&mut w, "normal");
    assert_eq!(w.health("hook"), Ok);
    w.untold();
}

#[test]
fn a_success_between_ends_the_row() {
    let mut w = World::calm();
    w.channel("hook", timeout());
    for _ in 0..4 {
        post(&mut w, "low");
    }
    assert_eq!(w.engine.state.channel("hook").failures, 4);
    w.channel_first("hook", [Says::Yes]);
    post(&mut w, "urgent");
    // What waited goes again at once, and the four fail once more.
    assert_eq!((w.engine.state.channel("hook").failures, w.health("hook")), (4, Suspect));
    w.untold();
}

#[test]
fn dead_when_its_heartbeat_has_failed_its_failures_and_ok_after_it_passes() {
    // Every five minutes, two in a row.
    let toml = calm().replace("[heartbeats.twilio]\nenabled = false", "[heartbeats.twilio]");
    let mut w = World::with(&toml);
    w.probe("sms", timeout());
    w.all_until("5m10s");
    assert_eq!(w.health("sms"), Suspect);
    w.all_until("10m10s");
    assert_eq!(w.health("sms"), Dead);
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.at("10m10s").rings("alice", "sms-telnyx").nothing_else();
    w.probe("sms", Says::Yes);
    w.all_until("15m10s");
    assert_eq!(w.health("sms"), Ok);
}

// ---- waiting and narrowing

#[test]
fn without_another_way_it_waits_for_the_channel_and_uses_up_no_retries() {
    let mut w = World::calm();
    w.channel("hook", timeout());
    post(&mut w, "normal");
    w.all_until("1h");
    assert_eq!(w.status("hook", ""), "waiting");
    assert!(w.delivery("hook", "").n > 100);
    w.channel("hook", Says::Yes);
    w.all_until("1h10s");
    assert_eq!(w.status("hook", ""), "delivered");
}

#[test]
fn f40_the_breaker_narrows_to_one_at_a_time_every_second_growing_to_five() {
    let mut w = World::calm();
    w.channel("hook", refused());
    post(&mut w, "normal");
    assert_eq!(breaker(&w, "hook"), Breaker::Narrow);
    for _ in 0..5 {
        post(&mut w, "normal");
    }
    let tries = w.all_until("60s");
    let gaps: Vec<Span> = tries.windows(2).map(|t| t[1].at - t[0].at).collect();
    assert_eq!(gaps[0], span("1s"));
    assert!(gaps.windows(2).all(|g| g[0] <= g[1]), "{gaps:?}");
    assert!(gaps[5..].iter().all(|g| *g == span("5s")), "{gaps:?}");
}

#[test]
fn behind_it_the_most_urgent_is_first() {
    let mut w = World::calm();
    w.channel("hook", refused());
    post(&mut w, "low");
    w.untold();
    for word in ["normal", "urgent", "high"] {
        post(&mut w, word);
    }
    let tries = w.all_until("10s");
    assert!(tries.len() > 2);
    let state = &w.engine.state;
    assert!(tries.iter().all(|h| state.deliveries[&h.delivery].level.as_str() == "urgent"), "until it is out");
}

/// What fails for what it says would stand at the head of the line for ever.
#[test]
fn a_message_that_only_itself_fails_holds_others_up_for_half_a_minute_at_the_most() {
    let mut w = World::with(&calm().replace("fallback = \"mail-backup\"", ""));
    let mail = |w: &mut World, word: &str, to: &str| {
        w.send(|r| (r.level, r.to, r.channels) = (level(word), who(&[to]), names(&["mail"])));
    };
    w.channel_about("mail", "bad@x.example", timeout());
    mail(&mut w, "urgent", "bad@x.example");
    w.all_until("5m");
    let bad = w.delivery("mail", "bad@x.example").id;
    assert_eq!(w.health("mail").as_str(), "dead");
    mail(&mut w, "urgent", "good@x.example");
    mail(&mut w, "low", "fine@x.example");
    w.all_until("5m35s");
    let ends: Vec<&str> = w.deliveries().iter().filter(|d| d.id != bad).map(|d| d.status.as_str()).collect();
    assert_eq!(ends, ["sent", "sent"]);
}

#[test]
fn f40_full_width_again_on_the_first_success_ramped() {
    let toml = calm().replace("[channels.hook]\n", "[channels.hook]\nslots = 8\n");
    let mut w = World::with(&toml);
    w.channel("hook", refused());
    for _ in 0..30 {
        post(&mut w, "normal");
    }
    w.untold();
    w.channel("hook", Says::Yes).channel_takes("hook", "1s");
    let tries = w.all_until("20s");
    let at = |t: &str| tries.iter().filter(|h| h.at == span(t)).count();
    let widths: Vec<usize> = ["1s", "2s", "3s", "4s", "5s"].into_iter().map(at).collect();
    assert_eq!(widths, [1, 2, 8, 8, 8], "doubled by each success, up to its slots");
    assert_eq!(tries.len(), 30);
}

/// Two thousand wait for a receiver that is down for a minute: the bars are a thousand attempts, and half a minute.
#[test]
fn f40_an_outage_costs_few_attempts_and_all_is_out_soon_after() {
    let mut w = World::calm();
    w.channel("hook", refused()).channel_takes("hook", "2ms");
    for _ in 0..2_000 {
        post(&mut w, "normal");
    }
    let tries = w.all_until("60s").len();
    assert!(tries < 200, "{tries} attempts at a receiver that is down");
    w.channel("hook", Says::Yes).channel_takes("hook", "10ms");
    let out = w.all_until("90s");
    assert!((2_000..2_010).contains(&out.len()), "{} attempts when it is back", out.len());
    assert_eq!(w.engine.state.pending(), 0);
}

#[test]
fn with_another_way_left_it_opens_and_messages_go_round_it() {
    let mut w = World::calm();
    w.channel("sms", refused());
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    assert_eq!(breaker(&w, "sms"), Breaker::Open);
    w.untold();
    w.send(|r| (r.level, r.channels) = (level("low"), names(&["sms"])));
    w.at("0m").rings("alice", "sms-telnyx").nothing_else();
}

#[test]
fn what_waits_for_a_channel_that_dies_goes_round_it_at_once() {
    let mut w = World::calm();
    w.channel("sms", Says::Hangs);
    // Four slots hang; the fifth message waits in the queue.
    for to in ["alice", "bob", "+15550201", "+15550202", "+15550203"] {
        w.send(|r| (r.level, r.channels, r.to) = (level("normal"), names(&["sms"]), who(&[to])));
    }
    let first = w.all_until("14s");
    assert_eq!(first.len(), 4);
    w.channel("sms", refused());
    let rest = w.all_until("16s");
    assert!(rest.iter().any(|h| h.who == "+15550203" && h.channel == "sms-telnyx"), "{rest:?}");
    w.all_until("2m");
}

#[test]
fn a_channel_that_works_again_is_taken_by_what_waits() {
    let mut w = World::calm();
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, refused());
    }
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.all_until("10s");
    assert_eq!(w.status("sms", "alice"), "waiting");
    // Only Telnyx is mended, and a test shows it.
    w.channel("sms-telnyx", Says::Yes);
    w.does(crate::engine::Ask::Test { channels: vec!["sms-telnyx".into()], to: who(&["bob"]).unwrap(), force: false });
    let tries = w.all_until("15s");
    assert!(tries.iter().any(|h| h.channel == "sms-telnyx" && h.who == "alice"), "{tries:?}");
    assert_eq!(w.status("sms", "alice"), "sent");
}

#[test]
fn a_dead_channel_that_nobody_probes_is_tried_out_by_a_message_without_hurry() {
    let mut w = World::calm();
    w.channel("sms", refused()).probe("sms", refused());
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.untold();
    w.channel("sms", Says::Yes);
    w.all_until("5m");
    // Not at the price of somebody's sleep.
    w.send(|r| (r.level, r.channels) = (level("urgent"), names(&["sms"])));
    w.at("5m").rings("alice", "sms-telnyx").nothing_else();
    w.send(|r| (r.level, r.channels) = (level("low"), names(&["sms"])));
    w.at("5m").rings("alice", "sms").nothing_else();
    assert_eq!(w.health("sms"), Ok);
}

#[test]
fn f40_a_dead_channel_that_messages_go_round_is_asked_whether_it_works_again() {
    let mut w = World::calm();
    let urgent = |w: &mut World| w.send(|r| (r.level, r.channels) = (level("urgent"), names(&["sms"])));
    w.channel("sms", refused()).probe("sms", refused());
    urgent(&mut w);
    w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx").nothing_else();
    w.all_until("2m");
    assert_eq!(w.health("sms"), Dead, "{:?}", w.probed);
    assert_eq!(w.probed, [(span("1m"), "sms".to_owned())]);
    // The next look finds it well. That proves little: one failure, and it is dead again.
    w.probe("sms", Says::Yes);
    w.all_until("3m1s");
    assert_eq!(w.health("sms"), Suspect);
    urgent(&mut w);
    w.at("3m1s").rings("alice", "sms").rings("alice", "sms-telnyx").nothing_else();
    assert_eq!(w.health("sms"), Dead);
    // Ever more rarely, also after a restart of the daemon.
    w.all_until("7m");
    assert_eq!(w.probed.len(), 2);
    w.down_for("1s");
    w.channel("sms", Says::Yes);
    w.all_until("8m2s");
    urgent(&mut w);
    w.at("8m2s").rings("alice", "sms").nothing_else();
    assert_eq!(w.health("sms"), Ok);
    w.all_until("2h");
    assert_eq!(w.probed.len(), 3, "it is well: {:?}", w.probed);
}

#[test]
fn one_that_is_probed_is_left_to_its_probe() {
    let toml = calm().replace("[heartbeats.twilio]\nenabled = false", "[heartbeats.twilio]");
    let mut w = World::with(&toml);
    w.channel("sms", refused()).probe("sms", refused());
    w.send(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.all_until("4m");
    w.send(|r| (r.level, r.channels) = (level("low"), names(&["sms"])));
    w.at("4m").rings("alice", "sms-telnyx").nothing_else();
}

// ---- slots and isolation

#[test]
fn a_channel_that_hangs_delays_no_other() {
    let mut w = World::calm();
    w.channel("mail", Says::Never);
    for _ in 0..10 {
        w.send(|r| r.level = level("high"));
    }
    let told = w.untold();
    assert_eq!(told.iter().filter(|h| h.channel == "ops-slack").count(), 10);
    assert_eq!(told.iter().filter(|h| h.channel == "mail").count(), 4, "its slots");
}

#[test]
fn urgent_leaves_before_lower_ones_when_a_slot_is_free() {
    let toml = calm().replace("[channels.hook]\n", "[channels.hook]\nslots = 1\n");
    let mut w = World::with(&toml);
    w.channel_takes("hook", "1s");
    for word in ["low", "normal", "low", "high", "urgent", "urgent"] {
        post(&mut w, word);
    }
    let tries = w.all_until("10s");
    let levels: Vec<&str> = tries.iter().map(|h| w.engine.state.deliveries[&h.delivery].level.as_str()).collect();
    assert_eq!(levels, ["low", "urgent", "urgent", "high", "normal", "low"]);
    let orders: Vec<u64> = tries.iter().map(|h| w.engine.state.deliveries[&h.delivery].order).collect();
    assert_eq!(orders, [1, 5, 6, 4, 2, 3], "within one, by time of acceptance");
}

// ---- what is shown

#[test]
fn channels_show_what_is_pending_and_what_waits() {
    let mut w = World::calm();
    w.channel("hook", refused());
    for _ in 0..3 {
        post(&mut w, "normal");
    }
    w.untold();
    let shown = w.read(Read::Channels);
    let hook = shown["channels"].as_array().unwrap().iter().find(|c| c["name"] == "hook").unwrap();
    assert_eq!((&hook["status"], &hook["pending"], &hook["waiting"]), (&"dead".into(), &3.into(), &3.into()));
    assert_eq!(hook["detail"], "401 Authenticate");
    let status = w.read(Read::Status);
    assert_eq!((&status["queue"]["pending"], &status["queue"]["waiting"]), (&3.into(), &3.into()));
    assert_eq!(status["state"], "degraded");
}

#[test]
fn a_level_without_any_way_alive_is_failing() {
    let toml = calm().replace("fallback = \"mail-backup\"", "");
    let mut w = World::with(&toml);
    w.channel("mail", refused());
    w.send(|_| {});
    w.untold();
    let status = w.read(Read::Status);
    assert_eq!(status["state"], "failing");
    assert!(status["reasons"].as_array().unwrap().contains(&"level normal has no way alive".into()), "{status}");
}

#[test]
fn each_change_of_health_is_an_event_and_a_success_of_a_well_channel_is_none() {
    let mut w = World::calm();
    for _ in 0..5 {
        post(&mut w, "normal");
    }
    w.untold();
    assert_eq!(w.count(|e| matches!(e, EventKind::ChannelChanged(_))), 1);
}
