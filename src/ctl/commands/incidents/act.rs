//! What is done to an incident, but for `ack`.

use crate::ctl::client::Call;
use crate::ctl::commands::incidents::text::{block, next};
use crate::ctl::commands::values::{self, Body, identifier};
use crate::ctl::fields::{items, number, plain, text, when};
use crate::ctl::screen::{Piece, Screen};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::Args;
use serde_json::Value;
use std::io;

#[derive(Debug, Args)]
pub struct Unack {
    /// A number such as 417, an id, or the end of an id
    #[arg(value_parser = identifier)]
    id: String,
}

impl Unack {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        act(session, &self.id, "unacknowledge", Body::default(), |screen, incident| {
            screen.line(format!("{} is open again: the acknowledgement is withdrawn.", number(incident)))?;
            block(screen, incident, None)
        })
        .await
    }
}

#[derive(Debug, Args)]
pub struct Resolve {
    /// A number such as 417, an id, or the end of an id
    #[arg(value_parser = identifier)]
    id: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: Option<String>,
}

impl Resolve {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        act(session, &self.id, "resolve", Body::default().with("note", self.note), |screen, incident| {
            screen.pieces(&sentence(incident, "resolved"))
        })
        .await
    }
}

#[derive(Debug, Args)]
pub struct Escalate {
    /// A number such as 417, an id, or the end of an id
    #[arg(value_parser = identifier)]
    id: String,
}

impl Escalate {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        act(session, &self.id, "escalate", Body::default(), |screen, incident| {
            let (round, step) = (text(incident, "round"), text(incident, "step"));
            screen.line(format!("{} escalated: round {round}, step {step} is under way.", number(incident)))?;
            block(screen, incident, None)
        })
        .await
    }
}

#[derive(Debug, Args)]
pub struct Snooze {
    /// A number such as 417, an id, or the end of an id
    #[arg(value_parser = identifier)]
    id: String,
    /// For how long: 30m
    #[arg(value_name = "DURATION", value_parser = values::duration)]
    length: String,
}

impl Snooze {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        act(session, &self.id, "snooze", Body::default().with("for", Some(self.length)), |screen, incident| {
            let until = screen.clock(when(incident, "snoozed_until"));
            let then = next(screen, incident).map(|n| format!(" Next: {n}.")).unwrap_or_default();
            screen.line(format!("{} is quiet until {until}.{then}", number(incident)))
        })
        .await
    }
}

/// One request for one incident; the answer is a list of one.
async fn act(
    session: &mut Session<'_>,
    id: &str,
    verb: &str,
    body: Body,
    people: impl Fn(&mut Screen<'_>, &Value) -> io::Result<()>,
) -> Outcome {
    let answer = session.ask(Call::post(&["incidents", id, verb], body.into())).await?;
    session
        .show(&answer, |screen, document| items(document, "incidents").iter().try_for_each(|i| people(screen, i)))?;
    Ok(Exit::Done)
}

/// `#417 acknowledged by alice. Stopped: siren. Told: ops-slack. Still broken: it stays open.`
pub fn sentence(incident: &Value, done: &str) -> Vec<Piece> {
    let parts = [("Stopped", "stopped"), ("Told", "told"), ("Still broken", "still_broken")];
    let rest: String = parts
        .into_iter()
        .filter_map(|(title, key)| plain(incident, key).map(|t| format!(" {title}: {}.", t.trim_end_matches('.'))))
        .collect();
    vec![format!("{} {done}.{rest}", number(incident)).into()]
}
