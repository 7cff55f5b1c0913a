//! `status`: the whole picture on one screen, what is broken first.

use crate::ctl::client::Call;
use crate::ctl::commands::{incidents, problems};
use crate::ctl::fields::{count, is_there, items, plain, some, text, when};
use crate::ctl::screen::{Ink, Piece, Screen, age};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use crate::domain::level::Level;
use serde_json::Value;
use std::cmp::Reverse;
use std::io;

/// Where the daemon's name stands on the first line, if what is before it leaves room.
const NAME_COLUMN: usize = 54;
/// More incidents would push the rest off the screen.
const SHOWN: usize = 6;

pub async fn run(session: &mut Session<'_>) -> Outcome {
    let answer = session.ask(Call::get(&["status"])).await?;
    session.show(&answer, picture)?;
    Ok(if text(&answer.document, "state") == "failing" { Exit::BadNews } else { Exit::Done })
}

fn picture(screen: &mut Screen<'_>, status: &Value) -> io::Result<()> {
    head(screen, status)?;
    // Those that somebody has to see to stand first, the worst of them before the others.
    let mut live: Vec<&Value> = items(status, "open_incidents").iter().collect();
    live.sort_by_key(|i| (text(i, "status") != "open", Reverse(Level::parse(&text(i, "level")))));
    for incident in live.iter().take(SHOWN) {
        incidents::block(screen, incident, failures(screen, status, incident).as_deref())?;
    }
    let counted = ["open", "acknowledged"].iter().map(|s| count(&status["incidents"], s));
    let all = counted.fold(0, u64::saturating_add).max(live.len() as u64);
    let shown = live.len().min(SHOWN) as u64;
    if all > shown {
        screen.line(format!(" and {} more: stentorctl incidents list", all - shown))?;
    }
    channels(screen, status)?;
    broken(screen, "heartbeats", items(status, "heartbeats"), ("unknown", "not run yet"))?;
    broken(screen, "watches", items(status, "watches"), ("no-data", "without data"))?;
    broken(screen, "receivers", items(status, "hooks"), ("unknown", "not begun yet"))?;
    tasks(screen, items(status, "tasks"))?;
    config(screen, &status["config"])
}

/// `FAILING  1 urgent incident, not acknowledged          prague-1  03:02 CET  up 12d`
fn head(screen: &mut Screen<'_>, status: &Value) -> io::Result<()> {
    let state = text(status, "state");
    let reasons = reasons(status);
    let first = reasons.first().map_or("all is well", String::as_str);
    let up = age(count(status, "uptime_seconds"));
    let there = screen.there(when(status, "at"), plain(status, "timezone").as_deref());
    let right = format!("{}  {there}  up {up}", text(status, "name"));
    let width = state.chars().count() + 2 + first.chars().count();
    let gap = " ".repeat(NAME_COLUMN.saturating_sub(width).max(2));
    screen.pieces(&[
        Piece::new(Ink::of_status(&state), state.to_uppercase()),
        format!("  {first}{gap}").into(),
        Piece::new(Ink::Dim, right),
    ])?;
    reasons.iter().skip(1).try_for_each(|r| screen.line(format!("         {r}")))
}

/// The incidents in one phrase, then what else there is; each incident has lines of its own below.
fn reasons(status: &Value) -> Vec<String> {
    let live = items(status, "open_incidents");
    let of_level = |level: &Level| {
        live.iter().filter(|i| text(i, "status") == "open" && text(i, "level") == level.as_str()).count()
    };
    let open: Vec<String> = Level::ALL
        .iter()
        .rev()
        .map(|l| (of_level(l), l))
        .filter(|(n, _)| *n > 0)
        .map(|(n, l)| some(n, &format!("{l} incident")))
        .collect();
    let incidents = match (open.is_empty(), live.len()) {
        (false, _) => Some(format!("{}, not acknowledged", open.join(", "))),
        (true, 0) => None,
        (true, 1) => Some("1 incident, acknowledged".to_owned()),
        (true, n) => Some(format!("{n} incidents, all acknowledged")),
    };
    let others = items(status, "reasons").iter().filter_map(Value::as_str).filter(|r| !r.starts_with('#'));
    incidents.into_iter().chain(others.map(str::to_owned)).collect()
}

/// `2 failures since 02:41`, for an incident that a heartbeat opened.
fn failures(screen: &Screen<'_>, status: &Value, incident: &Value) -> Option<String> {
    let labels = &incident["labels"];
    let name = plain(labels, "name").filter(|_| text(labels, "source") == "heartbeat")?;
    let heartbeat = items(status, "heartbeats").iter().find(|h| text(h, "name") == name)?;
    let n = count(heartbeat, "failures_in_row");
    let since = when(heartbeat, "failing_since").map(|t| format!(" since {}", screen.clock(Some(t))));
    (n > 0)
        .then(|| format!("{}{}", some(usize::try_from(n).unwrap_or(usize::MAX), "failure"), since.unwrap_or_default()))
}

