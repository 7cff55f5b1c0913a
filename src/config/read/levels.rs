//! `[levels.NAME]`, and how those that are left out follow from those that are written.

use crate::config::later::{self, Home};
use crate::config::model::LevelConfig;
use crate::config::options::LoadOptions;
use crate::config::read::book::Book;
use crate::config::read::entries::some_time;
use crate::config::read::incident::NO_POLICY;
use crate::domain::level::Level;
use crate::settings::{Table, suggestion};
use std::collections::BTreeMap;

pub fn read(root: &mut Table<'_>, options: &LoadOptions<'_>, book: Book<'_>) -> BTreeMap<Level, LevelConfig> {
    let mut written = BTreeMap::new();
    for mut table in root.named_tables("levels") {
        match level_of(&mut table) {
            Some(level) => {
                written.insert(level, read_level(&mut table, options, book));
            }
            None => table.ignore_unknown(),
        }
    }
    fill(&written)
}

pub(super) fn level_of(table: &mut Table<'_>) -> Option<Level> {
    let word = table.name().to_owned();
    let level = Level::parse_strict(&word);
    if level.is_none() {
        let hint = match Level::parse(&word) {
            Some(level) => format!("write [levels.{level}]"),
            None => suggestion(&word, Level::ALL.map(Level::as_str)),
        };
        table.error("", format!("{word:?} is not a level of this file"), hint);
    }
    level
}

fn read_level(table: &mut Table<'_>, options: &LoadOptions<'_>, book: Book<'_>) -> LevelConfig {
    table.renamed("notify", "channels = [\"...\"]");
    table.renamed("schedule", "to = [\"schedule:NAME\"]");
    let channels = table.texts("channels");
    if !table.has("channels") && !table.has("notify") {
        table.error("channels", "a level has channels", "write channels = [\"...\"], or [] to tell nobody");
    }
    let ack_timeout =
        later::may_read(table, Home::Level, "ack_timeout", options).then(|| some_time(table, "ack_timeout")).flatten();
    LevelConfig {
        channels: channels.unwrap_or_default(),
        to: book.who(table, "to"),
        policy: table.text("policy").filter(|name| !name.is_empty() && name != NO_POLICY),
        remind: some_time(table, "remind"),
        ack_timeout,
        template: table.text("template").filter(|name| !name.is_empty()),
    }
}

/// A level left out is as the nearest lower one written, else as the nearest higher without its
/// policy.
fn fill(written: &BTreeMap<Level, LevelConfig>) -> BTreeMap<Level, LevelConfig> {
    let filled = |level: Level| {
        if let Some((_, lower)) = written.range(..=level).next_back() {
            return lower.clone();
        }
        let higher = written.range(level..).next().map(|(_, higher)| higher.clone());
        higher.map(|higher| LevelConfig { policy: None, ..higher }).unwrap_or_default()
    };
    Level::ALL.into_iter().map(|level| (level, filled(level))).collect()
}
