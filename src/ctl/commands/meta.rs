//! About the command itself.

use crate::ctl::client::Answer;
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell's
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl Completions {
    pub fn run(self, session: &mut Session<'_>, definition: &mut clap::Command) -> Outcome {
        let mut script = vec![];
        clap_complete::generate(self.shell, definition, "stentorctl", &mut script);
        session.screen.raw(&script)?;
        Ok(Exit::Done)
    }
}

pub fn version(session: &mut Session<'_>) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    let answer = Answer::made_here(json!({ "version": version }));
    session.show(&answer, |screen, _| screen.line(format!("stentorctl {version}")))?;
    Ok(Exit::Done)
}
