//! Incidents: opening, listing, showing; what is done to them is in [`act`].

mod ack;
mod act;
mod show;
mod text;

pub use ack::Ack;
pub use act::{Escalate, Resolve, Snooze, Unack};
pub use text::{block, still_open};

use crate::ctl::client::Call;
use crate::ctl::commands::results::warnings;
use crate::ctl::commands::send::Content;
use crate::ctl::commands::values::{self, identifier};
use crate::ctl::fields::{flag, number, text};
use crate::ctl::screen::{Piece, Screen};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io;

#[derive(Debug, Subcommand)]
pub enum Incidents {
    /// Those that are not resolved
    List {
        /// The resolved ones too
        #[arg(long)]
        all: bool,
        /// Go on where the last page ended
        #[arg(long)]
        cursor: Option<String>,
    },
    /// One of them, with all that happened
    Show {
        /// A number such as 417, an id, or the end of an id
        #[arg(value_parser = identifier)]
        id: String,
    },
    /// The same as page
    Open(Box<Open>),
}

impl Incidents {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Incidents::List { all, cursor } => {
                let call = Call::get(&["incidents"]).with("all", all.then_some(true)).with("cursor", cursor);
                let answer = session.ask(call).await?;
                session.show(&answer, show::list)?;
            }
            Incidents::Show { id } => {
                let answer = session.ask(Call::get(&["incidents", &id])).await?;
                session.show(&answer, show::one)?;
            }
            Incidents::Open(open) => return open.run(session).await,
        }
        Ok(Exit::Done)
    }
}

#[derive(Debug, Args)]
pub struct Open {
    /// low, normal, high or urgent
    #[arg(long, value_name = "LEVEL", default_value = "urgent", value_parser = values::filled)]
    level: String,
    /// What is wrong, in a line
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = values::filled)]
    subject: String,
    #[command(flatten)]
    content: Content,
    /// The same fingerprint is the same incident while that is not resolved
    #[arg(long, value_name = "TEXT", value_parser = values::filled)]
    fingerprint: Option<String>,
    /// Which policy it follows instead of the level's; none for none
    #[arg(long, value_name = "NAME", value_parser = values::filled)]
    policy: Option<String>,
}

impl Open {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let body = self
            .content
            .fields()?
            .with("level", Some(self.level))
            .with("subject", Some(self.subject))
            .with("fingerprint", self.fingerprint)
            .with("policy", self.policy);
        let body: Value = body.into();
        let files = body.get("attachments").is_some();
        let answer = session.ask(Call::post(&["incidents"], body)).await?;
        session.show(&answer, opened)?;
        if files && flag(&answer.document, "already_open") {
            session.remark("The files were not kept: only what opens an incident brings its text and files.");
        }
        Ok(Exit::Done)
    }
}

fn opened(screen: &mut Screen<'_>, incident: &Value) -> io::Result<()> {
    let level = Piece::status(text(incident, "level"));
    match (flag(incident, "already_open"), flag(incident, "raised")) {
        (false, _) => screen.pieces(&[number(incident).into(), " opened at level ".into(), level])?,
        (true, true) => screen.pieces(&[number(incident).into(), " was open already; raised to ".into(), level])?,
        (true, false) => {
            screen.line(format!("{} was open already; it was counted, nothing was sent.", number(incident)))?;
        }
    }
    block(screen, incident, None)?;
    warnings(screen, incident)
}

#[cfg(test)]
mod tests;
