//! `limits`, prices and `transliterate` of a channel, and `[budgets.NAME]`.

use crate::channel::{Format, Kind};
use crate::config::limits::{Budgets, Limits, PRICES, Rate};
use crate::config::read::entries::{by_name, named};
use crate::domain::delivery::{Medium, Sort};
use crate::domain::money::{self, Amount, Money};
use crate::settings::Table;

/// Of a channel for texts that says nothing else.
const SMS: Rate = Rate { per_hour: Some(100), per_day: Some(500) };
const CURRENCY: &str = "USD";

/// `limits = { per_minute, per_hour, per_day, per_person = { per_hour, per_day } }`; 0 is no limit.
pub fn limits(table: &mut Table<'_>, kind: Option<&'static Kind>) -> Limits {
    let sms = kind.is_some_and(|k| k.sort == Sort::Addressed(Medium::Sms));
    let default = if sms { SMS } else { Rate::default() };
    let Some(mut inner) = table.table("limits") else {
        return Limits { of_tenant: default, ..Limits::default() };
    };
    let of_tenant = rate(&mut inner, default);
    let of_person = inner.table("per_person").map(|mut t| rate(&mut t, Rate::default())).unwrap_or_default();
    Limits { per_minute: number(&mut inner, "per_minute").unwrap_or_default(), of_tenant, of_person }
}

fn rate(table: &mut Table<'_>, default: Rate) -> Rate {
    let rate = Rate {
        per_hour: number(table, "per_hour").unwrap_or(default.per_hour),
        per_day: number(table, "per_day").unwrap_or(default.per_day),
    };
    if let (Some(hour), Some(day)) = (rate.per_hour, rate.per_day)
        && hour > day
        && table.has("per_hour")
    {
        let message = format!("{hour} an hour is never reached: {day} a day is less");
        table.warning("per_hour", message, "write a per_day that is not under per_hour");
    }
    rate
}

/// `Some(None)`: 0, and so no limit.
fn number(table: &mut Table<'_>, key: &str) -> Option<Option<u32>> {
    let most = i64::from(u32::MAX / 2);
    table.integer(key, 0..=most).map(|n| u32::try_from(n).ok().filter(|n| *n > 0))
}

/// Of one part of a text or one started minute of a call; `None` where nobody knows.
pub fn price(table: &mut Table<'_>, kind: Option<&'static Kind>) -> Option<Money> {
    let key = match kind.map(|k| k.format) {
        Some(Format::Sms) => "cost_per_segment",
        Some(Format::Speech) => "cost_per_minute",
        Some(_) => return None,
        // Nobody can say which of them is right.
        None => {
            table.known(&["cost_per_segment", "cost_per_minute", "currency"]);
            return None;
        }
    };
    let written = table.parsed(key, amount);
    let currency = table.parsed("currency", money::currency).unwrap_or_else(|| CURRENCY.to_owned());
    let known = || PRICES.iter().find(|(name, _)| kind.is_some_and(|k| k.name == *name)).map(|(_, amount)| *amount);
    let amount = written.or_else(known)?;
    Some(Money { amount, currency })
}

fn amount(text: &str) -> Result<Amount, String> {
    match Amount::parse(text)? {
        amount if amount < Amount::ZERO => Err(format!("{text:?} is less than nothing; write it as \"0.0075\"")),
        amount => Ok(amount),
    }
}

/// `[budgets.NAME]`: a tenant, or `default`.
pub fn budgets(root: &mut Table<'_>) -> Budgets {
    Budgets(by_name(named(root, "budgets"), |table| {
        let per_day = table.require_parsed("per_day", "20.00", amount);
        let currency = table.parsed("currency", money::currency).unwrap_or_else(|| CURRENCY.to_owned());
        Some(Money { amount: per_day?, currency })
    }))
}
