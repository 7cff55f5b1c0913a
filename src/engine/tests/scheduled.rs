//! What is asked for a time of its own (`--at`).

use super::world::asks::*;
use super::world::*;
use crate::domain::time::Timestamp;
use crate::engine::{SpanWord, TimeWord};

fn at(time: &str) -> Option<TimeWord> {
    Some(TimeWord(Timestamp::parse(time).unwrap()))
}

#[test]
fn at_a_given_time_it_is_sent_then_to_whoever_is_on_call_then() {
    let mut w = World::calm();
    // Monday the 12th at 9:00 the turn is Bob's.
    w.send(|r| (r.level, r.channels, r.at) = (level("urgent"), names(&["sms"]), at("2026-01-12T10:00:00+01:00")));
    assert_eq!(w.status("sms", "bob"), "scheduled");
    w.quiet_until("141h59m");
    w.at("142h").rings("bob", "sms").nothing_else();
}

#[test]
fn at_a_given_time_it_is_for_those_whom_the_config_means_then() {
    let mut w = World::calm();
    w.send(|r| {
        (r.level, r.channels) = (level("high"), names(&["mail", "sms"]));
        r.to = who(&["group:ops", "+15550177"]);
        r.at = at("2026-01-06T14:00:00+01:00");
    });
    w.run_until(span("1h"));
    let dave = "\n[people.dave]\nemail = \"dave@example.org\"\nphone = \"+15550103\"\n";
    let toml = calm().replace("members = [\"alice\", \"bob\"]\n\n", "members = [\"alice\", \"dave\"]\n\n");
    w.reload(&(toml + dave));
    w.at("2h")
        .rings("alice", "mail")
        .rings("dave", "mail")
        .rings("alice", "sms")
        .rings("dave", "sms")
        .rings("+15550177", "sms")
        .nothing_else();
    assert_eq!(
        w.told().iter().filter(|t| t.ends_with("superseded: not among those it is for when its time came")).count(),
        2
    );
    w.check_history();
}

#[test]
fn at_a_given_time_it_goes_as_it_was_accepted_where_nobody_else_is_meant() {
    let mut w = World::calm();
    w.send(|r| {
        (r.level, r.channels, r.to) = (level("high"), names(&["mail"]), who(&["bob"]));
        r.at = at("2026-01-06T14:00:00+01:00");
    });
    w.run_until(span("1h"));
    w.reload(&calm().replace("email = \"bob@example.org\"\n", ""));
    w.at("2h").rings("bob@example.org", "mail").nothing_else();
}

#[test]
fn quiet_hours_count_at_the_time_of_sending_and_not_of_asking() {
    let mut w = World::calm();
    let night = |r: &mut crate::engine::SendRequest| {
        (r.level, r.channels, r.to) = (level("high"), names(&["sms"]), who(&["bob"]));
        r.at = at("2026-01-06T23:00:00+01:00");
    };
    assert_eq!(w.try_send(night).unwrap_err().reasons, ["sms bob: quiet hours until 07:00"]);
    let mut w = World::at_time(&calm(), "2026-01-06T23:00:00+01:00");
    w.send(|r| {
        (r.level, r.channels, r.to) = (level("high"), names(&["sms"]), who(&["bob"]));
        r.at = at("2026-01-07T07:00:00+01:00");
    });
    w.at("8h").rings("bob", "sms").nothing_else();
}

#[test]
fn a_time_on_the_clock_stays_there_when_the_clock_is_set() {
    let mut w = World::calm();
    w.send(|r| r.at = at("2026-01-06T14:00:00+01:00"));
    w.quiet_until("10m");
    w.set_clock(span("1h"));
    w.quiet_until("59m59s");
    w.at("1h").rings("ops@example.org", "mail").nothing_else();
}

#[test]
fn its_time_to_live_counts_from_its_time() {
    let mut w = World::calm();
    w.channel("mail", timeout()).channel("mail-backup", timeout());
    w.send(|r| (r.at, r.ttl) = (at("2026-01-06T14:00:00+01:00"), Some(SpanWord(span("30m")))));
    w.quiet_until("1h59m");
    w.all_until("2h29m59s");
    assert_eq!(w.status("mail", "ops@example.org"), "waiting");
    w.all_until("2h31m");
    assert_eq!(w.status("mail", "ops@example.org"), "expired");
}

#[test]
fn at_a_given_time_who_is_meant_and_cannot_be_told_is_skipped_with_the_reason() {
    let mut w = World::calm();
    w.send(|r| {
        (r.level, r.channels, r.to) = (level("high"), names(&["sms"]), who(&["alice", "bob"]));
        r.at = at("2026-01-06T14:00:00+01:00");
    });
    w.run_until(span("1h"));
    w.reload(&calm().replace("phone = \"+15550101\"\n", ""));
    w.at("2h").rings("alice", "sms").nothing_else();
    let told = w.told();
    assert!(told.iter().any(|t| t.ends_with("skipped: no-address")), "{told:?}");
}
