//! `watches` and `metric`.

use crate::ctl::client::Call;
use crate::ctl::commands::values;
use crate::ctl::fields::{items, text, when};
use crate::ctl::screen::{Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::Subcommand;
use serde_json::{Value, json};
use std::io;

#[derive(Debug, Subcommand)]
pub enum Watches {
    /// All of them, with their last value
    List,
}

impl Watches {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let answer = session.ask(Call::get(&["watches"])).await?;
        session.show(&answer, list)?;
        Ok(Exit::Done)
    }
}

#[derive(Debug, Subcommand)]
pub enum Metric {
    /// Set the value
    Set {
        /// Its name
        #[arg(value_parser = values::name)]
        name: String,
        /// A number
        #[arg(value_parser = values::number, allow_negative_numbers = true)]
        value: f64,
    },
    /// Print the last value
    Get {
        /// Its name
        #[arg(value_parser = values::name)]
        name: String,
    },
}

impl Metric {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let call = match &self {
            Metric::Set { name, value } => Call::put(&["metrics", name], json!({ "value": value })),
            Metric::Get { name } => Call::get(&["metrics", name]),
        };
        let answer = session.ask(call).await?;
        session.show(&answer, |screen, metric| {
            let at = when(metric, "value_at").map(|t| format!(" at {}", screen.clock(Some(t)))).unwrap_or_default();
            screen.line(format!("{} = {}{at}", text(metric, "name"), text(metric, "value")))
        })?;
        Ok(Exit::Done)
    }
}

fn list(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table = Table::new(&["NAME", "KIND", "STATUS", "SINCE", "VALUE", "AT", "THRESHOLD", "METRIC"]);
    for watch in items(document, "watches") {
        table.row(vec![
            text(watch, "name").into(),
            text(watch, "kind").into(),
            Piece::status(text(watch, "status")),
            screen.clock(when(watch, "since")).into(),
            text(watch, "value").into(),
            screen.clock(when(watch, "value_at")).into(),
            text(watch, "threshold").into(),
            text(watch, "metric").into(),
        ]);
    }
    table.print(screen, "no watches")?;
    screen.more(document)
}
