//! `ledger`: the record of everything that happened.

mod offline;
mod tail;
mod words;

use crate::ctl::client::Call;
use crate::ctl::commands::unsupported;
use crate::ctl::commands::values::{self, identifier};
use crate::ctl::fields::{flag, items, plain, text, when};
use crate::ctl::screen::{Ink, Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::{Args, Subcommand, ValueEnum};
use offline::{Rebuild, Verify};
use serde_json::Value;
use std::io;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// The last entries
    Tail(tail::Tail),
    /// Entries by time, kind, incident or delivery
    Query(Query),
    /// How many deliveries ended how
    Stats {
        /// Only from this time on: 24h, or RFC 3339
        #[arg(long, value_name = "WHEN", value_parser = values::moment)]
        since: Option<String>,
    },
    /// Check the whole chain
    Verify(Verify),
    /// Everything, one entry a line
    Export {
        /// How a line is written
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
    },
    /// Not yet supported
    Backup {
        /// Where to
        dir: PathBuf,
    },
    /// Make the history anew from the journal, while no daemon runs
    Rebuild(Rebuild),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    Jsonl,
    Csv,
}

#[derive(Debug, Args)]
pub struct Query {
    /// From this time on: 24h, or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = values::moment)]
    since: Option<String>,
    /// Up to this time: 1h, or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = values::moment)]
    until: Option<String>,
    /// Only of this kind; again for more
    #[arg(long = "kind", value_name = "KIND", value_parser = values::filled)]
    kinds: Vec<String>,
    /// Only about this incident
    #[arg(long, value_name = "ID", value_parser = identifier)]
    incident: Option<String>,
    /// Only about this delivery
    #[arg(long, value_name = "ID", value_parser = identifier)]
    delivery: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on where the last page ended
    #[arg(long)]
    cursor: Option<String>,
}

impl Ledger {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Ledger::Tail(tail) => tail.run(session).await,
            Ledger::Query(query) => query.run(session).await,
            Ledger::Stats { since } => {
                let answer = session.ask(Call::get(&["ledger", "stats"]).with("since", since)).await?;
                session.show(&answer, statistics)?;
                Ok(Exit::Done)
            }
            Ledger::Verify(verify) => verify.run(session).await,
            Ledger::Export { format } => export(session, format).await,
            Ledger::Backup { .. } => unsupported::refuse("ledger backup"),
            Ledger::Rebuild(rebuild) => rebuild.run(session),
        }
    }
}

impl Query {
    async fn run(self, session: &mut Session<'_>) -> Outcome {
        let call = Call::get(&["ledger"]).with("since", self.since).with("until", self.until);
        let call = self.kinds.into_iter().fold(call, |call, kind| call.with("kind", Some(kind)));
        let call = call
            .with("incident", self.incident)
            .with("delivery", self.delivery)
            .with("limit", self.limit)
            .with("cursor", self.cursor);
        let answer = session.ask(call).await?;
        session.show(&answer, |screen, document| {
            entries(screen, document)?;
            screen.more(document)
        })?;
        Ok(Exit::Done)
    }
}

async fn export(session: &mut Session<'_>, format: Format) -> Outcome {
    let (word, accept) = match format {
        Format::Jsonl => ("jsonl", "application/x-ndjson"),
        Format::Csv => ("csv", "text/csv"),
    };
    let api = session.api()?;
    let mut bytes = api.open(Call::get(&["ledger", "export"]).with("format", Some(word)), accept).await?;
    while let Some(chunk) = bytes.next().await? {
        session.screen.raw(&chunk)?;
    }
    session.screen.flush()?;
    Ok(Exit::Done)
}

fn entries(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let entries = items(document, "entries");
    if entries.is_empty() {
        return screen.line("no entries");
    }
    entries.iter().try_for_each(|e| happened(screen, "", e))
}

/// `2026-11-20 03:02:03.120     1234  incident_opened          #417  urgent Twilio credentials refused`
pub fn happened(screen: &mut Screen<'_>, before: &str, entry: &Value) -> io::Result<()> {
    let number = plain(entry, "number").map(|n| format!("#{n}")).unwrap_or_default();
    screen.pieces(&[
        before.into(),
        Piece::new(Ink::Dim, screen.stamp(when(entry, "at"))),
        format!("  {:>7}  {:<23}  ", text(entry, "seq"), text(entry, "kind")).into(),
        Piece::new(Ink::Bold, format!("{number:<5}")),
        format!("  {}", words::what(entry)).into(),
    ])
}

fn statistics(screen: &mut Screen<'_>, stats: &Value) -> io::Result<()> {
    let average = stats.get("avg_delivery_seconds").and_then(Value::as_f64);
    screen.fields(&[
        ("total", text(stats, "total")),
        ("delivered", text(stats, "delivered")),
        ("failed", text(stats, "failed")),
        ("pending", text(stats, "pending")),
        ("on average after", average.map_or_else(|| "-".into(), |s| format!("{s:.1}s"))),
        ("cost", text(stats, "cost")),
    ])?;
    let mut table = Table::new(&["CHANNEL", "DELIVERIES"]);
    for (channel, statuses) in stats.get("by_channel").and_then(Value::as_object).into_iter().flatten() {
        let counts: Vec<String> =
            statuses.as_object().into_iter().flatten().map(|(status, n)| format!("{status} {n}")).collect();
        table.row(vec![channel.into(), counts.join("   ").into()]);
    }
    screen.line("")?;
    table.print(screen, "no deliveries")
}

/// Of `verify` and `rebuild`.
fn verified(screen: &mut Screen<'_>, report: &Value) -> io::Result<()> {
    for fault in items(report, "faults") {
        let words = fault.as_str().map_or_else(|| fault_text(fault), str::to_owned);
        screen.pieces(&[Piece::new(Ink::Bad, "fault"), format!(": {words}").into()])?;
    }
    let word = if flag(report, "ok") { Piece::new(Ink::Good, "ok") } else { Piece::new(Ink::Bad, "DAMAGED") };
    screen.pieces(&[word, format!(": {} events, head {}", text(report, "events"), text(report, "head")).into()])
}

fn fault_text(fault: &Value) -> String {
    let fields = fault.as_object().into_iter().flatten();
    fields.filter_map(|(name, _)| plain(fault, name).map(|v| format!("{name} {v}"))).collect::<Vec<_>>().join(", ")
}
