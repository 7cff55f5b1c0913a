//! Time: steps of the clock, restarts, and who is on call.

use super::three::*;
use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;
use crate::domain::time::{Span, Timestamp};
use crate::engine::{Read, on_call};

fn hours(n: i64) -> Span {
    Span(3_600_000_000 * n)
}

// ---- steps of the clock

#[test]
fn f23_a_step_of_the_clock_moves_no_delay() {
    for by in [hours(1), hours(-2), hours(24 * 365), hours(-24 * 365 * 40)] {
        let mut w = three();
        page(&mut w, "three");
        w.at("0m").posts("ops-slack");
        w.quiet_until("3m");
        w.set_clock(by);
        w.quiet_until("9m59s");
        w.at("10m").rings("bob", "sms");
        w.set_clock(Span(-by.0));
        w.at("20m").posts("hook");
        w.at("60m").posts("ops-slack");
    }
}

#[test]
fn f23_nor_a_retry_a_silence_a_snooze_or_a_time_to_live() {
    for by in [hours(1), hours(-2)] {
        let mut w = World::calm();
        w.channel("ops-slack", timeout());
        w.silence("level=urgent", "30m");
        w.open("urgent");
        let n = w.open("high");
        w.untold();
        w.snooze(n, "40m");
        w.untold();
        w.set_clock(by);
        let told = w.all_until("29m59s");
        assert!(told.iter().all(|h| kind(&h.origin) == "acknowledged"), "only the notice that waits");
        let told = w.all_until("30m");
        assert!(told.iter().any(|h| h.channel == "siren"));
        w.channel("ops-slack", Says::Yes);
        w.all_until("39m59s");
        let told = w.all_until("40m");
        assert!(told.iter().any(|h| h.channel == "mail"), "{told:?}");
    }
}

#[test]
fn f23_cron_follows_the_wall_clock_with_at_most_one_catch_up() {
    let cron = "\n[heartbeats.slack]\nprobe = \"ops-slack\"\ncron = \"0 0 * * * *\"\n";
    let mut w = World::with(&(calm() + cron));
    w.quiet_until("10m");
    w.set_clock(hours(5));
    w.quiet_until("10m5s");
    assert!(w.probed.len() <= 1, "{:?}", w.probed);
    let before = w.probed.len();
    w.quiet_until("61m");
    assert_eq!(w.probed.len(), before + 1);
    w.set_clock(hours(-2));
    w.quiet_until("119m");
    assert_eq!(w.probed.len(), before + 1);
    w.quiet_until("121m");
    assert_eq!(w.probed.len(), before + 2);
}

#[test]
fn on_call_follows_the_wall_clock() {
    let mut w = World::calm();
    w.set_clock(hours(24 * 7));
    w.send(|r| (r.level, r.channels) = (level("urgent"), names(&["sms"])));
    w.at("0m").rings("bob", "sms");
}

#[test]
fn a_step_is_an_event() {
    let mut w = World::calm();
    w.set_clock(hours(1));
    assert_eq!(w.count(|e| matches!(e, EventKind::ClockStepped { .. })), 1);
    assert_eq!(w.engine.state.offset, hours(1));
}

/// 23:59:59 comes twice, or is stretched over a while: what happens is what happens without.
#[test]
fn f27_a_leap_second_fires_nothing_twice() {
    let cron = "\n[heartbeats.slack]\nprobe = \"ops-slack\"\ncron = \"0 0 0 * * *\"\n";
    let night = |leap: &dyn Fn(&mut World)| {
        let mut w = World::with(&(calm() + THREE + cron));
        // From noon on; the second step is due at midnight.
        w.run_until(span("11h50m"));
        page(&mut w, "three");
        w.run_until(span("12h"));
        leap(&mut w);
        let told: Vec<String> = w.all_until("20h").iter().map(|h| format!("{} {}", h.channel, h.n)).collect();
        (told, w.probed.len(), w.count(|e| matches!(e, EventKind::IncidentStepped { .. })))
    };
    let plain = night(&|_| ());
    assert_eq!((plain.1, plain.2), (1, 6), "{plain:?}");
    assert_eq!(night(&|w| w.set_clock(Span::secs(-1))), plain);
    let smeared = night(&|w| {
        for _ in 0..10 {
            w.smear(Span::millis(-100));
            w.run_for("1s");
        }
    });
    assert_eq!(smeared, plain);
}

