//! From the start to READY=1, with an empty ledger; beside what it takes to start a program at all.

use super::daemon::{Daemon, Place};
use super::sink::Sink;
use super::table::{Spread, Table, millis};
use super::{Args, Failed};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::Instant;

const TIMES: usize = 20;

pub async fn measure(place: &Place, sink: &Sink, args: &Args, table: &mut Table) -> Result<(), Failed> {
    let floor = bare(&place.stentord, "--version").await?;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let daemon = Daemon::start(place, sink, args.slots).await?;
        took.push(daemon.took);
        daemon.stop().await?;
    }
    let ratio = format!("stentord --version: {}", millis(floor.median()));
    table.ratio("start to READY, empty ledger", Spread::of(took).to_string(), ratio);
    Ok(())
}

/// A program that only says something and ends.
pub async fn bare(program: &Path, argument: &str) -> Result<Spread, Failed> {
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let mut command = Command::new(program);
        took.push(run(command.arg(argument)).await?);
    }
    Ok(Spread::of(took))
}

/// The whole life of a process.
pub async fn run(command: &mut Command) -> Result<Duration, Failed> {
    let began = Instant::now();
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output().await?;
    let took = began.elapsed();
    if ended.status.success() {
        return Ok(took);
    }
    Err(format!("{}: {}", ended.status, String::from_utf8_lossy(&ended.stderr)).into())
}
