//! What messages cost: the charges of a delivery, and what each tenant has spent today.

use crate::domain::event::{Instead, Priced};
use crate::domain::money::{Amount, Money};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tenants whose day is kept; over that those of other days go, and then no more are taken.
const TENANTS: usize = 10_000;

/// The charges of one delivery, one for each attempt that a provider took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Charges {
    pub all: Vec<Charge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    pub n: u32,
    pub channel: String,
    pub provider: String,
    #[serde(flatten)]
    pub money: Money,
    pub segments: u32,
    /// By the provider, not by the config.
    pub reported: bool,
    /// The day it counts in.
    pub day: String,
}

impl Charges {
    /// Takes the place of what was known of the same attempt.
    pub fn set(&mut self, priced: &Priced) {
        let charge = Charge {
            n: priced.n,
            channel: priced.channel.clone(),
            provider: priced.provider.clone(),
            money: Money { amount: priced.cost, currency: priced.currency.clone() },
            segments: priced.segments,
            reported: priced.reported,
            day: priced.day.clone(),
        };
        match self.all.iter_mut().find(|c| c.n == priced.n) {
            Some(before) => *before = charge,
            None => self.all.push(charge),
        }
    }

    pub fn of(&self, n: u32) -> Option<&Charge> {
        self.all.iter().find(|c| c.n == n)
    }

    /// The sum in the currency of the last one; that is all of them but where providers differ.
    pub fn sum(&self) -> Option<Money> {
        let currency = &self.all.last()?.money.currency;
        let same = self.all.iter().filter(|c| c.money.currency == *currency);
        let amount = same.fold(Amount::ZERO, |sum, c| sum + c.money.amount);
        Some(Money { amount, currency: currency.clone() })
    }
}

impl Charge {
    pub fn as_instead(&self) -> Instead {
        Instead { money: self.money.clone(), segments: self.segments }
    }
}

/// The day of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    pub day: String,
    pub by_currency: BTreeMap<String, Amount>,
    /// How much of the budget was gone when that was last said, in hundredths.
    pub told: u8,
}

/// What each tenant has spent in its last day with a charge; without a tenant: "".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spending {
    by_tenant: BTreeMap<String, Spent>,
}

impl Spending {
    pub fn charge(&mut self, priced: &Priced) {
        let tenant = priced.tenant.as_deref().unwrap_or_default();
        if !self.by_tenant.contains_key(tenant) && self.by_tenant.len() >= TENANTS {
            self.by_tenant.retain(|_, spent| spent.day == priced.day);
            if self.by_tenant.len() >= TENANTS {
                return;
            }
        }
        let spent = self.by_tenant.entry(tenant.to_owned()).or_default();
        // A correction of yesterday's says nothing of today.
        if priced.day < spent.day {
            return;
        }
        if priced.day > spent.day {
            *spent = Spent { day: priced.day.clone(), ..Spent::default() };
        }
        for Money { amount, currency } in priced.changes() {
            let sum = spent.by_currency.entry(currency).or_default();
            *sum = *sum + amount;
        }
    }

    /// It was said that so much of the budget is gone.
    pub fn told(&mut self, tenant: &str, day: &str, percent: u8) -> bool {
        let spent = self.by_tenant.get_mut(tenant).filter(|spent| spent.day == day);
        spent.map(|spent| spent.told = spent.told.max(percent)).is_some()
    }

    /// The days of a tenant are over.
    pub fn over(&mut self, tenant: &str) -> bool {
        self.by_tenant.remove(tenant).is_some()
    }

    pub fn get(&self, tenant: &str) -> Option<&Spent> {
        self.by_tenant.get(tenant)
    }

    /// In this currency on this day.
    pub fn on(&self, tenant: &str, day: &str, currency: &str) -> Amount {
        let spent = self.by_tenant.get(tenant).filter(|spent| spent.day == day);
        spent.and_then(|spent| spent.by_currency.get(currency)).copied().unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Spent)> {
        self.by_tenant.iter()
    }
}
