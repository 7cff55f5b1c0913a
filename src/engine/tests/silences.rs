//! Silences in all forms: at opening, later, one-shots, raised, expired, several at once.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;
use crate::domain::matcher::Matcher;
use crate::engine::{Ask, Code, Read};

#[test]
fn matching_at_opening_it_opens_is_recorded_and_nothing_is_sent() {
    let mut w = World::calm();
    let silence = w.silence("source=manual", "1h");
    let n = w.open("urgent");
    w.quiet_until("59m59s");
    assert_eq!(w.incident(n).silenced_by.as_deref(), Some(silence.as_str()));
    assert!(w.incident(n).notifications.is_empty());
    // At its end, if still open and unacknowledged: from the first step, now.
    w.at("1h").posts("siren").posts("ops-slack");
    w.at("65m").rings("alice", "sms");
}

#[test]
fn what_is_resolved_or_acknowledged_meanwhile_stays_quiet() {
    let mut w = World::calm();
    w.silence("source=manual", "1h");
    let (a, b) = (w.open("high"), w.open("high"));
    w.resolve(a);
    w.ack(b, "alice");
    w.quiet_until("2d");
}

#[test]
fn beginning_later_it_stops_things_without_a_notice() {
    let mut w = World::calm();
    w.channel("ops-slack", timeout());
    let n = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.all_until("1m");
    w.silence("type=message", "1h");
    assert!(w.sounding().is_empty());
    w.quiet_until("60m");
    assert_eq!(w.told(), ["siren - delivered", "ops-slack - superseded: silenced"]);
    w.resolve(n);
    // Notices go on to those who were told before.
    w.at("60m").notice("resolved", "", "ops-slack");
    w.all_until("2d");
}

#[test]
fn it_holds_at_every_level() {
    for word in ["low", "normal", "high", "urgent"] {
        let mut w = World::calm();
        w.silence("source=~\"m.*\"", "1h");
        w.open(word);
        w.send(|r| r.level = level(word));
        w.quiet_until("59m");
    }
}

#[test]
fn one_shots_are_skipped_and_that_is_said() {
    let mut w = World::calm();
    let id = w.silence("team=db", "1h");
    let answer = w.send(|r| r.labels = [("team".to_owned(), "db".to_owned())].into());
    w.quiet_until("2h");
    assert_eq!(answer["deliveries"][0]["status"], "skipped");
    assert_eq!(answer["deliveries"][0]["reason"], "silenced");
    assert_eq!(w.engine.state.silences[&id].held, 1);
    w.send(|r| r.labels = [("team".to_owned(), "web".to_owned())].into());
    w.at("2h").rings("ops@example.org", "mail");
}

#[test]
fn a_one_shot_that_still_waits_is_held_by_a_later_silence() {
    let mut w = World::calm();
    w.channel("ops-slack", timeout());
    w.send(|r| (r.channels, r.kind_of) = (names(&["ops-slack"]), Some("disk".into())));
    w.all_until("1m");
    w.silence("type=disk", "1h");
    w.channel("ops-slack", Says::Yes);
    assert!(w.all_until("2m").is_empty());
    assert_eq!(w.told(), ["ops-slack - skipped: silenced"]);
}

#[test]
fn a_siren_of_a_one_shot_stops_when_a_silence_begins() {
    let mut w = World::calm();
    w.send(|r| (r.channels, r.kind_of) = (names(&["siren"]), Some("disk".into())));
    w.at("0m").posts("siren");
    w.silence("type=mail", "1h");
    assert_eq!(w.sounding(), ["siren"]);
    w.silence("type=disk", "1h");
    assert!(w.sounding().is_empty());
}

#[test]
fn a_scheduled_one_is_looked_at_when_its_time_has_come() {
    let mut w = World::calm();
    w.silence("source=manual", "1h");
    let noon = crate::domain::time::Timestamp::parse(NOON).unwrap();
    w.send(|r| r.at = Some(crate::engine::TimeWord(noon + span("30m"))));
    w.send(|r| r.at = Some(crate::engine::TimeWord(noon + span("90m"))));
    w.quiet_until("89m");
    w.at("90m").rings("ops@example.org", "mail");
    assert_eq!(w.told(), ["mail ops@example.org skipped: silenced", "mail ops@example.org sent"]);
}

#[test]
fn under_a_second_silence_it_stays_silent_to_the_end_of_that() {
    let mut w = World::calm();
    let n = w.open("high");
    w.untold();
    w.silence("level=high", "1h");
    w.quiet_until("30m");
    let second = w.silence("source=manual", "1h");
    w.quiet_until("1h");
    assert_eq!(w.incident(n).silenced_by.as_deref(), Some(second.as_str()));
    w.quiet_until("89m");
    w.at("90m").rings("ops@example.org", "mail").posts("ops-slack");
}

