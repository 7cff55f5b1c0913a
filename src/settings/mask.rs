//! A config as text for the ledger: placeholders unresolved, secret literals blanked, no comments.

use crate::settings::placeholder;
use crate::settings::source::Place;
use crate::settings::tree::{Item, Tree, Value};
use std::collections::BTreeSet;

/// The tree as TOML, in order of name. `secrets` are the places of what must not be shown;
/// comments, which may hold anything, are gone.
pub fn masked(tree: &Tree, secrets: &BTreeSet<Place>) -> String {
    let mut out = String::new();
    table(tree, "", secrets, &mut out);
    out
}

fn table(tree: &Tree, path: &str, secrets: &BTreeSet<Place>, out: &mut String) {
    let (tables, plain): (Vec<_>, Vec<_>) =
        tree.entries.iter().partition(|(_, item)| matches!(item.value, Value::Table(_)));
    if !path.is_empty() && (!plain.is_empty() || tables.is_empty()) {
        out.push_str(&format!("\n[{path}]\n"));
    }
    for (name, item) in plain {
        out.push_str(&format!("{} = {}\n", key(name), value(item, secrets)));
    }
    for (name, item) in tables {
        if let Value::Table(inner) = &item.value {
            let path = if path.is_empty() { key(name) } else { format!("{path}.{}", key(name)) };
            table(inner, &path, secrets, out);
        }
    }
}

fn value(item: &Item, secrets: &BTreeSet<Place>) -> String {
    let secret = secrets.contains(&item.at);
    match &item.value {
        Value::Text(text) if secret => quoted(&placeholder::masked(text)),
        Value::List(elements) => {
            let elements: Vec<String> = elements.iter().map(|e| value(e, secrets)).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Table(tree) => {
            let entries: Vec<String> =
                tree.entries.iter().map(|(name, item)| format!("{} = {}", key(name), value(item, secrets))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        _ if secret => quoted(placeholder::MASK),
        Value::Text(text) => quoted(text),
        Value::Integer(number) => number.unwrap_or_default().to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Flag(flag) => flag.to_string(),
        Value::Datetime(text) => text.clone(),
    }
}

pub(super) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { name.to_owned() } else { quoted(name) }
}

/// A TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\U{:08X}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
