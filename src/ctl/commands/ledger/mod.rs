//! `ledger`: the record of everything that happened.

mod backup;
mod erase;
mod offline;
mod print;
mod tail;
mod words;

pub use print::happened;

use crate::ctl::client::Call;
use crate::ctl::commands::values::{self, identifier};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use backup::Backup;
use clap::{Args, Subcommand, ValueEnum};
use erase::Erase;
use offline::{Rebuild, Verify};
use print::{entries, statistics};

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
        /// Up to this time: 1h, or RFC 3339
        #[arg(long, value_name = "WHEN", value_parser = values::moment)]
        until: Option<String>,
        /// What was spent by tenant, channel, provider or day; again to combine
        #[arg(long, value_name = "WHAT", value_enum)]
        by: Vec<Part>,
    },
    /// Check the whole chain
    Verify(Verify),
    /// Everything, one entry a line
    Export {
        /// How a line is written
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
    },
    /// Copy the ledger while the daemon runs, and check the copy
    Backup(Backup),
    /// Remove a person's texts and addresses from the ledger, for good
    Erase(Erase),
    /// Make the history anew from the journal, while no daemon runs
    Rebuild(Rebuild),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    Jsonl,
    Csv,
}

/// By what costs are told apart.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Part {
    Tenant,
    Channel,
    Provider,
    Day,
}

impl Part {
    fn as_str(self) -> &'static str {
        match self {
            Part::Tenant => "tenant",
            Part::Channel => "channel",
            Part::Provider => "provider",
            Part::Day => "day",
        }
    }
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
            Ledger::Stats { since, until, by } => {
                let call = Call::get(&["ledger", "stats"]).with("since", since).with("until", until);
                let call = by.into_iter().fold(call, |call, part| call.with("by", Some(part.as_str())));
                let answer = session.ask(call).await?;
                session.show(&answer, statistics)?;
                Ok(Exit::Done)
            }
            Ledger::Verify(verify) => verify.run(session).await,
            Ledger::Export { format } => export(session, format).await,
            Ledger::Erase(erase) => erase.run(session).await,
            Ledger::Backup(backup) => backup.run(session).await,
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
