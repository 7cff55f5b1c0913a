//! Acknowledgement and its opposites, snooze, who may, and who hears of it.

use super::world::asks::*;
use super::world::*;
use crate::config::Config;
use crate::domain::event::EventKind;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::engine::{Ask, Caller, Code, IncidentStatus, Role};
use serde_json::json;

// ---- what it stops

#[test]
fn from_then_on_no_attempt_starts_and_no_step_fires() {
    let mut w = World::calm();
    w.channel("ops-slack", timeout());
    let n = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.all_until("4m");
    assert_eq!(w.status("ops-slack", ""), "waiting");
    w.ack(n, "alice");
    let notices = w.untold();
    assert!(notices.iter().all(|h| kind(&h.origin) == "acknowledged"), "{notices:?}");
    assert_eq!(w.told()[1], "ops-slack - superseded: acknowledged by alice");
    w.channel("ops-slack", Says::Yes);
    assert!(w.all_until("1d").iter().all(|h| kind(&h.origin) == "acknowledged"));
}

#[test]
fn one_in_flight_runs_to_its_end() {
    let mut w = World::calm();
    w.channel_takes("ops-slack", "10s");
    let n = w.open("high");
    w.at("0m").rings("ops@example.org", "mail").posts("ops-slack");
    w.quiet_until("5s");
    w.ack(n, "alice");
    w.at("5s").notice("acknowledged", "ops@example.org", "mail").nothing_else();
    // Nobody hears that it is over before they hear that it began.
    w.at("10s").notice("acknowledged", "", "ops-slack").nothing_else();
    w.quiet_until("25s");
    let slack: Vec<String> = w.told().into_iter().filter(|t| t.starts_with("ops-slack")).collect();
    assert_eq!(slack, ["ops-slack - delivered", "ops-slack - delivered"]);
}

