//! A receiver that is down for a while: how soon what waited is out once it is back, and by how many attempts.

use super::alerts;
use super::daemon::{Daemon, Place};
use super::sink::Sink;
use super::table::Table;
use super::{Args, Failed};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Alerts that wait.
const WAITING: u64 = 2_000;
const PATIENCE: Duration = Duration::from_secs(180);

pub async fn measure(place: &Place, sink: &Sink, args: &Args, table: &mut Table) -> Result<(), Failed> {
    let daemon = Daemon::start(place, sink, args.slots).await?;
    sink.refuse(true);
    let taker = daemon.taker();
    let refused = sink.count();
    let began = Instant::now();
    let burst = alerts::burst(taker, sink, WAITING, 64);
    tokio::pin!(burst);
    let down = Duration::from_secs(args.outage);
    if timeout(down, &mut burst).await.is_ok() {
        return Err("alerts arrived at a receiver that is down".into());
    }
    let attempts = sink.count() - refused;
    sink.refuse(false);
    let back = Instant::now();
    timeout(PATIENCE, &mut burst).await??;
    let out = back.elapsed();
    table.ratio(
        format!("receiver down {} s, {WAITING} waiting: all out after", (back - began).as_secs()),
        format!("{:.1} s", out.as_secs_f64()),
        format!("{attempts} attempts while it was down"),
    );
    // What the connections still hold is no part of the next measurement.
    sleep(Duration::from_secs(1)).await;
    daemon.stop().await
}
