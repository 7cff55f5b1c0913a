//! A message that may end the daemon each time that it is sent.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;
use crate::engine::Ask;

fn to(w: &mut World, word: &str, channel: &str, who_is_told: &[&str]) {
    let to = who(who_is_told).filter(|t| !t.is_empty());
    w.send(|r| (r.level, r.to, r.channels) = (level(word), to, names(&[channel])));
}

/// Attempts so far, and what became of it.
fn one(w: &mut World, channel: &str, who: &str) -> (u32, String) {
    (w.delivery(channel, who).n, w.status(channel, who))
}

#[test]
fn f50_in_flight_at_two_crashes_in_a_row_it_goes_again_last_and_alone() {
    let mut w = World::calm();
    w.channel("hook", Says::Never).channel("sms", Says::Never).channel_takes("mail", "5s");
    to(&mut w, "urgent", "hook", &[]);
    w.at("0m").posts("hook").nothing_else();
    w.down_for("1s");
    w.at("1s").posts("hook").nothing_else();
    // A message without hurry that is due in the next life.
    w.run_for("1s");
    w.send(|r| {
        (r.level, r.to, r.channels) = (level("low"), who(&["bob"]), names(&["mail"]));
        r.at =
            Some(crate::engine::TimeWord(crate::domain::time::Timestamp::parse("2026-01-06T12:00:03+01:00").unwrap()));
    });
    w.down_for("1s");
    // The low one first, although the other is urgent; and only when that is through, the other.
    w.at("3s").rings("bob", "mail").nothing_else();
    w.quiet_until("7s");
    w.at("8s").posts("hook").nothing_else();
    // Beside it low and normal wait, high and urgent do not.
    to(&mut w, "normal", "mail", &["bob"]);
    w.nothing_untold();
    to(&mut w, "high", "mail", &["alice"]);
    w.at("8s").rings("alice", "mail").nothing_else();
    w.quiet_until("1h");
}

#[test]
fn f50_in_flight_alone_at_a_third_it_is_a_dead_letter_with_an_incident() {
    let mut w = World::with(&calm().replace(r#"policy   = "page" "#, r#"policy   = "none" "#));
    w.channel("hook", Says::Never);
    to(&mut w, "low", "hook", &[]);
    for n in 1..=3u32 {
        assert_eq!(one(&mut w, "hook", "").0, n);
        w.down_for("1s");
    }
    let (n, status) = one(&mut w, "hook", "");
    assert_eq!((n, status.as_str()), (3, "dead"));
    let reason = w.delivery("hook", "").reason.clone().unwrap();
    assert!(reason.starts_with("poison: stentor ended 3 times in a row"), "{reason}");
    let about = w.incident(1);
    assert_eq!((&*about.fingerprint, about.level.as_str()), ("self/poison", "high"));
    assert_eq!(about.about.as_deref(), Some("hook"));
    let told: Vec<String> = w.untold().into_iter().filter(|h| h.channel != "hook").map(|h| h.channel).collect();
    assert_eq!(told, ["mail", "ops-slack"]);
    // Requeued, it begins anew; what it was is forgotten.
    let id = w.delivery("hook", "").id;
    w.channel("hook", Says::Yes);
    w.does(Ask::Requeue { id: Some(id.to_string()) });
    assert_eq!(one(&mut w, "hook", ""), (4, "delivered".into()));
    assert!(!w.incident(1).is_live(), "nothing is left to tell of");
    w.untold();
}

#[test]
fn f50_with_others_beside_it_at_the_third_nothing_is_proven() {
    let mut w = World::calm();
    w.channel("hook", Says::Never).channel("ops-slack", Says::Never);
    to(&mut w, "low", "hook", &[]);
    w.down_for("1s");
    w.down_for("1s");
    // It is alone, and then an urgent one comes, which does not wait.
    to(&mut w, "urgent", "ops-slack", &[]);
    w.channel("ops-slack", Says::Yes).channel_takes("ops-slack", "5s");
    w.down_for("1s");
    assert_eq!(one(&mut w, "hook", "").1, "ready", "it waits for a quiet moment again");
    assert_eq!(one(&mut w, "ops-slack", ""), (2, "sending".into()), "the other one goes at once, of course");
    w.untold();
    w.run_for("5s");
    assert_eq!(one(&mut w, "ops-slack", "").1, "delivered");
    assert_eq!(one(&mut w, "hook", ""), (4, "sending".into()));
    w.down_for("1s");
    assert_eq!(one(&mut w, "hook", "").1, "dead");
    w.untold();
}

#[test]
fn f50_one_that_was_not_there_at_the_next_crash_is_innocent() {
    let mut w = World::calm();
    w.channel("hook", Says::Never);
    to(&mut w, "low", "hook", &[]);
    w.down_for("1s");
    w.channel("hook", timeout());
    w.down_for("1s");
    // It came through to a failure: whatever ends the daemon, it is not this.
    w.run_for("1s");
    assert_eq!(w.delivery("hook", "").crashes, 0);
    w.channel("hook", Says::Never);
    w.run_for("10s");
    for _ in 0..2 {
        w.down_for("1s");
        assert_eq!(one(&mut w, "hook", "").1, "sending");
    }
    w.untold();
}

#[test]
fn f50_an_end_that_was_asked_for_is_no_crash() {
    let mut w = World::calm();
    w.channel("hook", Says::Never);
    to(&mut w, "low", "hook", &[]);
    for _ in 0..5 {
        w.does(Ask::Stopping { why: "SIGTERM".into() });
        w.down_for("1s");
    }
    assert_eq!(w.delivery("hook", "").crashes, 0);
    assert_eq!(one(&mut w, "hook", ""), (6, "sending".into()));
    w.untold();
}

#[test]
fn f50_without_a_quiet_moment_low_and_normal_are_held_back_after_a_minute() {
    let mut w = World::calm();
    w.channel("hook", Says::Never).channel_takes("mail", "3s");
    to(&mut w, "low", "hook", &[]);
    w.down_for("1s");
    w.channel("hook", Says::Yes);
    // Mails that overlap: there is always one under way.
    to(&mut w, "normal", "mail", &["a@example.org"]);
    w.down_for("1s");
    w.untold();
    assert_eq!(one(&mut w, "hook", "").1, "ready");
    let mut passed = 0;
    for n in 0..40 {
        to(&mut w, "normal", "mail", &[&format!("a{n}@example.org")]);
        w.run_for("2s");
        passed += w.untold().iter().filter(|h| h.channel == "hook").count();
    }
    assert_eq!(passed, 1, "it had its turn");
    assert_eq!(one(&mut w, "hook", "").1, "delivered");
    w.run_for("10m");
    w.untold();
    let mails = w.count(|e| matches!(e, EventKind::AttemptStarted { channel, .. } if channel == "mail"));
    assert_eq!(mails, 42, "and nobody else was forgotten");
}
