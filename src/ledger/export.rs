//! The ledger for other tools: every entry from the journal, one a line, streamed.

use crate::domain::time::Timestamp;
use crate::ledger::fault::Fault;
use crate::ledger::history::Entry;
use crate::ledger::journal::walk::{Walk, WalkError};
use crate::ledger::places::Places;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, as `ledger query` gives them.
    Jsonl,
    /// RFC 4180 with a first line of names; what has no column of its own is JSON in the last.
    Csv,
}

/// What to export, and how.
#[derive(Clone, Debug)]
pub struct Export {
    pub format: Format,
    pub zone: TimeZone,
    /// Inclusive.
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    /// Not beyond this event (the durable one, while a daemon runs).
    pub through: Option<u64>,
}

/// What was written, and what was wrong with the journal on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    pub events: u64,
    pub faults: Vec<Fault>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Journal(#[from] WalkError),
    #[error("the export cannot be written: {0}")]
    Io(#[from] io::Error),
}

const COLUMNS: [&str; 12] = [
    "seq",
    "at",
    "kind",
    "initiator",
    "hash",
    "recorded_late",
    "id",
    "incident",
    "notification",
    "delivery",
    "channel",
    "status",
];

/// Writes the ledger of a state directory. Reads only; a daemon may run (see [`Export::through`]).
///
/// # Errors
/// When the journal cannot be read at all, or `out` takes no more.
pub fn export(state: &Path, what: &Export, out: &mut dyn Write) -> Result<Exported, ExportError> {
    let mut events = 0;
    if what.format == Format::Csv {
        write!(out, "{},details\r\n", COLUMNS.join(","))?;
    }
    let mut failed = None;
    let walk = Walk { through: what.through, ..Walk::default() };
    let walked = walk.run(&Places::of(state).journal, &mut |frame| {
        let inside = what.since.is_none_or(|t| frame.at >= t) && what.until.is_none_or(|t| frame.at < t);
        if !inside {
            return ControlFlow::Continue(());
        }
        for entry in Entry::all(frame) {
            if let Err(error) = write_entry(&entry, what, out) {
                failed = Some(error);
                return ControlFlow::Break(());
            }
            events += 1;
        }
        ControlFlow::Continue(())
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => out.flush().map(|()| Exported { events, faults: walked.faults }).map_err(ExportError::Io),
    }
}

fn write_entry(entry: &Entry, what: &Export, out: &mut dyn Write) -> io::Result<()> {
    let mut fields = entry.to_json(&what.zone);
    match what.format {
        Format::Jsonl => {
            serde_json::to_writer(&mut *out, &fields)?;
            out.write_all(b"\n")
        }
        Format::Csv => {
            for column in COLUMNS {
                let text = match fields.remove(column) {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => text,
                    Some(other) => other.to_string(),
                };
                write!(out, "{},", cell(&text))?;
            }
            write!(out, "{}\r\n", cell(&Value::Object(fields).to_string()))
        }
    }
}

/// One cell. A text that a spreadsheet would take for a formula gets an apostrophe before it.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains(['"', ',', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}
