//! Lost answers: the provider is asked; else it goes again under the same key, and that is said.

use super::world::asks::*;
use super::world::*;
use crate::channel::Found;
use crate::domain::event::{EventKind, Heard, Said};
use crate::engine::{Ask, Attempt, Called, Keyed, Read};

fn text(w: &mut World, word: &str) {
    w.send(|r| (r.level, r.to, r.channels) = (level(word), who(&["alice"]), names(&["sms"])));
}

/// The connection broke after the whole request.
fn cut() -> Says {
    let Says::Fails(failure) = timeout() else { unreachable!() };
    Says::Fails(failure.unknown())
}

fn there(id: &str) -> Option<Found> {
    Some(Found::Yes { provider_id: id.into(), detail: "Twilio has it: queued".into() })
}

fn last(w: &World) -> Attempt {
    w.delivery("sms", "alice").attempts.last().unwrap().clone()
}

#[test]
fn f32_what_the_provider_has_is_not_sent_again() {
    for word in ["low", "urgent"] {
        let mut w = World::calm();
        w.channel("sms", cut());
        w.found.insert("sms".into(), there("SM7"));
        text(&mut w, word);
        w.at("0m").rings("alice", "sms").nothing_else();
        assert_eq!(w.status("sms", "alice"), "submitted", "it is there; its provider says later how it ends");
        assert_eq!(last(&w).provider_id.as_deref(), Some("SM7"));
        let (_, channel, lost) = &w.inquiries[0];
        assert_eq!((channel.as_str(), lost.address.as_deref()), ("sms", Some("+15550100")));
        assert!(lost.text.text.ends_with("prague-1: x"), "{}", lost.text.text);
        w.quiet_until("1h");
    }
}

#[test]
fn f32_what_it_does_not_have_goes_again_under_the_same_key_and_is_marked() {
    let mut w = World::calm();
    w.channel_first("sms", [cut()]);
    text(&mut w, "normal");
    let tries = w.all_until("1m");
    assert_eq!(tries.len(), 2);
    assert_eq!(tries[0].delivery, tries[1].delivery);
    assert!(last(&w).possibly_duplicate);
    assert_eq!(w.status("sms", "alice"), "sent");
    let asked =
        w.count(|e| matches!(e, EventKind::DeliveryMoved { status: crate::domain::delivery::Status::Unknown, .. }));
    assert_eq!(asked, 1);
}

#[test]
fn f32_urgent_takes_its_other_way_as_soon_as_it_is_known_not_to_be_there() {
    let mut w = World::calm();
    w.channel("sms", cut());
    text(&mut w, "urgent");
    w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx").nothing_else();
    assert!(last(&w).possibly_duplicate);
}

