//! `[heartbeats.NAME]`: what is checked on a schedule, or must be pinged.

use crate::config::later;
use crate::config::model::{Check, Heartbeat};
use crate::config::read::book::Book;
use crate::config::read::entries::{by_name, named, some_time, with_hint};
use crate::config::read::incident;
use crate::domain::schedule::Schedule;
use crate::domain::time::Span;
use crate::settings::{Table, suggestion};
use std::collections::BTreeMap;

const KINDS: [&str; 3] = ["probe", "notification", "passive"];
const CRON: &str = "write \"minute hour day month weekday\", as \"*/5 * * * *\", or six fields with the second first";
const TIMEOUT: Span = Span::secs(30);
const FAILURES: u32 = 2;

pub fn read(root: &mut Table<'_>, zone: &str, book: Book<'_>) -> BTreeMap<String, Heartbeat> {
    by_name(named(root, "heartbeats"), |table| heartbeat(table, zone, book))
}

fn heartbeat(table: &mut Table<'_>, zone: &str, book: Book<'_>) -> Option<Heartbeat> {
    table.renamed("channel", "probe = \"NAME\"");
    table.renamed("schedule", "cron = \"0 */5 * * * *\"");
    table.renamed("attempts", "failures = 2");
    let enabled = table.flag("enabled").unwrap_or(true);
    let incident = incident::terms(table, book);
    let timeout = some_time(table, "timeout").unwrap_or(TIMEOUT);
    let cron = table.text("cron");
    let schedule = table.parsed("cron", |text| Schedule::cron(text, zone).map_err(|why| with_hint(why, CRON)));
    let every = some_time(table, "every");
    let Some(kind) = kind(table) else {
        table.ignore_unknown();
        return None;
    };
    let check = match kind {
        "probe" => probe(table),
        "notification" => notification(table, book),
        _ => passive(table, every),
    };
    let failures = failures(table, kind);
    if kind != "passive" && !table.has("schedule") {
        one_of_cron_and_every(table);
    }
    let schedule = match kind {
        "passive" => None,
        _ => schedule.or(every.map(Schedule::Every)),
    };
    let name = table.name().to_owned();
    enabled.then_some(Heartbeat { name, check: check?, schedule, cron, every, failures, timeout, incident })
}

/// `kind` may be left out where `probe` says it.
fn kind(table: &mut Table<'_>) -> Option<&'static str> {
    if !table.has("kind") {
        if table.has("probe") {
            table.known(&["kind"]);
            return Some("probe");
        }
        if !table.has("channel") {
            let hint = "write probe = \"CHANNEL\", or kind = \"notification\" or \"passive\"";
            table.error("kind", "neither kind nor probe is written", hint);
        }
        return None;
    }
    let word = table.require_parsed("kind", "probe", |word| Ok(word.to_owned()))?;
    let kind = KINDS.into_iter().find(|k| *k == word);
    if kind.is_none() {
        if later::is_later_heartbeat_kind(&word) {
            table.error("kind", format!("{word:?} is not yet supported"), "leave this heartbeat out");
        } else {
            table.error("kind", format!("there is no kind of heartbeat {word:?}"), suggestion(&word, KINDS));
        }
    }
    kind
}

fn one_of_cron_and_every(table: &mut Table<'_>) {
    match (table.has("cron"), table.has("every")) {
        (true, true) => table.error("every", "cron and every are both written", "leave one out"),
        (false, false) => table.error(
            "every",
            "neither cron nor every is written",
            "write every = \"5m\" or cron = \"0 */5 * * * *\"",
        ),
        _ => {}
    }
}

/// In a row before an incident opens; a ping that does not come is failure enough.
fn failures(table: &mut Table<'_>, kind: &str) -> u32 {
    let failures = table.integer("failures", 1..=1000).map(|n| n as u32);
    if kind != "passive" {
        return failures.unwrap_or(FAILURES);
    }
    if failures.is_some_and(|n| n > 1) {
        table.error(
            "failures",
            "a passive heartbeat fails with the first ping that does not come",
            "leave it out; `grace` gives it more time",
        );
    }
    1
}

fn probe(table: &mut Table<'_>) -> Option<Check> {
    let test_call = table.flag("test_call").unwrap_or(false);
    let channel = table.require_text("probe", "CHANNEL")?;
    Some(Check::Probe { channel, test_call })
}

fn notification(table: &mut Table<'_>, book: Book<'_>) -> Option<Check> {
    let Some(mut send) = table.table("send") else {
        if !table.has("send") {
            table.error(
                "send",
                "a notification says what it sends",
                "write send = { to = [\"alice\"], channels = [\"sms\"], subject = \"proof\" }",
            );
        }
        return None;
    };
    let (to, channels) = (book.who(&mut send, "to"), send.texts("channels"));
    let body = send.text("body").unwrap_or_default();
    let subject = send.require_text("subject", "weekly proof")?;
    Some(Check::Notification { to, channels, subject, body })
}

fn passive(table: &mut Table<'_>, every: Option<Span>) -> Option<Check> {
    let grace = table.span("grace").unwrap_or_default();
    if table.has("cron") {
        table.error("cron", "a passive heartbeat is late after every + grace", "write every = \"1d\"");
    } else if !table.has("every") {
        table.error("every", "a passive heartbeat is late after every + grace", "write every = \"1d\"");
    }
    Some(Check::Passive { every: every?, grace })
}
