//! One of stentor's channels in another program, without the daemon: sends a text to a webhook.
//!
//! ```text
//! cargo run --example one_channel -- http://127.0.0.1:8080/hook "disk full on db-1"
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

use std::process::ExitCode;
use stentor::channel::{self, Matter, Outgoing};
use stentor::domain::event::{AttemptResult, Rendered};
use stentor::domain::level::Level;
use stentor::domain::time::Span;
use stentor::settings::{self, ProcessEnvironment};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, text] = arguments.as_slice() else {
        eprintln!("usage: one_channel URL TEXT");
        return ExitCode::from(2);
    };
    match tell(url, text).await {
        Ok(result) => {
            println!("{result:?}");
            if result.success().is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(mistakes) => {
            eprintln!("{mistakes}");
            ExitCode::from(2)
        }
    }
}

/// One attempt; retrying, if wanted, is this program's business. `Err` is about the settings.
pub async fn tell(url: &str, text: &str) -> Result<AttemptResult, String> {
    let kind = channel::kind("webhook").ok_or("there is no such kind of channel")?;
    // As in stentor.toml, with placeholders and all; it may as well stand in this program's config.
    let toml = format!("url = {url:?}\ncontent_type = \"text/plain; charset=utf-8\"\ntimeout = \"5s\"");
    let (hook, problems) = settings::read("settings", &toml, &ProcessEnvironment, kind.read);
    let mistakes: Vec<String> = problems.errors.iter().map(ToString::to_string).collect();
    let hook = hook.filter(|_| mistakes.is_empty()).ok_or_else(|| mistakes.join("\n"))?;
    let out = Outgoing {
        // The same for every attempt of this message.
        key: "one-channel-1".into(),
        attempt: 1,
        address: None,
        text: Rendered { text: text.into(), ..Rendered::default() },
        level: Level::High,
        ttl: Span::mins(5),
        matter: Matter::default(),
        sound: None,
        attachments: Vec::new(),
        callback: None,
    };
    Ok(hook.send(&out).await)
}
