#![allow(clippy::unwrap_used)]

use super::words::Told;
use super::{Level, Line, unknown};
use crate::domain::delivery::{ChannelStatus, Status};
use crate::domain::event::{
    AttemptResult, Breaker, ChannelChanged, Event, EventKind, Frame, HeartbeatFinished, HeartbeatStatus, Payload,
    WatchStatus,
};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::domain::time::{EngineTime, Span, Timestamp};
use std::collections::HashMap;
use ulid::Ulid;

const INCIDENT: IncidentId = IncidentId(Ulid(1));
const DELIVERY: DeliveryId = DeliveryId(Ulid(2));

fn opened() -> Event {
    let opened = EventKind::IncidentOpened {
        id: INCIDENT,
        number: 417,
        fingerprint: "heartbeat/twilio".into(),
        level: crate::domain::level::Level::Urgent,
        kind_of: "probe".into(),
        labels: Default::default(),
        opened_by: "heartbeat twilio".into(),
        base: EngineTime(0),
        policy: None,
        rounds: 0,
        channels: None,
        to: None,
        about: None,
        silenced_by: None,
        once: false,
        tenant: None,
        next: None,
    };
    opened.with(Payload { subject: "Twilio\nrefuses".into(), ..Payload::default() })
}

fn created(incident: Option<IncidentId>) -> Event {
    let created = EventKind::DeliveryCreated {
        id: DELIVERY,
        notification: NotificationId(Ulid(3)),
        incident,
        chain: vec!["sms".into()],
        start: 0,
        medium: None,
        who: Some("alice".into()),
        on_call: false,
        forced: false,
        rank: 0,
        status: Status::Ready,
        reason: None,
    };
    created.with(Payload { address: Some("+15550100".into()), ..Payload::default() })
}

fn ended(status: Status) -> Event {
    EventKind::DeliveryEnded { id: DELIVERY, status, reason: None }.bare()
}

fn all(events: &[Event]) -> Vec<Line> {
    let mut told = Told::new(true);
    events.iter().filter_map(|event| told.line(event)).collect()
}

#[test]
fn an_incident_is_told_with_its_number_and_its_deliveries_with_theirs() {
    let resolved =
        EventKind::IncidentResolved { id: INCIDENT, by: "bob".into(), because: "by hand".into(), note: None };
    let lines = all(&[opened(), created(Some(INCIDENT)), ended(Status::Sent), resolved.bare()]);
    let words: Vec<&str> = lines.iter().map(|line| line.words.as_str()).collect();
    assert_eq!(
        words,
        [
            "#417 urgent opened by heartbeat twilio: Twilio refuses",
            "#417 sms for alice: sent",
            "#417 resolved by bob: by hand"
        ]
    );
    assert!(lines.iter().all(|line| line.incident == Some(417)));
    assert_eq!(lines[1].delivery, Some(DELIVERY.to_string()));
    assert_eq!((lines[0].level, lines[1].level, lines[2].level), (Level::WARN, Level::DEBUG, Level::INFO));
    let mut brief = Told::new(false);
    let events = [opened(), created(Some(INCIDENT)), ended(Status::Sent), ended(Status::Dead)];
    let lines: Vec<Line> = events.iter().filter_map(|event| brief.line(event)).collect();
    assert_eq!(lines.len(), 2, "what got out is no news: {lines:?}");
}

#[test]
fn of_one_shots_only_what_goes_wrong_is_told_and_never_an_address() {
    assert_eq!(all(&[created(None), ended(Status::Sent)]), []);
    let failure = Failure::new(FailureClass::Timeout, Blame::Channel, "no answer about +15550100 within 15s");
    let finished = EventKind::AttemptFinished {
        delivery: DELIVERY,
        n: 2,
        channel: "sms".into(),
        medium: None,
        result: AttemptResult::Failed(failure),
    };
    let lines = all(&[created(None), finished.bare(), ended(Status::Dead)]);
    assert_eq!(
        lines[0].words,
        "sms for alice: attempt 2 by sms failed: TIMEOUT (no answer about +155•••00 within 15s)"
    );
    assert_eq!(lines[0].channel.as_deref(), Some("sms"));
    assert_eq!((lines[1].words.as_str(), lines[1].level), ("sms for alice: dead", Level::WARN));
    assert!(!format!("{lines:?}").contains("5550100"), "{lines:?}");
}

