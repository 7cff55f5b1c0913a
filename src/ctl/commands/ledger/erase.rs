//! `ledger erase`: what was sent to a person goes; what happened stays.

use crate::ctl::client::Call;
use crate::ctl::commands::values;
use crate::ctl::fields::{count, text};
use crate::ctl::screen::Screen;
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::Args;
use serde_json::{Value, json};
use std::io;
use std::time::Duration;

/// A ledger of years is read from its first byte.
const LONGEST: Duration = Duration::from_secs(3_600);

#[derive(Debug, Args)]
pub struct Erase {
    /// Whose: a name of the config (also one that is no longer in it), an address or a number
    #[arg(value_name = "WHO", value_parser = values::filled)]
    who: String,
    /// Why, as the ledger is to say it; no personal data
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
}

impl Erase {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let Erase { who, because } = self;
        let call = Call::post(&["ledger", "erase"], json!({ "who": who, "because": because })).patient(LONGEST);
        let answer = session.ask(call).await?;
        session.show(&answer, erased)?;
        Ok(Exit::Done)
    }
}

fn erased(screen: &mut Screen<'_>, answer: &Value) -> io::Result<()> {
    match count(answer, "events") {
        0 => screen.line("nothing to erase")?,
        n => screen.line(format!(
            "{n} texts erased, between events {} and {}",
            text(answer, "from_seq"),
            text(answer, "to_seq")
        ))?,
    }
    match count(answer, "left") {
        0 => Ok(()),
        n => screen.line(format!("{n} deliveries are still needed; ask again when they have ended")),
    }
}
