//! Which entries of a config are the same as before: a hash of each, its placeholders resolved.

use crate::settings::placeholder::Resolved;
use crate::settings::reading::Reading;
use crate::settings::tree::{Item, Tree, Value};
use std::collections::BTreeMap;

impl Reading<'_> {
    /// BLAKE3 (hex) over the resolved values of each entry of a config: of `channels.sms` where the
    /// top-level table holds nothing but tables, else of `daemon`.
    pub fn fingerprints(&self, tree: &Tree) -> BTreeMap<String, String> {
        entries(self, tree)
    }
}

fn entries(reading: &Reading<'_>, tree: &Tree) -> BTreeMap<String, String> {
    let mut prints = BTreeMap::new();
    for (key, item) in &tree.entries {
        match &item.value {
            Value::Table(inner) if inner.entries.values().all(|i| matches!(i.value, Value::Table(_))) => {
                for (name, entry) in &inner.entries {
                    prints.insert(format!("{key}.{name}"), print(reading, entry));
                }
            }
            _ => {
                prints.insert(key.clone(), print(reading, item));
            }
        }
    }
    prints
}

fn print(reading: &Reading<'_>, item: &Item) -> String {
    let mut hasher = blake3::Hasher::new();
    add(reading, item, &mut hasher);
    hasher.finalize().to_hex().to_string()
}

/// Each value is led by what it is and how long, so that no two texts run into one.
fn add(reading: &Reading<'_>, item: &Item, hasher: &mut blake3::Hasher) {
    let mut part = |sort: &str, bytes: &[u8]| {
        hasher.update(sort.as_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    match &item.value {
        Value::Text(raw) => match reading.resolve(raw) {
            Ok(Resolved::Text(text)) => part("text", text.as_bytes()),
            _ => part("unset", raw.as_bytes()),
        },
        Value::Integer(number) => part("integer", &number.unwrap_or_default().to_le_bytes()),
        Value::Float(number) => part("float", &number.to_le_bytes()),
        Value::Flag(flag) => part("flag", &[u8::from(*flag)]),
        Value::Datetime(text) => part("date", text.as_bytes()),
        Value::List(elements) => {
            part("list", &(elements.len() as u64).to_le_bytes());
            elements.iter().for_each(|element| add(reading, element, hasher));
        }
        Value::Table(tree) => {
            part("table", &(tree.entries.len() as u64).to_le_bytes());
            for (key, item) in &tree.entries {
                hasher.update(&(key.len() as u64).to_le_bytes());
                hasher.update(key.as_bytes());
                add(reading, item, hasher);
            }
        }
    }
}
