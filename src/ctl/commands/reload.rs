//! `reload`: read the config again, and wait for how that ends.

use crate::ctl::client::Call;
use crate::ctl::commands::problems;
use crate::ctl::fields::{flag, plain};
use crate::ctl::screen::Screen;
use crate::ctl::session::{Outcome, Session};
use serde_json::{Value, json};
use std::io;
use std::time::Duration;

/// It tries every sound file of the config, which has deadlines of its own.
const SOUND_FILES: Duration = Duration::from_secs(300);

pub async fn run(session: &mut Session<'_>) -> Outcome {
    let answer = session.ask(Call::post(&["reload"], json!({})).patient(SOUND_FILES)).await?;
    session.show(&answer, print)?;
    Ok(problems::exit(&answer.document))
}

/// What came of it.
pub fn print(screen: &mut Screen<'_>, report: &Value) -> io::Result<()> {
    problems::print(screen, report)?;
    match flag(report, "ok") {
        true => match plain(report, "changed") {
            Some(changed) => screen.line(format!("the config is in force; changed: {changed}")),
            None => screen.line("the config is in force; nothing has changed"),
        },
        false => screen.line(format!("refused, nothing has changed: {}", problems::tally(report))),
    }
}
