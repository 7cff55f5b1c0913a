//! S1 to S4 and one-shots: which channels, which people, and what is refused.

use super::world::asks::*;
use super::world::*;
use crate::domain::Labels;
use crate::domain::event::EventKind;
use crate::domain::level::Level;
use crate::engine::request::has_room;
use crate::engine::{Ask, Code, SpanWord};

// ---- S1, S2

#[test]
fn without_channels_the_level_says_and_without_who_each_channel_for_itself() {
    let mut w = World::calm();
    w.send(|r| r.level = level("urgent"));
    w.at("0m").posts("siren").rings("alice", "sms").posts("ops-slack").rings("ops@example.org", "mail").nothing_else();
}

#[test]
fn naming_who_does_not_leave_out_fixed_channels_but_naming_channels_does() {
    let mut w = World::calm();
    w.send(|r| (r.level, r.to) = (level("high"), who(&["bob"])));
    w.at("0m").rings("bob", "mail").posts("ops-slack").nothing_else();
    w.send(|r| (r.level, r.to, r.channels) = (level("high"), who(&["bob"]), names(&["mail"])));
    w.at("0m").rings("bob", "mail").nothing_else();
}

#[test]
fn a_level_may_say_who() {
    let toml = calm().replace("[levels.normal]\n", "[levels.normal]\nto = [\"bob\"]\n");
    let mut w = World::with(&toml);
    w.send(|_| {});
    w.at("0m").rings("bob", "mail").nothing_else();
    w.send(|r| r.to = who(&["alice"]));
    w.at("0m").rings("alice", "mail").nothing_else();
}

#[test]
fn equal_places_are_told_once() {
    let mut w = World::calm();
    w.send(|r| {
        r.to = who(&["alice", "group:ops", "schedule:primary", "alice@example.org", "+15550100"]);
        r.channels = names(&["mail", "sms", "mail"]);
    });
    w.at("0m").rings("alice", "mail").rings("bob", "mail").rings("alice", "sms").rings("bob", "sms").nothing_else();
    let sent: Vec<String> = w.told().into_iter().filter(|t| t.ends_with("sent")).collect();
    assert_eq!(sent.len(), 4);
    assert!(w.told().contains(&"mail alice@example.org skipped: duplicate".to_owned()), "{:?}", w.told());
}

#[test]
fn a_person_without_such_an_address_is_skipped_and_never_nothing() {
    let toml = calm().replace("phone = \"+15550101\"\n", "");
    let mut w = World::with(&toml);
    w.send(|r| (r.to, r.channels) = (who(&["alice", "bob"]), names(&["sms"])));
    w.at("0m").rings("alice", "sms").nothing_else();
    assert_eq!(w.told(), ["sms alice sent", "sms bob skipped: no-address"]);
}

#[test]
fn an_address_takes_channels_of_its_sort_and_a_number_texts_and_calls() {
    let mut w = World::calm();
    w.send(|r| (r.to, r.channels) = (who(&["+1 (555) 019-9", "x@b.example"]), names(&["mail", "sms", "call"])));
    w.at("0m").rings("x@b.example", "mail").rings("+15550199", "sms").rings("+15550199", "call").nothing_else();
    assert_eq!(w.told().iter().filter(|t| t.ends_with("skipped: no-address")).count(), 3);
}

#[test]
fn a_schedule_with_nobody_on_call_is_skipped_by_its_name() {
    // Before the first turn of its only layer.
    let mut w = World::at_time(&calm(), "2026-01-05T08:00:00+01:00");
    w.send(|r| (r.level, r.channels, r.to) = (level("urgent"), names(&["sms"]), who(&["schedule:primary", "bob"])));
    w.at("0m").rings("bob", "sms").nothing_else();
    assert_eq!(w.told(), ["sms schedule:primary skipped: no-address", "sms bob sent"]);
}

