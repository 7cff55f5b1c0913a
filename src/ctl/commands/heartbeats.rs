//! `heartbeats` and `ping`.

use crate::ctl::client::{Answer, Api, Call};
use crate::ctl::commands::values;
use crate::ctl::fields::{count, flag, items, plain, text, when};
use crate::ctl::screen::{Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io;
use std::time::Duration;

/// A probe is cut at its own deadline, which the config sets; this is for the longest of them.
const LONGEST_RUN: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(300);

#[derive(Debug, Subcommand)]
pub enum Heartbeats {
    /// All of them, with their last outcome
    List,
    /// Run one now and say how it ended
    Run {
        /// Its name in the config
        #[arg(value_parser = values::name)]
        name: String,
    },
}

impl Heartbeats {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Heartbeats::List => {
                let answer = session.ask(Call::get(&["heartbeats"])).await?;
                session.show(&answer, list)?;
                Ok(Exit::Done)
            }
            Heartbeats::Run { name } => {
                let api = session.api()?;
                let started =
                    api.ask(Call::post(&["heartbeats", &name, "run"], json!({})).patient(LONGEST_RUN)).await?;
                let ended = finished(&api, &name, started).await?;
                session.show(&ended, one)?;
                Ok(if fails(&ended.document) { Exit::BadNews } else { Exit::Done })
            }
        }
    }
}

/// Looks again until the run has ended, as it does at its own deadline at the latest.
async fn finished(api: &Api, name: &str, started: Answer) -> Result<Answer, Trouble> {
    let mut answer = started;
    while flag(&answer.document, "running") {
        tokio::time::sleep(LOOK_EVERY).await;
        let list = api.ask(Call::get(&["heartbeats"])).await?;
        let mine = items(&list.document, "heartbeats").iter().find(|h| text(h, "name") == name);
        let gone = || Trouble::Failed(format!("heartbeat {name} is gone from the config since it was started"));
        answer = Answer::made_here(mine.ok_or_else(gone)?.clone());
    }
    Ok(answer)
}

#[derive(Debug, Args)]
pub struct Ping {
    /// Its name in the config
    #[arg(value_parser = values::name)]
    name: String,
    /// The job ran and failed
    #[arg(long)]
    fail: bool,
}

impl Ping {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let call = Call::post(&["heartbeats", &self.name, "ping"], json!({ "fail": self.fail }));
        let answer = session.ask(call).await?;
        session.show(&answer, one)?;
        Ok(Exit::Done)
    }
}

/// One failure is bad news, also when more are needed for an incident.
fn fails(heartbeat: &Value) -> bool {
    count(heartbeat, "failures_in_row") > 0 || matches!(text(heartbeat, "status").as_str(), "failing" | "late")
}

fn list(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table = Table::new(&["NAME", "KIND", "STATUS", "LAST RUN", "LAST OK", "FAILURES", "NEXT RUN", "DETAIL"]);
    for heartbeat in items(document, "heartbeats") {
        table.row(vec![
            text(heartbeat, "name").into(),
            text(heartbeat, "kind").into(),
            Piece::status(text(heartbeat, "status")),
            screen.clock(when(heartbeat, "last_run_at")).into(),
            screen.clock(when(heartbeat, "last_ok_at")).into(),
            text(heartbeat, "failures_in_row").into(),
            screen.clock(when(heartbeat, "next_run_at")).into(),
            plain(heartbeat, "detail").unwrap_or_default().into(),
        ]);
    }
    table.print(screen, "no heartbeats")?;
    screen.more(document)
}

fn one(screen: &mut Screen<'_>, heartbeat: &Value) -> io::Result<()> {
    let failures = match count(heartbeat, "failures_in_row") {
        0 => String::new(),
        1 => ", failed once".into(),
        n => format!(", failed {n} times in a row"),
    };
    let detail = plain(heartbeat, "detail").map(|d| format!(": {d}")).unwrap_or_default();
    screen.pieces(&[
        text(heartbeat, "name").into(),
        " ".into(),
        Piece::status(text(heartbeat, "status")),
        format!("{failures}{detail}").into(),
    ])
}
