//! `[watches.NAME]`: rules over values, and the three that are built in.

use crate::config::model::{IncidentTerms, Rule, Watch};
use crate::config::read::book::Book;
use crate::config::read::entries::{by_name, named, some_time};
use crate::config::read::incident;
use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::time::Span;
use crate::settings::{Table, suggestion};
use std::collections::BTreeMap;

const KINDS: [&str; 6] = ["capacity", "below", "above", "failure-rate", "queue-overflow", "low-processing-rate"];

/// On unless switched off; a table of this name changes it.
const BUILT_IN: [(&str, Rule); 3] = [
    ("high-failure-rate", Rule::FailureRate { over: Span::hours(1), above: 0.10, least: 10 }),
    ("queue-overflow", Rule::QueueOverflow { above: 1000 }),
    ("low-processing-rate", Rule::LowProcessingRate { below: 10 }),
];

pub fn read(root: &mut Table<'_>, book: Book<'_>) -> BTreeMap<String, Watch> {
    let tables = named(root, "watches");
    let left_alone: Vec<_> =
        BUILT_IN.into_iter().filter(|(name, _)| tables.iter().all(|t| t.name() != *name)).collect();
    let mut watches = by_name(tables, |table| watch(table, book));
    for (name, rule) in left_alone {
        let watch = Watch { name: name.to_owned(), rule, incident: built_in_terms(), tiers: Vec::new() };
        watches.insert(name.to_owned(), watch);
    }
    watches
}

fn built_in_terms() -> IncidentTerms {
    IncidentTerms { level: Level::High, kind_of: None, policy: None, to: None, channels: None, labels: Labels::new() }
}

fn watch(table: &mut Table<'_>, book: Book<'_>) -> Option<Watch> {
    let enabled = table.flag("enabled").unwrap_or(true);
    let incident = incident::terms(table, book);
    let tiers = table.texts("tiers").unwrap_or_default();
    if table.has("tiers") && table.has("policy") {
        table.error("policy", "a watch with tiers tells each once and follows no policy", "leave out policy or tiers");
    }
    if table.has("tiers") && table.has("to") {
        table.error("to", "tiers say already who is told", "leave out to or tiers");
    }
    let Some(kind) = kind(table) else {
        table.ignore_unknown();
        return None;
    };
    let rule = match kind {
        "capacity" => capacity(table),
        "below" => below(table),
        "above" => above(table),
        "failure-rate" => Some(failure_rate(table)),
        "queue-overflow" => Some(Rule::QueueOverflow { above: count(table, "above", 1000) }),
        _ => Some(Rule::LowProcessingRate { below: count(table, "below", 10) }),
    }?;
    enabled.then(|| Watch { name: table.name().to_owned(), rule, incident, tiers })
}

/// A built-in name says its kind.
fn kind(table: &mut Table<'_>) -> Option<&'static str> {
    let built_in = BUILT_IN.iter().find(|(name, _)| *name == table.name()).map(|(_, rule)| rule.kind());
    if built_in.is_some() && !table.has("kind") {
        table.known(&["kind"]);
        return built_in;
    }
    let word = table.require_parsed("kind", "below", |word| Ok(word.to_owned()))?;
    let Some(kind) = KINDS.into_iter().find(|k| *k == word) else {
        table.error("kind", format!("there is no kind of watch {word:?}"), suggestion(&word, KINDS));
        return None;
    };
    if let Some(own) = built_in.filter(|own| *own != kind) {
        table.error(
            "kind",
            format!("the built-in watch of this name is of kind {own:?}"),
            format!("write kind = {own:?}, or give it another name"),
        );
    }
    Some(kind)
}

fn capacity(table: &mut Table<'_>) -> Option<Rule> {
    let deal = table.require_text("deal", "Series N");
    match below(table)? {
        Rule::Below { metric, below, clear_above } => Some(Rule::Capacity { deal: deal?, metric, below, clear_above }),
        _ => None,
    }
}

fn below(table: &mut Table<'_>) -> Option<Rule> {
    let (metric, below) = (metric(table), table.require_float("below", 500_000.0));
    let clear = table.float("clear_above");
    if let (Some(below), Some(clear)) = (below, clear)
        && clear < below
    {
        table.error("clear_above", format!("{clear} is under below, {below}"), format!("write {below} or more"));
    }
    let below = below?;
    Some(Rule::Below { metric: metric?, below, clear_above: clear.unwrap_or(below) })
}

fn above(table: &mut Table<'_>) -> Option<Rule> {
    let (metric, above) = (metric(table), table.require_float("above", 90.0));
    let clear = table.float("clear_below");
    if let (Some(above), Some(clear)) = (above, clear)
        && clear > above
    {
        table.error("clear_below", format!("{clear} is over above, {above}"), format!("write {above} or less"));
    }
    let above = above?;
    Some(Rule::Above { metric: metric?, above, clear_below: clear.unwrap_or(above) })
}

fn failure_rate(table: &mut Table<'_>) -> Rule {
    let above = table.float("above").unwrap_or(0.10);
    if !(0.0..1.0).contains(&above) {
        table.error("above", format!("{above} is not a share"), "write a number from 0 to under 1, as 0.10");
    }
    let least = count(table, "least", 10);
    Rule::FailureRate { over: some_time(table, "over").unwrap_or(Span::hours(1)), above, least }
}

fn count(table: &mut Table<'_>, key: &str, default: u64) -> u64 {
    table.integer(key, 1..=1_000_000_000).map_or(default, |n| n as u64)
}

/// It is part of a URL and of an exported metric's label.
fn metric(table: &mut Table<'_>) -> Option<String> {
    table.require_parsed("metric", "deal.series-n.remaining", |name| {
        let well = name.len() <= 200 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
        if well {
            Ok(name.to_owned())
        } else {
            Err(format!("{name:?} is not a metric's name; write letters, digits, dots, dashes, colons and underscores"))
        }
    })
}