/// Who receives it twice is told so in the text itself.
#[test]
fn f32_what_goes_again_says_so_to_whoever_receives_it() {
    for (channel, to, mark) in [
        ("hook", "ops@example.org", r#""possibly_duplicate":true"#),
        ("ops-slack", "ops@example.org", "This may be a repeat"),
        ("mail", "ops@example.org", "This may be a repeat"),
    ] {
        let mut w = World::calm();
        w.channel_first(channel, [cut()]);
        let to = if channel == "mail" { who(&[to]) } else { Default::default() };
        w.send(|r| (r.to, r.channels) = (to, names(&[channel])));
        w.all_until("1h");
        let texts = w.frames.iter().flat_map(|f| &f.events).filter_map(|e| e.payload.as_ref()?.text.as_ref());
        let marked: Vec<bool> = texts.map(|text| text.text.contains(mark)).collect();
        assert_eq!(marked, [false, true], "{channel}");
    }
}

#[test]
fn f42_what_arrived_after_all_while_another_way_was_tried_goes_no_further() {
    let mut w = World::calm();
    w.channel("sms", cut());
    w.channel("sms-telnyx", Says::Hangs);
    text(&mut w, "urgent");
    w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx").nothing_else();
    w.run_for("5s");
    let d = w.delivery("sms", "alice");
    let keyed = Keyed { delivery: d.id, n: 1, nonce: d.confirm(1).unwrap().nonce.clone() };
    let heard = Heard { provider_id: "SM1".into(), status: "delivered".into(), said: Said::Delivered, price: None };
    w.does(Ask::Called(Called::Reported { keyed, heard }));
    assert_eq!(w.status("sms", "alice"), "sending", "the other one may still be taken");
    w.quiet_until("1h");
    assert_eq!(w.status("sms", "alice"), "delivered");
}

#[test]
fn f32_a_provider_that_does_not_answer_that_either_holds_nothing_up_for_long() {
    let mut w = World::calm();
    w.channel("sms", cut());
    w.found.insert("sms".into(), None);
    text(&mut w, "urgent");
    w.at("0m").rings("alice", "sms").nothing_else();
    assert_eq!(w.status("sms", "alice"), "unknown");
    w.at("5s").rings("alice", "sms-telnyx").nothing_else();
}

#[test]
fn f32_after_a_crash_it_is_asked_for_before_it_goes_again() {
    let mut w = World::calm();
    w.channel("sms", Says::Never);
    text(&mut w, "urgent");
    w.at("0m").rings("alice", "sms").nothing_else();
    w.found.insert("sms".into(), there("SM9"));
    w.down_for("20s");
    w.at("20s").nothing_else();
    assert_eq!(w.status("sms", "alice"), "submitted");
    assert_eq!(w.inquiries.len(), 1);
}

#[test]
fn f32_and_when_it_crashes_while_it_asks_it_asks_again() {
    let mut w = World::calm();
    w.channel("sms", Says::Never);
    w.found.insert("sms".into(), None);
    text(&mut w, "urgent");
    w.down_for("1s");
    w.down_for("1s");
    assert_eq!(w.inquiries.len(), 2);
    assert_eq!(w.status("sms", "alice"), "unknown");
    w.channel("sms", Says::Yes);
    w.untold();
    // Seven seconds in all, and then it is sent rather than thought about.
    w.run_for("5s");
    w.at("7s").rings("alice", "sms").nothing_else();
    assert!(last(&w).possibly_duplicate);
}

#[test]
fn f32_two_lost_ones_cannot_both_be_the_one_that_is_there() {
    let mut w = World::calm();
    w.channel_first("sms", [cut(), cut()]).channel_takes("sms", "1s");
    w.found.insert("sms".into(), there("SM7"));
    text(&mut w, "low");
    text(&mut w, "low");
    let tries = w.all_until("1m");
    assert_eq!(tries.len(), 3, "one of them goes again: {tries:?}");
    let ids =
        w.deliveries().iter().filter(|d| d.attempts.iter().any(|a| a.provider_id.as_deref() == Some("SM7"))).count();
    assert_eq!(ids, 1);
}

#[test]
fn f32_a_known_message_to_the_same_number_is_named_so_that_it_is_not_taken_for_it() {
    let mut w = World::calm();
    w.channel_first("sms", [Says::Submitted, cut()]);
    text(&mut w, "low");
    text(&mut w, "low");
    w.all_until("1m");
    assert_eq!(w.inquiries[0].2.known, ["SM1"]);
}

#[test]
fn an_acknowledgement_while_it_asks_ends_it() {
    let mut w = World::calm();
    w.channel("sms", cut());
    w.found.insert("sms".into(), None);
    let n = w.open_with(|r| (r.level, r.channels, r.to) = (level("high"), names(&["sms"]), who(&["alice"])));
    w.at("0m").rings("alice", "sms").nothing_else();
    w.ack(n, "alice");
    assert_eq!(w.status("sms", "alice"), "superseded");
    w.quiet_until("1h");
}

#[test]
fn one_that_cannot_be_asked_goes_again_at_once_and_is_marked() {
    let mut w = World::calm();
    w.channel("hook", Says::Never);
    w.send(|r| (r.level, r.channels) = (level("urgent"), names(&["hook"])));
    w.at("0m").posts("hook").nothing_else();
    w.channel("hook", Says::Yes);
    w.down_for("5s");
    w.at("5s").posts("hook").nothing_else();
    assert!(w.inquiries.is_empty());
    assert!(w.delivery("hook", "").attempts[1].possibly_duplicate);
    let shown = w.read(Read::Delivery(w.delivery("hook", "").id.to_string()));
    assert_eq!(shown["attempts"][1]["possibly_duplicate"], true);
}

/// A receiver that takes longer than `timeout` has each of them.
#[test]
fn f32_what_a_slow_receiver_may_have_goes_again_ever_more_rarely() {
    for (word, most) in [("low", 45), ("high", 150), ("urgent", 500)] {
        let mut w = World::calm();
        w.without_letters();
        w.channel("hook", cut());
        w.send(|r| (r.level, r.channels) = (level(word), names(&["hook"])));
        let first = w.all_until("1m").len();
        let tries = first + w.all_until("1h").len();
        assert!((3..=12).contains(&first), "{word}: {first} in a minute");
        assert!((first + 10..=most).contains(&tries), "{word}: {tries} in an hour");
        assert_eq!(w.deliveries()[0].status, crate::domain::delivery::Status::Waiting);
        // Another one finds out that it is well, and it goes at once.
        w.channel("hook", Says::Yes);
        w.send(|r| (r.level, r.channels) = (level(word), names(&["hook"])));
        w.all_until("1h0m10s");
        assert!(w.deliveries().iter().all(|d| d.status.got_out()), "{word} {:?}", w.told());
    }
}
