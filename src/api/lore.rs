//! What one reader of the event stream has seen so far, so that a later event can be told with the
//! subject of an earlier one. What it has not seen it asks for; what it has seen it forgets in time.

use super::Api;
use super::history::{Happened, Key, Thing};
use crate::domain::Labels;
use crate::domain::event::{EventKind, Payload, Request};
use crate::domain::failure::cut;
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::engine::{Caller, Read};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

/// Of each sort so many are remembered.
const REMEMBERED: usize = 1_000;
/// Characters of a body.
const BODY: usize = 1_000;

/// What a message is about.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub level: String,
    pub kind_of: String,
    pub subject: String,
    pub body: String,
    pub labels: Labels,
    pub asked: Asked,
}

/// What the caller said of its request; what it did not say is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// The incident, as it was then.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct About {
    pub number: u64,
    pub id: String,
    pub fingerprint: String,
    pub status: String,
    pub step: u32,
    pub round: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Subject {
    pub message: Message,
    /// Its `status` is the one that was known last.
    pub about: About,
}

#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub notification: String,
    pub incident: Option<IncidentId>,
    /// By which it goes now.
    pub channel: Option<String>,
    pub recipient: Option<String>,
    pub message: Message,
}

struct Under {
    notification: NotificationId,
    incident: Option<IncidentId>,
    chain: Vec<String>,
    at: usize,
    recipient: Option<String>,
}

/// One reader's.
pub struct Lore {
    api: Arc<Api>,
    by: Caller,
    pub zone: TimeZone,
    pub from: String,
    incidents: HashMap<IncidentId, Subject>,
    messages: HashMap<NotificationId, Message>,
    deliveries: HashMap<DeliveryId, Under>,
}

impl Lore {
    pub fn new(api: Arc<Api>, by: Caller) -> Lore {
        let config = api.handle.config();
        Lore {
            by,
            zone: config.daemon.timezone.clone(),
            from: config.daemon.name.clone(),
            incidents: HashMap::new(),
            messages: HashMap::new(),
            deliveries: HashMap::new(),
            api,
        }
    }

    pub fn learn(&mut self, happened: &Happened) {
        let payload = happened.payload.as_ref();
        match &happened.head {
            EventKind::NotificationAccepted { id, level, kind_of, labels, correlation_id, request, tenant, .. } => {
                let Request { id: request_id, actor } = request.as_deref().cloned().unwrap_or_default();
                let asked = Asked {
                    correlation_id: correlation_id.clone(),
                    request_id,
                    tenant: tenant.clone(),
                    actor,
                    metadata: payload.map(|p| p.metadata.clone()).unwrap_or_default(),
                };
                let message = Message { asked, ..message(level.as_str(), kind_of, labels, payload) };
                remember(&mut self.messages, *id, message);
            }
            EventKind::IncidentOpened { id, number, fingerprint, level, kind_of, labels, .. } => {
                let about = About {
                    number: *number,
                    id: id.to_string(),
                    fingerprint: fingerprint.clone(),
                    status: "open".into(),
                    ..About::default()
                };
                let message = message(level.as_str(), kind_of, labels, payload);
                remember(&mut self.incidents, *id, Subject { message, about });
            }
            EventKind::DeliveryCreated { id, notification, incident, chain, start, who, .. } => {
                let recipient = who.clone().or_else(|| payload.and_then(|p| p.address.clone()));
                let (notification, incident, chain) = (*notification, *incident, chain.clone());
                remember(&mut self.deliveries, *id, Under { notification, incident, chain, at: *start, recipient });
            }
            EventKind::DeliveryMoved { id, at, .. } => {
                if let Some(delivery) = self.deliveries.get_mut(id) {
                    delivery.at = *at;
                }
            }
            head => self.learn_of_incident(head),
        }
    }