#[test]
fn a_group_is_resolved_when_the_sending_is_made() {
    let mut w = World::calm();
    w.send(|r| r.to = who(&["group:ops"]));
    w.at("0m").rings("alice", "mail").rings("bob", "mail").nothing_else();
    w.reload(&calm().replace("members = [\"alice\", \"bob\"]\n\n[schedules", "members = [\"bob\"]\n\n[schedules"));
    w.send(|r| r.to = who(&["group:ops"]));
    w.at("0m").rings("bob", "mail").nothing_else();
}

#[test]
fn a_tier_is_everybody_in_it() {
    let mut w = World::calm();
    w.send(|r| r.to = who(&["tier:TIER_1"]));
    w.at("0m").rings("carol", "mail").nothing_else();
}

#[test]
fn a_gateway_takes_the_number_and_a_persons_own_domain_wins() {
    let toml = calm().replace("[people.bob]\n", "[people.bob]\nsms_domain = \"own.example\"\n");
    let mut w = World::with(&toml);
    w.send(|r| (r.to, r.channels) = (who(&["alice", "bob"]), names(&["sms-gateway"])));
    w.at("0m").rings("alice", "sms-gateway").rings("bob", "sms-gateway").nothing_else();
    assert_eq!(w.delivery("sms-gateway", "bob").address.as_deref(), Some("+15550101"));
}

// ---- S4

fn labels_of(w: &World) -> Labels {
    w.engine.state.notifications.values().max_by_key(|n| n.order).unwrap().labels.as_ref().clone()
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn our_labels_stand_over_the_given_ones_except_the_type() {
    let mut w = World::calm();
    w.send(|r| {
        r.labels = labels(&[("level", "high"), ("source", "mine"), ("tenant", "x"), ("team", "ops"), ("type", "disk")]);
        r.tenant = Some("acme".into());
    });
    w.at("0m").rings("ops@example.org", "mail").nothing_else();
    let expected =
        labels(&[("level", "normal"), ("source", "manual"), ("tenant", "acme"), ("team", "ops"), ("type", "disk")]);
    assert_eq!(labels_of(&w), expected);
    w.send(|r| (r.kind_of, r.labels) = (Some("billing".into()), labels(&[("type", "disk")])));
    w.untold();
    assert_eq!(labels_of(&w).get("type").unwrap(), "billing");
    w.send(|_| {});
    w.untold();
    assert_eq!(labels_of(&w), labels(&[("level", "normal"), ("source", "manual"), ("type", "message")]));
}

// ---- one-shots

#[test]
fn a_one_shot_never_escalates_reminds_or_tells_its_end() {
    let mut w = World::calm();
    w.send(|r| r.level = level("urgent"));
    w.untold();
    assert!(w.engine.state.incidents.is_empty());
    w.quiet_until("3d");
}

#[test]
fn whoever_is_nobody_is_refused_with_the_reason_and_nothing_is_recorded_but_that() {
    let toml = calm().replace("email = \"bob@example.org\"\n", "");
    let mut w = World::with(&toml);
    let before = w.frames.len();
    let refusal = w.try_send(|r| (r.to, r.channels) = (who(&["bob"]), names(&["mail"]))).unwrap_err();
    assert_eq!(refusal.code, Code::Nobody);
    assert_eq!(refusal.reasons, ["mail bob: no-address"]);
    let recorded: Vec<_> = w.frames[before..].iter().flat_map(|f| &f.events).map(|e| e.head.name()).collect();
    assert_eq!(recorded, ["request_refused"]);
    w.quiet_until("1h");
}

#[test]
fn the_record_of_a_refusal_names_no_bare_address() {
    let mut w = World::calm();
    w.try_send(|r| (r.level, r.to) = (level("low"), who(&["+15550199"]))).unwrap_err();
    let Some(EventKind::RequestRefused { message, .. }) = w.events().next_back() else { panic!("no refusal") };
    assert_eq!(message, "level low has mail only; add --channel sms; mail an address: no-address");
}

#[test]
fn an_empty_list_of_channels_reaches_nobody() {
    let mut w = World::calm();
    let refusal = w.try_send(|r| r.channels = Some(Vec::new())).unwrap_err();
    assert_eq!(refusal.code, Code::Nobody);
    // For an incident it is on purpose, and recorded.
    let number = w.open_with(|r| (r.level, r.channels) = (level("high"), Some(Vec::new())));
    assert_eq!(w.incident(number).notifications.len(), 1);
    w.quiet_until("3h59m");
}

#[test]
fn names_that_nobody_has_are_refused_whole() {
    let mut w = World::calm();
    assert_eq!(w.try_send(|r| r.channels = names(&["pigeon"])).unwrap_err().code, Code::NotFound);
    assert_eq!(w.try_send(|r| r.to = who(&["alice", "zoe"])).unwrap_err().code, Code::NotFound);
    assert_eq!(w.try_send(|r| r.to = who(&["tier:TIER_9"])).unwrap_err().code, Code::NotFound);
    let refusal = w.try_send(|r| r.subject = "  ".into()).unwrap_err();
    assert_eq!((refusal.code, refusal.field.as_deref()), (Code::ValidationError, Some("subject")));
    let refusal = w.try_send(|r| r.labels = labels(&[("9", "x")])).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some("labels"));
    w.quiet_until("1h");
}

