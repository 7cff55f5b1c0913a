//! Alerts over POST /api/v2/alerts, which stentord and Alertmanager both take: bursts, and a steady trickle.

use super::Failed;
use super::callers::{self, Caller};
use super::proc;
use super::sink::Sink;
use super::table::{Spread, rate};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Connections that a burst comes over.
pub const SENDERS: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(180);
/// Alerts a second of the trickle, and how many.
pub const PACE: Duration = Duration::from_millis(20);
const TRICKLE: u64 = 250;

/// Who takes alerts.
#[derive(Clone, Copy)]
pub struct Taker {
    pub address: SocketAddr,
    pub pid: u32,
}

/// What a burst came to.
pub struct Burst {
    /// Alerts a second: answered, and arrived at the sink.
    pub accepted: f64,
    pub delivered: f64,
    /// CPU time for each alert, from the first request until all have arrived.
    pub cpu: Duration,
    /// From a request to the arrival of its alerts.
    pub latency: Spread,
}

/// `count` alerts that no one has seen before, `each` in one request.
pub async fn burst(taker: Taker, sink: &Sink, count: u64, each: u64) -> Result<Burst, Failed> {
    let mut senders = Vec::new();
    for _ in 0..SENDERS {
        senders.push(callers::dial(&taker.address).await?);
    }
    let first = sink.expect(count);
    let next = Arc::new(AtomicU64::new(first));
    let cpu = proc::cpu(&taker.pid.to_string())?;
    let began = Instant::now();
    let mut tasks: JoinSet<Result<(), Failed>> = JoinSet::new();
    for mut sender in senders {
        let (next, sink) = (next.clone(), sink.clone());
        tasks.spawn(async move {
            loop {
                let from = next.fetch_add(each, Ordering::Relaxed);
                let to = (from + each).min(first + count);
                if from >= to {
                    return Ok(());
                }
                let body = bodies(from..to);
                sink.posted(from..to);
                post(&mut sender, &body).await?;
            }
        });
    }
    while let Some(sent) = tasks.join_next().await {
        sent??;
    }
    let accepted = rate(count, began.elapsed());
    let all_in = sink.all_arrived(PATIENCE).await? - began;
    let cpu = (proc::cpu(&taker.pid.to_string())? - cpu) / u32::try_from(count.max(1))?;
    Ok(Burst { accepted, delivered: rate(count, all_in), cpu, latency: sink.latencies() })
}

/// One at a time, 50 a second.
pub async fn trickle(taker: Taker, sink: &Sink) -> Result<Spread, Failed> {
    let mut sender = callers::dial(&taker.address).await?;
    let first = sink.expect(TRICKLE);
    for n in first..first + TRICKLE {
        let body = bodies(n..n + 1);
        let due = Instant::now() + PACE;
        sink.posted(n..n + 1);
        post(&mut sender, &body).await?;
        sleep(due - Instant::now()).await;
    }
    sink.all_arrived(PATIENCE).await?;
    Ok(sink.latencies())
}

async fn post(sender: &mut Caller, body: &str) -> Result<(), Failed> {
    sender.post("/api/v2/alerts", body).await
}

fn bodies(range: std::ops::Range<u64>) -> String {
    let all: Vec<String> = range.map(alert).collect();
    format!("[{}]", all.join(","))
}

/// As Prometheus sends it. The sink knows it again by `load-N;`.
fn alert(n: u64) -> String {
    format!(
        r#"{{"labels":{{"alertname":"DiskNearlyFull","instance":"load-{n};","job":"node","severity":"warning","team":"storage"}},"annotations":{{"summary":"the disk of load-{n}; is nearly full"}},"generatorURL":"http://prometheus.example.org/graph"}}"#
    )
}