    fn learn_of_incident(&mut self, head: &EventKind) {
        let mut change = |id: &IncidentId, change: &dyn Fn(&mut Subject)| {
            if let Some(subject) = self.incidents.get_mut(id) {
                change(subject);
            }
        };
        match head {
            EventKind::IncidentStepped { id, round, step, .. } => {
                change(id, &|s| (s.about.round, s.about.step) = (round + 1, step + 1));
            }
            EventKind::IncidentRaised { id, level, .. } => change(id, &|s| s.message.level = level.to_string()),
            EventKind::IncidentAcknowledged { id, .. } => change(id, &|s| s.about.status = "acknowledged".into()),
            EventKind::IncidentUnacknowledged { id, .. } => change(id, &|s| s.about.status = "open".into()),
            EventKind::IncidentResolved { id, .. } => change(id, &|s| s.about.status = "resolved".into()),
            _ => {}
        }
    }

    /// A notification that was accepted while this reader looked.
    pub fn message(&self, id: NotificationId) -> Option<Message> {
        self.messages.get(&id).cloned()
    }

    pub async fn incident(&mut self, id: IncidentId) -> Option<Subject> {
        if let Some(subject) = self.incidents.get(&id) {
            return Some(subject.clone());
        }
        let subject = match self.api.read(&self.by, Read::Incident(id.to_string())).await {
            Ok(incident) => subject_of(&incident),
            Err(_) => subject_of(&self.api.history.find(Thing::Incident, Key::Id(id.0)).await.ok()??),
        };
        remember(&mut self.incidents, id, subject.clone());
        Some(subject)
    }

    pub async fn delivery(&mut self, id: DeliveryId) -> Option<Sent> {
        let seen = self.deliveries.get(&id);
        if let Some((delivery, message)) = seen.and_then(|d| Some((d, self.messages.get(&d.notification)?))) {
            return Some(Sent {
                notification: delivery.notification.to_string(),
                incident: delivery.incident,
                channel: delivery.chain.get(delivery.at).cloned(),
                recipient: delivery.recipient.clone(),
                message: message.clone(),
            });
        }
        match self.api.read(&self.by, Read::Message(id)).await {
            Ok(found) => Some(Sent {
                notification: text(&found, "id"),
                message: Message { asked: asked_of(&found["delivery"]), ..message_of(&found) },
                incident: found["incident"]["id"].as_str().and_then(|id| id.parse().ok()),
                ..sent_of(&found["delivery"])
            }),
            Err(_) => Some(sent_of(&self.api.history.find(Thing::Delivery, Key::Id(id.0)).await.ok()??)),
        }
    }
}

fn remember<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= REMEMBERED {
        map.clear();
    }
    map.insert(key, value);
}

fn message(level: &str, kind_of: &str, labels: &Labels, payload: Option<&Payload>) -> Message {
    Message {
        level: level.to_owned(),
        kind_of: kind_of.to_owned(),
        subject: payload.map(|p| p.subject.clone()).unwrap_or_default(),
        body: payload.map(|p| short(&p.body)).unwrap_or_default(),
        labels: labels.clone(),
        asked: Asked::default(),
    }
}

/// Not a line break of it is changed.
fn short(body: &str) -> String {
    if body.chars().nth(BODY).is_none() { body.to_owned() } else { cut(body, BODY) }
}

// ---- from documents

fn text(document: &Value, field: &str) -> String {
    document[field].as_str().unwrap_or_default().to_owned()
}

fn message_of(document: &Value) -> Message {
    Message {
        level: text(document, "level"),
        kind_of: text(document, "type"),
        subject: text(document, "subject"),
        body: short(document["body"].as_str().unwrap_or_default()),
        labels: serde_json::from_value(document["labels"].clone()).unwrap_or_default(),
        asked: Asked::default(),
    }
}

fn asked_of(delivery: &Value) -> Asked {
    Asked::deserialize(delivery).unwrap_or_default()
}

fn subject_of(incident: &Value) -> Subject {
    let count = |field: &str| incident[field].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
    Subject {
        message: message_of(incident),
        about: About {
            number: incident["number"].as_u64().unwrap_or_default(),
            id: text(incident, "id"),
            fingerprint: text(incident, "fingerprint"),
            status: text(incident, "status"),
            step: count("step"),
            round: count("round"),
        },
    }
}

fn sent_of(delivery: &Value) -> Sent {
    let some = |field: &str| delivery[field].as_str().map(str::to_owned);
    Sent {
        notification: text(delivery, "notification"),
        incident: None,
        channel: some("via").or_else(|| some("channel")),
        recipient: some("recipient"),
        message: Message { asked: asked_of(delivery), ..Message::default() },
    }
}
