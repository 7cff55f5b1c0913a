//! `sound stop`: silence in the room, without acknowledging anything.

use crate::ctl::client::Call;
use crate::ctl::commands::incidents;
use crate::ctl::fields::{items, plain};
use crate::ctl::screen::Screen;
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
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
        let answer = session.ask(Call::post(&["sound", "stop"], json!({}))).await?;
        session.show(&answer, stopped)?;
        Ok(Exit::Done)
    }
}

fn stopped(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    match plain(document, "stopped") {
        Some(channels) => screen.line(format!("stopped: {channels}"))?,
        None => screen.line("nothing sounds")?,
    }
    incidents::still_open(screen, items(document, "incidents"))
}
