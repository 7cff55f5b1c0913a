//! `ledger verify` and `ledger rebuild`: through the daemon, or on its files while none runs.

use crate::config::{Config, LoadOptions, Loaded, ProcessEnvironment, kept, load};
use crate::ctl::client::{Answer, Call};
use crate::ctl::commands::ledger::print::verified;
use crate::ctl::commands::problems;
use crate::ctl::fields::flag;
use crate::ctl::session::{Form, Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use crate::ledger::lock::Lock;
use crate::ledger::rebuild::Rebuilt;
use crate::ledger::verify::{self, VerifyError};
use crate::ledger::{Tip, rebuild};
use crate::runtime::extractor;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// A ledger of years is read from its first byte.
const LONGEST_VERIFY: Duration = Duration::from_secs(3_600);

#[derive(Debug, Args)]
pub struct Verify {
    /// Read the files themselves instead of asking the daemon, which must not run
    #[arg(long)]
    offline: bool,
    /// Where they are, with --offline [default: $STATE_DIRECTORY, else /var/lib/stentor]
    #[arg(long, value_name = "DIR", requires = "offline")]
    state_dir: Option<PathBuf>,
    /// It must contain this head, which was noted elsewhere (the log has it daily); again for more
    #[arg(long, value_name = "SEQ:HASH", value_parser = Tip::from_str)]
    against: Vec<Tip>,
}

/// A daemon that is asked has its own state directory: naming another one then would be a mistake
/// that looks like an answer.
fn state_directory(named: Option<PathBuf>) -> PathBuf {
    named
        .or_else(|| std::env::var_os("STATE_DIRECTORY").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("/var/lib/stentor"))
}

impl Verify {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let answer = match self.offline {
            true => {
                let report = verify::offline(&state_directory(self.state_dir), &self.against).map_err(|e| match e {
                    // A wrong --state-dir must not look like good news, nor like a damaged ledger.
                    VerifyError::Nothing(_) => Trouble::Usage(e.to_string()),
                    _ => Trouble::Failed(e.to_string()),
                })?;
                Answer::made_here(json!(report))
            }
            false => {
                let call = Call::get(&["ledger", "verify"]).patient(LONGEST_VERIFY);
                let heads = self.against.iter().map(Tip::to_string);
                session.ask(heads.fold(call, |call, head| call.with("against", Some(head)))).await?
            }
        };
        session.show(&answer, verified)?;
        Ok(if flag(&answer.document, "ok") { Exit::Done } else { Exit::BadNews })
    }
}

#[derive(Debug, Args)]
pub struct Rebuild {
    /// Needed: it works on the files, while no daemon runs
    #[arg(long, required = true)]
    offline: bool,
    /// Where they are
    #[arg(long, value_name = "DIR", env = "STATE_DIRECTORY", default_value = "/var/lib/stentor")]
    state_dir: PathBuf,
    /// By this config instead of the last accepted one, which is kept in the state directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Rebuild {
    pub fn run(self, session: &mut Session<'_>) -> Outcome {
        // In use is what has to be said first; the rebuild itself takes the directory again.
        drop(Lock::take(&self.state_dir).map_err(|e| Trouble::Failed(e.to_string()))?);
        let config = self.config(session)?;
        let Rebuilt { tip, faults } = rebuild::offline(&self.state_dir, extractor(Arc::new(config)))
            .map_err(|e| Trouble::Failed(e.to_string()))?;
        let ok = faults.is_empty();
        let report = json!({ "ok": ok, "events": tip.seq, "head": tip.hash, "faults": faults });
        session.show(&Answer::made_here(report), verified)?;
        Ok(if ok { Exit::Done } else { Exit::BadNews })
    }

    /// The history holds documents, and these name channels and policies as the config does. Nothing
    /// is sent, so no secret is needed.
    fn config(&self, session: &mut Session<'_>) -> Result<Config, Trouble> {
        let options = LoadOptions { without_secrets: true, ..LoadOptions::default() };
        let loaded: Loaded = match &self.config {
            Some(file) => load(file, &ProcessEnvironment, &options),
            None => kept::load(&self.state_dir, &ProcessEnvironment, &options).ok_or_else(|| {
                Trouble::Failed(format!(
                    "no accepted config is kept in {}; name the state directory with --state-dir, or a config with --config",
                    self.state_dir.display()
                ))
            })?,
        };
        loaded.config.ok_or_else(|| {
            if session.form == Form::People {
                // What is wrong is told as far as it can be; the refusal follows in any case.
                let _ = problems::print(&mut session.screen, &json!({ "errors": loaded.errors }));
            }
            Trouble::Failed("the history cannot be made without a good config; name one with --config".into())
        })
    }
}
