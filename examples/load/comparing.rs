//! The same alerts to stentord and to Alertmanager, in the same run.

use super::alerts::{self, Burst, Taker};
use super::limits::Limits;
use super::sink::Sink;
use super::table::{Spread, Table, micros, millis};
use super::{Args, Failed};
use std::time::Duration;
use tokio::time::sleep;

/// For whoever took a burst to come to rest.
const PAUSE: Duration = Duration::from_secs(3);
/// Bursts of one kind; the one with the median throughput counts.
const TIMES: usize = 3;

/// What one of the two came to.
pub struct Figures {
    single: Burst,
    batched: Burst,
    trickle: Spread,
}

pub async fn measure(taker: Taker, sink: &Sink, args: &Args) -> Result<Figures, Failed> {
    // The first alerts pay for connections and warm caches.
    alerts::trickle(taker, sink).await?;
    let trickle = alerts::trickle(taker, sink).await?;
    let single = median(taker, sink, args.burst, 1).await?;
    let batched = median(taker, sink, args.burst, 64).await?;
    Ok(Figures { single, batched, trickle })
}

async fn median(taker: Taker, sink: &Sink, count: u64, each: u64) -> Result<Burst, Failed> {
    let mut bursts = Vec::new();
    for _ in 0..TIMES {
        sleep(PAUSE).await;
        bursts.push(alerts::burst(taker, sink, count, each).await?);
    }
    bursts.sort_by(|a, b| a.delivered.total_cmp(&b.delivered));
    Ok(bursts.swap_remove(TIMES / 2))
}

/// Stentor's figures, and what they are of the machine's limits and, where it was measured, of Alertmanager's.
pub fn print(ours: &Figures, theirs: Option<&Figures>, limits: &Limits, table: &mut Table) {
    let kinds = [
        ("one alert a POST", &ours.single, theirs.map(|t| &t.single)),
        ("64 alerts a POST", &ours.batched, theirs.map(|t| &t.batched)),
    ];
    for (name, us, them) in kinds {
        table.ratio(
            format!("durable accepts, {name}"),
            format!("{:.0} /s", us.accepted),
            format!("{:.0} % of group-committed appends", 100.0 * us.accepted / limits.together),
        );
        table.ratio(
            format!("delivered, {name}"),
            format!("{:.0} /s", us.delivered),
            times(us.delivered, them.map(|t| t.delivered)),
        );
        table.ratio(
            format!("CPU per alert, {name}"),
            micros(us.cpu),
            times(us.cpu.as_secs_f64(), them.map(|t| t.cpu.as_secs_f64())),
        );
        table.ratio(
            format!("latency p99, {name}"),
            millis(us.latency.p99()),
            times(us.latency.p99().as_secs_f64(), them.map(|t| t.latency.p99().as_secs_f64())),
        );
    }
    let rest = theirs.map(|t| format!("Alertmanager {}", t.trickle)).unwrap_or_default();
    table.ratio(
        "latency at 50 alerts a second",
        ours.trickle.to_string(),
        format!("one fdatasync {:.2} ms; {rest}", 1e3 / limits.alone),
    );
}

fn times(us: f64, them: Option<f64>) -> String {
    them.map(|them| format!("{:.2} x Alertmanager's", us / them)).unwrap_or_default()
}
