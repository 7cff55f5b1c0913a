//! `make demo`: one alarm all the way, within a minute, by the real daemon and the real command,
//! against stand-ins for Twilio, Slack and a mail server. Exits 0, or 1 naming the step that did
//! not happen.
//!
//! `make run` (the argument `stay`): the same daemon and stand-ins, left up until Ctrl-C.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a demo that cannot work should stop")]

#[path = "../standins/mod.rs"]
mod standins;

mod ear;
mod stage;
mod stay;
mod story;
mod teller;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => demo().await,
        ["stay"] => stay::run().await,
        _ => {
            eprintln!("usage: demo [stay]");
            ExitCode::from(2)
        }
    }
}

async fn demo() -> ExitCode {
    let teller = teller::Teller::begin();
    let mut stage = match stage::Stage::set(false).await {
        Ok(stage) => stage,
        Err(why) => {
            eprintln!("the demo cannot begin: {why}");
            return ExitCode::FAILURE;
        }
    };
    let played = story::play(&mut stage, &teller).await;
    let stopped = stage.stop().await;
    match played.and(stopped) {
        Ok(()) => {
            teller.says("the daemon has stopped in order; that was the demo");
            ExitCode::SUCCESS
        }
        Err(step) => {
            eprintln!("\nThis did not happen: {step}\n\nstentord's log ends with\n{}", stage.end_of_log());
            ExitCode::FAILURE
        }
    }
}
