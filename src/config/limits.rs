//! How much may go out, and what it costs: limits and prices of a channel, budgets of tenants.

use crate::domain::money::{Amount, Money};
use std::collections::BTreeMap;

/// The budget of every tenant that has none of its own, and of messages without a tenant.
pub const DEFAULT_BUDGET: &str = "default";

/// What providers ask for a part of a text or a started minute, in US dollars, when nothing is
/// written. Prices drift: see `cost_per_segment`.
pub const PRICES: &[(&str, Amount)] = &[
    ("twilio-sms", Amount(7_500)),
    ("telnyx-sms", Amount(4_000)),
    ("aws-sns", Amount(6_500)),
    ("azure-sms", Amount(7_500)),
    ("twilio-voice", Amount(14_000)),
];

/// How much may go out by a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The provider's rate: attempts begun in any minute. What is more waits, and is not refused.
    pub per_minute: Option<u32>,
    /// Messages of one tenant.
    pub of_tenant: Rate,
    /// Messages of one type to one person (or bare address).
    pub of_person: Rate,
}

/// In any hour and in any day; `None`: as many as come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    pub per_hour: Option<u32>,
    pub per_day: Option<u32>,
}

impl Rate {
    pub fn is_limited(&self) -> bool {
        self.per_hour.is_some() || self.per_day.is_some()
    }
}

impl Limits {
    /// Whether messages are counted at all.
    pub fn counts(&self) -> bool {
        self.of_tenant.is_limited() || self.of_person.is_limited()
    }
}

/// What each tenant may spend in a day, by the daemon's zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets(pub BTreeMap<String, Money>);

impl Budgets {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tenant's own, else the one for all.
    pub fn of(&self, tenant: Option<&str>) -> Option<&Money> {
        tenant.and_then(|tenant| self.0.get(tenant)).or_else(|| self.0.get(DEFAULT_BUDGET))
    }
}
