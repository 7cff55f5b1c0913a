//! The same alerts to stentord and to Alertmanager, in the same run.

use super::alerts::{self, Burst, Taker};
use super::limits::Limits;
use super::sink::Sink;
use super::table::{Spread, Table, micros, millis};
use super::{Args, Failed, proc};
use std::time::Duration;
use tokio::time::sleep;

/// For whoever took a burst to come to rest.
const PAUSE: Duration = Duration::from_secs(3);
/// Bursts of one kind; the one with the median throughput counts.
const TIMES: usize = 3;

/// A burst, and the CPU time for each of its alerts of what was done when all had arrived.
struct Taken {
    burst: Burst,
    put_off: Duration,
}

/// What one of the two came to.
pub struct Figures {
    single: Taken,
    batched: Taken,
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

async fn median(taker: Taker, sink: &Sink, count: u64, each: u64) -> Result<Taken, Failed> {
    let mut bursts = Vec::new();
    sleep(PAUSE).await;
    for _ in 0..TIMES {
        let burst = alerts::burst(taker, sink, count, each).await?;
        let cpu = proc::cpu(&taker.pid.to_string())?;
        sleep(PAUSE).await;
        let put_off = (proc::cpu(&taker.pid.to_string())? - cpu) / u32::try_from(count.max(1))?;
        bursts.push(Taken { burst, put_off });
    }
    bursts.sort_by(|a, b| a.burst.delivered.total_cmp(&b.burst.delivered));
    Ok(bursts.swap_remove(TIMES / 2))
}

/// Stentor's figures, and what they are of the machine's limits and, where it was measured, of Alertmanager's.
pub fn print(ours: &Figures, theirs: Option<&Figures>, limits: &Limits, table: &mut Table) {
    let kinds = [
        ("one alert a POST", &ours.single, theirs.map(|t| &t.single)),
        ("64 alerts a POST", &ours.batched, theirs.map(|t| &t.batched)),
    ];
    for (name, ours, theirs) in kinds {
        let (us, them) = (&ours.burst, theirs.map(|t| &t.burst));
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
        let whole = |taken: &Taken| (taken.burst.cpu + taken.put_off).as_secs_f64();
        table.ratio(
            format!("CPU per alert afterwards, {name}"),
            micros(ours.put_off),
            times(whole(ours), theirs.map(whole)) + if theirs.is_some() { ", both together" } else { "" },
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
        format!("one fdatasync {:.2} ms, at this pace {}; {rest}", 1e3 / limits.alone, millis(limits.paced)),
    );
}

fn times(us: f64, them: Option<f64>) -> String {
    them.map(|them| format!("{:.2} x Alertmanager's", us / them)).unwrap_or_default()
}
