//! `ack`: the command that is typed at night. Without an id it takes the only incident that is not
//! acknowledged; with several ids all are tried and the worst code wins.

use crate::ctl::client::{Answer, Api, Call};
use crate::ctl::commands::incidents::act::sentence;
use crate::ctl::commands::incidents::text::headline;
use crate::ctl::commands::values::{Body, identifier};
use crate::ctl::fields::{flag, items, text, when};
use crate::ctl::screen::Screen;
use crate::ctl::session::{Form, Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use clap::Args;
use serde_json::{Value, json};
use std::io;

#[derive(Debug, Args)]
pub struct Ack {
    /// Numbers such as 417, ids, or the ends of ids; none: the only one that is not acknowledged
    #[arg(value_name = "ID", value_parser = identifier)]
    ids: Vec<String>,
    /// What is being done, for the record
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: Option<String>,
    /// In whose name
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl Ack {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let api = session.api()?;
        match self.ids.as_slice() {
            [] => self.only_one(session, &api).await,
            [id] => {
                let answer = api.ask(self.call(Some(id))).await?;
                session.show(&answer, acknowledged)?;
                Ok(Exit::Done)
            }
            ids => self.several(session, &api, ids).await,
        }
    }

    fn call(&self, id: Option<&str>) -> Call {
        let path: Vec<&str> = ["incidents"].into_iter().chain(id).chain(["acknowledge"]).collect();
        let body = Body::default().with("note", self.note.clone()).with("by", self.by.clone());
        Call::post(&path, body.into())
    }

    async fn only_one(&self, session: &mut Session<'_>, api: &Api) -> Outcome {
        match api.ask(self.call(None)).await {
            Ok(answer) => {
                session.show(&answer, acknowledged)?;
                Ok(Exit::Done)
            }
            // Several: people choose from a list, scripts read the document.
            Err(Trouble::Refused(r)) if r.code() == "CONFLICT" && session.form == Form::People => {
                let first = candidates(session, api).await?;
                Err(Trouble::Usage(format!(
                    "several incidents wait for an acknowledgement; name one, as in: stentorctl ack {first}"
                )))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// For scripts one document: the incidents that were acknowledged, and the errors of the others,
    /// each with the `id` as it was given.
    async fn several(&self, session: &mut Session<'_>, api: &Api, ids: &[String]) -> Outcome {
        let (mut incidents, mut errors, mut worst) = (vec![], vec![], Exit::Done);
        for id in ids {
            match api.ask(self.call(Some(id))).await {
                Ok(answer) => {
                    if session.form == Form::People {
                        session.show(&answer, acknowledged)?;
                    }
                    incidents.extend_from_slice(items(&answer.document, "incidents"));
                }
                Err(trouble) => {
                    worst = worst.max(trouble.exit());
                    session.complain(Some(id), &trouble);
                    let mut error = trouble.error();
                    error["id"] = json!(id);
                    errors.push(error);
                }
            }
        }
        if session.form == Form::Scripts {
            session.show(&Answer::made_here(json!({ "incidents": incidents, "errors": errors })), |_, _| Ok(()))?;
        }
        Ok(worst)
    }
}

pub fn acknowledged(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    for incident in items(document, "incidents") {
        let by = text(incident, "acknowledged_by");
        let done = if flag(incident, "already") {
            format!("was acknowledged already by {by} at {}", screen.clock(when(incident, "acknowledged_at")))
        } else {
            format!("acknowledged by {by}")
        };
        screen.pieces(&sentence(incident, &done))?;
    }
    Ok(())
}

/// Without an id and with several to choose from: which ones. Returns the first one's number.
async fn candidates(session: &mut Session<'_>, api: &Api) -> Result<String, Trouble> {
    let answer = api.ask(Call::get(&["incidents"])).await?;
    let open = || items(&answer.document, "incidents").iter().filter(|i| text(i, "status") == "open");
    for incident in open() {
        let mut line = vec!["  ".into()];
        line.extend(headline(incident));
        line.push(format!("    open {}", session.screen.since(when(incident, "opened_at"))).into());
        session.screen.pieces(&line)?;
    }
    Ok(open().next().map_or_else(|| "NUMBER".into(), |i| text(i, "number")))
}
