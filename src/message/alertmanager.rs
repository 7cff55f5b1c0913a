//! What Prometheus' Alertmanager posts to a webhook, version 4, for receivers that are made for it:
//! one alert, that of the incident (prometheus.io/docs/alerting/latest/configuration, webhook_config).

use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::message::context::Context;
use crate::message::phrase::Says;
use serde_json::json;

/// Stands where there is no end yet.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The document as one line.
pub fn text(context: &Context<'_>) -> String {
    let status = if Says::of(context) == Says::Resolved { "resolved" } else { "firing" };
    let labels = labels(context);
    let annotations = annotations(context);
    let name: Labels = labels.iter().filter(|(name, _)| *name == "alertname").collect();
    let key = fingerprint(context, &labels);
    let (starts, ends) = span(context);
    json!({
        "version": "4", "groupKey": format!("{{}}:{{alertname={:?}}}:{key}", name.values().next().unwrap_or_default()),
        "truncatedAlerts": 0, "status": status, "receiver": "stentor", "groupLabels": name, "commonLabels": labels,
        "commonAnnotations": annotations, "externalURL": context.link.as_deref().unwrap_or_default(),
        "notification_reason": reason(context), "routeLabels": {},
        "alerts": [{
            "status": status, "labels": labels, "annotations": annotations, "startsAt": starts, "endsAt": ends,
            "generatorURL": context.link.as_deref().unwrap_or_default(), "fingerprint": key,
        }],
    })
    .to_string()
}

/// Why it is posted, in Alertmanager's words.
fn reason(context: &Context<'_>) -> &'static str {
    match context.kind {
        "incident.resolved" => "all alerts resolved",
        "incident.step" | "incident.reminder" | "incident.acknowledged" => "repeat interval elapsed",
        _ => "first notification",
    }
}

/// An alert has a name and a severity, whoever reported it.
fn labels(context: &Context<'_>) -> Labels {
    let mut labels = context.labels.clone();
    let name = context.labels.get("name").filter(|name| !name.is_empty());
    labels.fill("alertname", name.unwrap_or(context.kind_of));
    let severity = match context.level {
        Level::Urgent => "critical",
        Level::High => "error",
        Level::Normal => "warning",
        Level::Low => "info",
    };
    labels.fill("severity", severity);
    labels
}

fn annotations(context: &Context<'_>) -> Labels {
    let mut annotations = context.annotations.clone();
    for (name, value) in [("summary", context.subject), ("description", context.body)] {
        if !value.is_empty() {
            annotations.fill(name, value);
        }
    }
    annotations
}

/// 16 hex digits, the same as long as it is the same incident.
fn fingerprint(context: &Context<'_>, labels: &Labels) -> String {
    let what = match &context.incident {
        Some(about) => about.fingerprint.to_owned(),
        None => labels.iter().map(|(name, value)| format!("{name}={value}\n")).collect(),
    };
    blake3::hash(what.as_bytes()).to_hex()[..16].to_owned()
}

fn span(context: &Context<'_>) -> (String, String) {
    let said = |at: Timestamp| at.rfc3339(&context.zone);
    let Some(about) = &context.incident else { return (said(context.at), NEVER.to_owned()) };
    let ends = about.lasted.filter(|_| Says::of(context) == Says::Resolved);
    (said(about.opened_at), ends.map_or_else(|| NEVER.to_owned(), |lasted| said(about.opened_at + lasted)))
}
