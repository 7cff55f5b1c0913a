//! `deliveries`: what was sent to whom, and how that ended.

use crate::ctl::client::Call;
use crate::ctl::commands::values::{self, identifier};
use crate::ctl::fields::{flag, items, plain, short, text, when};
use crate::ctl::screen::{Ink, Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use crate::domain::phone;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io;

#[derive(Debug, Subcommand)]
pub enum Deliveries {
    /// The latest ones
    List(List),
    /// One of them, with every attempt
    Show {
        /// An id, or the end of one
        #[arg(value_parser = identifier)]
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct List {
    /// Only with this status: ready, waiting, dead, ...
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Only by this channel
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Only of this incident
    #[arg(long, value_name = "ID", value_parser = identifier)]
    incident: Option<String>,
    /// Only on this account
    #[arg(long, value_name = "TENANT", alias = "tenant-id", value_parser = values::filled)]
    tenant: Option<String>,
    /// Only to this person, address or number
    #[arg(long, value_name = "WHO", value_parser = values::filled)]
    contact: Option<String>,
    /// Only from this time on: 24h, or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = values::moment)]
    since: Option<String>,
    /// Only before this time: 24h, or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = values::moment)]
    until: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on where the last page ended
    #[arg(long)]
    cursor: Option<String>,
}

impl Deliveries {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Deliveries::List(list) => {
                let call = Call::get(&["deliveries"])
                    .with("status", list.status)
                    .with("channel", list.channel)
                    .with("incident", list.incident)
                    .with("tenant", list.tenant)
                    .with("contact", list.contact)
                    .with("since", list.since)
                    .with("until", list.until)
                    .with("limit", list.limit);
                let mut answer = session.ask(call.clone().with("cursor", list.cursor)).await?;
                // So many may not fit that a page is empty, and yet there are some.
                while items(&answer.document, "deliveries").is_empty()
                    && let Some(cursor) = plain(&answer.document, "next_cursor")
                {
                    answer = session.ask(call.clone().with("cursor", Some(cursor))).await?;
                }
                session.show(&answer, |screen, document| table(screen, document, "no deliveries"))?;
            }
            Deliveries::Show { id } => {
                let answer = session.ask(Call::get(&["deliveries", &id])).await?;
                session.show(&answer, one)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// A delivery says its latest attempts; where the others are.
fn earlier(delivery: &Value) -> Option<String> {
    let first = items(delivery, "attempts").first()?["n"].as_u64().filter(|n| *n > 1)?;
    let id = text(delivery, "id");
    Some(format!("  the first {} are in the ledger: stentorctl ledger query --delivery {id}", first - 1))
}

/// A line for each; `none` where there is none.
pub fn table(screen: &mut Screen<'_>, document: &Value, none: &str) -> io::Result<()> {
    let mut table = Table::new(&["ID", "STATUS", "CHANNEL", "TO", "INCIDENT", "CREATED", "WHY"]);
    for delivery in items(document, "deliveries") {
        table.row(vec![
            short(delivery, "id").into(),
            Piece::status(text(delivery, "status")),
            way(delivery).into(),
            recipient(delivery).into(),
            incident(delivery).into(),
            screen.clock(when(delivery, "created_at")).into(),
            plain(delivery, "reason").unwrap_or_default().into(),
        ]);
    }
    table.print(screen, none)?;
    screen.more(document)
}

fn one(screen: &mut Screen<'_>, delivery: &Value) -> io::Result<()> {
    let reason = plain(delivery, "reason").map(|r| format!(" ({r})")).unwrap_or_default();
    screen.pieces(&[
        Piece::new(Ink::Bold, text(delivery, "id")),
        "  ".into(),
        Piece::status(text(delivery, "status")),
        reason.into(),
    ])?;
    screen.fields(&[
        ("subject", text(delivery, "subject")),
        ("from", text(delivery, "from")),
        ("to", recipient(delivery)),
        ("channel", format!("{} ({})", way(delivery), text(delivery, "provider"))),
        ("incident", incident(delivery)),
        ("notification", text(delivery, "notification")),
        ("created", screen.stamp(when(delivery, "created_at"))),
        ("sent", screen.stamp(when(delivery, "sent_at"))),
        ("delivered", screen.stamp(when(delivery, "delivered_at"))),
        ("cost", cost(delivery)),
        ("segments", text(delivery, "segments")),
    ])?;
    screen.fields(&asked(delivery))?;
    let mut attempts = Table::new(&["  ATTEMPT", "CHANNEL", "STARTED", "FINISHED", "HOW IT ENDED"]);
    for attempt in items(delivery, "attempts") {
        attempts.row(vec![
            format!("  {}", text(attempt, "n")).into(),
            text(attempt, "channel").into(),
            screen.stamp(when(attempt, "started_at")).into(),
            screen.stamp(when(attempt, "finished_at")).into(),
            ended(attempt),
        ]);
    }
    screen.line("")?;
    if let Some(earlier) = earlier(delivery) {
        screen.line(earlier)?;
    }
    attempts.print(screen, "  no attempts")
}

/// What its caller said of the request; a line for each thing that was said.
fn asked(delivery: &Value) -> Vec<(&str, String)> {
    let named =
        [("correlation", "correlation_id"), ("request", "request_id"), ("tenant", "tenant"), ("actor", "actor")];
    let mut fields: Vec<_> =
        named.into_iter().filter_map(|(name, field)| Some((name, plain(delivery, field)?))).collect();
    let metadata = delivery["metadata"].as_object().into_iter().flatten();
    fields.extend(attached(delivery));
    fields.extend(metadata.map(|(name, value)| ("metadata", format!("{name}={}", value.as_str().unwrap_or_default()))));
    fields
}

/// A line for each file of it.
pub fn attached(document: &Value) -> impl Iterator<Item = (&'static str, String)> {
    items(document, "attachments").iter().map(|file| {
        ("attachment", format!("{} ({}, {} bytes)", text(file, "name"), text(file, "type"), text(file, "bytes")))
    })
}

/// `0.0075 USD`, and who says so.
fn cost(delivery: &Value) -> String {
    let all = [plain(delivery, "cost"), plain(delivery, "currency")];
    let cost: Vec<String> = all.into_iter().flatten().collect();
    let reported = items(delivery, "charges").iter().all(|c| flag(c, "reported"));
    match (cost.is_empty(), reported || items(delivery, "charges").is_empty()) {
        (true, _) => "-".to_owned(),
        (false, true) => cost.join(" "),
        (false, false) => format!("{} (by the config)", cost.join(" ")),
    }
}

/// A name, an address, or a number as people write it.
pub fn recipient(delivery: &Value) -> String {
    let recipient = text(delivery, "recipient");
    if recipient.starts_with('+') { phone::formatted(&recipient) } else { recipient }
}

/// `sms`, or `sms by sms-gateway` where it took another way.
pub fn way(delivery: &Value) -> String {
    let channel = text(delivery, "channel");
    match plain(delivery, "via").filter(|via| *via != channel) {
        Some(via) => format!("{channel} by {via}"),
        None => channel,
    }
}

fn ended(attempt: &Value) -> Piece {
    let twice = if flag(attempt, "possibly_duplicate") { ", possibly a duplicate" } else { "" };
    match (plain(attempt, "class"), plain(attempt, "error")) {
        (None, None) if plain(attempt, "finished_at").is_none() => format!("under way{twice}").into(),
        (None, None) => {
            let id = plain(attempt, "provider_message_id").map(|i| format!(", {i}")).unwrap_or_default();
            Piece::new(Ink::Good, format!("accepted{id}{twice}"))
        }
        (class, error) => {
            let words: Vec<String> = class.into_iter().chain(error).collect();
            Piece::new(Ink::Bad, format!("{}{twice}", words.join(": ")))
        }
    }
}

fn incident(delivery: &Value) -> String {
    match delivery.get("incident") {
        Some(Value::Number(n)) => format!("#{n}"),
        _ => short(delivery, "incident"),
    }
}
