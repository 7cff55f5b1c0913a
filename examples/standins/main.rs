//! The stand-ins as a program, for scripts: prints their addresses as one JSON document, then
//! serves until it is ended.
//!
//! `GET CONTROL/recorded` lists what came, `POST CONTROL/set` makes a service misbehave
//! (`{"service": "twilio", "fault": "status", "status": 503, "times": 2}`, see `script::Fault`),
//! `POST CONTROL/twilio` with `{"credentials": "revoked"}` or `"valid"`, `POST CONTROL/clear`
//! forgets what was recorded.
#![allow(clippy::print_stdout, reason = "the addresses are this program's answer")]

#[path = "mod.rs"]
mod standins;

use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::Write;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let standins = standins::Standins::start().await;
    let control = standins.control().await;
    let mut addresses = serde_json::to_value(standins.addresses())?;
    addresses["control"] = control.into();
    println!("{addresses:#}");
    std::io::stdout().flush()?;
    let mut ends = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let wait = tokio::task::spawn_blocking(move || ends.forever().next().map(drop));
    // Only an end in order removes the certificates from the disk.
    wait.await.map(|_| ()).map_err(std::io::Error::other)
}
