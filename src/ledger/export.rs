//! The ledger for other tools: every entry from the journal, one a line, streamed.

use crate::domain::event::Place;
use crate::domain::time::Timestamp;
use crate::ledger::fault::Fault;
use crate::ledger::history::Entry;
use crate::ledger::journal::walk::{Walk, WalkError};
use crate::ledger::mending;
use crate::ledger::places::Places;
use crate::ledger::texts;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Map, Value};
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
    let places = Places::of(state);
    let walk = Walk { base: mending::base(&places), through: what.through, ..Walk::default() };
    let walked = walk.run(&places.journal, &mut |frame| {
        let inside = what.since.is_none_or(|t| frame.at >= t) && what.until.is_none_or(|t| frame.at < t);
        if !inside {
            return ControlFlow::Continue(());
        }
        for entry in Entry::all(frame) {
            if let Err(error) = write_entry(&entry, &places, what, out) {
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

fn write_entry(entry: &Entry, places: &Places, what: &Export, out: &mut dyn Write) -> io::Result<()> {
    let mut fields = entry.to_json(&what.zone);
    put_in(&mut fields, entry.seq, places);
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

/// A text that is a file of its own is put where it would stand; one that cannot be read is told.
fn put_in(fields: &mut Map<String, Value>, seq: u64, places: &Places) {
    let place = fields.get("more").and_then(|more| Place::deserialize(more).ok());
    // What another event brought stands there.
    let Some(place) = place.filter(|place| place.seq == 0 && place.blob.is_some()) else { return };
    match texts::read(places, &place.from(seq)) {
        Ok(text) => {
            fields.remove("more");
            match fields.get_mut("text").and_then(|rendered| rendered.get_mut("text")) {
                Some(beginning) => *beginning = text.into(),
                None => drop(fields.insert("body".into(), text.into())),
            }
        }
        Err(words) => drop(fields.insert("missing".into(), words.into())),
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
