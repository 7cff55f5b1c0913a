//! Incidents: opening, the same again, higher, lower, resolved.

use super::world::asks::*;
use super::world::*;
use crate::domain::event::EventKind;
use crate::engine::{Ask, Code, IncidentStatus, OpenRequest, Read};

fn report(w: &mut World, word: &str) -> u64 {
    w.open_with(|r| (r.level, r.fingerprint) = (level(word), Some("disk".into())))
}

#[test]
fn by_hand_each_one_is_new() {
    let mut w = World::calm();
    let (a, b) = (w.open("low"), w.open("low"));
    assert_eq!((a, b), (1, 2));
    w.at("0m").rings("ops@example.org", "mail").rings("ops@example.org", "mail").nothing_else();
    assert_ne!(w.incident(a).fingerprint, w.incident(b).fingerprint);
    let given = w.open_with(|r| r.fingerprint = Some("db/7".into()));
    assert_eq!(&*w.incident(given).fingerprint, "db/7", "as it was given");
    w.untold();
}

#[test]
fn what_a_policy_leaves_without_effect_is_said() {
    let mut w = World::calm();
    let open = |policy: Option<&str>| {
        let (to, policy) = (who(&["alice"]), policy.map(str::to_owned));
        Ask::Open(OpenRequest { subject: "x".into(), to, channels: names(&["mail"]), policy, ..OpenRequest::default() })
    };
    let paged = w.does(open(None));
    let warnings: Vec<&str> =
        paged["incidents"][0]["warnings"].as_array().unwrap().iter().filter_map(|w| w.as_str()).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("to has no effect: the steps of policy page say who is told"), "{warnings:?}");
    let next = &paged["incidents"][0]["next"];
    assert_eq!((&next["channels"][0], &next["to"][0]), (&"sms".into(), &"schedule:primary".into()), "{next}");
    let told = w.does(open(Some("none")));
    assert_eq!(told["incidents"][0]["warnings"], serde_json::json!([]));
    w.untold();
}

#[test]
fn one_that_reaches_nobody_says_so() {
    let mut w = World::with(&(calm() + "\n[people.zoe]\nphone = \"+15550188\"\n"));
    let open = |channels: Option<Vec<String>>| {
        let (to, level) = (who(&["zoe"]), level("low"));
        Ask::Open(OpenRequest { subject: "x".into(), to, level, channels, ..OpenRequest::default() })
    };
    let answer = w.does(open(None));
    let warnings = &answer["incidents"][0]["warnings"];
    assert!(warnings[0].as_str().unwrap().starts_with("nobody is told of it"), "{answer}");
    assert_eq!(w.does(open(names(&["sms"])))["incidents"][0]["warnings"], serde_json::json!([]));
    let on_purpose = w.does(open(Some(Vec::new())));
    assert_eq!(on_purpose["incidents"][0]["warnings"], serde_json::json!([]));
    w.untold();
}

/// They are ended by what has this name, and by a reload that takes it away.
#[test]
fn the_fingerprints_of_what_stentor_opens_itself_are_its_own() {
    let mut w = World::calm();
    for own in ["heartbeat/twilio", "watch/x", "self/config", "alert/0", "certificate/twilio"] {
        let open = OpenRequest { subject: "x".into(), fingerprint: Some(own.into()), ..OpenRequest::default() };
        assert_eq!(w.fails(Ask::Open(open)).field.as_deref(), Some("fingerprint"), "{own}");
    }
    assert!(w.engine.state.live_incidents().next().is_none());
}

#[test]
fn nobody_has_an_empty_name_and_person_alice_is_alice() {
    let mut w = World::calm();
    let n = w.open("low");
    w.untold();
    for blank in ["", "  ", "a\nb"] {
        assert_eq!(w.fails(ack(n, Some(blank))).field.as_deref(), Some("by"));
        let open = OpenRequest { subject: "x".into(), kind_of: Some(blank.into()), ..OpenRequest::default() };
        assert_eq!(w.fails(Ask::Open(open)).field.as_deref(), Some("type"));
        assert_eq!(w.try_send(|r| r.initiator = Some(blank.into())).unwrap_err().field.as_deref(), Some("initiator"));
    }
    w.ack(n, "person:alice");
    assert_eq!(w.incident(n).acknowledged_by.as_deref(), Some("alice"));
    w.untold();
}

