//! What people are told by the engine itself: the words of alarms, of answers, of lists.

use super::world::asks::*;
use super::world::*;
use crate::engine::{Ask, Read};
use serde_json::{Value, json};

/// The example, with this heartbeat on.
fn with_heartbeat(name: &str) -> World {
    let head = format!("[heartbeats.{name}]");
    World::with(&calm().replace(&format!("{head}\nenabled = false"), &head))
}

/// Twilio refuses its credentials from 12:05 on; the second failure, at 12:10, opens #1.
fn twilio_refuses() -> World {
    let mut w = with_heartbeat("twilio");
    w.probe("sms", refused());
    w.all_until("10m10s");
    w
}

fn one(list: &Value, name: &str) -> Value {
    list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
}

#[test]
fn a_heartbeat_is_broken_since_its_first_failure() {
    let mut w = with_heartbeat("twilio");
    w.probe("sms", refused());
    let told = w.all_until("11m");
    let slack = told.iter().find(|h| h.channel == "ops-slack").unwrap();
    let first = slack.text.lines().next().unwrap();
    assert_eq!(
        first, "HIGH #1 prague-1: Twilio-sms credentials refused since 12:05",
        "a stand-in's provider is its kind"
    );
    assert_eq!(
        w.incident(1).content.body,
        "Heartbeat twilio failed 2 times in a row, since 12:05.\nThe last answer: 401 Authenticate"
    );
}

#[test]
fn a_passive_one_is_missed_since_its_last_ping() {
    let mut w = with_heartbeat("backup-job");
    w.run_for("3h");
    w.ping("backup-job");
    let told = w.all_until("1d4h");
    let slack = told.iter().find(|h| h.channel == "ops-slack").unwrap();
    let first = slack.text.lines().next().unwrap();
    assert_eq!(first, "HIGH #1 prague-1: No ping from backup-job since 6 Jan 15:00");
    let shown = w.read(Read::Heartbeats);
    let job = one(&shown["heartbeats"], "backup-job");
    assert_eq!((&job["status"], &job["detail"]), (&json!("late"), &json!("the last ping was 2026-01-06 15:00")));
}

#[test]
fn an_acknowledgement_says_what_stops_who_is_told_and_until_when_it_stays_open() {
    let mut w = World::calm();
    w.channel("call", timeout());
    let n = w.open("urgent");
    w.all_until("11m");
    let answer = w.ack(n, "bob");
    let incident = &answer["incidents"][0];
    assert_eq!(incident["stopped"], json!(["siren", "alice by call", "bob by call", "round 2 at 12:30"]));
    assert_eq!(incident["told"], json!(["ops-slack", "alice by sms"]));
    assert_eq!(incident["still_broken"], Value::Null, "who opened it by hand knows better");
    w.untold();

    let mut w = twilio_refuses();
    let answer = w.ack(1, "bob");
    assert_eq!(answer["incidents"][0]["still_broken"], "it stays open until the heartbeat passes");
    w.untold();
    let mut w = World::calm();
    w.metric("deal.spacex-n.remaining", 1.0);
    let answer = w.ack(1, "bob");
    assert_eq!(answer["incidents"][0]["still_broken"], "it stays open until the value is back");
    w.untold();
}

#[test]
fn the_end_by_hand_says_the_same_and_warns() {
    let mut w = twilio_refuses();
    let answer = w.resolve(1);
    let incident = &answer["incidents"][0];
    assert_eq!(incident["stopped"], json!(["reminder at 16:10"]));
    assert_eq!(incident["told"], json!(["ops@example.org by mail", "ops-slack"]));
    let warning = "heartbeat twilio fails, and opens a new incident if it goes on";
    assert_eq!(incident["still_broken"], warning);
    w.untold();
}

