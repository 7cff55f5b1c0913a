//! Many open incidents: what they take in memory, at rest and at the next start.

use super::alerts;
use super::daemon::{Daemon, Place};
use super::sink::Sink;
use super::table::{Table, millis};
use super::{Args, Failed};
use std::time::Duration;
use tokio::time::sleep;

/// So many come at once, and are told before the next ones come: what waits to be told is no open incident.
const STEP: usize = 2_000;
/// For history, snapshots and packing to come to rest.
const REST: Duration = Duration::from_secs(8);

pub async fn measure(place: &Place, sink: &Sink, args: &Args, table: &mut Table) -> Result<(), Failed> {
    let daemon = Daemon::start(place, sink, args.slots).await?;
    let empty = daemon.memory_kib()?;
    for first in (0..args.crowd).step_by(STEP) {
        alerts::burst(daemon.taker(), sink, (args.crowd - first).min(STEP as u64), 64).await?;
    }
    sleep(REST).await;
    let (memory, disk) = (daemon.memory_kib()?, daemon.disk()?);
    let mib = |kib: u64| kib as f64 / 1024.0;
    table.ratio(
        format!("resident memory with {} open incidents", args.crowd),
        format!("{:.0} MiB", mib(memory)),
        format!("{:.1} KiB for each", memory.saturating_sub(empty) as f64 / args.crowd as f64),
    );
    table.row("disk for each of them", format!("{:.1} KiB", disk as f64 / 1024.0 / args.crowd as f64));
    let span = Duration::from_secs(args.idle);
    let before = daemon.wakes()?;
    sleep(span).await;
    let wakes = daemon.wakes()?.saturating_sub(before) as f64 / span.as_secs_f64();
    table.row("wake-ups with them, nothing due", format!("{wakes:.1} /s"));
    let daemon = daemon.again(place).await?;
    table.row("start to READY with them", millis(daemon.took));
    sleep(REST).await;
    table.row("resident memory after that", format!("{:.0} MiB", mib(daemon.memory_kib()?)));
    daemon.stop().await?;
    let daemon = Daemon::start(place, sink, args.slots).await?;
    alerts::burst(daemon.taker(), sink, args.crowd, 64).await?;
    sleep(REST).await;
    let at_once = format!("{:.0} MiB", mib(daemon.memory_kib()?));
    table.row("resident memory where they came all at once", at_once);
    daemon.stop().await
}
