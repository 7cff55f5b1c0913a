//! Watches: thresholds with their clearing values, tiers, `fomo push`, the built-in rules.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::{EventKind, WatchStatus};
use crate::engine::{Ask, Code, Read};

const DEAL: &str = "SpaceX Secondary Series N";
const REMAINING: &str = "deal.spacex-n.remaining";

fn status(w: &World, name: &str) -> WatchStatus {
    w.engine.state.watches.get(name).map_or(WatchStatus::NoData, |s| s.status)
}

fn push(remaining: f64, tiers: &[&str]) -> Ask {
    Ask::PushFomo { deal: DEAL.into(), remaining, tiers: tiers.iter().map(|t| (*t).to_owned()).collect() }
}

// ---- thresholds

#[test]
fn under_the_threshold_it_opens_and_over_the_clearing_value_it_ends() {
    let mut w = World::calm();
    for (value, expected) in [
        (600_000.0, WatchStatus::Ok),
        (500_000.0, WatchStatus::Ok),
        (499_999.0, WatchStatus::Breached),
        (520_000.0, WatchStatus::Breached),
        (400_000.0, WatchStatus::Breached),
        (549_999.0, WatchStatus::Breached),
        (550_000.0, WatchStatus::Ok),
        (510_000.0, WatchStatus::Ok),
        (490_000.0, WatchStatus::Breached),
    ] {
        w.metric(REMAINING, value);
        assert_eq!(status(&w, "spacex-capacity"), expected, "at {value}");
    }
    assert_eq!(w.count(|e| matches!(e, EventKind::IncidentOpened { .. })), 2);
    assert_eq!(w.count(|e| matches!(e, EventKind::WatchChanged { .. })), 4, "an event only when something changes");
    w.untold();
}

#[test]
fn above_is_the_same_the_other_way_round() {
    let rule = "[watches.load]\nkind = \"above\"\nmetric = \"load\"\nabove = 8\nclear_below = 4\nlevel = \"normal\"\n";
    let mut w = World::with(&format!("{}\n{rule}", calm()));
    w.metric("load", 8.0);
    assert_eq!(status(&w, "load"), WatchStatus::Ok);
    w.metric("load", 8.5);
    w.at("0m").rings("ops@example.org", "mail");
    w.metric("load", 5.0);
    w.quiet_until("1m");
    assert_eq!(status(&w, "load"), WatchStatus::Breached);
    w.metric("load", 4.0);
    w.at("1m").notice("resolved", "ops@example.org", "mail").nothing_else();
    assert_eq!(w.incident(1).labels.get("type").unwrap(), "above");
    assert_eq!(w.incident(1).content.subject, "load: load is 8.5, above 8 is too high");
}

#[test]
fn resolved_by_hand_while_breached_it_opens_anew_with_the_next_value() {
    let mut w = World::calm();
    w.metric(REMAINING, 1.0);
    w.untold();
    w.resolve(1);
    w.quiet_until("1m");
    w.metric(REMAINING, 1.0);
    w.at("1m").rings("carol", "mail").rings("carol", "sms").nothing_else();
    w.metric(REMAINING, 520_000.0);
    w.resolve(2);
    w.metric(REMAINING, 520_000.0);
    assert_eq!(w.engine.state.live_incidents().count(), 0, "between the two values nothing opens");
}

#[test]
fn unchanged_values_are_written_once_a_minute() {
    let mut w = World::calm();
    for n in 0..50 {
        w.metric("a", f64::from(n));
        w.metric("b", 1.0);
        w.run_for("10s");
    }
    let seen = w.count(|e| matches!(e, EventKind::MetricsSeen { .. }));
    assert_eq!(seen, 2 + 8, "the first of each, and in 500 seconds");
    assert_eq!(w.read(Read::Metric("a".into()))["value"], 49.0);
}

#[test]
fn the_last_values_are_written_when_it_stops() {
    let mut w = World::calm();
    w.metric("a", 3.5);
    w.does(Ask::Stopping { why: "SIGTERM".into() });
    w.down_for("1m");
    assert_eq!(w.read(Read::Metric("a".into()))["value"], 3.5);
    assert_eq!(w.fails(Ask::Read(Read::Metric("b".into()))).code, Code::NotFound);
}

/// Names come from outside, in any number.
#[test]
fn who_fills_the_list_of_metrics_locks_no_watch_out_and_nobody_for_long() {
    let mut w = World::with(
        &(calm()
            + "\n[watches.late]\nkind = \"below\"\nmetric = \"late\"\nbelow = 8\nclear_above = 9\nlevel = \"low\"\n"),
    );
    let set = |name: &str| Ask::SetMetric { name: name.into(), value: 1.0 };
    for n in 0..100 {
        w.does(set(&format!("m{n}")));
        w.does(set(&format!("m{n}")));
    }
    assert_eq!(w.fails(set("other")).code, Code::RateLimited);
    w.does(set("m7"));
    w.does(set("late"));
    assert_eq!(w.incident(1).level, crate::domain::level::Level::Low);
    w.all_until("23h");
    w.does(set("m0"));
    w.all_until("25h");
    w.does(set("other"));
    assert_eq!(w.fails(Ask::Read(Read::Metric("m1".into()))).code, Code::NotFound);
    for kept in ["m0", "late", "m2"] {
        assert_eq!(w.read(Read::Metric(kept.into()))["value"], 1.0);
    }
}

