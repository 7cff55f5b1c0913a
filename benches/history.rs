//! What the ledger's history costs: to take blocks in, to be made anew, and to be asked, when it is young and when it
//! is old.
//!
//! ```text
//! cargo bench --bench history                                  # against 100,000 events
//! STENTOR_BENCH_EVENTS=1000000 cargo bench --bench history     # against a million
//! ```
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made should stop")]
#![allow(clippy::disallowed_methods, reason = "it measures")]

#[allow(dead_code, reason = "the tests of size fill it with more")]
#[path = "../tests/scale/filled.rs"]
mod filled;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use filled::Filled;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use stentor::domain::clock::SystemClock;
use stentor::domain::id::{DeliveryId, IncidentId};
use stentor::domain::time::{Span, Timestamp};
use stentor::ledger::extract::{Group, events_only};
use stentor::ledger::history::store::{Store, block};
use stentor::ledger::history::{EntryQuery, Start, build};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const YOUNG: u64 = 2_000;
const OLD: u64 = 100_000;
/// A page of what people ask for.
const PAGE: usize = 100;

struct Ledger {
    filled: Filled,
    dir: TempDir,
    events: u64,
}

impl Ledger {
    fn of(events: u64) -> Ledger {
        let dir = tempfile::tempdir().unwrap();
        let mut filled = Filled::open(dir.path());
        filled.fill(events);
        filled.settle();
        Ledger { events: filled.events(), filled, dir }
    }

    /// So many incidents, spread over all of its time.
    fn incidents(&self, count: usize) -> Vec<IncidentId> {
        let all = &self.filled.incidents;
        all.iter().step_by((all.len() / count).max(1)).map(|(id, _)| *id).collect()
    }

    /// The first delivery of each.
    fn deliveries(&self, of: &[IncidentId], runtime: &Runtime) -> Vec<DeliveryId> {
        let first = |incident: &IncidentId| {
            let query = EntryQuery { incident: Some(*incident), newest_first: false, ..EntryQuery::default() };
            let page = runtime.block_on(self.filled.ledger.history().entries(query)).unwrap();
            let created = page.entries.iter().find(|entry| entry.kind == "delivery_created").unwrap();
            let id = created.to_json(&jiff::tz::TimeZone::UTC)["id"].as_str().unwrap().parse();
            id.unwrap()
        };
        of.iter().map(first).collect()
    }

    /// Its whole blocks, as the history gets them.
    fn blocks(&self) -> Vec<Group> {
        let (mut blocks, mut seq) = (Vec::new(), 1);
        while let Some(bytes) = self.filled.ledger.history().block_from(seq).unwrap() {
            let tip = block::frames(&bytes).last().unwrap().tip();
            blocks.push(Group { bytes, first: seq, tip, ..Group::default() });
            seq = tip.seq + 1;
        }
        blocks
    }
}

fn old() -> u64 {
    std::env::var("STENTOR_BENCH_EVENTS").map_or(OLD, |events| events.parse().unwrap())
}

fn blocks(c: &mut Criterion) {
    let ledger = Ledger::of(20_000);
    let mut group = c.benchmark_group("history");
    let blocks = ledger.blocks();
    group.throughput(Throughput::Elements(blocks.iter().map(Group::events).sum()));
    let empty = || {
        let dir = tempfile::tempdir().unwrap();
        (Store::open(dir.path()).unwrap(), dir, blocks.clone())
    };
    group.bench_function("take in 20,000 events, a block at a time", |b| {
        let take = |(mut store, dir, blocks): (Store, TempDir, Vec<Group>)| {
            for block in blocks {
                store.apply(&[block]).unwrap();
            }
            (store, dir)
        };
        b.iter_batched(empty, take, BatchSize::PerIteration);
    });
    // What the extractor adds (documents, counters) is the engine's fold, measured there.
    group.bench_function("make it anew from a journal of 20,000 events", |b| {
        let make = |dir: TempDir| {
            let start = Start {
                dir: dir.path().join("history"),
                journal: ledger.dir.path().join("journal"),
                snapshots: dir.path().join("snapshots"),
                clock: Arc::new(SystemClock),
                extractor: events_only(),
                report: Arc::new(drop),
            };
            assert!(build(&start).unwrap().seq >= 20_000);
            dir
        };
        b.iter_batched(|| tempfile::tempdir().unwrap(), make, BatchSize::PerIteration);
    });
    group.finish();
}

fn questions(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for ledger in [Ledger::of(YOUNG), Ledger::of(old())] {
        let history = ledger.filled.ledger.history();
        let (incidents, turn) = (ledger.incidents(20), Cell::new(0));
        let deliveries = ledger.deliveries(&incidents, &runtime);
        let now = ledger.filled.engine.state.last_at;
        let kinds = vec!["incident_resolved".to_owned()];
        let middle = Some(Timestamp(filled::BEGIN + (now.0 - filled::BEGIN) / 2));
        let next = || turn.replace((turn.get() + 1) % incidents.len());
        let page = EntryQuery { limit: PAGE, newest_first: false, ..EntryQuery::default() };
        let mut ask = |what: &str, query: &dyn Fn() -> EntryQuery| {
            c.benchmark_group("ask").bench_function(BenchmarkId::new(what, ledger.events), |b| {
                b.iter(|| {
                    let found = runtime.block_on(history.entries(query())).unwrap();
                    assert!(!found.entries.is_empty());
                    found
                });
            });
        };
        ask("an incident's events", &|| EntryQuery { incident: Some(incidents[next()]), ..page.clone() });
        ask("a delivery's events", &|| EntryQuery { delivery: Some(deliveries[next()]), ..page.clone() });
        ask("a hundred of a kind", &|| EntryQuery { kinds: kinds.clone(), ..page.clone() });
        ask("a hundred from a time on", &|| EntryQuery { since: middle, ..page.clone() });
        ask("the newest hundred", &|| EntryQuery { newest_first: true, ..page.clone() });
        let mut group = c.benchmark_group("ask");
        for (what, since) in [("statistics of a day", now - Span::days(1)), ("statistics of all times", Timestamp(0))] {
            group.bench_function(BenchmarkId::new(what, ledger.events), |b| {
                b.iter(|| runtime.block_on(history.stats(since, now)).unwrap());
            });
        }
        group.finish();
    }
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = short(); targets = blocks, questions }
criterion_main!(benches);
