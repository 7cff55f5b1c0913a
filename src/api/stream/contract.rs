//! The contract of outcomes: `sms.sent`, `email.failed` and the like, one family for each medium and each
//! kind of fixed channel.
//!
//! `FAMILY.sent`: the provider has it (or it was simulated). `FAMILY.delivered`: the far end has it.
//! `FAMILY.failed`: it is dead, or expired. A way that failed and was followed by another one is not told.

use super::event_id;
use super::lore::Lore;
use super::words::{Asked, Error, Sent};
use crate::api::history::Happened;
use crate::channel::Kind;
use crate::domain::delivery::{Medium, Status};
use crate::domain::event::EventKind;
use crate::domain::id::DeliveryId;
use serde::Serialize;

/// One outcome in the contract's form. What is not known, or not said, is null; metadata is left out.
#[derive(Debug, Serialize)]
pub struct Contract {
    pub seq: u64,
    pub kind: String,
    /// The same whenever this event is told.
    pub event_id: String,
    pub timestamp: String,
    pub from: String,
    #[serde(flatten)]
    pub asked: Told,
    pub status: &'static str,
    pub data: Data,
}

/// As the caller named it.
#[derive(Debug, Serialize)]
pub struct Told {
    pub correlation_id: Option<String>,
    pub request_id: Option<String>,
    pub tenant_id: Option<String>,
    pub actor: Option<String>,
    pub metadata: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
pub struct Data {
    /// The provider's name for it.
    pub message_id: Option<String>,
    pub delivery_id: String,
    pub notification_id: String,
    /// The incident's number.
    pub incident: Option<u64>,
    pub channel: Option<String>,
    pub provider: Option<&'static str>,
    pub recipient: Option<String>,
    /// Of SMS and calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_number: Option<String>,
    /// Of mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_address: Option<String>,
    pub subject: String,
    pub attempts: u32,
    pub possibly_duplicate: bool,
    pub segments: Option<u32>,
    /// A decimal number as text.
    pub cost: Option<String>,
    pub currency: Option<String>,
    pub error: Option<Error>,
}

/// What this event tells in the contract's form; `None` for most.
pub async fn contract(lore: &mut Lore, happened: &Happened) -> Option<Contract> {
    match &happened.head {
        EventKind::AttemptFinished { delivery, n, result, .. } => {
            let status = result.success()?;
            let sent = lore.delivery(*delivery).await?;
            // An answer to an attempt that somebody else's word has overtaken tells nothing new.
            (sent.last.n <= *n).then_some(())?;
            told(lore, happened, *delivery, sent, "sent", status, None).await
        }
        EventKind::DeliveryEnded { id, status, reason } => {
            let fate = match status {
                Status::Delivered => "delivered",
                Status::Dead | Status::Expired => "failed",
                _ => return None,
            };
            let sent = lore.delivery(*id).await?;
            let error = (fate == "failed").then(|| ended(*status, reason.as_deref(), sent.last.error.clone()));
            told(lore, happened, *id, sent, fate, *status, error).await
        }
        _ => None,
    }
}

/// The last attempt's, or why none was made.
fn ended(status: Status, reason: Option<&str>, last: Option<Error>) -> Error {
    let class = if status == Status::Expired { "TIMEOUT" } else { "FINAL_FAILURE" };
    let words = reason.unwrap_or(status.as_str()).to_owned();
    last.unwrap_or(Error { class: class.to_owned(), message: words })
}

async fn told(
    lore: &mut Lore,
    happened: &Happened,
    id: DeliveryId,
    sent: Sent,
    fate: &str,
    status: Status,
    error: Option<Error>,
) -> Option<Contract> {
    let kind = sent.channel.as_deref().and_then(|name| lore.kind(name));
    let medium = kind.map_or(sent.medium, |kind| kind.sort.medium());
    // A channel that has left the config since is known by its medium at most.
    let family = kind.map(Kind::family).or(sent.medium.map(Medium::family))?;
    let incident = match sent.incident {
        Some(id) => lore.incident(id).await.map(|subject| subject.about.number),
        None => None,
    };
    let to = medium.and_then(|medium| sent.address(medium));
    let Asked { correlation_id, request_id, tenant, actor, metadata } = sent.message.asked;
    Some(Contract {
        seq: happened.seq,
        kind: format!("{family}.{fate}"),
        event_id: format!("{}-{fate}", event_id(&id.to_string(), happened.seq)),
        timestamp: happened.at.rfc3339(&lore.zone),
        from: lore.from.clone(),
        asked: Told { correlation_id, request_id, tenant_id: tenant, actor, metadata },
        status: status.as_str(),
        data: Data {
            message_id: sent.last.message_id,
            delivery_id: id.to_string(),
            notification_id: sent.notification,
            incident,
            provider: kind.map(|kind| kind.provider),
            channel: sent.channel,
            recipient: sent.recipient,
            to_number: to.clone().filter(|_| medium != Some(Medium::Mail)),
            to_address: to.filter(|_| medium == Some(Medium::Mail)),
            subject: sent.message.subject,
            attempts: sent.last.n,
            possibly_duplicate: sent.last.possibly_duplicate,
            segments: sent.price.segments,
            cost: sent.price.cost,
            currency: sent.price.currency,
            error,
        },
    })
}
