//! From what is recorded to what is told: the documents that a webhook gets and `events` shows.
//!
//! `id` is the incident's in `incident.*`, else the notification's. `body` is as given where the thing
//! begins, and its first 1,000 characters where it goes on.

use super::event_id;
use super::lore::Lore;
use super::words::{About, Asked, Message, Subject};
use crate::api::history::Happened;
use crate::domain::Labels;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Origin, Payload};
use crate::domain::id::{DeliveryId, IncidentId};
use serde::Serialize;

/// One outcome; fields that do not belong to its kind are left out.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    pub seq: u64,
    pub event_id: String,
    pub id: String,
    pub at: String,
    pub kind: &'static str,
    pub from: String,
    pub level: Option<String>,
    #[serde(rename = "type")]
    pub kind_of: Option<String>,
    pub subject: Option<String>,
    pub body: String,
    pub labels: Labels,
    #[serde(flatten)]
    pub asked: Asked,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<About>,
    pub delivery: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who acknowledged or resolved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What this event tells; `None` for most. Events are to be shown in order: the lore learns from each.
pub async fn outcome(lore: &mut Lore, happened: &Happened) -> Option<Outcome> {
    let payload = happened.payload.as_ref();
    match &happened.head {
        EventKind::NotificationAccepted { id, origin, .. } => {
            let kind = match origin {
                Origin::OneShot | Origin::Fomo => "notification",
                Origin::Test => "test",
                // The incident's own event tells it.
                _ => return None,
            };
            let message = lore.message(*id)?;
            Some(Outcome { id: id.to_string(), ..told(kind, &message, payload) })
        }
        EventKind::IncidentOpened { id, policy, silenced_by, .. } => {
            let mut opened = incident(lore, *id, "incident.opened", "open", payload).await?;
            // Its policy's first step is in the same frame.
            if let Some(about) = opened.incident.as_mut().filter(|_| policy.is_some() && silenced_by.is_none()) {
                (about.step, about.round) = (1, 1);
            }
            Some(opened)
        }
        EventKind::IncidentStepped { id, .. } => incident(lore, *id, "incident.step", "open", None).await,
        // Without a policy the one sending at the opening is recorded like this, too.
        EventKind::IncidentReminded { id, next: Some(_) } => {
            incident(lore, *id, "incident.reminder", "open", None).await
        }
        EventKind::IncidentAcknowledged { id, by, note, .. } => {
            let told = incident(lore, *id, "incident.acknowledged", "acknowledged", None).await?;
            Some(Outcome { by: Some(by.clone()), note: note.clone(), ..told })
        }
        EventKind::IncidentResolved { id, by, because, note } => {
            let told = incident(lore, *id, "incident.resolved", "resolved", None).await?;
            Some(Outcome { by: Some(by.clone()), reason: Some(because.clone()), note: note.clone(), ..told })
        }
        EventKind::DeliveryEnded { id, status, reason } => delivery(lore, *id, *status, reason.clone()).await,
        _ => None,
    }
    .map(|told| Outcome {
        seq: happened.seq,
        event_id: event_id(told.delivery.as_deref().unwrap_or(&told.id), happened.seq),
        at: happened.at.rfc3339(&lore.zone),
        from: lore.from.clone(),
        ..told
    })
}

async fn incident(
    lore: &mut Lore,
    id: IncidentId,
    kind: &'static str,
    status: &str,
    payload: Option<&Payload>,
) -> Option<Outcome> {
    let subject = lore.incident(id).await?;
    let about = About { status: status.to_owned(), ..subject.about.clone() };
    Some(Outcome { id: id.to_string(), incident: Some(about), ..told(kind, &subject.message, payload) })
}

async fn delivery(lore: &mut Lore, id: DeliveryId, status: Status, reason: Option<String>) -> Option<Outcome> {
    let kind = match status {
        Status::Delivered | Status::Sent | Status::Simulated => "delivery.delivered",
        Status::Dead | Status::Expired => "delivery.failed",
        _ => return None,
    };
    let sent = lore.delivery(id).await?;
    let about = match sent.incident {
        Some(id) => lore.incident(id).await.map(|Subject { about, .. }| about),
        None => None,
    };
    Some(Outcome {
        id: sent.notification,
        incident: about,
        delivery: Some(id.to_string()),
        channel: sent.channel,
        recipient: sent.recipient,
        status: Some(status.as_str()),
        reason,
        ..told(kind, &sent.message, None)
    })
}

/// What it says: the payload's words where they are at hand, else what is remembered of them.
fn told(kind: &'static str, message: &Message, payload: Option<&Payload>) -> Outcome {
    Outcome {
        kind,
        level: Some(message.level.clone()),
        kind_of: Some(message.kind_of.clone()),
        subject: Some(message.subject.clone()),
        body: payload.map_or_else(|| message.body.clone(), |p| p.body.clone()),
        labels: message.labels.clone(),
        asked: message.asked.clone(),
        ..Outcome::default()
    }
}