/// `channels  sms DEAD 21m (401 Authenticate)   mail ok 3m      dead letters 0   waiting 0`
fn channels(screen: &mut Screen<'_>, status: &Value) -> io::Result<()> {
    let label = Piece::new(Ink::Dim, "channels  ");
    // Who is dead stands first.
    let rank = |c: &&Value| match text(c, "status").as_str() {
        "dead" => 0,
        "suspect" => 1,
        _ => 2,
    };
    let mut channels: Vec<&Value> = items(status, "channels").iter().collect();
    channels.sort_by_key(rank);
    let mut row: Vec<Vec<Piece>> = channels.into_iter().map(|c| health(screen, c).into()).collect();
    let (dead, waiting) = (count(&status["queue"], "dead"), count(&status["queue"], "waiting"));
    let alarming = |n: u64| if n > 0 { Ink::Warn } else { Ink::Plain };
    row.push(vec![
        "   ".into(),
        Piece::new(alarming(dead), format!("dead letters {dead}")),
        "   ".into(),
        Piece::new(alarming(waiting), format!("waiting {waiting}")),
    ]);
    screen.row(&label, &row)
}

fn health(screen: &Screen<'_>, channel: &Value) -> [Piece; 3] {
    let status = text(channel, "status");
    let well = status == "ok";
    let at = if well { when(channel, "last_proof_at") } else { when(channel, "since") };
    let since = at.map(|at| format!(" {}", screen.since(Some(at)))).unwrap_or_default();
    let detail = plain(channel, "detail").filter(|_| !well).map(|d| format!(" ({d})")).unwrap_or_default();
    let word = if status == "dead" { status.to_uppercase() } else { status.clone() };
    [
        format!("{} ", text(channel, "name")).into(),
        Piece::new(Ink::of_status(&status), word),
        format!("{since}{detail}").into(),
    ]
}

/// `heartbeats  3 ok, 1 has not run   smtp failing (timed out)`: who is well is counted, who is not is
/// named.
fn broken(screen: &mut Screen<'_>, title: &str, all: &[Value], idle: (&str, &str)) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let of = |status: &str| all.iter().filter(|one| text(one, "status") == status).count();
    let (status, words) = idle;
    let idle = Some(of(status)).filter(|n| *n > 0).map(|n| format!(", {n} {words}")).unwrap_or_default();
    let mut row: Vec<Vec<Piece>> = vec![vec![format!("{} ok{idle}", of("ok")).into()]];
    row.extend(all.iter().filter(|one| ![status, "ok"].contains(&text(one, "status").as_str())).map(|one| {
        let status = text(one, "status");
        let detail = plain(one, "detail").map(|d| format!(" ({d})")).unwrap_or_default();
        vec![format!("{} ", text(one, "name")).into(), Piece::new(Ink::of_status(&status), status), detail.into()]
    }));
    screen.row(&Piece::new(Ink::Dim, format!("{title}  ")), &row)
}

/// Only those that should run and do not, and those that have failed inside.
fn tasks(screen: &mut Screen<'_>, all: &[Value]) -> io::Result<()> {
    let off = |task: &&Value| match text(task, "policy").as_str() {
        "once" => is_there(task, "last_error"),
        _ => text(task, "state") != "running",
    };
    let row: Vec<Vec<Piece>> = all
        .iter()
        .filter(off)
        .map(|task| {
            let (restarts, why) = (count(task, "restarts"), plain(task, "last_error").unwrap_or_default());
            let again = if restarts > 0 { format!(", restarted {restarts} times") } else { String::new() };
            let name = format!("{} ", text(task, "name"));
            vec![name.into(), Piece::new(Ink::Bad, text(task, "state")), format!(" ({why}{again})").into()]
        })
        .collect();
    if row.is_empty() { Ok(()) } else { screen.row(&Piece::new(Ink::Dim, "tasks     "), &row) }
}

/// Only when the file on disk is not the one in force.
fn config(screen: &mut Screen<'_>, config: &Value) -> io::Result<()> {
    if !is_there(config, "last_error") {
        return Ok(());
    }
    let error = &config["last_error"];
    screen.pieces(&[
        Piece::new(Ink::Bad, "config"),
        format!(
            "    {} was refused {}; in force is the one loaded {}",
            text(config, "path"),
            screen.clock(when(error, "at")),
            screen.clock(when(config, "loaded_at"))
        )
        .into(),
    ])?;
    items(error, "errors").iter().try_for_each(|e| screen.line(format!("          {}", problems::one_line(e))))
}

#[cfg(test)]
mod tests;
