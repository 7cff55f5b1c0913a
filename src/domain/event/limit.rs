//! Limits and budgets, as they are written.

use crate::domain::id::DeliveryId;
use serde::{Deserialize, Serialize};

/// A message counts against the limits of a channel, once for its whole chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub id: DeliveryId,
    /// The one asked for; the fallback, where that one had no room.
    pub channel: String,
    /// Also against those for one person and one type.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub person: bool,
    /// It takes the place of this one, which counted and got nowhere: nothing more counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<DeliveryId>,
}

/// A tenant has spent so much of its budget of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetPassed {
    /// Empty: messages without a tenant.
    pub tenant: String,
    /// By the daemon's zone: `2026-11-20`.
    pub day: String,
    /// In hundredths of the budget: 80, 100; 0: a new day has begun.
    pub percent: u8,
}
