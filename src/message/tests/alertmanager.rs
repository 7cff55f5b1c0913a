use super::*;
use crate::domain::delivery::Format;
use crate::message::tests::render;
use serde_json::{Value, json};

fn document(context: &Context<'_>) -> Value {
    serde_json::from_str(&render(Format::Alertmanager, None, context).text).unwrap()
}

#[test]
fn an_incident_is_one_alert_that_fires() {
    let story = Story::new();
    let document = document(&story.alarm("incident.opened"));
    assert_eq!((document["version"].as_str(), document["status"].as_str()), (Some("4"), Some("firing")));
    assert_eq!(document["groupLabels"], json!({ "alertname": "twilio" }));
    let alert = &document["alerts"][0];
    assert_eq!((&alert["labels"], &alert["annotations"]), (&document["commonLabels"], &document["commonAnnotations"]));
    assert_eq!(
        (alert["labels"]["severity"].as_str(), alert["labels"]["source"].as_str()),
        (Some("critical"), Some("heartbeat"))
    );
    assert_eq!(alert["annotations"]["summary"], story.alarm("incident.opened").subject);
    assert_eq!(alert["startsAt"], "2026-11-20T02:46:00.000+01:00");
    assert_eq!(alert["endsAt"], "0001-01-01T00:00:00Z");
    let fingerprint = alert["fingerprint"].as_str().unwrap();
    assert!(fingerprint.len() == 16 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()), "{fingerprint}");
    assert!(
        document["truncatedAlerts"] == 0 && document["receiver"].is_string() && document["externalURL"].is_string()
    );
}

#[test]
fn it_says_why_it_is_posted() {
    let story = Story::new();
    for (kind, reason) in [
        ("incident.opened", "first notification"),
        ("incident.reminder", "repeat interval elapsed"),
        ("incident.resolved", "all alerts resolved"),
    ] {
        let document = document(&story.alarm(kind));
        assert_eq!(
            (&document["notification_reason"], &document["routeLabels"]),
            (&json!(reason), &json!({})),
            "{kind}"
        );
    }
}

#[test]
fn its_end_is_the_same_alert_resolved() {
    let story = Story::new();
    let opened = document(&story.alarm("incident.opened"));
    let mut context = story.alarm("incident.resolved");
    context.incident.as_mut().unwrap().lasted = Some(Span::mins(12));
    let resolved = document(&context);
    assert_eq!(
        (resolved["status"].as_str(), resolved["alerts"][0]["status"].as_str()),
        (Some("resolved"), Some("resolved"))
    );
    assert_eq!(resolved["alerts"][0]["endsAt"], "2026-11-20T02:58:00.000+01:00");
    assert_eq!(resolved["alerts"][0]["fingerprint"], opened["alerts"][0]["fingerprint"]);
    assert_eq!(resolved["groupKey"], opened["groupKey"]);
}

#[test]
fn a_message_without_an_incident_and_labels_of_its_own_is_an_alert_too() {
    let mut story = Story::new();
    story.labels = map(&[("alertname", "DiskFull"), ("severity", "page")]);
    let mut context = story.alarm("notification");
    context.incident = None;
    let labels = &document(&context)["alerts"][0]["labels"];
    assert_eq!((labels["alertname"].as_str(), labels["severity"].as_str()), (Some("DiskFull"), Some("page")));
}
