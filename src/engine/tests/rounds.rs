//! Policies: escalation by hand, missed times, reminders.

use super::three::*;
use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;
use crate::engine::{Ask, Code};

// ---- escalate

#[test]
fn escalate_fires_the_next_step_now_and_shifts_the_rest() {
    let mut w = three();
    let n = page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.quiet_until("4m");
    w.escalate(n);
    w.at("4m").rings("bob", "sms");
    w.at("14m").posts("hook");
    w.quiet_until("20m");
    w.escalate(n);
    // Round 2, instead of at 54m.
    w.at("20m").posts("ops-slack");
    w.at("30m").rings("bob", "sms");
    w.at("40m").posts("hook");
}

#[test]
fn escalate_after_the_last_step_starts_a_new_round() {
    let mut w = three();
    let n = page(&mut w, "three");
    w.all_until("3h");
    w.escalate(n);
    w.at("3h").posts("ops-slack");
    w.at("3h10m").rings("bob", "sms");
    w.at("3h20m").posts("hook");
    assert_eq!(w.read(crate::engine::Read::Incident(n.to_string()))["rounds"], 3);
    // Then reminders: the end of that round is at 4h.
    w.at("8h").posts_again("hook");
}

#[test]
fn escalate_says_why_it_cannot() {
    let mut w = three();
    let n = w.open("low");
    let why = w.fails(Ask::Escalate { id: n.to_string() });
    assert_eq!((why.code, why.message.as_str()), (Code::Conflict, "#1 follows no policy, so there is no next step"));
    let n = page(&mut w, "three");
    w.ack(n, "alice");
    assert_eq!(w.fails(Ask::Escalate { id: n.to_string() }).message, "#2 is acknowledged; unack it first");
    w.untold();
}

// ---- missed times

#[test]
fn of_missed_steps_only_the_latest_fires_once() {
    let mut w = three();
    let n = page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.quiet_until("5m");
    w.down_for("70m");
    // 75m: step 2 of round 2 (70m) was the latest missed.
    w.at("75m").rings("bob", "sms").nothing_else();
    let passed = w.events().find_map(|e| match e {
        EventKind::IncidentStepped { passed_over, .. } if !passed_over.is_empty() => Some(passed_over.clone()),
        _ => None,
    });
    assert_eq!(passed, Some(vec![(0, 1), (0, 2), (1, 0)]));
    w.at("80m").posts("hook");
    assert_eq!(w.incident(n).fired, Some((1, 2)));
}

#[test]
fn each_incident_has_its_own_latest_missed_step() {
    let mut w = three();
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.quiet_until("8m");
    page(&mut w, "three");
    w.at("8m").posts("ops-slack");
    w.down_for("7m");
    w.at("15m").rings("bob", "sms").nothing_else();
    w.at("18m").rings("bob", "sms");
    w.at("20m").posts("hook");
    w.at("28m").posts("hook");
}

#[test]
fn after_days_of_being_down_one_step_and_then_reminders() {
    let mut w = three();
    page(&mut w, "three");
    w.at("0m").posts("ops-slack");
    w.down_for("2d");
    w.at("2d").posts("hook").nothing_else();
    // Reminders at 2h + 4h x n: the next is the first one after now.
    w.at("50h").posts_again("hook");
    w.at("54h").posts_again("hook");
}

#[test]
fn a_missed_reminder_comes_once() {
    let mut w = World::calm();
    w.open("high");
    w.untold();
    w.down_for("9h");
    w.at("9h").reminds("ops@example.org", "mail").posts_again("ops-slack").nothing_else();
    w.at("12h").reminds("ops@example.org", "mail").posts_again("ops-slack");
}

// ---- reminders

#[test]
fn without_a_policy_reminders_count_from_the_opening() {
    let mut w = World::calm();
    w.open_with(|r| (r.level, r.to) = (level("high"), who(&["bob"])));
    w.at("0m").rings("bob", "mail").posts("ops-slack");
    for time in ["4h", "8h", "12h"] {
        w.at(time).reminds("bob", "mail").posts_again("ops-slack");
    }
}

#[test]
fn a_level_without_remind_reminds_never() {
    let mut w = World::calm();
    w.open("normal");
    w.at("0m").rings("ops@example.org", "mail");
    w.quiet_until("5d");
}

#[test]
fn reminders_stop_while_acknowledged_or_silenced() {
    let mut w = World::calm();
    let n = w.open("high");
    w.untold();
    w.quiet_until("1h");
    w.ack(n, "alice");
    w.untold();
    w.quiet_until("2d");
    w.unack(n);
    w.at("2d").rings("ops@example.org", "mail").posts("ops-slack");
    // Counted from this beginning.
    w.at("52h").reminds("ops@example.org", "mail").posts_again("ops-slack");
    w.silence("level=high", "10h");
    w.quiet_until("61h59m");
    w.at("62h").rings("ops@example.org", "mail").posts("ops-slack");
    w.at("66h").reminds("ops@example.org", "mail").posts_again("ops-slack");
}
