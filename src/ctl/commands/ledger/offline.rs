//! `ledger verify` and `ledger rebuild`: through the daemon, or on its files while none runs.

use crate::ctl::client::Call;
use crate::ctl::commands::ledger::print::verified;
use crate::ctl::fields::flag;
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// A ledger of years is read from its first byte.
const LONGEST_VERIFY: Duration = Duration::from_secs(3_600);

#[derive(Debug, Args)]
pub struct Verify {
    /// Read the files themselves instead of asking the daemon
    #[arg(long)]
    offline: bool,
    /// Where they are
    #[arg(long, value_name = "DIR", env = "STATE_DIRECTORY", default_value = "/var/lib/stentor")]
    state_dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct Rebuild {
    /// Needed: it works on the files, while no daemon runs
    #[arg(long, required = true)]
    offline: bool,
    /// Where they are
    #[arg(long, value_name = "DIR", env = "STATE_DIRECTORY", default_value = "/var/lib/stentor")]
    state_dir: PathBuf,
}

impl Verify {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        if self.offline {
            return Err(Trouble::Failed(format!("{:?}", self.state_dir)));
        }
        let answer = session.ask(Call::get(&["ledger", "verify"]).patient(LONGEST_VERIFY)).await?;
        session.show(&answer, verified)?;
        Ok(if flag(&answer.document, "ok") { Exit::Done } else { Exit::BadNews })
    }
}

impl Rebuild {
    pub fn run(self, _session: &mut Session<'_>) -> Outcome {
        Err(Trouble::Failed(format!("{:?}", self.state_dir)))
    }
}