#[test]
fn what_stays_as_it_was_is_no_news() {
    let channel = |status| {
        EventKind::ChannelChanged(ChannelChanged {
            channel: "sms".into(),
            status,
            detail: "20003 Authenticate".into(),
            breaker: Breaker::Closed,
            failures: 1,
            retry_at: None,
            gap: Span::ZERO,
        })
        .bare()
    };
    let heartbeat = |status| {
        EventKind::HeartbeatFinished(HeartbeatFinished {
            name: "twilio".into(),
            ok: status == HeartbeatStatus::Ok,
            class: None,
            detail: "20003 Authenticate".into(),
            status,
            failures_in_row: 1,
            failing_since: None,
        })
        .bare()
    };
    use ChannelStatus::{Dead, Ok, Suspect};
    let lines = all(&[Ok, Suspect, Suspect, Dead, Dead, Ok].map(channel));
    let words: Vec<&str> = lines.iter().map(|line| line.words.as_str()).collect();
    assert_eq!(words[..2], ["channel sms is suspect: 20003 Authenticate", "channel sms is dead: 20003 Authenticate"]);
    assert_eq!(lines.len(), 3);
    use HeartbeatStatus::{Failing, Ok as Passes};
    let lines = all(&[Passes, Failing, Failing, Passes].map(heartbeat));
    let words: Vec<&str> = lines.iter().map(|line| line.words.as_str()).collect();
    assert_eq!(words, ["heartbeat twilio fails: 20003 Authenticate", "heartbeat twilio passes"]);
    let watch =
        |status| EventKind::WatchChanged { name: "disk".into(), status, value: None, detail: "7".into() }.bare();
    let lines = all(&[WatchStatus::Ok, WatchStatus::Breached, WatchStatus::Ok].map(watch));
    let words: Vec<&str> = lines.iter().map(|line| line.words.as_str()).collect();
    assert_eq!(words, ["watch disk is breached: 7", "watch disk is well again: 7"]);
}

#[test]
fn what_is_from_before_the_start_is_called_by_its_id() {
    let accepted = EventKind::IncidentReminded { id: INCIDENT, next: None }.bare();
    assert_eq!(all(&[accepted]), [], "the sending at the opening");
    let lines = all(&[ended(Status::Delivered)]);
    assert_eq!(lines[0].words, format!("{DELIVERY}: delivered"));
}

#[test]
fn what_a_simulated_channel_would_have_sent_is_told_without_the_address() {
    let mut told = Told::default();
    told.line(&created(None));
    let detail = "POST https://api.example/Messages.json\nAuthorization: Basic [secret]\n\nTo=+15550100\nBody=x".into();
    let finished = EventKind::AttemptFinished {
        delivery: DELIVERY,
        n: 1,
        channel: "sms".into(),
        medium: None,
        result: AttemptResult::Simulated { detail },
    };
    let EventKind::AttemptFinished { result: AttemptResult::Simulated { detail }, .. } = &finished else { panic!() };
    let said = Payload { body: detail.clone(), ..Payload::default() };
    let silent = EventKind::AttemptFinished {
        delivery: DELIVERY,
        n: 1,
        channel: "sms".into(),
        medium: None,
        result: AttemptResult::Simulated { detail: String::new() },
    };
    let line = told.line(&silent.with(said)).unwrap();
    // As it was written once.
    assert_eq!(told.line(&finished.bare()).unwrap().words, line.words);
    assert_eq!((line.level, line.channel.as_deref()), (Level::INFO, Some("sms")));
    let before = "sms for alice: sms is simulated, and sent nothing: POST https://api.example/Messages.json ";
    assert!(line.words.starts_with(before), "{}", line.words);
    assert!(line.words.contains("Body=x") && !line.words.contains("15550100"), "{}", line.words);
}

#[test]
fn an_incident_that_opens_in_the_same_frame_is_no_stranger() {
    let stranger = IncidentId(Ulid(9));
    let events = vec![opened(), created(Some(INCIDENT)), created(Some(stranger)), created(None)];
    let frame = Frame { seq: 1, at: Timestamp(0), by: "load".into(), recorded_late: false, events };
    assert_eq!(unknown(&HashMap::new(), &frame), [stranger.0]);
    assert_eq!(unknown(&HashMap::from([(stranger, 8)]), &frame), []);
}
