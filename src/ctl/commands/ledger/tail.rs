//! `ledger tail`: the last entries, and with `-f` each new one as it comes.

use crate::ctl::client::{Answer, Api, Call};
use crate::ctl::commands::ledger::print::{entries, happened};
use crate::ctl::fields::{count, items};
use crate::ctl::session::{Form, Outcome, Reconnect, Session};
use crate::ctl::trouble::{Exit, Trouble};
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// How often a follower looks when nothing is new.
const PAUSE: Duration = Duration::from_millis(500);
/// The API gives no more at once.
const PAGE: u64 = 200;

#[derive(Debug, Args)]
pub struct Tail {
    /// Go on with each new entry
    #[arg(long, short)]
    follow: bool,
    /// How many of the last ones
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=PAGE))]
    lines: u64,
}

impl Tail {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let api = session.api()?;
        let status = api.ask(Call::get(&["status"])).await?;
        let last = count(&status.document["ledger"], "durable_seq");
        let from = last.saturating_sub(self.lines);
        if self.follow {
            return follow(session, &api, from).await;
        }
        let answer = page(&api, from, self.lines.max(1)).await?;
        session.show(&answer, entries)?;
        Ok(Exit::Done)
    }
}

async fn follow(session: &mut Session<'_>, api: &Api, mut after: u64) -> Outcome {
    let mut reconnect = Reconnect::default();
    loop {
        match page(api, after, PAGE).await {
            Ok(answer) => {
                reconnect.works();
                let new = items(&answer.document, "entries");
                for entry in new {
                    show(session, entry)?;
                    after = after.max(count(entry, "seq"));
                }
                if new.is_empty() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Err(trouble) => reconnect.pause(session, trouble).await?,
        }
    }
}

async fn page(api: &Api, after: u64, limit: u64) -> Result<Answer, Trouble> {
    api.ask(Call::get(&["ledger"]).with("after_seq", Some(after)).with("limit", Some(limit))).await
}

fn show(session: &mut Session<'_>, entry: &Value) -> Result<(), Trouble> {
    match session.form {
        Form::Nobody => {}
        Form::Scripts => session.screen.document(entry.to_string().as_bytes())?,
        Form::People => {
            happened(&mut session.screen, "", entry)?;
            session.screen.flush()?;
        }
    }
    Ok(())
}