#[test]
fn a_page_of_what_is_open_says_whether_it_was_raised() {
    let mut w = World::calm();
    let mut page = |word: &str| {
        let level = level(word);
        w.does(Ask::Open(crate::engine::OpenRequest {
            level,
            subject: "disk full".into(),
            fingerprint: Some("disk".into()),
            ..Default::default()
        }))["incidents"][0]["raised"]
            .clone()
    };
    assert_eq!(
        (page("high"), page("high"), page("urgent"), page("low")),
        (false.into(), false.into(), true.into(), false.into())
    );
    w.untold();
}

#[test]
fn a_silenced_incident_shows_when_it_will_speak() {
    let mut w = World::calm();
    w.silence("source=manual", "20m");
    let n = w.open("urgent");
    let shown = w.read(Read::Incident(n.to_string()));
    assert_eq!(shown["silenced_until"], "2026-01-06T12:20:00.000+01:00");
    let next = &shown["next"];
    assert_eq!((&next["at"], &next["what"]), (&shown["silenced_until"], &json!("restart")));
    assert_eq!(next["channels"], json!(["siren", "ops-slack"]), "the policy's first step");
}

#[test]
fn a_probe_that_passes_is_a_proof_of_its_channel() {
    let mut w = with_heartbeat("twilio");
    w.run_for("6m");
    let shown = w.read(Read::Channels);
    let at = |name: &str| one(&shown["channels"], name)["last_proof_at"].clone();
    assert_eq!((at("sms"), at("mail")), (json!("2026-01-06T12:05:02.000+01:00"), Value::Null));
}

#[test]
fn a_test_says_who_asked_and_that_nothing_is_wrong() {
    let mut w = World::calm();
    let ask = Ask::Test { channels: vec!["sms".into(), "mail".into()], to: who(&["alice"]).unwrap(), force: false };
    w.does(ask);
    let told = w.untold();
    let texts: Vec<&str> = told.iter().map(|h| h.text.as_str()).collect();
    let who = operator().name;
    assert!(
        texts.contains(&format!("TEST prague-1: Nothing is wrong, {who} asked for this message").as_str()),
        "{texts:?}"
    );
    assert!(texts.contains(&format!("[TEST] Nothing is wrong, {who} asked for this message").as_str()), "{texts:?}");
}

#[test]
fn an_explanation_calls_a_delivery_by_what_it_was_made_for() {
    let mut w = World::calm();
    w.channel_first("sms", [timeout()]);
    w.send(|r| (r.level, r.channels, r.to) = (level("low"), names(&["sms", "mail"]), who(&["bob"])));
    w.all_until("1h");
    let mut story = crate::engine::Story::default();
    let told: Vec<String> =
        w.events().filter_map(|head| story.explain(head)).map(|(what, why)| format!("{what} ({why})")).collect();
    for line in [
        "sms for bob: ready (named by the request; what it leaves out, by its level)",
        "sms for bob: attempt 1 by sms (a slot was free)",
        "sms for bob: attempt 2 by sms (its time to be tried again has come)",
        "mail for bob: sent ()",
    ] {
        assert!(told.iter().any(|t| t == line), "{line:?} is not in {told:#?}");
    }
}

#[test]
fn an_explanation_says_where_each_delivery_comes_from() {
    let mut w = World::calm();
    w.open("urgent");
    w.all_until("6m");
    w.ack(1, "bob");
    w.metric("deal.spacex-n.remaining", 1.0);
    w.all_until("1h");
    let mut story = crate::engine::Story::default();
    let told: Vec<String> =
        w.events().filter_map(|head| story.explain(head)).map(|(what, why)| format!("{what} ({why})")).collect();
    for line in [
        "siren: ready (named by the step; what it leaves out, by the level)",
        "sms for alice: ready (named by the step; what it leaves out, by the level; on call at that moment)",
        "sms for alice: ready (told of the incident by this way, so also of this)",
        "#2 opened at level high (reported by watch spacex-capacity; no policy: its own channels, mail, sms, once)",
        "mail for carol: ready (named by what opened it; what that leaves out, by its level)",
    ] {
        assert!(told.iter().any(|t| t == line), "{line:?} is not in {told:#?}");
    }
}
