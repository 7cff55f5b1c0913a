//! `dlq`: dead letters, what no way could deliver.

use crate::ctl::client::Call;
use crate::ctl::commands::deliveries::{table, way};
use crate::ctl::commands::values::{Body, identifier};
use crate::ctl::fields::{items, plain, short, text};
use crate::ctl::screen::Screen;
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io;

#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// All of them, the oldest first
    List(List),
    /// Send one, or all of them, once more; also when the incident is over
    Requeue {
        /// An id, or the end of one
        #[arg(value_parser = identifier, required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
    },
    /// Give one up
    Drop {
        /// An id, or the end of one
        #[arg(value_parser = identifier)]
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct List {
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on where the last page ended
    #[arg(long)]
    cursor: Option<String>,
}

impl Dlq {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Dlq::List(List { limit, cursor }) => {
                let call = Call::get(&["dlq"]).with("limit", limit).with("cursor", cursor);
                let answer = session.ask(call).await?;
                session.show(&answer, |screen, document| table(screen, document, "no dead letters"))?;
            }
            Dlq::Requeue { id, .. } => {
                let path = match &id {
                    Some(id) => vec!["dlq", id, "requeue"],
                    None => vec!["dlq", "requeue"],
                };
                let answer = session.ask(Call::post(&path, Body::default().into())).await?;
                session.show(&answer, requeued)?;
            }
            Dlq::Drop { id } => {
                let answer = session.ask(Call::post(&["dlq", &id, "drop"], Body::default().into())).await?;
                session.show(&answer, |screen, document| {
                    let line =
                        |d: &Value| format!("{} is given up: {} to {}", short(d, "id"), way(d), text(d, "recipient"));
                    items(document, "deliveries").iter().try_for_each(|d| screen.line(line(d)))
                })?;
            }
        }
        Ok(Exit::Done)
    }
}

fn requeued(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    match plain(document, "requeued").as_deref() {
        Some("0") | None => screen.line("no dead letter was requeued")?,
        Some("1") => screen.line("1 dead letter goes once more:")?,
        Some(n) => screen.line(format!("{n} dead letters go once more:"))?,
    }
    if let Some(held) = plain(document, "held").filter(|n| n != "0") {
        screen.line(format!("{held} stay dead letters: a silence holds them"))?;
    }
    if items(document, "deliveries").is_empty() { Ok(()) } else { table(screen, document, "") }
}
