//! `check-config`: everything that is wrong with a config file, without a daemon.

use crate::config::check::report;
use crate::config::{LoadOptions, ProcessEnvironment};
use crate::ctl::client::Answer;
use crate::ctl::commands::problems;
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct CheckConfig {
    /// The file; conf.d/*.toml beside it belongs to it
    #[arg(value_name = "FILE", env = "STENTOR_CONFIG", default_value = "/etc/stentor/stentor.toml")]
    file: PathBuf,
    /// Placeholders that are not set count as present
    #[arg(long)]
    without_secrets: bool,
}

impl CheckConfig {
    pub fn run(self, session: &mut Session<'_>) -> Outcome {
        let options = LoadOptions { without_secrets: self.without_secrets, ..LoadOptions::default() };
        let report = report(&self.file, &ProcessEnvironment, &options);
        let document = serde_json::to_value(&report)
            .map_err(|e| Trouble::Failed(format!("the report cannot be written as JSON: {e}")))?;
        let answer = Answer::made_here(document);
        session.show(&answer, |screen, report| {
            problems::print(screen, report)?;
            let verdict = match problems::exit(report) {
                Exit::Done => "the configuration is good",
                _ => "the configuration is refused",
            };
            screen.line(format!("{verdict}: {}", problems::tally(report)))
        })?;
        Ok(problems::exit(&answer.document))
    }
}
