//! The errors and warnings of a config, of `check-config` and `reload`.

use crate::ctl::fields::{count, flag, items, plain, some, text};
use crate::ctl::screen::{Ink, Piece, Screen};
use crate::ctl::trouble::Exit;
use serde_json::Value;
use std::io;

/// A refused config is bad news.
pub fn exit(report: &Value) -> Exit {
    if flag(report, "ok") { Exit::Done } else { Exit::BadNews }
}

/// `file:line:column: error: message`, and under it what would be right.
pub fn print(screen: &mut Screen<'_>, report: &Value) -> io::Result<()> {
    let kinds = [("errors", "error", Ink::Bad), ("warnings", "warning", Ink::Warn)];
    for (key, word, ink) in kinds {
        for problem in items(report, key) {
            screen.pieces(&[
                place(problem).into(),
                Piece::new(ink, word),
                format!(": {}", text(problem, "message")).into(),
            ])?;
            if let Some(hint) = plain(problem, "hint") {
                screen.paragraph("    ", &hint)?;
            }
        }
    }
    Ok(())
}

/// How many there are: `2 errors, 1 warning`.
pub fn tally(report: &Value) -> String {
    format!("{}, {}", some(items(report, "errors").len(), "error"), some(items(report, "warnings").len(), "warning"))
}

/// `file:line:column: message`, also of an error that is only a text.
pub fn one_line(problem: &Value) -> String {
    problem.as_str().map_or_else(|| format!("{}{}", place(problem), text(problem, "message")), str::to_owned)
}

fn place(problem: &Value) -> String {
    let file = text(problem, "file");
    match (count(problem, "line"), count(problem, "column")) {
        (0, _) => format!("{file}: "),
        (line, 0) => format!("{file}:{line}: "),
        (line, column) => format!("{file}:{line}:{column}: "),
    }
}
