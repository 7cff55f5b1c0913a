//! Dead letters: kept, told of, sent once more on order, or given up.

use super::world::asks::*;
use super::world::*;
use crate::domain::id::DeliveryId;
use crate::engine::{Ask, Code, Read};

fn dead(w: &World) -> Vec<DeliveryId> {
    w.engine.state.dead_letters().map(|d| d.id).collect()
}

fn requeue(w: &mut World, id: DeliveryId) -> serde_json::Value {
    w.does(Ask::Requeue { id: Some(id.to_string()) })
}

/// A text to a number that the provider does not take, at this level.
fn letter(w: &mut World, word: &str) -> DeliveryId {
    w.channel("sms", Says::bad_number());
    w.send(|r| (r.level, r.to, r.channels) = (level(word), who(&["alice"]), names(&["sms"])));
    w.delivery("sms", "alice").id
}

#[test]
fn one_of_high_or_urgent_raises_an_incident_by_other_channels_than_its_own() {
    let mut w = World::with(&calm().replace(r#"policy   = "page" "#, r#"policy   = "none" "#));
    letter(&mut w, "high");
    // High has mail and slack, and never sms.
    w.at("0m").rings("alice", "sms").rings("ops@example.org", "mail").posts("ops-slack").nothing_else();
    let about = w.incident(1);
    assert_eq!((&*about.fingerprint, about.about.as_deref()), ("self/dead-letters-sms", Some("sms")));
    // Another one is counted; an urgent one raises it.
    letter(&mut w, "high");
    w.at("0m").rings("alice", "sms").nothing_else();
    letter(&mut w, "urgent");
    w.at("0m").rings("alice", "sms").posts("siren").rings("ops@example.org", "mail").posts("ops-slack").nothing_else();
    assert_eq!(w.incident(1).count, 3);
}

#[test]
fn one_of_normal_or_low_is_counted_and_wakes_nobody() {
    for word in ["normal", "low"] {
        let mut w = World::calm();
        letter(&mut w, word);
        w.at("0m").rings("alice", "sms").nothing_else();
        assert_eq!(w.engine.state.dead_count(), 1);
        assert_eq!(w.read(Read::Status)["queue"]["dead"], 1);
        assert_eq!(w.read(Read::Status)["state"], "degraded");
    }
}

#[test]
fn the_incident_about_dead_letters_raises_none_of_its_own() {
    let mut w = World::calm();
    // Every way refuses what it gets, for good.
    for channel in ["sms", "mail", "ops-slack"] {
        w.channel(channel, Says::bad_number());
    }
    letter(&mut w, "high");
    w.at("0m").rings("alice", "sms").rings("ops@example.org", "mail").posts("ops-slack").nothing_else();
    assert_eq!(w.engine.state.dead_count(), 3);
    assert_eq!(w.engine.state.live_incidents().count(), 1);
    w.quiet_until("3h");
}

#[test]
fn requeued_it_goes_once_more_under_the_same_key_with_the_same_text() {
    let mut w = World::calm();
    w.without_letters();
    let id = letter(&mut w, "urgent");
    w.at("0m").rings("alice", "sms").nothing_else();
    w.channel("sms", Says::Yes);
    w.run_for("3d");
    let answer = requeue(&mut w, id);
    assert_eq!(
        (answer["requeued"].as_u64(), answer["deliveries"][0]["id"].as_str().map(str::to_owned)),
        (Some(1), Some(id.to_string()))
    );
    let again = w.untold();
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].delivery, again[0].n), (id, 2));
    assert_eq!(again[0].text, "URGENT prague-1: x");
    assert_eq!(w.status("sms", "alice"), "sent");
    assert_eq!(w.engine.state.dead_count(), 0);
}

