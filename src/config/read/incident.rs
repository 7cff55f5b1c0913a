//! What heartbeats and watches say of the incident that they open, and words that several tables
//! share.

use crate::config::model::IncidentTerms;
use crate::config::read::book::Book;
use crate::domain::Labels;
use crate::domain::level::Level;
use crate::domain::matcher::is_label_name;
use crate::settings::{Table, suggestion};

/// Says that the search for a policy ends here.
pub const NO_POLICY: &str = "none";

/// Labels that stentor writes itself; `type` has a key of its own.
const RESERVED: &[&str] = &["level", "source", "name", "type", "tenant", "channel", "deal"];

/// level (default high), policy, to, channels, type, labels.
pub fn terms(table: &mut Table<'_>, book: Book<'_>) -> IncidentTerms {
    table.renamed("notify", "channels = [\"...\"]");
    let policy = table.text("policy").filter(|name| !name.is_empty());
    IncidentTerms {
        level: table.parsed("level", level).unwrap_or(Level::High),
        kind_of: table.text("type").filter(|word| !word.is_empty()),
        policy: policy.map(|name| Some(name).filter(|n| n != NO_POLICY)),
        to: book.who(table, "to"),
        channels: table.texts("channels"),
        labels: labels(table),
    }
}

/// One of our four words; the aliases of commands and intake are told what to write.
pub fn level(word: &str) -> Result<Level, String> {
    if let Some(level) = Level::parse_strict(word) {
        return Ok(level);
    }
    match Level::parse(word) {
        Some(level) => Err(format!("{word:?} is not a level of this file; write \"{level}\"")),
        None => Err(format!("{word:?} is not a level; {}", suggestion(word, Level::ALL.map(Level::as_str)))),
    }
}

fn labels(table: &mut Table<'_>) -> Labels {
    let mut labels = table.text_map("labels").unwrap_or_default();
    labels.retain(|name, _| {
        if RESERVED.contains(&name.as_str()) {
            table.error("labels", format!("{name:?} is written by stentor itself"), "give it another name");
        } else if !is_label_name(name) {
            table.error(
                "labels",
                format!("{name:?} is not a label name"),
                "write letters, digits and _, not first a digit",
            );
        } else {
            return true;
        }
        false
    });
    labels.into_iter().collect()
}
