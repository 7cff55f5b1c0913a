use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::support::{INCIDENT, KEY, about, channel, is, json, out, told};
use std::sync::Arc;
use stentor::channel::{Channel, Occasion};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::level::Level;
use stentor::domain::time::Span;

fn pagerduty(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    let at = standins.addresses();
    channel(
        "pagerduty",
        &format!("base_url = \"{}\"\nrouting_key = \"{}\"\n{more}", at.pagerduty, at.pagerduty_routing_key),
    )
}

#[tokio::test]
async fn an_incident_is_one_alert_from_its_trigger_to_its_end() {
    let standins = Standins::start().await;
    let pagerduty = pagerduty(&standins, "");
    assert!(pagerduty.follows_incidents());
    for occasion in [Occasion::Opened, Occasion::Step, Occasion::Reminder, Occasion::Acknowledged, Occasion::Resolved] {
        let result = pagerduty.send(&about(occasion, "URGENT #417 prague-1: Twilio credentials refused")).await;
        let provider_id = Some(INCIDENT.into());
        assert_eq!(result, AttemptResult::Delivered { provider_id, detail: "PagerDuty says Event processed".into() });
    }
    let sent: Vec<_> = standins.recorded("pagerduty").iter().map(json).collect();
    let actions: Vec<_> = sent.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "trigger", "trigger", "acknowledge", "resolve"]);
    assert!(sent.iter().all(|event| event["dedup_key"] == INCIDENT));
    assert_eq!(
        sent[0],
        serde_json::json!({
            "routing_key": standins.addresses().pagerduty_routing_key, "event_action": "trigger",
            "dedup_key": INCIDENT, "client": "stentor",
            "payload": {
                "summary": "Twilio credentials refused", "source": "prague-1", "severity": "critical",
                "component": "twilio", "group": "heartbeat", "class": "probe",
                "custom_details": {
                    "message": "URGENT #417 prague-1: Twilio credentials refused", "body": "401 Authenticate",
                    "incident": "#417", "level": "urgent", "delivery": KEY,
                    "labels": { "level": "urgent", "name": "twilio", "source": "heartbeat", "type": "probe" },
                },
            },
        })
    );
}

#[tokio::test]
async fn a_message_without_an_incident_is_an_alert_by_itself() {
    let standins = Standins::start().await;
    for (level, severity) in
        [(Level::Urgent, "critical"), (Level::High, "error"), (Level::Normal, "warning"), (Level::Low, "info")]
    {
        let mut message = out(None, "", "disk full\non db-1");
        message.level = level;
        message.matter.occasion = Occasion::Test;
        assert!(pagerduty(&standins, "").send(&message).await.success().is_some());
        let event = json(standins.recorded("pagerduty").last().unwrap());
        assert_eq!((event["dedup_key"].as_str(), event["event_action"].as_str()), (Some(KEY), Some("trigger")));
        assert_eq!(event["payload"]["summary"], "disk full on db-1");
        assert_eq!(event["payload"]["severity"], severity);
    }
}

#[tokio::test]
async fn long_texts_are_cut_to_what_pagerduty_takes() {
    let standins = Standins::start().await;
    let mut message = about(Occasion::Opened, &"ü".repeat(200_000));
    message.matter.subject = "ä".repeat(5000);
    message.matter.body = "🔥".repeat(200_000);
    for n in 0..100 {
        Arc::make_mut(&mut message.matter.labels).insert(format!("label_{n}"), "x".repeat(9000));
    }
    let result = pagerduty(&standins, "").send(&message).await;
    assert!(result.success().is_some(), "{result:?}");
    let event = json(&standins.recorded("pagerduty")[0]);
    assert_eq!(event["payload"]["summary"].as_str().unwrap().chars().count(), 1024);
    assert!(event["payload"]["custom_details"]["labels"].is_null(), "what has no bound goes first");
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame_and_a_repetition_harms_nobody() {
    let standins = Standins::start().await;
    let pagerduty = pagerduty(&standins, "timeout = \"300ms\"");
    let message = about(Occasion::Opened, "x");
    for (fault, class, blame, code) in [
        (Fault::status(400), ValidationError, Message, Some("400")),
        (Fault::status(429), RateLimited, Channel, Some("429")),
        (Fault::status(500), ProviderError, Channel, Some("500")),
        (Fault::status(503), ProviderError, Channel, Some("503")),
        (Fault::ErrorInside, ProviderError, Channel, Some("200")),
        (Fault::Html, ProviderError, Channel, Some("200")),
        (Fault::CutAfter, ProviderError, Channel, None),
        (Fault::Hang, Timeout, Channel, None),
    ] {
        standins.set_times("pagerduty", fault, 1);
        let failure = is(pagerduty.send(&message).await, class, blame, false);
        assert_eq!(failure.code.as_deref(), code);
    }
    standins.set_times("pagerduty", Fault::status(429), 1);
    assert_eq!(is(pagerduty.send(&message).await, RateLimited, Channel, false).retry_after, Some(Span::mins(1)));
    standins.set_times("pagerduty", Fault::Status { status: 429, retry_after: Some("120".into()), body: None }, 1);
    assert_eq!(is(pagerduty.send(&message).await, RateLimited, Channel, false).retry_after, Some(Span::mins(2)));
    let settings = format!("base_url = \"{}\"\nrouting_key = \"{}\"", standins.addresses().pagerduty, "0".repeat(32));
    let failure = is(channel("pagerduty", &settings).send(&message).await, AuthError, Account, false);
    assert_eq!(failure.words, "Event object is invalid; Invalid routing key");
}

#[tokio::test]
async fn its_probe_sends_no_event_and_its_description_shows_no_key() {
    let standins = Standins::start().await;
    let pagerduty = pagerduty(&standins, "");
    let words = pagerduty.probe().await.unwrap();
    assert!(words.contains("only when an event is sent"), "{words}");
    assert_eq!(standins.recorded("pagerduty").len(), 0);
    let described = pagerduty.describe(&about(Occasion::Resolved, "x"));
    assert!(
        described.contains("/v2/enqueue\nContent-Type: application/json\n\n{\n")
            && described.contains("\"routing_key\": \"[secret]\""),
        "{described}"
    );
    assert!(
        told("pagerduty", "routing_key = 'short'").starts_with("warning 1:15 routing_key: this does not look like")
    );
}
