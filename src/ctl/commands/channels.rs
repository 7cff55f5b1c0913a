//! `channels` and `test`.

use crate::ctl::client::{Answer, Call};
use crate::ctl::commands::reload;
use crate::ctl::commands::results::{self, WAIT_SLACK};
use crate::ctl::commands::values::{self, Body};
use crate::ctl::fields::{flag, items, plain, text, when};
use crate::ctl::screen::{Piece, Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use crate::domain::time::Span;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io;

/// How long a test is waited for.
const TEST_WAIT: Span = Span::secs(30);

#[derive(Debug, Subcommand)]
pub enum Channels {
    /// All of them, with their health and queue
    List,
    /// The settings of one, as TOML, without secrets
    Settings {
        #[arg(value_name = "CHANNEL", value_parser = values::name)]
        name: String,
    },
    /// Write one of its own file; where channel_settings of the table access allows it
    Set(Set),
    /// Remove one that was written by set
    Remove {
        #[arg(value_name = "CHANNEL", value_parser = values::name)]
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct Set {
    #[arg(value_name = "CHANNEL", value_parser = values::name)]
    name: String,
    /// All its settings: kind=twilio-sms, slots=4, 'to=["alice"]', 'auth_token=${TWILIO_AUTH_TOKEN}'
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = values::entry)]
    settings: Vec<(String, String)>,
}

impl Set {
    /// What is JSON and no text is taken as that.
    fn body(&self) -> Result<Value, Trouble> {
        let mut settings = serde_json::Map::new();
        for (key, text) in &self.settings {
            let read = serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_null());
            if settings.insert(key.clone(), read.unwrap_or_else(|| text.as_str().into())).is_some() {
                return Err(Trouble::Usage(format!("{key} is given twice")));
            }
        }
        Ok(json!({ "settings": settings }))
    }
}

impl Channels {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Channels::List => {
                let answer = session.ask(Call::get(&["channels"])).await?;
                session.show(&answer, list)?;
            }
            Channels::Settings { name } => {
                let answer = session.ask(Call::get(&["channels", &name, "settings"])).await?;
                session.show(&answer, |screen, document| screen.paragraph("", text(document, "text").trim_end()))?;
            }
            Channels::Set(set) => {
                let answer = session.ask(Call::put(&["channels", &set.name, "settings"], set.body()?)).await?;
                return written(session, &answer);
            }
            Channels::Remove { name } => {
                let answer = session.ask(Call::delete(&["channels", &name, "settings"])).await?;
                return written(session, &answer);
            }
        }
        Ok(Exit::Done)
    }
}

/// The answer of a reload, and which file it was.
fn written(session: &mut Session<'_>, answer: &Answer) -> Outcome {
    session.show(answer, |screen, document| {
        screen.line(text(document, "file"))?;
        reload::print(screen, document)
    })?;
    Ok(if flag(&answer.document, "ok") { Exit::Done } else { Exit::BadNews })
}

#[derive(Debug, Args)]
pub struct Test {
    /// By which channels; none: every addressed one on which WHO has an address
    #[arg(value_name = "CHANNEL", value_parser = values::name)]
    channels: Vec<String>,
    /// Whom to send it to; again for more
    #[arg(long, value_name = "WHO", value_parser = values::filled)]
    to: Vec<String>,
    /// Also where a preference or quiet hours are against it
    #[arg(long)]
    force: bool,
}

impl Test {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let body = Body::default().list("to", &self.to).with("force", self.force.then_some(true));
        let call = match self.channels.as_slice() {
            [one] => Call::post(&["channels", one, "test"], body.into()),
            several => Call::post(&["channels", "test"], body.list("channels", several).into()),
        };
        let answer = session.ask(call.with("wait", Some(TEST_WAIT)).patient((TEST_WAIT + WAIT_SLACK).to_std())).await?;
        session.show(&answer, results::print)?;
        Ok(results::exit(&answer.document))
    }
}

fn list(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table =
        Table::new(&["NAME", "KIND", "SORT", "STATUS", "PROOF", "SENDING", "PENDING", "WAITING", "FALLBACK", "DETAIL"]);
    for channel in items(document, "channels") {
        let simulated = flag(channel, "simulate").then(|| "simulated".to_owned());
        let detail: Vec<String> = simulated.into_iter().chain(plain(channel, "detail")).collect();
        table.row(vec![
            text(channel, "name").into(),
            text(channel, "kind").into(),
            text(channel, "sort").into(),
            Piece::status(text(channel, "status")),
            screen.clock(when(channel, "last_proof_at")).into(),
            text(channel, "in_flight").into(),
            text(channel, "pending").into(),
            text(channel, "waiting").into(),
            text(channel, "fallback").into(),
            detail.join("; ").into(),
        ]);
    }
    table.print(screen, "no channels")?;
    screen.more(document)
}
