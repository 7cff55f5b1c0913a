//! `sms inbox`: a line for each number that wrote to us.

use crate::ctl::client::Call;
use crate::ctl::fields::{count, flag, items, plain, text, when};
use crate::ctl::screen::{Ink, Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::Args;
use serde_json::Value;
use std::io;

#[derive(Debug, Args)]
pub struct Inbox {
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

impl Inbox {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let answer = session.ask(Call::get(&["sms", "inbox"]).with("limit", self.limit)).await?;
        session.show(&answer, list)?;
        Ok(Exit::Done)
    }
}

fn list(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table = Table::new(&["NUMBER", "WHO", "LAST", "MESSAGES", "TEXT", "WHAT IT DID"]);
    for conversation in items(document, "conversations") {
        let out = if flag(conversation, "opted_out") { " (wants no texts)" } else { "" };
        table.row(vec![
            Piece::new(
                if out.is_empty() { Ink::Plain } else { Ink::Warn },
                format!("{}{out}", text(conversation, "number")),
            ),
            text(conversation, "who").into(),
            screen.clock(when(conversation, "last_at")).into(),
            count(conversation, "messages").to_string().into(),
            text(conversation, "text").into(),
            plain(conversation, "did").unwrap_or_default().into(),
        ]);
    }
    table.print(screen, "nobody wrote")
}
