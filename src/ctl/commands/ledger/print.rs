//! What the ledger says, for people.

use crate::ctl::commands::ledger::words;
use crate::ctl::fields::{flag, items, plain, text, when};
use crate::ctl::screen::{Ink, Piece, Screen, Table};
use serde_json::Value;
use std::io;

pub fn entries(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
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
        Piece::new(Ink::Dim, format!("{:<23}", screen.stamp(when(entry, "at")))),
        format!("  {:>7}  {:<23}  ", text(entry, "seq"), text(entry, "kind")).into(),
        Piece::new(Ink::Bold, format!("{number:<5}")),
        format!("  {}", words::what(entry)).into(),
    ])
}

pub fn statistics(screen: &mut Screen<'_>, stats: &Value) -> io::Result<()> {
    let average = stats.get("avg_delivery_seconds").and_then(Value::as_f64);
    // The counters are kept by the hour: not what was asked, but what was counted.
    let since = when(stats, "since").map(|since| ("since", screen.clock(Some(since))));
    let mut fields: Vec<(&str, String)> = since.into_iter().collect();
    fields.extend([
        ("total", text(stats, "total")),
        ("delivered", text(stats, "delivered")),
        ("failed", text(stats, "failed")),
        ("pending", text(stats, "pending")),
        ("on average after", average.map_or_else(|| "-".into(), seconds)),
        ("cost", money(stats.get("cost"))),
    ]);
    screen.fields(&fields)?;
    let mut table = Table::new(&["CHANNEL", "DELIVERIES"]);
    for (channel, statuses) in stats.get("by_channel").and_then(Value::as_object).into_iter().flatten() {
        let counts: Vec<String> =
            statuses.as_object().into_iter().flatten().map(|(status, n)| format!("{status} {n}")).collect();
        table.row(vec![channel.into(), counts.join("   ").into()]);
    }
    screen.line("")?;
    table.print(screen, "no deliveries")?;
    if stats.get("costs").is_none() {
        return Ok(());
    }
    screen.line("")?;
    costs(screen, items(stats, "costs"))
}

/// `DAY  TENANT  MESSAGES  SEGMENTS  COST`, the parts that were asked for.
fn costs(screen: &mut Screen<'_>, rows: &[Value]) -> io::Result<()> {
    let asked = ["day", "tenant", "channel", "provider"];
    let parts: Vec<&str> = asked.into_iter().filter(|part| rows.iter().any(|row| row.get(part).is_some())).collect();
    let heads = [("day", "DAY"), ("tenant", "TENANT"), ("channel", "CHANNEL"), ("provider", "PROVIDER")];
    let heads = heads.into_iter().filter(|(part, _)| parts.contains(part)).map(|(_, head)| head);
    let mut table = Table::new(&heads.chain(["MESSAGES", "SEGMENTS", "COST"]).collect::<Vec<_>>());
    for row in rows {
        let named = parts.iter().map(|part| text(row, part));
        let counted = [text(row, "messages"), text(row, "segments"), money(row.get("cost"))];
        table.row(named.chain(counted).map(Piece::from).collect());
    }
    table.print(screen, "nothing was spent")
}

/// `0.015 USD`, of several currencies each.
fn money(cost: Option<&Value>) -> String {
    let Some(Value::Object(sums)) = cost else {
        return cost.and_then(Value::as_str).unwrap_or("-").to_owned();
    };
    let each = sums.iter().map(|(currency, amount)| format!("{} {currency}", amount.as_str().unwrap_or("-")));
    each.collect::<Vec<_>>().join(" + ")
}

/// `31ms`, `1.2s`, `45s`.
fn seconds(n: f64) -> String {
    match n {
        n if n < 1.0 => format!("{:.0}ms", n * 1_000.0),
        n if n < 10.0 => format!("{n:.1}s"),
        n => format!("{n:.0}s"),
    }
}

/// Of `verify` and `rebuild`.
pub fn verified(screen: &mut Screen<'_>, report: &Value) -> io::Result<()> {
    for fault in items(report, "faults") {
        let words = fault.as_str().map_or_else(|| fault_text(fault), str::to_owned);
        screen.pieces(&[Piece::new(Ink::Bad, "fault"), format!(": {words}").into()])?;
    }
    if let Some(events) = report["put_back"].as_u64() {
        screen.line(format!("put back from the history: {events} events; verify once more"))?;
    }
    let word = if flag(report, "ok") { Piece::new(Ink::Good, "ok") } else { Piece::new(Ink::Bad, "DAMAGED") };
    screen.pieces(&[word, format!(": {} events, head {}", text(report, "events"), text(report, "head")).into()])
}

/// Of `backup`.
pub fn backed_up(screen: &mut Screen<'_>, report: &Value) -> io::Result<()> {
    verified(screen, report)?;
    screen.line(format!(
        "{}: {} files, {} bytes, up to event {}",
        text(report, "dir"),
        text(report, "files"),
        text(report, "bytes"),
        text(report, "seq")
    ))?;
    screen.line(format!("to note elsewhere: {}:{}", text(report, "seq"), text(report, "head")))
}

/// `edited: journal/0001 at byte 17, event 12: not the frame that was chained`; by the first word the documentation
/// says what to do.
fn fault_text(fault: &Value) -> String {
    let kind = plain(fault, "kind").map(|kind| format!("{kind}: ")).unwrap_or_default();
    let Some(file) = plain(fault, "file") else { return format!("{kind}{}", text(fault, "words")) };
    let offset = plain(fault, "offset").map(|o| format!(" at byte {o}")).unwrap_or_default();
    let seq = plain(fault, "seq").map(|s| format!(", event {s}")).unwrap_or_default();
    format!("{kind}{file}{offset}{seq}: {}", text(fault, "words"))
}
