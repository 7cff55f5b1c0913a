//! `ledger backup`: the daemon sends its files as they are at one moment, and the copy is checked here.

use crate::ctl::client::{Answer, Call};
use crate::ctl::commands::ledger::print::backed_up;
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use crate::ledger::restore::{Copied, Receiving, RestoreError};
use crate::ledger::verify;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Backup {
    /// Where to: a directory that is empty or not there yet
    dir: PathBuf,
}

impl Backup {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let api = session.api()?;
        // Before the daemon begins to read: a directory that cannot be used is our own trouble.
        let mut receiving = Receiving::into(&self.dir).map_err(trouble)?;
        let mut bytes = api.open(Call::get(&["ledger", "backup"]), "application/x-stentor-backup").await?;
        while let Some(chunk) = bytes.next().await? {
            receiving.take(&chunk).map_err(trouble)?;
        }
        let Copied { tip, files, bytes } = receiving.finish().map_err(trouble)?;
        let verified = verify::offline(&self.dir, &[tip]).map_err(|e| Trouble::Failed(e.to_string()))?;
        // Not a part of the ledger.
        let _ = std::fs::remove_file(self.dir.join("lock"));
        let exit = if verified.ok { Exit::Done } else { Exit::BadNews };
        let answer = Answer::made_here(json!({
            "ok": verified.ok,
            "dir": self.dir,
            "files": files,
            "bytes": bytes,
            "seq": tip.seq,
            "events": verified.events,
            "head": verified.head,
            "faults": verified.faults,
        }));
        session.show(&answer, backed_up)?;
        Ok(exit)
    }
}

fn trouble(error: RestoreError) -> Trouble {
    match error {
        RestoreError::NotEmpty { .. } => Trouble::Usage(error.to_string()),
        other => Trouble::Failed(other.to_string()),
    }
}
