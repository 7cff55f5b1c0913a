//! `fomo`: remaining capacity of deals.

use crate::ctl::client::Call;
use crate::ctl::commands::results;
use crate::ctl::commands::values::{self, Body};
use crate::ctl::fields::{items, text, when};
use crate::ctl::screen::{Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io;

#[derive(Debug, Subcommand)]
pub enum Fomo {
    /// Tell the tiers of a deal now, whatever the threshold
    Push(Push),
    /// The deals that are watched
    List,
}

#[derive(Debug, Args)]
pub struct Push {
    /// The deal's name
    #[arg(long, value_name = "NAME", value_parser = values::filled)]
    deal: String,
    /// What is left of it
    #[arg(long, value_name = "NUMBER", value_parser = values::number, allow_negative_numbers = true)]
    remaining: f64,
    /// Whom to tell, in this order; none: the tiers of the deal's watch
    #[arg(long = "tier", value_name = "TIER", value_parser = values::filled)]
    tiers: Vec<String>,
}

impl Fomo {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Fomo::Push(push) => {
                let body = Body::default()
                    .with("deal", Some(push.deal))
                    .with("remaining", Some(push.remaining))
                    .list("tiers", &push.tiers);
                let answer = session.ask(Call::post(&["fomo"], body.into())).await?;
                session.show(&answer, results::print)?;
            }
            Fomo::List => {
                let answer = session.ask(Call::get(&["fomo"])).await?;
                session.show(&answer, list)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table = Table::new(&["DEAL", "STATUS", "REMAINING", "AT", "THRESHOLD", "TIERS", "WATCH"]);
    for watch in items(document, "watches") {
        table.row(vec![
            text(watch, "deal").into(),
            Piece::status(text(watch, "status")),
            text(watch, "value").into(),
            screen.clock(when(watch, "value_at")).into(),
            text(watch, "threshold").into(),
            text(watch, "tiers").into(),
            text(watch, "name").into(),
        ]);
    }
    table.print(screen, "no deals")?;
    screen.more(document)
}