#[test]
fn the_same_fingerprint_is_counted_and_nothing_is_sent() {
    let mut w = World::calm();
    let first = report(&mut w, "high");
    w.at("0m").rings("ops@example.org", "mail").posts("ops-slack");
    w.quiet_until("1h");
    assert_eq!(report(&mut w, "high"), first);
    assert_eq!(w.incident(first).count, 2);
    w.quiet_until("2h");
    assert_eq!(report(&mut w, "low"), first, "a lower level changes nothing");
    assert_eq!((w.incident(first).count, w.incident(first).level.as_str()), (3, "high"));
    w.quiet_until("3h59m");
}

#[test]
fn the_same_one_acknowledged_stays_acknowledged() {
    let mut w = World::calm();
    let n = report(&mut w, "high");
    w.ack(n, "alice");
    w.untold();
    assert_eq!(report(&mut w, "high"), n);
    assert_eq!(w.incident(n).status, IncidentStatus::Acknowledged);
    w.quiet_until("1d");
}

#[test]
fn a_higher_level_raises_it_and_starts_its_policy_from_the_first_step() {
    let mut w = World::calm();
    let n = report(&mut w, "high");
    w.at("0m").rings("ops@example.org", "mail").posts("ops-slack");
    w.quiet_until("3m");
    w.ack(n, "alice");
    w.at("3m").notice("acknowledged", "ops@example.org", "mail").notice("acknowledged", "", "ops-slack");
    w.quiet_until("7m");
    assert_eq!(report(&mut w, "critical"), n);
    w.at("7m").posts("siren").posts("ops-slack").nothing_else();
    assert_eq!(w.incident(n).acknowledged_by, None, "the acknowledgement was of something less");
    assert_eq!(w.incident(n).labels.get("level").unwrap(), "urgent");
    w.at("12m").rings("alice", "sms");
    w.at("17m").rings("alice", "call").rings("bob", "call");
    w.at("37m").posts("siren").posts("ops-slack");
}

#[test]
fn what_raises_it_says_by_which_channels() {
    let mut w = World::calm();
    let n = w.open_with(|r| {
        (r.level, r.fingerprint, r.channels) = (level("low"), Some("disk".into()), names(&["mail"]));
    });
    w.at("0m").rings("ops@example.org", "mail");
    let again = w.open_with(|r| {
        (r.level, r.fingerprint, r.channels) = (level("high"), Some("disk".into()), names(&["ops-slack"]));
    });
    assert_eq!(n, again);
    w.at("0m").posts("ops-slack").nothing_else();
    w.at("4h").posts_again("ops-slack").nothing_else();
}

