//! One alert at a time: `stentorctl send --wait`, and from a request to the wire.

use super::Failed;
use super::callers;
use super::daemon::{Daemon, Place};
use super::sink::Sink;
use super::starting::{bare, run};
use super::table::{Spread, Table, millis};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::Instant;

const TIMES: u64 = 100;
/// Between two alerts that are to find the daemon at rest.
const PACE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn measure(place: &Place, daemon: &Daemon, sink: &Sink, table: &mut Table) -> Result<(), Failed> {
    let floor = bare(&place.stentorctl, "version").await?;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let mut command = Command::new(&place.stentorctl);
        command.arg("--socket").arg(&daemon.socket).args(["send", "--subject", "load", "--body", "one", "--wait"]);
        took.push(run(&mut command).await?);
    }
    let ratio = format!("stentorctl version: {}", millis(floor.median()));
    table.ratio("stentorctl send --wait, whole process", Spread::of(took).to_string(), ratio);
    let wire = to_the_wire(daemon, sink).await?;
    table.row("from a request to the receiver, 50 a second", wire.to_string());
    Ok(())
}

async fn to_the_wire(daemon: &Daemon, sink: &Sink) -> Result<Spread, Failed> {
    let mut callers = callers::open(&daemon.socket, 1).await?.ok_or("no caller")?;
    let caller = callers.first_mut().ok_or("no caller")?;
    let mut took = Vec::new();
    for n in 0..TIMES {
        let arrives = sink.reached(sink.count() + 1, PATIENCE);
        let began = Instant::now();
        let (arrived, accepted) = tokio::join!(arrives, caller.alert(n));
        accepted?;
        took.push(arrived? - began);
        tokio::time::sleep(PACE).await;
    }
    Ok(Spread::of(took))
}
