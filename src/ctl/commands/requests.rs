//! `requests`: events that ask for something to be sent, one a line, as a bus brings them.

use crate::ctl::client::Call;
use crate::ctl::fields::text;
use crate::ctl::screen::Piece;
use crate::ctl::session::{Form, Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use clap::Args;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes of a line; the daemon takes no more.
const LINE: u64 = 36 << 20;

#[derive(Debug, Args)]
pub struct Requests {
    /// Events in JSON, one a line; - reads them from standard input as they come
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
}

impl Requests {
    /// Each is tried; the worst code wins. Without the daemon it stops at the first.
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let mut lines = open(&self.file)?;
        let mut worst = Exit::Done;
        loop {
            let mut line = Vec::new();
            let read = (&mut lines).take(LINE).read_until(b'\n', &mut line);
            match read.map_err(|e| Trouble::Usage(format!("{}: {e}", self.file.display())))? {
                0 => return Ok(worst),
                _ if line.trim_ascii().is_empty() => {}
                _ => worst = worst.max(one(session, &line).await?),
            }
        }
    }
}

fn open(file: &Path) -> Result<Box<dyn BufRead>, Trouble> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let opened = std::fs::File::open(file).map_err(|e| Trouble::Usage(format!("{}: {e}", file.display())))?;
    Ok(Box::new(BufReader::new(opened)))
}

async fn one(session: &mut Session<'_>, line: &[u8]) -> Outcome {
    let answer = match serde_json::from_slice::<Value>(line) {
        Ok(event) => {
            let id = event["event_id"].clone();
            session
                .ask(Call::post(&["requests"], event))
                .await
                .map_err(|trouble| (id.clone(), trouble))
                .map(|a| (id, a))
        }
        Err(e) => Err((Value::Null, Trouble::Usage(format!("a line is no JSON: {e}")))),
    };
    match answer {
        Ok((id, answer)) => {
            match session.form {
                Form::Scripts => {
                    let line = json!({ "event_id": id, "notification": answer.document });
                    session.screen.document(line.to_string().as_bytes())?;
                }
                Form::People => session.screen.pieces(&[
                    format!("{}  notification {}  ", name(&id), text(&answer.document, "id")).into(),
                    Piece::status(text(&answer.document, "status")),
                ])?,
                Form::Nobody => {}
            }
            session.screen.flush()?;
            Ok(Exit::Done)
        }
        Err((id, trouble @ (Trouble::Refused(_) | Trouble::Usage(_)))) => {
            if session.form == Form::Scripts {
                let line = json!({ "event_id": id, "error": trouble.error() });
                session.screen.document(line.to_string().as_bytes())?;
                session.screen.flush()?;
            }
            session.complain(Some(&name(&id)), &trouble);
            Ok(trouble.exit())
        }
        Err((_, trouble)) => Err(trouble),
    }
}

fn name(id: &Value) -> String {
    id.as_str().unwrap_or("-").to_owned()
}