/// CLOCK_BOOTTIME and the wall clock both go on while it sleeps: nothing was set, time has passed.
#[test]
fn f25_after_a_suspend_the_latest_step_fires_once_and_what_is_too_old_expires() {
    let mut w = three();
    w.channel("hook", timeout());
    let sent = w.send(|r| (r.channels, r.ttl) = (names(&["hook"]), Some(crate::engine::SpanWord(span("1h")))));
    let old = sent["deliveries"][0]["id"].as_str().unwrap().to_owned();
    page(&mut w, "three");
    w.untold();
    w.sleep_for("8h");
    w.run_for("5s");
    let told = w.untold();
    assert!(told.iter().all(|h| h.channel == "hook" && h.delivery.to_string() != old), "{told:?}");
    assert_eq!(w.read(Read::Delivery(old))["status"], "expired");
    let fired = |e: &EventKind| matches!(e, EventKind::IncidentStepped { .. });
    assert_eq!(w.count(fired), 2, "the first, and the latest of those missed");
    w.channel("hook", Says::Yes);
    w.all_until("9h");
}

// ---- a machine that starts with a wrong clock

#[test]
fn f26_a_clock_that_starts_decades_ago_holds_no_step_up() {
    let mut w = three();
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.quiet_until("5m");
    // By whole days, so that nobody's quiet hours come into it.
    let behind = hours(24 * 365 * 50);
    // Nobody knows how long it was off: from the last event on its time goes on.
    w.reboot("1m", Span(-behind.0));
    let told = w.all_until("16m");
    assert_eq!(told.len(), 1, "ten minutes after the opening, and the few of which nobody knows");
    assert_eq!((told[0].who.as_str(), told[0].channel.as_str()), ("bob", "sms"));
    let sms = told[0].at;
    // The clock is set by the network.
    w.set_clock(behind);
    w.run_until(sms + span("10m"));
    w.at(&(sms + span("10m")).exact()).posts("hook").nothing_else();
}

#[test]
fn f26_a_clock_that_starts_years_ahead_counts_as_a_day() {
    let mut w = World::calm();
    w.silence("source=manual", "3d");
    w.open("high");
    w.quiet_until("1m");
    w.reboot("1m", hours(24 * 365));
    // A day of the three is believed to be over.
    w.quiet_until("48h1m");
    w.all_until("48h3m");
    assert_eq!(w.engine.state.silences.values().filter(|s| s.expired).count(), 1);
}

#[test]
fn f26_who_does_not_know_which_boot_it_is_believes_a_day_at_the_most() {
    let mut w = World::calm();
    w.silence("source=manual", "3d");
    w.boot("1m", Span::ZERO, String::new());
    w.boot("1m", hours(24 * 365), String::new());
    assert_eq!(w.count(|e| matches!(e, EventKind::ClockStepped { .. })), 1);
    assert_eq!(w.engine.state.silences.values().filter(|s| s.expired).count(), 0);
}

/// Within one boot the time since it began tells how long the daemon was away.
#[test]
fn f23_a_clock_that_is_set_while_the_daemon_is_down_moves_no_delay() {
    for by in [hours(3), hours(-2), hours(24 * 365)] {
        let mut w = three();
        page(&mut w, "three");
        w.at("0m").posts("ops-slack");
        w.quiet_until("4m");
        w.set_clock(hours(5));
        w.set_clock_while_down("1m", by);
        w.quiet_until("9m59s");
        w.at("10m").rings("bob", "sms");
        w.set_clock_while_down("1m", Span(-by.0));
        w.at("20m").posts("hook");
        assert_eq!(w.engine.state.offset, hours(5), "{by}");
    }
}