#[test]
fn after_resolution_it_is_a_new_one_with_a_new_number() {
    let mut w = World::calm();
    let first = report(&mut w, "low");
    w.resolve(first);
    let second = report(&mut w, "low");
    assert_eq!((first, second), (1, 2));
    w.untold();
    assert_eq!(w.incident(first).status, IncidentStatus::Resolved);
    assert_eq!(w.read(Read::Incidents { all: true })["incidents"].as_array().unwrap().len(), 2);
    assert_eq!(w.read(Read::Incidents { all: false })["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn without_a_policy_it_is_one_sending() {
    let mut w = World::calm();
    w.open_with(|r| (r.level, r.policy, r.to) = (level("urgent"), Some("none".into()), who(&["bob"])));
    w.at("0m").posts("siren").rings("bob", "sms").posts("ops-slack").rings("bob", "mail");
    w.quiet_until("59m59s");
}

#[test]
fn the_request_says_which_policy_before_the_level() {
    let mut w = World::calm();
    w.open_with(|r| (r.level, r.policy) = (level("low"), Some("page".into())));
    w.at("0m").posts("siren").posts("ops-slack");
    w.at("5m").rings("alice", "sms");
    let refusal = w.fails(Ask::Open(crate::engine::OpenRequest {
        subject: "x".into(),
        policy: Some("pager".into()),
        ..Default::default()
    }));
    assert_eq!((refusal.code, refusal.field.as_deref()), (Code::NotFound, Some("policy")));
    w.quiet_until("9m59s");
}

#[test]
fn a_policy_stands_instead_of_what_the_request_names() {
    let mut w = World::calm();
    w.open_with(|r| (r.level, r.to, r.channels) = (level("urgent"), who(&["bob"]), names(&["mail"])));
    w.at("0m").posts("siren").posts("ops-slack");
    w.at("5m").rings("alice", "sms");
    w.at("10m").rings("alice", "call").rings("bob", "call");
}

#[test]
fn its_labels_name_source_and_type() {
    let mut w = World::calm();
    let n = w.open_with(|r| (r.level, r.kind_of) = (level("low"), Some("disk".into())));
    w.untold();
    let labels = &w.incident(n).labels;
    assert_eq!(
        (labels.get("source").unwrap(), labels.get("type").unwrap(), labels.get("level").unwrap()),
        ("manual", "disk", "low")
    );
}

#[test]
fn resolution_supersedes_all_that_waits_and_tells_those_who_were_told() {
    let mut w = World::calm();
    w.channel("ops-slack", timeout());
    let n = w.open("high");
    w.at("0m").rings("ops@example.org", "mail").posts("ops-slack").nothing_else();
    w.resolve(n);
    // An attempt was begun at both places; at one of them nobody answers, so that its notice waits.
    w.at("0m").notice("resolved", "ops@example.org", "mail").notice("resolved", "", "ops-slack").nothing_else();
    let of_alarm: Vec<String> = w.told().into_iter().filter(|t| t.starts_with("ops-slack")).collect();
    assert_eq!(of_alarm[0], "ops-slack - superseded: resolved");
    assert!(w.all_until("1m").iter().all(|h| h.channel == "ops-slack" && kind(&h.origin) == "resolved"));
    w.all_until("2d");
}

#[test]
fn a_waiting_notice_of_the_acknowledgement_ends_with_the_incident() {
    let toml = calm().replace(
        "kind        = \"slack\"\nwebhook_url",
        "kind        = \"slack\"\nupdates = [\"acknowledged\"]\nwebhook_url",
    );
    let mut w = World::with(&toml);
    w.channel("ops-slack", timeout());
    let n = w.open("high");
    w.ack(n, "alice");
    w.resolve(n);
    w.untold();
    let slack: Vec<String> = w.told().into_iter().filter(|t| t.starts_with("ops-slack")).collect();
    assert_eq!(slack, ["ops-slack - superseded: acknowledged by alice", "ops-slack - superseded: resolved"]);
    w.quiet_until("2d");
}

#[test]
fn resolved_twice_is_a_conflict() {
    let mut w = World::calm();
    let n = w.open("low");
    w.resolve(n);
    w.untold();
    assert_eq!(w.fails(Ask::Resolve { id: n.to_string(), note: None }).code, Code::Conflict);
    assert_eq!(w.fails(Ask::Resolve { id: "99".into(), note: None }).code, Code::NotFound);
    assert_eq!(w.fails(ack(n, None)).code, Code::Conflict);
}

#[test]
fn it_is_found_by_number_hash_and_the_end_of_its_id() {
    let mut w = World::calm();
    let n = w.open("low");
    w.untold();
    let id = w.incident(n).id.to_string();
    for name in ["1", "#1", &id, &id[20..], &id[20..].to_lowercase()] {
        assert_eq!(w.read(Read::Incident(name.to_owned()))["number"], 1, "{name}");
    }
    assert_eq!(w.fails(Ask::Read(Read::Incident("abc".into()))).code, Code::NotFound);
}

#[test]
fn numbers_count_up_and_are_never_used_twice() {
    let mut w = World::calm();
    let n = w.open("low");
    w.resolve(n);
    w.down_for("1h");
    assert_eq!(w.open("low"), n + 1);
    w.untold();
}

#[test]
fn a_refused_config_opens_one_at_level_normal_and_a_good_one_ends_it() {
    let mut w = World::calm();
    w.does(Ask::ConfigRefused { hash: "ab".into(), errors: vec!["stentor.toml:3:1: unknown key".into()] });
    w.at("0m").rings("ops@example.org", "mail").nothing_else();
    assert_eq!(w.incident(1).labels.get("source").unwrap(), "self");
    w.quiet_until("1h");
    w.reload(&calm());
    w.at("1h").notice("resolved", "ops@example.org", "mail").nothing_else();
    assert_eq!(w.count(|e| matches!(e, EventKind::IncidentResolved { .. })), 1);
}