#[test]
fn the_time_to_live_is_a_day_unless_said() {
    let mut w = World::calm();
    w.channel("ops-slack", timeout());
    w.send(|r| r.channels = names(&["ops-slack"]));
    w.all_until("23h59m");
    assert_eq!(w.status("ops-slack", ""), "waiting");
    w.all_until("1d1s");
    assert_eq!(w.status("ops-slack", ""), "expired");
    let refusal = w.try_send(|r| r.ttl = Some(SpanWord(span("0s")))).unwrap_err();
    assert_eq!(refusal.field.as_deref(), Some("ttl"));
}

#[test]
fn the_first_attempt_is_in_the_frame_of_the_acceptance() {
    let mut w = World::calm();
    w.send(|r| r.level = level("urgent"));
    w.untold();
    let frame = w.frames.iter().find(|f| f.events.iter().any(|e| e.head.name() == "notification_accepted")).unwrap();
    assert_eq!(frame.events.iter().filter(|e| e.head.name() == "attempt_started").count(), 4);
}

// ---- idempotency

fn keyed(w: &mut World, key: &str, subject: &str) -> crate::engine::Answer {
    let (key, subject) = (key.to_owned(), subject.to_owned());
    w.try_send(|r| (r.idempotency_key, r.subject) = (Some(key), subject))
}

#[test]
fn the_same_key_gives_the_first_answer_and_sends_nothing() {
    let mut w = World::calm();
    let first = keyed(&mut w, "k1", "x").unwrap();
    w.at("0m").rings("ops@example.org", "mail").nothing_else();
    let again = keyed(&mut w, "k1", "x").unwrap();
    assert_eq!(first["id"], again["id"]);
    w.quiet_until("23h");
    assert_eq!(keyed(&mut w, "k1", "x").unwrap()["id"], first["id"]);
    assert_eq!(keyed(&mut w, "k1", "y").unwrap_err().code, Code::Conflict);
    w.quiet_until("23h30m");
}

#[test]
fn a_key_is_of_its_tenant_and_caller() {
    let mut w = World::calm();
    keyed(&mut w, "k1", "x").unwrap();
    w.try_send(|r| (r.idempotency_key, r.tenant) = (Some("k1".into()), Some("acme".into()))).unwrap();
    let other = crate::engine::Caller { name: "uid 2000".into(), ..operator() };
    let request =
        crate::engine::SendRequest { subject: "x".into(), idempotency_key: Some("k1".into()), ..Default::default() };
    w.ask(other, Ask::Send(request)).unwrap();
    w.at("0m")
        .rings("ops@example.org", "mail")
        .rings("ops@example.org", "mail")
        .rings("ops@example.org", "mail")
        .nothing_else();
}