#[test]
fn time_that_a_stopped_daemon_was_away_counts() {
    let mut w = three();
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.reboot("15m", Span::ZERO);
    w.at("15m").rings("bob", "sms");
    w.at("20m").posts("hook");
    assert_eq!(w.count(|e| matches!(e, EventKind::ClockStepped { .. })), 0);
}

// ---- restarts

#[test]
fn an_attempt_without_an_outcome_is_taken_up_again_and_marked() {
    let mut w = World::calm();
    w.channel("hook", Says::Never);
    w.send(|r| r.channels = names(&["hook"]));
    w.at("0m").posts("hook");
    w.channel("hook", Says::Yes);
    w.down_for("10s");
    w.at("10s").posts("hook").nothing_else();
    let d = w.delivery("hook", "");
    assert_eq!((d.n, d.attempts[1].possibly_duplicate, d.status.as_str()), (2, true, "delivered"));
}

#[test]
fn what_was_acknowledged_while_it_was_under_way_is_not_taken_up_again() {
    let mut w = World::calm();
    w.channel("ops-slack", Says::Never);
    let n = w.open("high");
    w.ack(n, "alice");
    w.untold();
    w.down_for("10s");
    let told = w.untold();
    assert!(told.iter().all(|h| kind(&h.origin) == "acknowledged"), "the notice that was under way: {told:?}");
    assert!(w.told().contains(&"ops-slack - superseded: acknowledged by alice".to_owned()), "{:?}", w.told());
}

#[test]
fn what_waits_goes_on_waiting_and_what_rests_has_its_time() {
    let mut w = World::calm();
    w.channel("sms", timeout()).channel("hook", refused());
    w.send(|r| (r.level, r.channels) = (level("normal"), names(&["sms"])));
    w.send(|r| r.channels = names(&["hook"]));
    w.untold();
    assert_eq!(w.status("sms", "alice"), "backoff");
    w.down_for("2m");
    w.channel("sms", Says::Yes).channel("hook", Says::Yes);
    w.all_until("3m");
    assert_eq!((w.status("sms", "alice"), w.status("hook", "")), ("sent".into(), "delivered".into()));
}

#[test]
fn what_sounds_goes_on_sounding_until_its_time() {
    let mut w = World::calm();
    w.send(|r| r.channels = names(&["siren"]));
    w.at("0m").posts("siren");
    w.quiet_until("5m");
    let before = w.sound_changes;
    w.down_for("1m");
    assert_eq!(w.sounding(), ["siren"]);
    assert!(w.sound_changes > before, "the player is told anew");
    w.quiet_until("15m");
    assert!(w.sounding().is_empty());
}

#[test]
fn a_snapshot_serves_as_well_as_the_journal() {
    let mut w = World::calm();
    w.channel("hook", refused());
    w.open("urgent");
    w.send(|r| r.channels = names(&["hook"]));
    w.all_until("6m");
    w.restart_from_snapshot();
    w.channel("hook", Says::Yes);
    w.all_until("6m10s");
    assert_eq!(w.status("hook", ""), "delivered");
    w.at("10m").rings("alice", "call").rings("bob", "call");
}

#[test]
fn each_step_of_a_policy_starts_the_siren_again_and_never_two_at_a_time() {
    let quick =
        "\n[policies.quick]\nrepeat = 2\nevery = \"5m\"\nsteps = [ { after = \"0s\", channels = [\"siren\"] } ]\n";
    let mut w = World::with(&(calm() + quick));
    w.open_with(|r| (r.level, r.policy) = (level("high"), Some("quick".into())));
    for time in ["0m", "5m", "10m"] {
        w.at(time).posts("siren");
        assert_eq!(w.sounding(), ["siren"]);
    }
    w.quiet_until("24m59s");
    assert_eq!(w.sounding(), ["siren"]);
    w.quiet_until("25m");
    assert!(w.sounding().is_empty(), "15m after the last beginning");
}

