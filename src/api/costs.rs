//! What was spent: sums by tenant, channel, provider and day, in any combination.

use super::history::{ChargeSum, Charges};
use crate::domain::money::Amount;
use crate::engine::Refusal;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// By what sums can be told apart, in the order in which a row names them.
const PARTS: [&str; 4] = ["day", "tenant", "channel", "provider"];

/// Of each row: messages, parts, and the amount of each currency.
#[derive(Default)]
struct Row {
    sum: ChargeSum,
    cost: BTreeMap<String, i64>,
}

/// The parts that are asked for.
///
/// # Errors
/// One that is none.
pub fn parts(asked: &[String]) -> Result<Vec<&'static str>, Refusal> {
    if let Some(unknown) = asked.iter().find(|by| !PARTS.contains(&by.as_str())) {
        let message = format!("sums are not told apart by {unknown:?}; there are {}", PARTS.join(", "));
        return Err(Refusal::field("by", message));
    }
    Ok(PARTS.into_iter().filter(|part| asked.iter().any(|by| by == part)).collect())
}

/// A row for each combination of these parts; a tenant that nobody named is `null`.
pub fn rows(charges: &Charges, parts: &[&str]) -> Vec<Value> {
    let mut rows: BTreeMap<Vec<&str>, Row> = BTreeMap::new();
    for (of, sum) in charges {
        let named = |part: &&str| match *part {
            "day" => of.day.as_str(),
            "tenant" => of.tenant.as_str(),
            "channel" => of.channel.as_str(),
            _ => of.provider.as_str(),
        };
        let row = rows.entry(parts.iter().map(named).collect()).or_default();
        row.sum.add(*sum);
        *row.cost.entry(of.currency.clone()).or_default() += sum.millionths;
    }
    rows.into_iter().map(|(names, row)| document(parts, &names, &row)).collect()
}

fn document(parts: &[&str], names: &[&str], row: &Row) -> Value {
    let shown = |name: &str| if name.is_empty() { Value::Null } else { name.into() };
    let mut document: Map<String, Value> =
        parts.iter().zip(names).map(|(part, name)| ((*part).to_owned(), shown(name))).collect();
    document.insert("messages".to_owned(), json!(row.sum.messages));
    document.insert("segments".to_owned(), json!(row.sum.segments));
    document.insert("cost".to_owned(), by_currency(&row.cost));
    Value::Object(document)
}

/// `{"USD": "0.015"}`; `null` where nothing was spent.
pub fn by_currency(millionths: &BTreeMap<String, i64>) -> Value {
    if millionths.is_empty() {
        return Value::Null;
    }
    millionths.iter().map(|(currency, n)| (currency.clone(), Value::from(Amount(*n).to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::history::Charged;

    fn charge(day: &str, tenant: &str, channel: &str, currency: &str, millionths: i64) -> (Charged, ChargeSum) {
        let [day, tenant, channel, currency] = [day, tenant, channel, currency].map(str::to_owned);
        let of = Charged { day, tenant, provider: channel.clone(), channel, currency };
        (of, ChargeSum { messages: 1, segments: 2, millionths })
    }

    #[test]
    fn sums_are_told_apart_by_what_is_asked_for() {
        let charges = Charges::from([
            charge("2026-11-20", "acme", "sms", "USD", 7_500),
            charge("2026-11-20", "", "sms", "USD", 15_000),
            charge("2026-11-21", "acme", "call", "EUR", 14_000),
        ]);
        let parts = |by: &[&str]| super::parts(&by.iter().map(|by| (*by).to_owned()).collect::<Vec<_>>()).unwrap();
        assert_eq!(
            rows(&charges, &parts(&["tenant"])),
            [
                json!({"tenant": null, "messages": 1, "segments": 2, "cost": {"USD": "0.015"}}),
                json!({"tenant": "acme", "messages": 2, "segments": 4, "cost": {"EUR": "0.014", "USD": "0.0075"}}),
            ]
        );
        let rows = rows(&charges, &parts(&["channel", "day"]));
        assert_eq!(
            rows[0],
            json!({"day": "2026-11-20", "channel": "sms", "messages": 2, "segments": 4, "cost": {"USD": "0.0225"}})
        );
        assert_eq!(rows.len(), 2);
        assert_eq!(super::parts(&["week".to_owned()]).unwrap_err().field.as_deref(), Some("by"));
    }
}
