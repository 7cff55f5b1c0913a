//! What a message cost, as it is written.

use crate::domain::id::DeliveryId;
use crate::domain::money::{Amount, Money};
use serde::{Deserialize, Serialize};

/// The price of one attempt that a provider took: by the config's prices when it was sent, and the
/// provider's own in its place when that comes. Fields after `segments` came later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priced {
    pub id: DeliveryId,
    /// All of this attempt, not what has changed.
    pub cost: Amount,
    pub currency: String,
    /// Parts of a text, started minutes of a call.
    pub segments: u32,
    /// Which attempt.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n: u32,
    /// The channel it went by, and that one's provider.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub channel: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The day it counts in, by the daemon's zone: `2026-11-20`. Of a correction: the first one's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub day: String,
    /// The provider said so itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reported: bool,
    /// What was recorded of this attempt before, and is no longer so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Instead>,
}

/// A price that another one takes the place of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instead {
    #[serde(flatten)]
    pub money: Money,
    #[serde(default)]
    pub segments: u32,
}

/// A price as a provider's answer has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    #[serde(flatten)]
    pub money: Money,
    /// Parts, as the provider counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<u32>,
}

impl Priced {
    /// What sums change by, in each currency.
    pub fn changes(&self) -> Vec<Money> {
        let mut changes = vec![Money { amount: self.cost, currency: self.currency.clone() }];
        if let Some(Instead { money, .. }) = &self.instead {
            if money.currency == self.currency {
                changes[0].amount = self.cost - money.amount;
            } else {
                changes.push(Money { amount: -money.amount, currency: money.currency.clone() });
            }
        }
        changes
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}