#[test]
fn under_two_silences_the_time_that_is_shown_is_the_end_of_the_last() {
    let mut w = World::calm();
    w.silence("level=high", "2m");
    w.silence("source=manual", "1h");
    w.silence("type=message", "5m");
    let n = w.open("high");
    let shown = w.read(Read::Incident(n.to_string()));
    assert_eq!(shown["next"]["at"], shown["silenced_until"]);
    assert!(shown["silenced_until"].as_str().unwrap().starts_with("2026-01-06T13:00:00"), "{shown}");
    w.quiet_until("59m59s");
    w.at("1h").rings("ops@example.org", "mail").posts("ops-slack");
}

#[test]
fn expired_by_hand_it_starts_at_once() {
    let mut w = World::calm();
    let id = w.silence("level=high", "1h");
    w.open("high");
    w.quiet_until("10m");
    w.does(Ask::ExpireSilence { id: id[..].to_owned() });
    w.at("10m").rings("ops@example.org", "mail").posts("ops-slack");
    let all = w.read(Read::Silences);
    assert_eq!((&all["silences"][0]["status"], &all["silences"][0]["held"]), (&"expired".into(), &1.into()));
    assert_eq!(w.fails(Ask::ExpireSilence { id }).code, Code::NotFound);
}

#[test]
fn raised_out_of_its_silence_it_starts() {
    let mut w = World::calm();
    w.silence("level=high", "1h");
    let open = |w: &mut World, word: &str| w.open_with(|r| (r.level, r.fingerprint) = (level(word), Some("x".into())));
    let n = open(&mut w, "high");
    w.quiet_until("10m");
    assert_eq!(open(&mut w, "urgent"), n);
    w.at("10m").posts("siren").posts("ops-slack");
    assert_eq!(w.incident(n).silenced_by, None);
    w.at("15m").rings("alice", "sms");
}

#[test]
fn raised_into_a_silence_it_is_silent() {
    let mut w = World::calm();
    w.silence("level=urgent", "1h");
    let open = |w: &mut World, word: &str| w.open_with(|r| (r.level, r.fingerprint) = (level(word), Some("x".into())));
    open(&mut w, "high");
    w.at("0m").rings("ops@example.org", "mail").posts("ops-slack");
    w.quiet_until("10m");
    open(&mut w, "urgent");
    w.quiet_until("59m");
    w.at("1h").posts("siren").posts("ops-slack");
}

#[test]
fn raised_under_a_silence_that_still_fits_it_stays_silent() {
    let mut w = World::calm();
    w.silence("source=manual", "1h");
    let open = |w: &mut World, word: &str| w.open_with(|r| (r.level, r.fingerprint) = (level(word), Some("x".into())));
    open(&mut w, "high");
    open(&mut w, "urgent");
    w.quiet_until("59m");
    w.at("1h").posts("siren").posts("ops-slack");
}

#[test]
fn an_acknowledgement_withdrawn_under_a_silence_waits_for_its_end() {
    let mut w = World::calm();
    let n = w.open("high");
    w.snooze(n, "30m");
    w.untold();
    w.silence("source=manual", "1h");
    w.quiet_until("59m");
    w.at("1h").rings("ops@example.org", "mail").posts("ops-slack");
}

#[test]
fn a_notice_that_waits_goes_on_under_a_silence() {
    let mut w = World::calm();
    let n = w.open("high");
    w.at("0m").rings("ops@example.org", "mail").posts("ops-slack");
    w.channel("ops-slack", timeout());
    w.ack(n, "alice");
    w.at("0m").notice("acknowledged", "ops@example.org", "mail").notice("acknowledged", "", "ops-slack");
    w.silence("source=manual", "1h");
    w.channel("ops-slack", Says::Yes);
    w.all_until("10s");
    assert_eq!(w.status("ops-slack", ""), "delivered");
}

#[test]
fn it_needs_a_matcher_that_says_something_and_a_comment() {
    let mut w = World::calm();
    let ask = |matchers: &str, comment: &str| Ask::AddSilence {
        matchers: Matcher::parse_list(matchers).unwrap(),
        span: span("1h"),
        comment: comment.into(),
        author: None,
    };
    assert_eq!(w.fails(ask("", "x")).field.as_deref(), Some("matchers"));
    assert_eq!(w.fails(ask("a=~\".*\"", "x")).field.as_deref(), Some("matchers"));
    assert_eq!(w.fails(ask("a=b", " ")).field.as_deref(), Some("comment"));
}

#[test]
fn it_outlives_a_restart_and_ends_in_time_also_while_down() {
    let mut w = World::calm();
    w.silence("level=high", "1h");
    w.open("high");
    w.quiet_until("10m");
    w.down_for("10m");
    w.quiet_until("59m");
    w.down_for("10m");
    w.at("69m").rings("ops@example.org", "mail").posts("ops-slack").nothing_else();
    assert_eq!(w.count(|e| matches!(e, EventKind::SilenceExpired { .. })), 1);
}

#[test]
fn one_shots_that_wait_are_held_back_when_it_begins() {
    let mut w = World::calm();
    w.channel("hook", timeout());
    w.send(|r| r.channels = names(&["hook"]));
    w.all_until("20s");
    w.silence("source=manual", "1m");
    assert_eq!(w.status("hook", ""), "skipped");
    w.channel("hook", Says::Yes);
    w.quiet_until("10m");
}
