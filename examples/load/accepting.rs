//! Bursts: how many alerts are accepted for good in a second, and how many are delivered.

use super::callers;
use super::daemon::Daemon;
use super::limits::Limits;
use super::sink::Sink;
use super::table::{Table, micros, rate};
use super::{Failed, proc};
use std::time::Duration;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(180);
/// For the daemon to see that the last burst's connections are closed, and for its history to catch up.
const PAUSE: Duration = Duration::from_secs(2);
/// One caller waits for the disk each time.
const ALONE: u64 = 2_000;

pub async fn measure(
    daemon: &Daemon,
    sink: &Sink,
    count: u64,
    limits: &Limits,
    table: &mut Table,
) -> Result<(), Failed> {
    for (callers, count, limit) in
        [(1, count.min(ALONE), limits.alone), (64, count, limits.together), (512, count, limits.together)]
    {
        tokio::time::sleep(PAUSE).await;
        let name = format!("durable accepts, {callers} callers");
        match callers::open(&daemon.socket, callers).await? {
            Some(callers) => one(daemon, sink, callers, count, &name, limit, limits.delivered, table).await?,
            None => table.row(name, "not measured: run it as root, to be several users"),
        }
    }
    table.row("resident memory, after that", format!("{:.1} MiB", daemon.memory_kib()? as f64 / 1024.0));
    table.row("disk, after that", format!("{:.1} MiB", daemon.disk()? as f64 / 1048576.0));
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "what one burst is")]
async fn one(
    daemon: &Daemon,
    sink: &Sink,
    callers: Vec<callers::Caller>,
    count: u64,
    name: &str,
    limit: f64,
    delivery_limit: f64,
    table: &mut Table,
) -> Result<(), Failed> {
    let (before, cpu, own) = (sink.count(), daemon.cpu()?, proc::cpu("self")?);
    let began = Instant::now();
    let burst = callers::burst(callers, before, count).await?;
    let all_in = sink.reached(before + burst.count, PATIENCE).await? - began;
    let cpu = (daemon.cpu()? - cpu) / burst.count.max(1) as u32;
    let own = (proc::cpu("self")? - own) / burst.count.max(1) as u32;
    let accepted = rate(burst.count, burst.elapsed);
    let delivered = rate(burst.count, all_in);
    table.ratio(
        name,
        format!("{accepted:.0} /s"),
        format!("{:.0} % of the disk's; each {}", 100.0 * accepted / limit, burst.each),
    );
    table.ratio(
        "  delivered of these",
        format!("{delivered:.0} /s"),
        format!("{:.0} % of the bare client's", 100.0 * delivered / delivery_limit),
    );
    table.ratio("  CPU for each, accepted and delivered", micros(cpu), format!("load and sink: {}", micros(own)));
    Ok(())
}
