//! Deliveries and notifications as they are shown: the fields of CLI.md, borrowed from the state, so that a
//! document is written without a tree of values in between.

use crate::domain::delivery::Status;
use crate::domain::failure::FailureClass;
use crate::domain::id::{DeliveryId, NotificationId};
use crate::domain::level::Level;
use crate::domain::money::Amount;
use crate::engine::state::Charge;
use serde::Serialize;
use std::collections::BTreeMap;

/// Times are RFC 3339 in the daemon's zone.
#[derive(Serialize)]
pub(super) struct NotificationRow<'a> {
    pub id: NotificationId,
    #[serde(flatten)]
    pub asked: AskedRow<'a>,
    pub status: &'static str,
    pub level: Level,
    #[serde(rename = "type")]
    pub kind_of: &'a str,
    pub subject: &'a str,
    pub accepted_at: String,
    /// What its sender may want to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    pub deliveries: Vec<DeliveryRow<'a>>,
}

/// What its caller said of the request.
#[derive(Serialize)]
pub(super) struct AskedRow<'a> {
    pub correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentRow<'a>>,
}

#[derive(Serialize)]
pub(super) struct AttachmentRow<'a> {
    pub name: &'a str,
    #[serde(rename = "type")]
    pub mime: &'a str,
    pub bytes: u64,
}

#[derive(Serialize)]
pub(super) struct DeliveryRow<'a> {
    pub id: DeliveryId,
    pub notification: NotificationId,
    /// The incident's number.
    pub incident: Option<u64>,
    /// The channel asked for, and the one that it goes by now.
    pub channel: Option<&'a str>,
    pub via: &'a str,
    pub provider: Option<&'static str>,
    /// A number, an address or a name, as the channel that it goes by is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<&'a str>,
    pub recipient: Option<&'a str>,
    pub address: Option<&'a str>,
    pub status: Status,
    pub reason: Option<&'a str>,
    pub attempts: Vec<AttemptRow<'a>>,
    /// Decimal text, of all its attempts, and parts of the last one; `null` where nobody knows.
    pub cost: Option<Amount>,
    pub currency: Option<&'a str>,
    pub segments: Option<u32>,
    /// Each attempt that costs something.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub charges: &'a [Charge],
    pub created_at: String,
    pub sent_at: Option<String>,
    pub delivered_at: Option<String>,
    pub next_try_at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct AttemptRow<'a> {
    pub n: u32,
    pub provider: Option<&'static str>,
    pub channel: &'a str,
    pub started_at: String,
    pub finished_at: Option<String>,
    pub class: Option<FailureClass>,
    pub error: Option<&'a str>,
    pub provider_message_id: Option<&'a str>,
    pub possibly_duplicate: bool,
}
