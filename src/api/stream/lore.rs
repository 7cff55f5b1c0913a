//! What one reader of the event stream has seen so far, so that a later event can be told with the
//! subject of an earlier one. What it has not seen it asks for; what it has seen it forgets in time.

use super::words::{
    About, Asked, Last, Message, Price, Sent, Subject, asked_of, message_of, sent_of, short, subject_of, text,
};
use crate::api::Api;
use crate::api::history::{Happened, Key, Thing};
use crate::channel::Kind;
use crate::domain::Labels;
use crate::domain::delivery::Medium;
use crate::domain::event::{DeliveryReported, EventKind, Payload, Request, Said};
use crate::domain::id::{DeliveryId, IncidentId, NotificationId};
use crate::engine::{Caller, Read};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

/// Of each sort so many are remembered.
const REMEMBERED: usize = 1_000;

struct Under {
    notification: NotificationId,
    incident: Option<IncidentId>,
    chain: Vec<String>,
    at: usize,
    recipient: Option<String>,
    medium: Option<Medium>,
    addresses: BTreeMap<Medium, String>,
    last: Last,
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
    prices: HashMap<DeliveryId, Price>,
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
            prices: HashMap::new(),
            api,
        }
    }

    pub fn learn(&mut self, happened: &Happened) {
        let payload = happened.payload.as_ref();
        match &happened.head {
            EventKind::NotificationAccepted { id, level, kind_of, labels, correlation_id, request, tenant, .. } => {
                let Request { id: request_id, actor, .. } = request.as_deref().cloned().unwrap_or_default();
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
            EventKind::DeliveryCreated { id, notification, incident, chain, start, who, medium, .. } => {
                let address = payload.and_then(|p| p.address.clone());
                let mut addresses = payload.map(|p| p.others.clone()).unwrap_or_default();
                addresses.extend(medium.zip(address.clone()));
                let under = Under {
                    notification: *notification,
                    incident: *incident,
                    chain: chain.clone(),
                    at: *start,
                    recipient: who.clone().or(address),
                    medium: *medium,
                    addresses,
                    last: Last::default(),
                };
                remember(&mut self.deliveries, *id, under);
            }
            EventKind::DeliveryMoved { id, at, .. } => {
                if let Some(delivery) = self.deliveries.get_mut(id) {
                    delivery.at = *at;
                }
            }
            EventKind::DeliveryRerouted { id, chain, at } => {
                if let Some(delivery) = self.deliveries.get_mut(id) {
                    (delivery.chain, delivery.at) = (chain.clone(), *at);
                }
            }
            EventKind::AttemptStarted { delivery, n, possibly_duplicate, .. } => {
                if let Some(delivery) = self.deliveries.get_mut(delivery) {
                    let possibly_duplicate = *possibly_duplicate;
                    delivery.last = Last { n: *n, possibly_duplicate, ..Last::default() };
                }
            }
            EventKind::AttemptFinished { delivery, result, .. } => {
                if let Some(delivery) = self.deliveries.get_mut(delivery) {
                    delivery.last.learn(result);
                }
            }
            EventKind::DeliveryReported(DeliveryReported { id, n, what: Some(Said::Failed(failure)), .. }) => {
                if let Some(delivery) = self.deliveries.get_mut(id).filter(|d| d.last.n == *n) {
                    delivery.last.failed(failure);
                }
            }
            head => self.learn_of_incident(head),
        }
    }

    pub fn learn_price(&mut self, head: &EventKind) {
        if let EventKind::DeliveryPriced(priced) = head {
            let (cost, currency) = (Some(priced.cost.to_string()), Some(priced.currency.clone()));
            remember(&mut self.prices, priced.id, Price { cost, currency, segments: Some(priced.segments) });
        }
    }

    /// Of the channel with this name in the config.
    pub fn kind(&self, channel: &str) -> Option<&'static Kind> {
        self.api.handle.config().channels.get(channel).map(|c| c.kind)
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
        let sent = self.sent(id).await?;
        let price = self.prices.get(&id).cloned().unwrap_or(sent.price);
        Some(Sent { price, ..sent })
    }

    async fn sent(&mut self, id: DeliveryId) -> Option<Sent> {
        let seen = self.deliveries.get(&id);
        if let Some((delivery, message)) = seen.and_then(|d| Some((d, self.messages.get(&d.notification)?))) {
            return Some(Sent {
                notification: delivery.notification.to_string(),
                incident: delivery.incident,
                channel: delivery.chain.get(delivery.at).cloned(),
                recipient: delivery.recipient.clone(),
                message: message.clone(),
                medium: delivery.medium,
                addresses: delivery.addresses.clone(),
                last: delivery.last.clone(),
                price: Price::default(),
            });
        }
        match self.api.read(&self.by, Read::Message(id)).await {
            Ok(found) => Some(Sent {
                notification: text(&found, "id"),
                message: Message { asked: asked_of(&found["delivery"]), ..message_of(&found) },
                incident: found["incident"]["id"].as_str().and_then(|id| id.parse().ok()),
                ..sent_of(&found["delivery"])
            }),
            Err(_) => {
                let history = &self.api.history;
                let sent = sent_of(&history.find(Thing::Delivery, Key::Id(id.0)).await.ok()??);
                let key = sent.notification.parse().ok().map(Key::Id)?;
                let message = history.find(Thing::Notification, key).await.ok()?.map(|n| message_of(&n));
                Some(Sent { message: Message { asked: sent.message.asked, ..message.unwrap_or_default() }, ..sent })
            }
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