#[test]
fn also_when_its_incident_is_over_and_after_a_restart() {
    let mut w = World::calm();
    w.without_letters();
    w.channel("sms", Says::bad_number());
    let n = w.open_with(|r| (r.level, r.channels, r.to) = (level("high"), names(&["sms"]), who(&["alice"])));
    w.at("0m").rings("alice", "sms").nothing_else();
    let id = dead(&w)[0];
    w.channel("sms", Says::Yes);
    w.resolve(n);
    w.untold();
    // A thousand others are opened and resolved, so that it would have left.
    for _ in 0..1_100 {
        let n = w.open_with(|r| (r.level, r.channels) = (level("low"), names(&["rehearsal"])));
        w.resolve(n);
    }
    w.untold();
    w.down_for("1h");
    w.restart_from_snapshot();
    requeue(&mut w, id);
    let again = w.untold();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].text, "HIGH #1 prague-1: disk full since 12:00", "the text that was made for it first");
    assert_eq!(w.status("sms", "alice"), "sent");
    // And then it may go: what is left is bounded.
    for _ in 0..2_100 {
        let n = w.open_with(|r| (r.level, r.channels) = (level("low"), names(&["rehearsal"])));
        w.resolve(n);
    }
    w.untold();
    assert!(w.engine.state.incident_by_number(n).is_none());
    assert!(w.engine.state.incidents.len() <= 1_000 + 1, "{}", w.engine.state.incidents.len());
}

#[test]
fn an_acknowledgement_after_the_order_ends_it() {
    let mut w = World::calm();
    w.without_letters();
    w.channel("sms", provider());
    for channel in ["sms-telnyx", "sms-gateway"] {
        w.channel(channel, provider());
    }
    let n = w.open_with(|r| (r.level, r.channels, r.to) = (level("normal"), names(&["sms"]), who(&["alice"])));
    w.all_until("10m");
    let id = dead(&w)[0];
    // The channel is down, so that it has to wait.
    for channel in ["sms", "sms-telnyx", "sms-gateway"] {
        w.channel(channel, timeout());
    }
    requeue(&mut w, id);
    w.untold();
    w.ack(n, "alice");
    assert_eq!(w.engine.state.deliveries[&id].status.as_str(), "superseded");
    w.all_until("11m");
    w.channel("sms", Says::Yes);
    w.quiet_until("30m");
}

#[test]
fn it_goes_round_a_way_that_is_dead_now() {
    let mut w = World::calm();
    w.without_letters();
    let id = letter(&mut w, "high");
    w.channel("sms", refused());
    w.send(|r| (r.level, r.to, r.channels) = (level("low"), who(&["bob"]), names(&["sms"])));
    w.untold();
    requeue(&mut w, id);
    w.at("0m").rings("alice", "sms-telnyx").nothing_else();
}

#[test]
fn what_a_silence_holds_stays_a_dead_letter() {
    let mut w = World::calm();
    w.without_letters();
    let id = letter(&mut w, "normal");
    w.untold();
    let silence = w.silence("source=manual", "1h");
    let refusal = w.fails(Ask::Requeue { id: Some(id.to_string()) });
    assert_eq!(refusal.code, Code::Conflict);
    assert!(refusal.message.contains("silence"), "{}", refusal.message);
    let all = w.does(Ask::Requeue { id: None });
    assert_eq!((all["requeued"].as_u64(), all["held"].as_u64()), (Some(0), Some(1)));
    assert_eq!(dead(&w), [id]);
    w.does(Ask::ExpireSilence { id: silence });
    w.channel("sms", Says::Yes);
    w.does(Ask::Requeue { id: None });
    w.at("0m").rings("alice", "sms").nothing_else();
}

#[test]
fn dropped_it_is_given_up_and_cannot_be_had_back() {
    let mut w = World::calm();
    w.without_letters();
    let id = letter(&mut w, "high");
    w.untold();
    w.does(Ask::Drop { id: id.to_string() });
    assert_eq!(w.engine.state.dead_count(), 0);
    assert_eq!(w.read(Read::Status)["queue"]["dead"], 0);
    assert_eq!(w.fails(Ask::Requeue { id: Some(id.to_string()) }).code, Code::Conflict);
    assert_eq!(w.fails(Ask::Drop { id: "ZZZZZZ".into() }).code, Code::NotFound);
    w.quiet_until("1h");
}

