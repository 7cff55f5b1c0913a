//! `?wait=30s`: until each delivery got out or ended, or the time is over.

use super::Api;
use super::body::Place;
use super::history::{Key, Thing};
use super::past;
use crate::domain::delivery::Status;
use crate::domain::event::{EventKind, Frame};
use crate::domain::id::{DeliveryId, NotificationId};
use crate::domain::time::Span;
use crate::engine::{Answer, Ask, Caller, Read, Refusal};
use crate::runtime::Released;
use serde_json::Value;
use std::collections::HashSet;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

const LONGEST: Span = Span::hours(1);

/// Reads `30s`.
///
/// # Errors
/// A sentence.
pub fn span(text: &str) -> Result<Span, String> {
    let span = Span::parse(text)?;
    if span > LONGEST { Err(format!("{text:?} is too long to wait; at most {LONGEST}")) } else { Ok(span) }
}

/// Asks for a notification and waits for what becomes of it; its status then tells.
pub async fn ask(api: &Api, by: Caller, ask: Ask, wait: Option<Span>, place: Place) -> Answer {
    // Before asking, so that nothing of it is missed.
    let mut frames = api.handle.subscribe();
    let mut notification = api.handle.ask(by.clone(), ask).await?;
    // It is durable.
    drop(place);
    if notification.get("deliveries").is_none() {
        return long_ago(api, notification).await;
    }
    let Some(wait) = wait else { return Ok(notification) };
    let watching = async {
        while !is_over(&notification) {
            let ids = Ids::of(&notification);
            if !touched(&mut frames, |frame| ids.touched_by(frame)).await {
                return;
            }
            match again(api, &by, &ids).await {
                Ok(Some(now)) => notification = now,
                // It has left the state, so it has ended; what was seen last stands.
                Ok(None) | Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = watching => {}
        () = tokio::time::sleep(wait.to_std()) => {}
        () = api.stopped() => {}
    }
    Ok(notification)
}

/// The first answer to an idempotency key, of a message that ended and left the state.
async fn long_ago(api: &Api, notification: Value) -> Answer {
    let Some(id) = past::id_of(&notification) else { return Ok(notification) };
    Ok(api.history.find(Thing::Notification, Key::Id(id)).await?.unwrap_or(notification))
}

async fn again(api: &Api, by: &Caller, ids: &Ids) -> Result<Option<Value>, Refusal> {
    let Some(id) = ids.notification else { return Ok(None) };
    api.read(by, Read::Notification(id.to_string())).await.map(Some)
}

/// Waits for a frame that matters; also true when frames were missed, false when none will come.
pub async fn touched(frames: &mut Receiver<Released>, matters: impl Fn(&Frame) -> bool) -> bool {
    loop {
        match frames.recv().await {
            Ok(released) if matters(&released.frame) => return true,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}

fn is_over(notification: &Value) -> bool {
    let rows = notification["deliveries"].as_array().into_iter().flatten();
    let mut statuses = rows.filter_map(|d| d["status"].as_str().and_then(Status::parse));
    statuses.all(|s| s.is_end() || s.got_out())
}

struct Ids {
    notification: Option<NotificationId>,
    deliveries: HashSet<DeliveryId>,
}

impl Ids {
    fn of(notification: &Value) -> Ids {
        let rows = notification["deliveries"].as_array().into_iter().flatten();
        Ids {
            notification: notification["id"].as_str().and_then(|id| id.parse().ok()),
            deliveries: rows.filter_map(|d| d["id"].as_str()?.parse().ok()).collect(),
        }
    }

    fn touched_by(&self, frame: &Frame) -> bool {
        frame.events.iter().any(|event| match &event.head {
            EventKind::DeliveryCreated { notification, .. } => self.notification == Some(*notification),
            EventKind::AttemptFinished { delivery, .. } => self.deliveries.contains(delivery),
            EventKind::DeliveryMoved { id, .. } | EventKind::DeliveryEnded { id, .. } => self.deliveries.contains(id),
            _ => false,
        })
    }
}