/// What opened an incident is known after a crash, and not the value before it.
#[test]
fn a_value_that_was_acted_on_is_written_at_once() {
    let rule = "\n[watches.a]\nkind = \"above\"\nmetric = \"a\"\nabove = 8\nclear_below = 6\nlevel = \"low\"\n";
    let mut w = World::with(&(calm() + rule));
    w.metric("a", 3.5);
    w.metric("a", 9.0);
    w.untold();
    w.down_for("1s");
    assert_eq!(w.read(Read::Metric("a".into()))["value"], 9.0);
}

#[test]
fn the_first_value_of_a_name_is_written_at_once() {
    let mut w = World::calm();
    w.metric("a", 3.5);
    w.down_for("1m");
    assert_eq!(w.read(Read::Metric("a".into()))["value"], 3.5);
}

#[test]
fn a_value_is_a_finite_number_and_a_name_a_name() {
    let mut w = World::calm();
    let set = |name: &str, value: f64| Ask::SetMetric { name: name.into(), value };
    assert_eq!(w.fails(set("a", f64::NAN)).field.as_deref(), Some("value"));
    assert_eq!(w.fails(set("a", f64::INFINITY)).field.as_deref(), Some("value"));
    assert_eq!(w.fails(set("a b", 1.0)).field.as_deref(), Some("name"));
    assert_eq!(w.fails(set("", 1.0)).field.as_deref(), Some("name"));
}

// ---- tiers

#[test]
fn clients_are_told_once_and_hear_neither_notices_nor_reminders() {
    let mut w = World::calm();
    w.metric(REMAINING, 400_000.0);
    w.at("0m").rings("carol", "mail").rings("carol", "sms").nothing_else();
    w.quiet_until("1d");
    w.ack(1, "alice");
    w.quiet_until("2d");
    w.metric(REMAINING, 600_000.0);
    w.quiet_until("3d");
    assert!(!w.incident(1).is_live());
}

#[test]
fn an_earlier_tiers_deliveries_stand_before_a_later_ones() {
    let people = r#"
[people.anna]
email = "anna@x.example"
tier = "TIER_2"

[people.zora]
email = "zora@x.example"
tier = "TIER_1"
"#;
    let toml = (calm() + people).replace("slots    = 4 ", "slots    = 1 ");
    let mut w = World::with(&toml);
    w.channel_takes("mail", "1s");
    w.metric(REMAINING, 400_000.0);
    let mails: Vec<String> = w.all_until("10s").into_iter().filter(|h| h.channel == "mail").map(|h| h.who).collect();
    assert_eq!(mails, ["carol", "zora", "anna"]);
}

#[test]
fn deal_remaining_and_threshold_are_in_the_message() {
    let mut w = World::calm();
    w.metric(REMAINING, 400_000.0);
    let mail = w.untold().into_iter().find(|h| h.channel == "mail").unwrap();
    assert!(mail.text.contains("SpaceX Secondary Series N: 400000 remaining, threshold 500000"), "{}", mail.text);
    let i = w.incident(1);
    assert_eq!((i.labels.get("deal").unwrap(), i.labels.get("type").unwrap()), (DEAL, "fomo"));
}

// ---- fomo push

#[test]
fn a_push_that_opens_the_watchs_incident_is_its_sending() {
    let mut w = World::calm();
    let answer = w.does(push(400_000.0, &[]));
    w.at("0m").rings("carol", "mail").rings("carol", "sms").nothing_else();
    assert!(w.incident(1).is_live());
    assert_eq!(answer["deliveries"].as_array().unwrap().len(), 4);
    assert_eq!(w.read(Read::Metric(REMAINING.into()))["value"], 400_000.0);
}

#[test]
fn else_it_is_a_one_shot_whatever_the_threshold() {
    let mut w = World::calm();
    w.does(push(900_000.0, &[]));
    w.at("0m").rings("carol", "mail").rings("carol", "sms").nothing_else();
    assert!(w.engine.state.incidents.is_empty());
    assert_eq!(w.read(Read::Metric(REMAINING.into()))["value"], 900_000.0);
    // Breached already: told now all the same.
    w.metric(REMAINING, 400_000.0);
    w.at("0m").rings("carol", "mail").rings("carol", "sms").nothing_else();
    w.does(push(390_000.0, &[]));
    w.at("0m").rings("carol", "mail").rings("carol", "sms").nothing_else();
    w.quiet_until("1d");
}

