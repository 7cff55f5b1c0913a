//! `check-config`: everything that is wrong with a config file, without a daemon.

use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Trouble;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct CheckConfig {
    /// The file
    #[arg(value_name = "FILE", env = "STENTOR_CONFIG", default_value = "/etc/stentor/stentor.toml")]
    file: PathBuf,
    /// Placeholders that are not set count as present
    #[arg(long)]
    without_secrets: bool,
}

impl CheckConfig {
    pub fn run(self, _session: &mut Session<'_>) -> Outcome {
        Err(Trouble::Failed(format!("{:?}", self)))
    }
}
