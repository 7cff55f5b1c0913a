//! `sms count`: letters, encoding, parts and price of a text, without a daemon.

use crate::config::{self, LoadOptions, ProcessEnvironment};
use crate::ctl::client::Answer;
use crate::ctl::commands::send::standard_input;
use crate::ctl::fields::{items, text};
use crate::ctl::screen::Table;
use crate::ctl::session::{Outcome, Session};
use crate::ctl::trouble::{Exit, Trouble};
use crate::domain::delivery::Format;
use crate::domain::money::Money;
use crate::message::segments::{self, Size};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

const CONFIG: &str = "/etc/stentor/stentor.toml";

#[derive(Debug, Args)]
pub struct Count {
    /// The text; - reads it from standard input
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: String,
    /// Whose channels are priced too; left out: the usual file, where it can be read
    #[arg(long, value_name = "FILE", env = "STENTOR_CONFIG")]
    config: Option<PathBuf>,
}

impl Count {
    pub fn run(self, session: &mut Session<'_>) -> Outcome {
        let body = if self.text == "-" { standard_input()? } else { self.text };
        let mut costs = providers(segments::size(&body));
        costs.extend(channels(self.config, &body)?);
        let answer = Answer::made_here(document(&body, costs));
        session.show(&answer, |screen, count| {
            let plain = |key| text(count, key);
            screen.line(format!(
                "{} characters, {} {} units, {} segment{}",
                plain("characters"),
                plain("units"),
                plain("encoding"),
                plain("segments"),
                if count["segments"] == 1 { "" } else { "s" }
            ))?;
            if let Some(better) = count.get("transliterated").and_then(Value::as_object) {
                let segments = better.get("segments").map(Value::to_string).unwrap_or_default();
                screen.line(format!("in GSM letters: {segments} (transliterate = true)"))?;
            }
            screen.line("")?;
            let mut table = Table::new(&["PROVIDER", "CHANNEL", "SEGMENTS", "COST"]);
            for row in items(count, "costs") {
                let cost = format!("{} {}", text(row, "cost"), text(row, "currency"));
                table.row(vec![
                    text(row, "provider").into(),
                    text(row, "channel").into(),
                    text(row, "segments").into(),
                    cost.into(),
                ]);
            }
            table.print(screen, "nobody's price is known")
        })?;
        Ok(Exit::Done)
    }
}

fn document(body: &str, costs: Vec<Value>) -> Value {
    let (size, plain) = (segments::size(body), segments::size(&segments::transliterated(body)));
    let better = (plain.segments < size.segments).then(|| json!({ "segments": plain.segments, "units": plain.units }));
    json!({
        "characters": body.chars().count(),
        "encoding": size.encoding.as_str(),
        "units": size.units,
        "segments": size.segments,
        "transliterated": better,
        "costs": costs,
    })
}

/// By the prices that are known without a config.
fn providers(size: Size) -> Vec<Value> {
    let texts = config::PRICES.iter().filter(|(kind, _)| kind_is_text(kind));
    texts.map(|(kind, amount)| row(kind, None, size, &Money { amount: *amount, currency: "USD".into() })).collect()
}

fn kind_is_text(kind: &str) -> bool {
    crate::channel::kind(kind).is_some_and(|k| k.format == Format::Sms)
}

/// By the prices of the config's channels.
fn channels(named: Option<PathBuf>, body: &str) -> Result<Vec<Value>, Trouble> {
    let file = named.clone().unwrap_or_else(|| CONFIG.into());
    if named.is_none() && !file.exists() {
        return Ok(Vec::new());
    }
    let options = LoadOptions { without_secrets: true, ..LoadOptions::default() };
    let loaded = config::load(&file, &ProcessEnvironment, &options);
    let Some(config) = loaded.config else {
        return match named {
            Some(file) => {
                let words = loaded.errors.first().map(ToString::to_string).unwrap_or_default();
                Err(Trouble::Usage(format!("{} cannot be used: {words}", file.display())))
            }
            None => Ok(Vec::new()),
        };
    };
    let texts = config.channels.values().filter(|c| c.format() == Format::Sms);
    let priced = texts.filter_map(|c| {
        let sent = if c.transliterate { segments::transliterated(body) } else { body.to_owned() };
        Some(row(c.kind.provider, Some(&c.name), segments::size(&sent), c.price.as_ref()?))
    });
    Ok(priced.collect())
}

fn row(provider: &str, channel: Option<&str>, size: Size, price: &Money) -> Value {
    let cost = price.amount.times(u32::try_from(size.segments).unwrap_or(u32::MAX));
    json!({
        "provider": provider,
        "channel": channel,
        "segments": size.segments,
        "cost": cost,
        "currency": price.currency,
    })
}
