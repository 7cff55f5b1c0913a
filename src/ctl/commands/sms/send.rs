//! `sms send`: a thin form of `send --channel`.

use crate::ctl::client::Call;
use crate::ctl::commands::results;
use crate::ctl::commands::values::{self, Body};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::Exit;
use clap::Args;

#[derive(Debug, Args)]
pub struct Send {
    /// A number, or whom: alice, group:ops; again for more
    #[arg(long, value_name = "WHO", required = true, value_parser = values::filled)]
    to: Vec<String>,
    /// The text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = values::filled)]
    body: String,
    /// By which channel
    #[arg(long, value_name = "CHANNEL", default_value = "sms", value_parser = values::filled)]
    channel: String,
}

impl Send {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let body =
            Body::default().with("subject", Some(self.body)).list("to", &self.to).list("channels", &[self.channel]);
        let answer = session.ask(Call::post(&["notifications"], body.into())).await?;
        session.show(&answer, results::print)?;
        Ok(Exit::Done)
    }
}
