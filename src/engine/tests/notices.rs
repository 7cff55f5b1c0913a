//! Who hears of an acknowledgement and of the end, and by which way.

use super::world::asks::*;
use super::world::*;
use crate::domain::delivery::Status;
use crate::engine::Ask;

#[test]
fn notices_go_to_each_place_at_which_an_attempt_was_begun_and_only_there() {
    let mut w = World::calm();
    w.without_letters();
    w.channel("sms", refused()).channel("hook", Says::bad_number());
    let n = w.open_with(|r| {
        (r.level, r.channels, r.to) = (level("high"), names(&["sms", "hook", "call", "mail"]), who(&["alice"]));
    });
    w.at("0m")
        .rings("alice", "sms")
        .rings("alice", "sms-telnyx")
        .posts("hook")
        .rings("alice", "call")
        .rings("alice", "mail");
    w.resolve(n);
    // Also where the attempt failed; calls only stop. A notice never fails over.
    w.at("0m")
        .notice("resolved", "alice", "sms-telnyx")
        .notice("resolved", "", "hook")
        .notice("resolved", "alice", "mail");
    let rest = w.all_until("10s");
    assert!(rest.iter().all(|h| h.channel == "sms" && kind(&h.origin) == "resolved"), "{rest:?}");
    w.all_until("2d");
    assert_eq!(w.status("sms", "alice"), "expired");
}

#[test]
fn who_was_told_nothing_is_told_nothing() {
    let mut w = World::calm();
    let n = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.resolve(n);
    w.at("0m").notice("resolved", "", "ops-slack").nothing_else();
    w.quiet_until("1d");
}

#[test]
fn a_place_told_twice_hears_once() {
    let mut w = World::calm();
    let n = w.open("urgent");
    w.all_until("41m");
    w.resolve(n);
    w.at("41m").notice("resolved", "", "ops-slack").notice("resolved", "alice", "sms").nothing_else();
}

#[test]
fn an_address_told_by_itself_and_as_somebodys_hears_once() {
    let bare_first = r#"
[policies.both]
steps = [ { after = "0s", channels = ["sms"], to = ["+15550101"] }, { after = "1m", channels = ["sms"], to = ["bob"] } ]
"#;
    let mut w = World::with(&(calm() + bare_first));
    let n = w.open_with(|r| (r.level, r.policy) = (level("high"), Some("both".into())));
    w.at("0m").rings("bob", "sms");
    w.at("1m").rings("bob", "sms");
    w.ack(n, "alice");
    w.at("1m").notice("acknowledged", "bob", "sms").nothing_else();
    let mut w = World::with(&(calm() + bare_first));
    let n = w.open_with(|r| (r.level, r.policy) = (level("high"), Some("both".into())));
    w.all_until("1m");
    // It is Bob's address, and he is the one who acknowledged.
    w.ack(n, "bob");
    w.at("1m").nothing_else();
}

#[test]
fn a_channel_says_which_notices_it_takes() {
    let toml = calm().replace("updates     = [\"acknowledged\", \"resolved\"]", "updates = [\"resolved\"]");
    let mut w = World::with(&toml);
    let n = w.open_with(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.at("0m").rings("alice", "sms");
    w.ack(n, "bob");
    w.at("0m").nothing_else();
    w.resolve(n);
    w.at("0m").notice("resolved", "alice", "sms").nothing_else();
}

#[test]
fn nobody_hears_of_an_acknowledgement_that_was_withdrawn() {
    let mut w = World::calm();
    w.without_letters();
    let again = |w: &mut World, word: &str| {
        w.open_with(|r| {
            (r.level, r.channels, r.fingerprint) = (level(word), names(&["hook"]), Some("disk".into()));
        })
    };
    let n = again(&mut w, "high");
    w.at("0m").posts("hook").nothing_else();
    w.channel("hook", timeout());
    w.ack(n, "bob");
    w.at("0m").notice("acknowledged", "", "hook");
    w.all_until("10s");
    assert_eq!(again(&mut w, "urgent"), n);
    w.channel("hook", Says::Yes);
    let told = w.all_until("1h");
    assert!(told.iter().all(|h| kind(&h.origin) != "acknowledged"), "{told:?}");
}

#[test]
fn nobody_hears_of_an_acknowledgement_after_the_end() {
    let mut w = World::calm();
    let n = w.open_with(|r| (r.level, r.channels) = (level("high"), names(&["hook"])));
    w.at("0m").posts("hook").nothing_else();
    w.channel("hook", timeout()).channel_takes("hook", "2s");
    w.ack(n, "bob");
    w.at("0m").notice("acknowledged", "", "hook");
    w.all_until("1s");
    w.channel("hook", Says::Yes);
    w.resolve(n);
    let told = w.all_until("1h");
    assert_eq!(told.iter().map(|h| kind(&h.origin)).collect::<Vec<_>>(), ["resolved"], "{told:?}");
}

#[test]
fn the_one_who_acknowledged_hears_of_the_end() {
    let mut w = World::calm();
    let n = w.open_with(|r| (r.level, r.to, r.channels) = (level("high"), who(&["alice"]), names(&["mail"])));
    w.at("0m").rings("alice", "mail");
    w.ack(n, "alice");
    w.at("0m").nothing_else();
    w.resolve(n);
    w.at("0m").notice("resolved", "alice", "mail").nothing_else();
}

#[test]
fn notices_are_low_and_obey_quiet_hours() {
    // Half past nine in the evening; Bob's quiet hours begin at ten.
    let mut w = World::at_time(&calm(), "2026-01-06T21:30:00+01:00");
    let n = w.open_with(|r| (r.level, r.to, r.channels) = (level("urgent"), who(&["bob"]), names(&["sms"])));
    w.does(Ask::Resolve { id: n.to_string(), note: None });
    w.untold();
    let n = w.open_with(|r| {
        (r.level, r.to, r.channels, r.policy) =
            (level("urgent"), who(&["bob"]), names(&["sms", "mail"]), Some("none".into()));
    });
    w.at("0m").rings("bob", "sms").rings("bob", "mail");
    w.quiet_until("30m");
    w.resolve(n);
    w.at("30m").notice("resolved", "bob", "mail").nothing_else();
    assert!(w.told().contains(&"sms bob skipped: quiet-hours until 07:00".to_owned()), "{:?}", w.told());
    let notice = w.delivery("mail", "bob");
    assert_eq!(notice.level.as_str(), "low");
}

#[test]
fn a_notice_waits_for_its_own_channel() {
    let mut w = World::calm();
    let n = w.open_with(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.at("0m").rings("alice", "sms");
    w.channel("sms", refused());
    w.resolve(n);
    w.at("0m").notice("resolved", "alice", "sms").nothing_else();
    let tries = w.all_until("1m");
    assert!(!tries.is_empty() && tries.iter().all(|h| h.channel == "sms"), "never another way");
    w.channel("sms", Says::Yes);
    w.all_until("2m");
    assert_eq!(w.delivery("sms", "alice").status, Status::Sent);
}
