//! `template`: which texts there are by name, and what they make of a message.

use crate::config::preview::{self, Wanted, Wrong};
use crate::config::{Config, LoadOptions, ProcessEnvironment, load};
use crate::ctl::client::{Answer, Call};
use crate::ctl::commands::send::pairs;
use crate::ctl::commands::values::{self, Body};
use crate::ctl::fields::{flag, items, plain, text};
use crate::ctl::screen::{Screen, Table};
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::{Exit, Refusal, Trouble};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Template {
    /// All of them, with their texts and who uses them
    List(List),
    /// What a template makes of a sample, or of what is given; sends nothing
    Render(Box<Render>),
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    from: From,
}

/// Whose templates.
#[derive(Debug, Args)]
struct From {
    /// Those of this config, without a daemon
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Render {
    /// Which template
    #[arg(value_name = "NAME", value_parser = values::name)]
    name: String,
    /// As this channel would send it; nothing: every medium for which it has a text
    #[arg(long, value_name = "CHANNEL", conflicts_with = "medium", value_parser = values::filled)]
    channel: Option<String>,
    /// mail, sms, speech, chat or body
    #[arg(long, value_name = "MEDIUM", value_parser = values::filled)]
    medium: Option<String>,
    /// low, normal, high or urgent (when not given)
    #[arg(long, value_name = "LEVEL", value_parser = values::filled)]
    level: Option<String>,
    /// opened, step, reminder, acknowledged, resolved, notification or test
    #[arg(long, value_name = "KIND", value_parser = values::filled)]
    kind: Option<String>,
    /// What the request gives the template; again for more
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::label)]
    var: Vec<(String, String)>,
    /// A label of the message; again for more
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = values::label)]
    labels: Vec<(String, String)>,
    /// The message's subject
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    subject: Option<String>,
    /// The message's body
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    body: Option<String>,
    #[command(flatten)]
    from: From,
}

impl Template {
    pub async fn run(self, session: &mut Session<'_>) -> Outcome {
        match self {
            Template::List(list) => list.run(session).await,
            Template::Render(render) => render.run(session).await,
        }
    }
}

impl List {
    async fn run(self, session: &mut Session<'_>) -> Outcome {
        let answer = match &self.from.config {
            Some(_) => Answer::made_here(preview::list(&self.from.read()?)),
            None => session.ask(Call::get(&["templates"])).await?,
        };
        session.show(&answer, print_list)?;
        Ok(Exit::Done)
    }
}

impl Render {
    /// Exits 1 when a text fails.
    async fn run(self, session: &mut Session<'_>) -> Outcome {
        let body: Value = Body::default()
            .with("channel", self.channel)
            .with("medium", self.medium)
            .with("level", self.level)
            .with("kind", self.kind)
            .with("vars", pairs("var", &self.var)?)
            .with("labels", pairs("label", &self.labels)?)
            .with("subject", self.subject)
            .with("body", self.body)
            .into();
        let answer = match &self.from.config {
            Some(_) => Answer::made_here(here(&self.from.read()?, &self.name, body)?),
            None => session.ask(Call::post(&["templates", &self.name, "render"], body)).await?,
        };
        session.show(&answer, print_texts)?;
        let failed = items(&answer.document, "texts").iter().any(|t| plain(t, "failure").is_some());
        Ok(if failed { Exit::BadNews } else { Exit::Done })
    }
}

impl From {
    /// Secrets may be missing: nothing is sent.
    fn read(&self) -> Result<Config, Trouble> {
        let path = self.config.clone().unwrap_or_default();
        let loaded = load(&path, &ProcessEnvironment, &LoadOptions { without_secrets: true, ..Default::default() });
        let told = || loaded.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        loaded.config.ok_or_else(|| Trouble::Usage(format!("the config is refused:\n{}", told())))
    }
}

/// As the daemon would answer.
fn here(config: &Config, name: &str, body: Value) -> Result<Value, Trouble> {
    let wanted: Wanted = serde_json::from_value(body).map_err(|e| Trouble::Usage(e.to_string()))?;
    preview::render(config, name, wanted).map_err(|Wrong { field, message }| {
        let (status, code) = if field.is_some() { (400, "VALIDATION_ERROR") } else { (404, "NOT_FOUND") };
        Trouble::Refused(Refusal::made_here(status, code, field, &message))
    })
}

fn print_list(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let mut table = Table::new(&["NAME", "TEXTS", "VARS", "USED BY"]);
    for template in items(document, "templates") {
        let texts = items(template, "texts").iter().map(|t| match plain(t, "level") {
            Some(level) => format!("{level}.{}", text(t, "key")),
            None => text(t, "key"),
        });
        let name = text(template, "name");
        table.row(vec![
            if flag(template, "built_in") { format!("{name} (built in)") } else { name }.into(),
            texts.collect::<Vec<_>>().join(" ").into(),
            text(template, "vars").into(),
            text(template, "used_by").into(),
        ]);
    }
    table.print(screen, "no templates")?;
    screen.more(document)
}

fn print_texts(screen: &mut Screen<'_>, document: &Value) -> io::Result<()> {
    let texts = items(document, "texts");
    if texts.is_empty() {
        return screen.line("this template has no text at this level; the built-in ones go out");
    }
    for (i, one) in texts.iter().enumerate() {
        if i > 0 {
            screen.line("")?;
        }
        screen.line(heading(one))?;
        if let Some(failure) = plain(one, "failure") {
            screen.line(format!("  fails: {failure}"))?;
            screen.line("  the built-in text goes out:")?;
        }
        let subject = plain(one, "subject").map(|subject| format!("Subject: {subject}\n"));
        let html = plain(one, "html").map(|html| format!("\n-- HTML --\n{html}"));
        let whole = [subject.unwrap_or_default(), text(one, "text"), html.unwrap_or_default()].concat();
        for line in whole.lines() {
            screen.line(format!("  {line}"))?;
        }
    }
    Ok(())
}

/// `sms, 81 characters, 1 segment (GSM-7)`.
fn heading(one: &Value) -> String {
    let count = |key: &str, word: &str| {
        plain(one, key).map(|n| format!(", {n} {word}{}", if n == "1" { "" } else { "s" })).unwrap_or_default()
    };
    let encoding = plain(one, "encoding").map(|e| format!(" ({e})")).unwrap_or_default();
    let built_in = flag(one, "built_in") && plain(one, "failure").is_none();
    let built_in = if built_in { ", built in: the template has none for it" } else { "" };
    let segments = count("segments", "segment");
    format!("{}{}{segments}{encoding}{built_in}", text(one, "medium"), count("characters", "character"))
}