#[test]
fn without_a_watch_the_tiers_are_required_and_the_level_is_high() {
    let mut w = World::calm();
    let push = |tiers: &[&str]| Ask::PushFomo {
        deal: "Series Z".into(),
        remaining: 7.0,
        tiers: tiers.iter().map(|t| (*t).to_owned()).collect(),
    };
    assert_eq!(w.fails(push(&[])).field.as_deref(), Some("tiers"));
    assert_eq!(w.fails(push(&["TIER_9"])).code, Code::NotFound);
    w.does(push(&["TIER_1"]));
    w.at("0m").rings("carol", "mail").posts("ops-slack").nothing_else();
    let n = w.engine.state.notifications.values().next().unwrap();
    assert_eq!(
        (n.level.as_str(), n.labels.get("deal").unwrap(), n.labels.get("type").unwrap()),
        ("high", "Series Z", "fomo")
    );
}

#[test]
fn a_push_under_a_silence_says_so() {
    let mut w = World::calm();
    w.silence("type=fomo", "1h");
    let answer = w.does(push(900_000.0, &[]));
    assert_eq!(answer["deliveries"][0]["reason"], "silenced");
    let answer = w.does(push(100.0, &[]));
    assert!(answer["incidents"][0]["silenced_by"].is_string(), "{answer}");
    w.quiet_until("59m");
    w.at("1h").rings("carol", "mail").rings("carol", "sms");
}

// ---- built in

#[test]
fn over_ten_percent_failed_in_an_hour_of_ten_at_least() {
    let mut w = World::calm();
    let send = |w: &mut World, says: Says| {
        w.channel_first("hook", [says]);
        w.send(|r| r.channels = names(&["hook"]));
    };
    for _ in 0..8 {
        send(&mut w, Says::Yes);
    }
    send(&mut w, Says::bad_number());
    w.run_for("1m");
    assert_eq!(status(&w, "high-failure-rate"), WatchStatus::Ok, "nine deliveries mean nothing yet");
    send(&mut w, Says::Yes);
    w.run_for("1m");
    assert_eq!(status(&w, "high-failure-rate"), WatchStatus::Ok, "one in ten is not over ten percent");
    let listed = w.read(Read::Watches);
    let shown = listed["watches"].as_array().unwrap().iter().find(|row| row["name"] == "high-failure-rate").unwrap();
    assert_eq!((shown["value"].as_f64(), &shown["status"]), (Some(0.1), &"ok".into()), "as it is now: {shown}");
    assert_eq!(shown["detail"], "1 of 10 deliveries failed in 1h (10 %)");
    send(&mut w, Says::bad_number());
    w.run_for("1m");
    assert_eq!(status(&w, "high-failure-rate"), WatchStatus::Breached);
    let i = w.incident(1);
    assert_eq!(i.level.as_str(), "urgent");
    assert_eq!(i.content.subject, "high-failure-rate: 2 of 11 deliveries failed in 1h (18 %)");
    // An hour later they are out of sight.
    w.all_until("70m");
    assert!(!w.incident(1).is_live());
}

#[test]
fn more_than_a_thousand_pending() {
    let mut w = World::calm();
    w.channel("hook", refused());
    for _ in 0..1_001 {
        w.send(|r| r.channels = names(&["hook"]));
    }
    w.all_until("31s");
    assert_eq!(status(&w, "queue-overflow"), WatchStatus::Breached);
    assert_eq!(w.incident(1).content.subject, "queue-overflow: 1001 deliveries pending, over 1000 is too many");
    w.channel("hook", Says::Yes);
    w.all_until("2m");
    assert_eq!(status(&w, "queue-overflow"), WatchStatus::Ok);
}

#[test]
fn fewer_than_ten_a_minute_while_work_waits() {
    let mut w = World::calm();
    w.channel("hook", Says::Never);
    for _ in 0..20 {
        w.send(|r| r.channels = names(&["hook"]));
    }
    w.all_until("2m");
    assert_eq!(status(&w, "low-processing-rate"), WatchStatus::Breached);
    let mut w = World::calm();
    w.channel_takes("hook", "10s");
    for _ in 0..60 {
        w.send(|r| r.channels = names(&["hook"]));
    }
    w.all_until("2m");
    assert_eq!(status(&w, "low-processing-rate"), WatchStatus::Ok, "24 a minute");
}

#[test]
fn scheduled_messages_are_no_jam() {
    let mut w = World::calm();
    let noon = crate::domain::time::Timestamp::parse(NOON).unwrap();
    for _ in 0..20 {
        w.send(|r| r.at = Some(crate::engine::TimeWord(noon + span("1h"))));
    }
    w.quiet_until("10m");
    assert_eq!(status(&w, "low-processing-rate"), WatchStatus::Ok);
}