// ---- on call

fn turns(layers: &str, times: &[&str]) -> Vec<String> {
    let text = calm();
    let start = text.find("[schedules.primary]").unwrap();
    let end = start + text[start..].find("\n\n").unwrap();
    let toml = format!(
        "{}[schedules.primary]\ntimezone = \"Europe/Prague\"\nlayers = [ {layers} ]{}",
        &text[..start],
        &text[end..]
    );
    let config = crate::config::testing::from_toml(&toml);
    let schedule = &config.schedules["primary"];
    times.iter().map(|t| on_call(schedule, Timestamp::parse(t).unwrap()).unwrap_or("nobody").to_owned()).collect()
}

#[test]
fn turns_begin_with_the_first_member_and_nobody_before() {
    let weekly = "{ members = [\"alice\", \"bob\"], rotate = \"weekly\", start = \"2026-01-05 09:00\" }";
    let times = [
        "2026-01-05T08:59:59+01:00",
        "2026-01-05T09:00:00+01:00",
        "2026-01-12T08:59:59+01:00",
        "2026-01-12T09:00:00+01:00",
        "2026-01-19T09:00:00+01:00",
        "2027-01-04T09:00:00+01:00",
    ];
    assert_eq!(turns(weekly, &times), ["nobody", "alice", "alice", "bob", "alice", "alice"]);
}

#[test]
fn a_hand_over_at_nine_stays_at_nine_when_the_clock_changes() {
    let weekly = "{ members = [\"alice\", \"bob\"], rotate = \"weekly\", start = \"2026-01-05 09:00\" }";
    // The weeks of 30 March and of 26 October begin a day after the clock was set.
    let times = [
        "2026-03-30T08:59:59+02:00",
        "2026-03-30T09:00:00+02:00",
        "2026-10-26T08:59:59+01:00",
        "2026-10-26T09:00:00+01:00",
    ];
    assert_eq!(turns(weekly, &times), ["bob", "alice", "bob", "alice"]);
    let daily = "{ members = [\"alice\", \"bob\"], rotate = \"daily\", start = \"2026-03-27 09:00\" }";
    let times = ["2026-03-28T09:00:00+01:00", "2026-03-29T08:59:00+02:00", "2026-03-29T09:00:00+02:00"];
    assert_eq!(turns(daily, &times), ["bob", "bob", "alice"]);
}

#[test]
fn a_turn_of_so_many_hours_is_exactly_so_long() {
    let short = "{ members = [\"alice\", \"bob\"], rotate = \"12h\", start = \"2026-03-28 20:00\" }";
    // The night of 29 March has an hour less.
    let times = ["2026-03-28T20:00:00+01:00", "2026-03-29T08:59:59+02:00", "2026-03-29T09:00:00+02:00"];
    assert_eq!(turns(short, &times), ["alice", "alice", "bob"]);
}

#[test]
fn the_last_layer_that_has_somebody_wins() {
    let layers = "{ members = [\"alice\"] }, { members = [\"bob\"], hours = [\"Mon-Fri 20:00-08:00\"] }";
    let times = [
        "2026-01-06T19:59:00+01:00",
        "2026-01-06T20:00:00+01:00",
        "2026-01-07T07:59:00+01:00",
        "2026-01-07T08:00:00+01:00",
        // A night that began on Friday goes on into Saturday.
        "2026-01-10T07:00:00+01:00",
        "2026-01-10T21:00:00+01:00",
    ];
    assert_eq!(turns(layers, &times), ["alice", "bob", "bob", "alice", "bob", "alice"]);
}
