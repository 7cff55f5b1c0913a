//! Heartbeats of the kind `notification`: a real message is the proof, and what counts as one.

use super::heartbeats::{house, status};
use super::world::*;
use crate::domain::event::HeartbeatStatus;

const PROOF: &str = "[heartbeats.proof]\nkind = \"notification\"\ncron = \"0 0 * * * *\"\nlevel = \"normal\"\nfailures = 1\n\
    send = { to = [\"alice\"], channels = [\"sms\"], subject = \"hourly proof\" }\n";

#[test]
fn a_real_message_goes_out_under_its_name() {
    let mut w = World::with(&house(PROOF));
    w.at("1h2s").rings("alice", "sms").nothing_else();
    let n = w.engine.state.notifications.values().next().unwrap();
    assert_eq!(
        (n.level.as_str(), n.labels.get("source").unwrap(), n.labels.get("name").unwrap()),
        ("low", "heartbeat", "proof")
    );
    assert_eq!(status(&w, "proof"), HeartbeatStatus::Ok);
    assert_eq!(w.engine.state.heartbeats["proof"].detail, "1 sent");
}

#[test]
fn it_is_enough_that_the_provider_has_it() {
    let mut w = World::with(&house(PROOF));
    w.channel("sms", Says::Submitted);
    w.at("1h2s").rings("alice", "sms");
    assert_eq!(status(&w, "proof"), HeartbeatStatus::Ok);
    assert_eq!(w.status("sms", "alice"), "submitted");
    // No confirmation comes in its time.
    w.at("2h2s").rings("alice", "sms");
    w.all_until("25h10s");
    assert_eq!(w.deliveries()[0].status.as_str(), "sent");
}

#[test]
fn a_message_that_ends_dead_is_a_failure_in_the_providers_words() {
    let mut w = World::with(&house(PROOF));
    w.channel("sms", Says::bad_number());
    w.at("1h2s").rings("alice", "sms").rings("ops@example.org", "mail").nothing_else();
    let i = w.incident(1);
    assert_eq!(i.content.subject, "proof: the message did not get out");
    assert!(i.content.body.contains("sms: VALIDATION_ERROR (21211 not a number)"), "{}", i.content.body);
    w.channel("sms", Says::Yes);
    w.at("2h2s").rings("alice", "sms").notice("resolved", "ops@example.org", "mail").nothing_else();
}

#[test]
fn a_message_that_is_not_out_in_time_is_a_failure() {
    let mut w = World::with(&house(PROOF));
    w.channel("sms", Says::Never);
    w.at("1h2s").rings("alice", "sms");
    w.at("1h32s").rings("ops@example.org", "mail").nothing_else();
    assert!(w.incident(1).content.body.contains("the message was not out in time"));
}

#[test]
fn what_the_run_before_left_behind_says_nothing_about_this_one() {
    let mut w = World::with(&house(PROOF));
    w.channel_first("sms", [Says::Hangs]).channel("sms-telnyx", Says::Never).channel_takes("sms", "59m50s");
    w.at("1h2s").rings("alice", "sms");
    w.at("1h32s").rings("ops@example.org", "mail");
    w.channel_takes("sms", "10s");
    // The second run is under way when the first one's message goes on.
    w.at("2h2s").rings("alice", "sms");
    w.all_until("2h11s");
    assert_eq!(status(&w, "proof"), HeartbeatStatus::Failing);
    w.all_until("2h13s");
    assert_eq!(status(&w, "proof"), HeartbeatStatus::Ok);
}

#[test]
fn a_message_that_reaches_nobody_is_a_failure() {
    let toml = house(PROOF)
        .replace("phone    = \"+15550100\"", "")
        .replace("[people.bob.preferences]", "[people.bob.preferences]\nsms = false");
    let toml = toml.replace("to = [\"alice\"], channels = [\"sms\"]", "to = [\"bob\"], channels = [\"sms\"]");
    let mut w = World::with(&toml);
    w.at("1h2s").rings("ops@example.org", "mail").nothing_else();
    assert!(w.incident(1).content.body.contains("sms bob: preference"), "{}", w.incident(1).content.body);
}

#[test]
fn a_silenced_message_is_no_failure() {
    let mut w = World::with(&house(PROOF));
    w.silence("name=proof", "2h");
    w.quiet_until("1h1m");
    assert_eq!(w.engine.state.heartbeats["proof"].detail, "held back by a silence");
    assert_eq!(status(&w, "proof"), HeartbeatStatus::Ok);
}
