//! `send`: one notification.

use crate::ctl::client::Call;
use crate::ctl::commands::attach;
use crate::ctl::commands::results::{self, WAIT_SLACK};
use crate::ctl::commands::values::{self, Body};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::{Exit, Refusal, Trouble};
use crate::domain::level::Level;
use crate::domain::time::Span;
use clap::Args;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

/// A request may not be larger; the daemon refuses it.
const LARGEST_BODY: u64 = 1 << 20;

/// What a message is about and for whom: common to `send` and `page`.
#[derive(Debug, Args)]
pub struct Content {
    /// The text; - reads it from standard input
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    body: Option<String>,
    /// Whom: alice, group:ops, schedule:primary, tier:TIER_1, an address, a number; again for more
    #[arg(long, value_name = "WHO", value_parser = values::filled)]
    to: Vec<String>,
    /// By which channel, instead of the level's; again for more
    #[arg(long = "channel", value_name = "CHANNEL", value_parser = values::filled)]
    channels: Vec<String>,
    /// What it is about, for preferences, routes and silences
    #[arg(long = "type", value_name = "TYPE", value_parser = values::filled)]
    kind_of: Option<String>,
    /// A label; again for more
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = values::label)]
    labels: Vec<(String, String)>,
    /// A file to go along, 10 MiB at most; again for more
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
}

impl Content {
    /// # Errors
    /// A label given twice, a body that cannot be read.
    pub fn fields(&self) -> Result<Body, Trouble> {
        let body = match self.body.as_deref() {
            Some("-") => Some(standard_input()?),
            given => given.map(str::to_owned),
        };
        Ok(Body::default()
            .with("body", body)
            .list("to", &self.to)
            .list("channels", &self.channels)
            .with("type", self.kind_of.clone())
            .with("labels", pairs("label", &self.labels)?)
            .with("attachments", attach::all(&self.attach)?))
    }
}

#[derive(Debug, Args)]
pub struct Send {
    /// low, normal (when not given), high or urgent
    #[arg(long, value_name = "LEVEL", value_parser = values::filled)]
    level: Option<String>,
    /// The subject line
    #[arg(
        long,
        value_name = "TEXT",
        required_unless_present = "template",
        allow_hyphen_values = true,
        value_parser = values::filled
    )]
    subject: Option<String>,
    #[command(flatten)]
    content: Content,
    /// Who sends it, for the ledger
    #[arg(long, value_name = "NAME")]
    initiator: Option<String>,
    /// On whose account
    #[arg(long, value_name = "TENANT", alias = "tenant-id")]
    tenant: Option<String>,
    /// The same key again gives the first answer again and sends nothing
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Comes back in everything about it
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    /// Your own name for this request; comes back in everything about it
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Who caused it, in your own words
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Comes back as it was given; again for more
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::entry)]
    metadata: Vec<(String, String)>,
    /// How long it makes sense to try, also in plain seconds (1d when not given)
    #[arg(long, value_name = "DURATION", value_parser = values::seconds)]
    ttl: Option<String>,
    /// Not before this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    at: Option<String>,
    /// The template that says it; what it has no text for is said as usual
    #[arg(long, value_name = "NAME", value_parser = values::filled)]
    template: Option<String>,
    /// What the template is given; again for more
    #[arg(long, value_name = "NAME=VALUE", requires = "template", value_parser = values::label)]
    var: Vec<(String, String)>,
    /// Wait until each delivery is out or has ended, 30s when no time is given
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "30s",
        value_parser = values::span
    )]
    wait: Option<Span>,
}

impl Send {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        let body = self.body()?;
        if self.level.as_deref().and_then(Level::parse) == Some(Level::Urgent) && session.on_terminal {
            session.remark(
                "A sent message never escalates: nobody is called again. \
                 To get somebody to act: stentorctl page --level urgent --subject ...",
            );
        }
        let call = Call::post(&["notifications"], body.into()).with("wait", self.wait);
        let call = call.patient(self.wait.map_or(Span::ZERO, |w| w + WAIT_SLACK).to_std());
        let answer = session.ask(call).await?;
        session.show(&answer, results::print)?;
        Ok(if self.wait.is_some() { results::exit(&answer.document) } else { Exit::Done })
    }

    fn body(&self) -> Result<Body, Trouble> {
        Ok(self
            .content
            .fields()?
            .with("level", self.level.clone())
            .with("subject", self.subject.clone())
            .with("initiator", self.initiator.clone())
            .with("tenant", self.tenant.clone())
            .with("idempotency_key", self.idempotency_key.clone())
            .with("correlation_id", self.correlation_id.clone())
            .with("request_id", self.request_id.clone())
            .with("actor", self.actor.clone())
            .with("metadata", pairs("metadata", &self.metadata)?)
            .with("ttl", self.ttl.clone())
            .with("at", self.at.clone())
            .with("template", self.template.clone())
            .with("vars", pairs("var", &self.var)?))
    }
}

/// An object of what a flag gave, each name once.
pub fn pairs(flag: &str, given: &[(String, String)]) -> Result<Option<Value>, Trouble> {
    let mut object = BTreeMap::new();
    for (name, value) in given {
        if object.insert(name.as_str(), value.as_str()).is_some() {
            return Err(Trouble::Usage(format!("--{flag} {name} is given twice")));
        }
    }
    Ok((!object.is_empty()).then(|| object.into_iter().map(|(n, v)| (n.to_owned(), Value::from(v))).collect()))
}

/// What stands on standard input, without its last line break.
pub fn standard_input() -> Result<String, Trouble> {
    let mut bytes = vec![];
    std::io::stdin()
        .lock()
        .take(LARGEST_BODY + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Trouble::Usage(format!("cannot read the body from standard input: {e}")))?;
    if bytes.len() as u64 > LARGEST_BODY {
        return Err(Trouble::Refused(Refusal::too_large("body", "the body on standard input is larger than 1 MiB")));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| Trouble::Usage("the body on standard input is not UTF-8".into()))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use crate::ctl::cli::{Cli, run};
    use crate::ctl::screen::Screen;
    use crate::ctl::session::{Form, Session};
    use crate::domain::time::Timestamp;
    use clap::Parser;

    /// What is remarked to somebody at a terminal, or not at one; there is no daemon.
    async fn remarks(args: &[&str], on_terminal: bool) -> String {
        let all = ["stentorctl", "--socket", "/does/not/exist", "send", "--subject", "x"];
        let cli = Cli::try_parse_from(all.iter().chain(args)).unwrap();
        let (mut out, mut notes) = (vec![], vec![]);
        let mut session = Session {
            global: &cli.global,
            form: Form::of(&cli.global),
            screen: Screen::new(&mut out, false, Timestamp(0)),
            notes: &mut notes,
            on_terminal,
        };
        run(cli.command, &mut session).await.unwrap_err();
        String::from_utf8(notes).unwrap()
    }

    #[tokio::test]
    async fn urgent_on_a_terminal_names_page() {
        for level in ["urgent", "CRITICAL"] {
            let said = remarks(&["--level", level], true).await;
            assert!(said.contains("never escalates") && said.contains("stentorctl page"), "{said}");
            assert_eq!(remarks(&["--level", level], false).await, "", "a script is not disturbed");
            assert_eq!(remarks(&["--level", level, "--json"], true).await, "");
        }
        assert_eq!(remarks(&["--level", "high"], true).await, "");
        assert_eq!(remarks(&[], true).await, "");
    }
}