#[test]
fn a_key_is_kept_for_a_day_after_the_deliverys_end() {
    let mut w = World::calm();
    w.channel("ops-slack", timeout());
    let key = |r: &mut crate::engine::SendRequest| {
        (r.idempotency_key, r.channels) = (Some("k1".into()), names(&["ops-slack"]));
    };
    let first = w.send(key);
    // It waits for a day, then it expires; a day later the key is forgotten with the next message.
    w.all_until("1d23h");
    assert_eq!(w.send(key)["id"], first["id"]);
    w.all_until("2d1h");
    w.send(|r| r.channels = names(&["siren"]));
    w.untold();
    assert_ne!(w.send(key)["id"], first["id"]);
    w.untold();
}

// ---- test messages

#[test]
fn a_test_goes_by_the_channel_named_and_no_other() {
    let mut w = World::calm();
    w.channel("sms", timeout());
    w.does(Ask::Test { channels: vec!["sms".into()], to: vec![], force: false });
    w.at("0m").tests("alice", "sms").nothing_else();
    assert!(w.all_until("59m").iter().all(|h| h.channel == "sms"));
    w.all_until("1h10m");
    assert_eq!(w.status("sms", "alice"), "expired");
}

#[test]
fn a_test_without_channels_takes_every_addressed_one_that_the_person_has() {
    let mut w = World::calm();
    w.does(Ask::Test { channels: vec![], to: who(&["alice"]).unwrap(), force: false });
    let told = w.untold();
    let channels: Vec<&str> = told.iter().map(|h| h.channel.as_str()).collect();
    assert_eq!(channels, ["call", "mail", "mail-backup", "sms", "sms-gateway", "sms-telnyx"]);
}

#[test]
fn a_test_ignores_silences_and_wanted_types_and_obeys_the_rest_unless_forced() {
    let mut w = World::at_time(&calm(), "2026-01-06T23:00:00+01:00");
    w.silence("type=test", "1h");
    // Carol wants three types by sms, and no calls at all.
    let test =
        |channel: &str, to: &str, force| Ask::Test { channels: vec![channel.into()], to: who(&[to]).unwrap(), force };
    w.does(test("sms", "carol", false));
    w.at("0m").tests("carol", "sms").nothing_else();
    assert_eq!(w.fails(test("call", "carol", false)).reasons, ["call carol: preference"]);
    assert_eq!(w.fails(test("sms", "bob", false)).reasons, ["sms bob: quiet hours until 07:00"]);
    w.does(test("call", "carol", true));
    w.does(test("sms", "bob", true));
    w.at("0m").tests("carol", "call").tests("bob", "sms").nothing_else();
}

#[test]
fn a_simulated_channel_records_what_it_would_send() {
    let mut w = World::calm();
    w.send(|r| r.channels = names(&["rehearsal"]));
    w.at("0m").posts("rehearsal").nothing_else();
    assert_eq!(w.status("rehearsal", ""), "simulated");
}

#[test]
fn what_is_at_hand_is_counted_and_the_last_room_is_for_urgent() {
    let mut world = World::with("[channels.hook]\nkind = \"webhook\"\n[levels.low]\nchannels = [\"hook\"]\n");
    let before = world.engine.state.text_bytes();
    world.send(|r| r.body = "x".repeat(1_000));
    assert_eq!(world.engine.state.text_bytes(), before + 1_001, "the subject and the body");
    let number = world.open("low");
    let opened = world.engine.state.text_bytes();
    assert_eq!(opened, before + 1_001 + 2 * 9, "the incident, and its message");
    world.resolve(number);
    assert_eq!(world.engine.state.derived(), world.engine.state.index, "and nothing drifts");
    assert_eq!(world.untold().len(), 3);

    let mebibytes = |n: u64| n << 20;
    assert!(has_room(mebibytes(115), Level::Normal, "short") && !has_room(mebibytes(116), Level::High, "short"));
    assert!(has_room(mebibytes(127), Level::Urgent, "short") && !has_room(mebibytes(128), Level::Urgent, "short"));
}
