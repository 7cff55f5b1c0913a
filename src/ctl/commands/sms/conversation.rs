//! `sms conversation`: both sides of what was said with one number, in order.

use crate::ctl::client::Call;
use crate::ctl::commands::values;
use crate::ctl::fields::{flag, items, plain, text, when};
use crate::ctl::screen::{Ink, Piece, Screen};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::Args;
use serde_json::Value;
use std::io;

#[derive(Debug, Args)]
pub struct Conversation {
    /// The number, or the name of a person
    #[arg(value_name = "NUMBER", value_parser = values::filled)]
    number: String,
}

impl Conversation {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let answer = session.ask(Call::get(&["sms", "conversations", &self.number])).await?;
        session.show(&answer, print)?;
        Ok(Exit::Done)
    }
}

fn print(screen: &mut Screen<'_>, conversation: &Value) -> io::Result<()> {
    let who = plain(conversation, "who").map(|who| format!("  {who}")).unwrap_or_default();
    screen.pieces(&[Piece::new(Ink::Bold, text(conversation, "number")), who.into()])?;
    if flag(conversation, "opted_out") {
        screen.pieces(&[Piece::new(Ink::Warn, "wants no texts: the provider refuses them until it writes START")])?;
    }
    for message in items(conversation, "messages") {
        let at = screen.stamp(when(message, "at"));
        let arrow = if text(message, "direction") == "in" { "<" } else { ">" };
        let what = plain(message, "did").or_else(|| plain(message, "status")).map(|w| format!("  ({w})"));
        screen.pieces(&[
            Piece::new(Ink::Dim, at),
            format!("  {arrow} {}", text(message, "text")).into(),
            Piece::new(Ink::Dim, what.unwrap_or_default()),
        ])?;
    }
    if items(conversation, "messages").is_empty() { screen.line("nothing was said") } else { Ok(()) }
}