#[test]
fn one_in_flight_that_fails_is_not_tried_again() {
    let mut w = World::calm();
    w.channel_takes("sms", "10s").channel_first("sms", [timeout()]);
    let n = w.open_with(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.at("0m").rings("alice", "sms");
    w.quiet_until("5s");
    w.ack(n, "alice");
    w.quiet_until("1h");
    assert_eq!(w.told(), ["sms alice superseded: acknowledged by alice"]);
}

#[test]
fn it_stays_open_in_the_sense_of_not_resolved() {
    let mut w = World::calm();
    let n = w.open("high");
    w.ack(n, "alice");
    w.untold();
    let i = w.incident(n);
    assert!(i.is_live());
    assert_eq!((i.status, i.acknowledged_by.as_deref()), (IncidentStatus::Acknowledged, Some("alice")));
    w.quiet_until("2d");
}

#[test]
fn acknowledged_already_says_by_whom() {
    let mut w = World::calm();
    let n = w.open("high");
    w.ack(n, "alice");
    w.untold();
    let again = w.ack(n, "bob");
    assert_eq!(again["incidents"][0]["acknowledged_by"], "alice");
    w.quiet_until("1h");
}

#[test]
fn without_a_number_it_is_the_only_one() {
    let mut w = World::calm();
    let all = || Ask::Acknowledge { id: None, note: None, by: Some("alice".into()), via: "command".into() };
    assert_eq!(w.fails(all()).code, Code::NotFound);
    let n = w.open("low");
    assert_eq!(number(&w.does(all())), n);
    let refusal = w.fails(all());
    assert_eq!(refusal.code, Code::NotFound);
    assert!(
        refusal.message.contains("the last acknowledged is #1 disk full (by alice at 12:00)"),
        "{}",
        refusal.message
    );
    let (_, _) = (w.open("low"), w.open("low"));
    let refusal = w.fails(all());
    assert_eq!(refusal.code, Code::Conflict);
    assert!(refusal.message.contains("#2 low disk full") && refusal.message.contains("#3"), "{}", refusal.message);
    w.untold();
}

// ---- who may

#[test]
fn a_person_who_was_told_may_and_nobody_else() {
    let mut w = World::calm();
    let n = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    // Alice was not told yet.
    assert_eq!(w.ask(person("alice"), ack(n, None)).unwrap_err().code, Code::Forbidden);
    w.at("5m").rings("alice", "sms");
    assert_eq!(w.ask(person("bob"), ack(n, None)).unwrap_err().code, Code::Forbidden);
    let answer = w.ask(person("alice"), ack(n, None)).unwrap();
    assert_eq!(answer["incidents"][0]["acknowledged_by"], "alice");
    w.at("5m").notice("acknowledged", "", "ops-slack").nothing_else();
    w.quiet_until("1d");
}

#[test]
fn an_operator_may_and_a_viewer_may_not() {
    let mut w = World::calm();
    let n = w.open("low");
    w.untold();
    let viewer = Caller { role: Role::Viewer, ..operator() };
    assert_eq!(w.ask(viewer, ack(n, None)).unwrap_err().code, Code::Forbidden);
    assert_eq!(w.ask(operator(), ack(n, None)).unwrap()["incidents"][0]["acknowledged_by"], "uid 1000");
    w.untold();
}

#[test]
fn a_client_can_acknowledge_nothing() {
    let mut w = World::calm();
    let n = w.open_with(|r| (r.level, r.to) = (level("low"), who(&["carol"])));
    w.at("0m").rings("carol", "mail");
    assert_eq!(w.ask(person("carol"), ack(n, None)).unwrap_err().code, Code::Forbidden);
}

#[test]
fn being_told_by_a_fixed_channel_makes_nobody_a_person_who_was_told() {
    // A text that fell back to slack was told to slack.
    let toml = calm().replace("fallback = \"sms-gateway\"", "fallback = \"ops-slack\"");
    let mut w = World::with(&toml);
    w.channel("sms", refused()).channel("sms-telnyx", refused());
    let n = w.open_with(|r| (r.level, r.channels) = (level("high"), names(&["sms"])));
    w.at("0m").rings("alice", "sms").rings("alice", "sms-telnyx").posts("ops-slack");
    w.ack(n, "alice");
    w.at("0m").notice("acknowledged", "", "ops-slack").nothing_else();
}

// ---- unack, snooze, ack_timeout

#[test]
fn unack_starts_again_at_the_first_step_as_if_opened_now() {
    let mut w = World::calm();
    let n = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.at("5m").rings("alice", "sms");
    w.ack(n, "alice");
    w.at("5m").notice("acknowledged", "", "ops-slack");
    w.quiet_until("1h");
    w.unack(n);
    w.at("1h").posts("siren").posts("ops-slack").nothing_else();
    w.at("65m").rings("alice", "sms");
    w.at("70m").rings("alice", "call").rings("bob", "call");
    w.at("90m").posts("siren").posts("ops-slack");
    assert_eq!(w.fails(Ask::Unacknowledge { id: n.to_string() }).code, Code::Conflict);
}

#[test]
fn unack_without_a_policy_is_the_one_sending_again() {
    let mut w = World::calm();
    let n = w.open("high");
    w.ack(n, "alice");
    w.untold();
    w.quiet_until("1h");
    w.unack(n);
    w.at("1h").rings("ops@example.org", "mail").posts("ops-slack");
    w.at("5h").reminds("ops@example.org", "mail").posts_again("ops-slack");
}

#[test]
fn unack_forgets_the_rounds_that_were_escalated_to() {
    let mut w = World::calm();
    let n = w.open("urgent");
    w.all_until("2h30m");
    w.escalate(n);
    w.untold();
    w.ack(n, "alice");
    w.unack(n);
    w.untold();
    assert_eq!(w.read(crate::engine::Read::Incident(n.to_string()))["rounds"], 4);
}

#[test]
fn a_snooze_acknowledges_for_a_while() {
    let mut w = World::calm();
    let n = w.open("urgent");
    w.at("0m").posts("siren").posts("ops-slack");
    w.quiet_until("1m");
    w.snooze(n, "30m");
    w.at("1m").notice("acknowledged", "", "ops-slack").nothing_else();
    assert!(w.sounding().is_empty());
    w.quiet_until("30m59s");
    w.at("31m").posts("siren").posts("ops-slack");
    w.at("36m").rings("alice", "sms");
    assert_eq!(w.fails(Ask::Snooze { id: n.to_string(), span: span("500ms") }).field.as_deref(), Some("for"));
}

#[test]
fn a_snooze_of_an_acknowledged_one_tells_nobody_and_ends_the_acknowledgement() {
    let mut w = World::calm();
    let n = w.open("high");
    w.ack(n, "alice");
    w.untold();
    w.snooze(n, "1h");
    w.quiet_until("59m");
    w.at("1h").rings("ops@example.org", "mail").posts("ops-slack");
    assert_eq!(w.incident(n).acknowledged_by, None);
}

#[test]
fn a_snooze_outlives_a_restart() {
    let mut w = World::calm();
    let n = w.open("high");
    w.snooze(n, "1h");
    w.untold();
    w.down_for("30m");
    w.quiet_until("59m");
    w.down_for("2m");
    w.at("61m").rings("ops@example.org", "mail").posts("ops-slack").nothing_else();
}

#[test]
fn an_acknowledgement_that_is_not_followed_by_the_end_is_withdrawn() {
    let toml = calm().replace("# ack_timeout = \"2h\"", "ack_timeout = \"2h\"");
    let mut w = World::with(&toml);
    let n = w.open("urgent");
    w.ack(n, "alice");
    w.untold();
    w.quiet_until("1h59m");
    w.at("2h").posts("siren").posts("ops-slack").nothing_else();
    assert_eq!(w.incident(n).status, IncidentStatus::Open);
    w.ack(n, "alice");
    w.untold();
    w.resolve(n);
    w.untold();
    w.quiet_until("1d");
}

#[test]
fn an_acknowledgement_counts_from_being_durable() {
    // It and everything that follows from it are one frame.
    let mut w = World::calm();
    let n = w.open("urgent");
    w.ack(n, "bob");
    w.untold();
    let frame = w.frames.iter().find(|f| f.events.iter().any(|e| e.head.name() == "incident_acknowledged")).unwrap();
    let names: Vec<&str> = frame.events.iter().map(|e| e.head.name()).collect();
    assert!(names.contains(&"sound_stopped") && names.contains(&"notification_accepted"), "{names:?}");
}

#[test]
fn resolving_what_still_fails_warns_that_it_will_open_anew() {
    let mut w = World::calm();
    w.metric("deal.spacex-n.remaining", 1.0);
    let answer = w.resolve(1);
    let warning = answer["incidents"][0]["still_broken"].as_str().unwrap();
    assert!(warning.contains("spacex-capacity is breached"), "{warning}");
    w.untold();
}

#[test]
fn the_config_of_the_stories_is_the_one_of_the_example() {
    let config: &Config = &World::calm().config();
    assert_eq!(config.policies["page"].steps.len(), 3);
    assert_eq!(World::calm().count(|e| matches!(e, EventKind::Started { .. })), 1);
}

#[test]
fn a_sound_that_is_stopped_before_it_was_heard_is_no_dead_letter() {
    let late = Failure::new(FailureClass::FinalFailure, Blame::Message, "silenced before it was heard");
    let mut w = World::calm();
    w.channel("siren", Says::Fails(late)).channel_takes("siren", "1s");
    w.send(|r| (r.level, r.channels) = (level("urgent"), Some(vec!["siren".into()])));
    w.does(Ask::StopSound);
    w.untold();
    w.run_until(span("2s"));
    assert_eq!(w.told(), ["siren - superseded: silenced before it was heard"]);
    assert!(w.sounding().is_empty());
}

/// A snooze acknowledges too, but only until it is over.
#[test]
fn an_acknowledgement_of_what_is_snoozed_is_for_good() {
    let mut w = World::calm();
    let n = w.open("urgent");
    w.snooze(n, "10m");
    w.untold();
    let answer = w.ack(n, "bob");
    let shown = &answer["incidents"][0];
    assert_eq!((&shown["already"], &shown["acknowledged_by"]), (&false.into(), &"bob".into()));
    assert!(shown["stopped"][0].as_str().unwrap().starts_with("the end of the snooze at "), "{shown}");
    assert!(shown["snoozed_until"].is_null(), "{shown}");
    w.quiet_until("12h");
    let again = w.ack(n, "bob");
    let again = &again["incidents"][0];
    assert_eq!((&again["already"], &again["stopped"], &again["told"]), (&true.into(), &json!([]), &json!([])));
}

/// It was under way when its place was taken: its failure is no reason to send it again beside the new one.
#[test]
fn what_fails_when_a_newer_one_is_there_for_the_same_place_is_not_tried_again() {
    let mut w = World::with(&calm().replace(r#"policy   = "page" "#, r#"policy   = "none" "#));
    w.channel_first("ops-slack", [Says::Hangs]);
    let number = w.open_with(|r| (r.level, r.channels) = (level("urgent"), names(&["ops-slack"])));
    w.untold();
    w.run_for("1s");
    w.ack(number, "bob");
    w.run_for("1s");
    w.unack(number);
    let tries = w.all_until("30m");
    let alarms = tries.iter().filter(|h| h.channel == "ops-slack").count();
    assert_eq!(alarms, 1, "the new one, once: {tries:?}");
    assert!(w.told().contains(&"ops-slack - superseded: by a newer one".to_owned()), "{:?}", w.told());
}

#[test]
fn a_webhook_hears_once_that_an_incident_opened() {
    let mut w = World::calm();
    let number = w.open_with(|r| {
        (r.level, r.channels, r.policy) = (level("high"), names(&["hook"]), Some("none".into()));
    });
    let opened = w.untold().remove(0).text;
    assert!(opened.contains(r#""kind":"incident.opened""#), "{opened}");
    w.ack(number, "bob");
    w.untold();
    w.unack(number);
    let again = w.untold().remove(0).text;
    assert!(again.contains(r#""kind":"incident.step""#), "{again}");
    w.resolve(number);
    w.untold();
}