#[test]
fn the_incident_ends_when_none_is_left() {
    let mut w = World::calm();
    let first = letter(&mut w, "high");
    let second = letter(&mut w, "high");
    w.untold();
    assert_eq!(dead(&w).len(), 2);
    w.does(Ask::Drop { id: first.to_string() });
    w.nothing_untold();
    w.channel("sms", Says::Yes);
    requeue(&mut w, second);
    w.at("0m")
        .rings("alice", "sms")
        .notice("resolved", "ops@example.org", "mail")
        .notice("resolved", "", "ops-slack")
        .nothing_else();
    assert_eq!(w.engine.state.live_incidents().count(), 0);
}

#[test]
fn its_key_is_kept_while_it_goes_on() {
    let mut w = World::calm();
    w.without_letters();
    w.channel("sms", Says::bad_number());
    let keyed = |r: &mut crate::engine::SendRequest| {
        (r.level, r.to, r.channels) = (level("normal"), who(&["alice"]), names(&["sms"]));
        r.idempotency_key = Some("k".into());
    };
    let first = w.send(keyed);
    w.untold();
    w.run_for("25h");
    // Forgotten with the next acceptance, and had back with the order.
    w.send(|r| r.channels = names(&["rehearsal"]));
    w.untold();
    w.channel("sms", Says::Yes);
    let id = dead(&w)[0];
    requeue(&mut w, id);
    w.untold();
    let again = w.send(keyed);
    assert_eq!(again["id"], first["id"]);
    w.nothing_untold();
}

#[test]
fn the_list_is_the_oldest_first_with_a_cursor() {
    let mut w = World::calm();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(letter(&mut w, "low"));
        w.run_for("1s");
    }
    w.untold();
    let page = w.read(Read::DeadLetters { limit: 2, after: None });
    assert_eq!(page["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!(page["deliveries"][0]["id"], ids[0].to_string());
    assert_eq!(page["next_cursor"], ids[1].to_string());
    let rest = w.read(Read::DeadLetters { limit: 2, after: Some(ids[1]) });
    assert_eq!(rest["deliveries"].as_array().unwrap().len(), 1);
    assert!(rest["next_cursor"].is_null());
}

#[test]
fn their_number_and_their_text_are_bounded_and_the_oldest_goes_first() {
    let mut w = World::calm();
    let first = letter(&mut w, "low");
    w.run_for("1s");
    // By mail: a body of this size is none for a text message.
    w.channel("mail", Says::bad_number());
    let big = "x".repeat(1 << 16);
    for _ in 0..20 {
        w.send(|r| {
            (r.level, r.to, r.channels) = (level("low"), who(&["alice"]), names(&["mail"]));
            r.body = big.clone();
        });
    }
    w.untold();
    assert!(w.engine.state.dead_bytes() <= 16 << 10);
    assert_eq!(w.engine.state.dead_count(), 15, "16 beginnings are a few bytes more than 16 KiB");
    assert!(!w.engine.state.is_dead_letter(first));
    assert!(w.engine.state.deliveries[&first].dropped, "it is given up, on the record");
}

/// It refuses for good, and the other one is only down.
#[test]
fn a_permanent_refusal_waits_for_a_fallback_that_is_down() {
    let mut w = World::calm();
    w.channel("sms-telnyx", refused()).probe("sms-telnyx", refused());
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["alice"]), names(&["sms-telnyx"])));
    w.all_until("1m");
    assert_eq!(w.health("sms-telnyx").as_str(), "dead");
    w.channel("sms", provider());
    w.channel("sms-gateway", refused());
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["bob"]), names(&["sms"])));
    w.all_until("2m");
    assert_ne!(w.status("sms", "bob"), "dead");
    w.channel("sms-telnyx", Says::Yes);
    w.all_until("10m");
    assert_eq!(w.status("sms", "bob"), "sent");
}

#[test]
fn one_that_goes_once_more_and_meets_a_silence_stays_a_dead_letter() {
    let mut w = World::calm();
    let id = letter(&mut w, "high");
    w.all_until("1m");
    w.channel("sms", timeout()).channel("sms-telnyx", timeout()).channel("sms-gateway", timeout());
    requeue(&mut w, id);
    w.all_until("2m");
    w.silence("source=manual", "1h");
    w.channel("sms", Says::Yes);
    w.all_until("30m");
    assert_eq!((dead(&w), w.status("sms", "alice").as_str()), (vec![id], "dead"));
}
