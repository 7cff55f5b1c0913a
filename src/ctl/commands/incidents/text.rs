//! An incident in the few lines that matter at three in the morning.

use crate::ctl::fields::{count, is_there, items, number, plain, short, text, when};
use crate::ctl::screen::{Ink, Piece, Screen};
use serde_json::Value;
use std::io;

/// Of everybody who was told, the last ones are shown.
const SHOWN: usize = 8;

/// Head, told, next, do.
pub fn block(screen: &mut Screen<'_>, incident: &Value, detail: Option<&str>) -> io::Result<()> {
    head(screen, incident, detail)?;
    told(screen, incident)?;
    if let Some(next) = next(screen, incident) {
        screen.pieces(&[label("next"), next.into()])?;
    }
    let actions = actions(incident);
    if actions.is_empty() { Ok(()) } else { screen.pieces(&[label("do"), actions.join("      ").into()]) }
}

/// `#417 URGENT  Twilio credentials refused`
pub fn headline(incident: &Value) -> Vec<Piece> {
    let level = text(incident, "level");
    vec![
        Piece::new(Ink::Bold, number(incident)),
        " ".into(),
        Piece::new(Ink::of_status(&level), level.to_uppercase()),
        format!("  {}", text(incident, "subject")).into(),
    ]
}

/// For commands that leave something open: a block for each, or nothing.
pub fn still_open(screen: &mut Screen<'_>, incidents: &[Value]) -> io::Result<()> {
    incidents.iter().filter(|i| text(i, "status") == "open").try_for_each(|i| block(screen, i, None))
}

fn head(screen: &mut Screen<'_>, incident: &Value, detail: Option<&str>) -> io::Result<()> {
    let mut line = vec![" ".into()];
    line.extend(headline(incident));
    line.push("    ".into());
    let status = text(incident, "status");
    let words = match status.as_str() {
        "open" => format!("open {}", screen.since(when(incident, "opened_at"))),
        "acknowledged" => format!(
            "acknowledged {} by {}",
            screen.clock(when(incident, "acknowledged_at")),
            text(incident, "acknowledged_by")
        ),
        "resolved" => format!("resolved {}", screen.clock(when(incident, "resolved_at"))),
        other => other.to_owned(),
    };
    line.push(Piece::new(Ink::of_status(&status), words));
    if let Some(by) = plain(incident, "opened_by") {
        // After "acknowledged 16:53 by bob" it needs to be said what this one did.
        let did = if status == "open" { "" } else { "opened " };
        line.push(format!("   {did}by {by}").into());
    }
    line.extend(detail.map(|d| format!(" ({d})").into()));
    if is_there(incident, "silenced_by") {
        let until = when(incident, "silenced_until").map(|t| format!(" until {}", screen.clock(Some(t))));
        let words = format!("   silenced{} by {}", until.unwrap_or_default(), short(incident, "silenced_by"));
        line.push(Piece::new(Ink::Warn, words));
    }
    if is_there(incident, "snoozed_until") {
        let until = screen.clock(when(incident, "snoozed_until"));
        line.push(Piece::new(Ink::Warn, format!("   snoozed until {until}")));
    }
    screen.pieces(&line)
}

fn told(screen: &mut Screen<'_>, incident: &Value) -> io::Result<()> {
    let all = items(incident, "notified");
    if all.is_empty() {
        return Ok(());
    }
    let earlier = all.len().saturating_sub(SHOWN);
    let mut row: Vec<Vec<Piece>> = all[earlier..].iter().map(|one| notified(screen, one)).collect();
    if let Some(first) = row.first_mut().filter(|_| earlier > 0) {
        first.insert(0, format!("{earlier} earlier, then ").into());
    }
    screen.row(&label("told"), &row)
}

/// `sms alice 02:46 ok, by sms-telnyx`
pub fn notified(screen: &Screen<'_>, one: &Value) -> Vec<Piece> {
    let channel = text(one, "channel");
    let who = plain(one, "who").filter(|w| *w != channel).map(|w| format!("{w} ")).unwrap_or_default();
    let status = text(one, "status");
    let word = match status.as_str() {
        "delivered" | "sent" => "ok".to_owned(),
        "submitted" | "ready" | "sending" | "scheduled" => "on its way".to_owned(),
        _ => plain(one, "reason").unwrap_or_else(|| status.clone()),
    };
    let via = plain(one, "via").filter(|v| *v != channel).map(|v| format!(", by {v}")).unwrap_or_default();
    vec![
        format!("{channel} {who}{} ", screen.clock(when(one, "at"))).into(),
        Piece::new(Ink::of_status(&status), word),
        via.into(),
    ]
}

/// `03:11 round 2 of 4, step 1: siren, ops-slack`
pub fn next(screen: &Screen<'_>, incident: &Value) -> Option<String> {
    let next = incident.get("next").filter(|n| n.is_object())?;
    let mut words = screen.clock(when(next, "at"));
    match (text(next, "what").as_str(), plain(next, "round")) {
        ("reminder", _) => words.push_str(" the last sending again"),
        ("restart", _) => words.push_str(" from the first step again"),
        (_, Some(round)) => {
            words.push_str(&format!(" round {round}"));
            let rounds = count(incident, "rounds");
            if rounds > 0 {
                words.push_str(&format!(" of {rounds}"));
            }
            words.extend(plain(next, "step").map(|s| format!(", step {s}")));
        }
        _ => {}
    }
    let ways = plain(next, "channels");
    let people = plain(next, "to").map(|p| format!("to {p}"));
    let whom: Vec<String> = ways.into_iter().chain(people).collect();
    if !whom.is_empty() {
        words.push_str(&format!(": {}", whom.join(" ")));
    }
    Some(words)
}

fn actions(incident: &Value) -> Vec<String> {
    let n = plain(incident, "number").unwrap_or_else(|| text(incident, "id"));
    match text(incident, "status").as_str() {
        "open" => vec![format!("stentorctl ack {n}"), format!("stentorctl explain {n}")],
        "acknowledged" => vec![format!("stentorctl resolve {n}"), format!("stentorctl explain {n}")],
        _ => vec![],
    }
}

fn label(word: &str) -> Piece {
    Piece::new(Ink::Dim, format!("      {word:<8}"))
}
