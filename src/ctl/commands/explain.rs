//! `explain`: why an incident or a delivery did what it did.

use crate::ctl::client::Call;
use crate::ctl::commands::values::identifier;
use crate::ctl::fields::{count, items, plain, text, when};
use crate::ctl::screen::{Ink, Piece, Screen};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::Args;
use serde_json::Value;
use std::io;

#[derive(Debug, Args)]
pub struct Explain {
    /// An incident, a delivery or a notification: a number such as 417, an id, or the end of an id
    #[arg(value_parser = identifier)]
    id: String,
}

impl Explain {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let answer = session.ask(Call::get(&["explain", &self.id])).await?;
        session.show(&answer, steps)?;
        Ok(Exit::Done)
    }
}

/// What happened, and under it by which rule.
fn steps(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    for step in items(document, "steps") {
        let at = screen.stamp(when(step, "at"));
        let indent = " ".repeat(at.chars().count() + 2);
        let again = match count(step, "times") {
            0 | 1 => String::new(),
            times => format!(" ({times} times, until {})", screen.clock(when(step, "until"))),
        };
        screen.pieces(&[Piece::new(Ink::Dim, at), "  ".into(), text(step, "what").into(), again.into()])?;
        if let Some(because) = plain(step, "because") {
            screen.pieces(&[indent.into(), Piece::new(Ink::Dim, "because "), because.into()])?;
        }
    }
    if items(document, "steps").is_empty() { screen.line("nothing is recorded about it") } else { Ok(()) }
}
