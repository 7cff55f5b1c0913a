//! `silence`: hold alarms back for a while.

use crate::ctl::client::Call;
use crate::ctl::commands::values::{self, Body, identifier};
use crate::ctl::fields::{items, text, when};
use crate::ctl::screen::{Ink, Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io;

#[derive(Debug, Subcommand)]
pub enum Silence {
    /// Hold back what matches, from now on
    Add(Add),
    /// All of them
    List,
    /// End one now
    Expire {
        /// Its id
        #[arg(value_parser = identifier)]
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct Add {
    /// name=value, name!=value, name=~regex or name!~regex; all must hold
    #[arg(value_name = "MATCHER", required = true, value_parser = values::matcher)]
    matchers: Vec<String>,
    /// For how long: 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = values::duration)]
    length: String,
    /// Why, for those who wonder
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = values::filled)]
    comment: String,
    /// Who wants it; else whoever calls
    #[arg(long, value_name = "NAME", value_parser = values::filled)]
    author: Option<String>,
}

impl Silence {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Silence::Add(add) => {
                let body = Body::default()
                    .list("matchers", &add.matchers)
                    .with("for", Some(add.length))
                    .with("comment", Some(add.comment))
                    .with("author", add.author);
                let answer = session.ask(Call::post(&["silences"], body.into())).await?;
                session.show(&answer, |screen, silence| {
                    let until = screen.clock(when(silence, "ends_at"));
                    screen.line(text(silence, "id"))?;
                    screen.line(format!("holds back {} until {until}", text(silence, "matchers")))
                })?;
            }
            Silence::List => {
                let answer = session.ask(Call::get(&["silences"])).await?;
                session.show(&answer, list)?;
            }
            Silence::Expire { id } => {
                let answer = session.ask(Call::delete(&["silences", &id])).await?;
                session.show(&answer, |screen, silence| {
                    screen.line(format!("silence {} has ended: {}", text(silence, "id"), text(silence, "matchers")))
                })?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table = Table::new(&["ID", "STATUS", "ENDS", "BY", "HELD", "MATCHERS", "COMMENT"]);
    for silence in items(document, "silences") {
        let status = text(silence, "status");
        let ink = if status == "active" { Ink::Warn } else { Ink::Plain };
        table.row(vec![
            text(silence, "id").into(),
            Piece::new(ink, status),
            screen.clock(when(silence, "ends_at")).into(),
            text(silence, "created_by").into(),
            text(silence, "held").into(),
            text(silence, "matchers").into(),
            text(silence, "comment").into(),
        ]);
    }
    table.print(screen, "no silences")?;
    screen.more(document)
}
