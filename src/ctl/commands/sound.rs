//! `sound stop`: silence in the room, without acknowledging anything.

use crate::ctl::client::{Answer, Call};
use crate::ctl::commands::incidents;
use crate::ctl::fields::{items, number, plain, text};
use crate::ctl::screen::Screen;
use crate::ctl::session::{Form, Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io;

#[derive(Debug, Subcommand)]
pub enum Sound {
    /// Stop what sounds now; does not acknowledge
    Stop,
}

impl Sound {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let api = session.api()?;
        let answer = api.ask(Call::post(&["sound", "stop"], json!({}))).await?;
        session.show(&answer, stopped)?;
        if session.form == Form::People {
            let left = open_ones(&answer, || api.ask(Call::get(&["incidents"]))).await?;
            incidents::still_open(&mut session.screen, &left)?;
        }
        Ok(Exit::Done)
    }
}

/// Those that came with the answer; else they are asked for.
async fn open_ones<F: Future<Output = Result<Answer, Trouble>>>(
    answer: &Answer,
    ask: impl FnOnce() -> F,
) -> Result<Vec<Value>, Trouble> {
    if answer.document.get("incidents").is_some() {
        return Ok(items(&answer.document, "incidents").to_vec());
    }
    Ok(items(&ask().await?.document, "incidents").to_vec())
}

fn stopped(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let what: Vec<String> = items(document, "stopped").iter().map(one).collect();
    if what.is_empty() { screen.line("nothing sounds") } else { screen.line(format!("stopped: {}", what.join(", "))) }
}

fn one(sound: &Value) -> String {
    match (sound.as_str(), plain(sound, "incident")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(incident)) => {
            format!("{} of {}", text(sound, "channel"), number(&json!({ "number": incident })))
        }
        (None, None) => text(sound, "channel"),
    }
}
