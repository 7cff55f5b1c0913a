//! What was removed from the ledger on purpose.

use crate::domain::id::{DeliveryId, InboundId, NotificationId};
use serde::{Deserialize, Serialize};

/// Texts that were removed, between two events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Erased {
    pub from_seq: u64,
    pub to_seq: u64,
    pub because: String,
    /// Those that were still at hand, with their texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<NotificationId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<DeliveryId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inbound: Vec<InboundId>,
}

/// What is known no more, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    pub name: String,
}
