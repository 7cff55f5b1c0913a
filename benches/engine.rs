//! What one decision, one fold and one append cost, without a network and a socket around them.
//!
//! ```text
//! cargo bench --bench engine
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot be made should stop")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::cell::RefCell;
use std::hint::black_box;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use stentor::config::testing::from_toml;
use stentor::domain::clock::SystemClock;
use stentor::domain::event::{AttemptResult, Frame};
use stentor::domain::time::Timestamp;
use stentor::engine::{Ask, Caller, Decision, Engine, Input, OpenRequest, Outcome, SendRequest, State};
use stentor::ledger::codec::{FrameHash, Tip, encode};
use stentor::ledger::extract::Extract;
use stentor::ledger::files::{Disk, Files, JournalFile};
use stentor::ledger::journal::{Journal, Start};
use stentor::ledger::report::Report;

const CONFIG: &str = r#"
[daemon]
name = "bench"
timezone = "UTC"
[channels.hook]
kind = "webhook"
[channels.mail]
kind = "smtp"
to = ["ops@example.org"]
[levels.normal]
channels = ["hook"]
[levels.urgent]
channels = ["hook", "mail"]
policy = "page"
[policies.page]
repeat = 3
every = "30m"
steps = [{ after = "0s", channels = ["hook"] }, { after = "5m", channels = ["mail"] }]
[watches.queue-overflow]
enabled = false
"#;
const SEED: [u8; 16] = [7; 16];
const GROUP: usize = 64;

/// An engine with a clock of its own that keeps what it decided on.
struct Bench {
    engine: Engine,
    now: i64,
    seq: u64,
    frames: Vec<Frame>,
}

impl Bench {
    fn new() -> Bench {
        let engine = Engine::new(State::default(), Arc::new(from_toml(CONFIG)), "bench");
        let mut bench = Bench { engine, now: 1_800_000_000_000_000, seq: 0, frames: Vec::new() };
        bench.ask(Ask::Started { version: "bench".into(), boot: "bench".into(), up: None });
        bench
    }

    /// With so many deliveries that have not ended.
    fn with_pending(count: usize) -> Bench {
        let mut bench = Bench::new();
        while bench.engine.state.pending() < count {
            bench.ask(Ask::Send(alert()));
        }
        bench
    }

    fn input(&mut self, ask: Ask) -> Input {
        self.now += 1_000;
        let seed = self.now.to_le_bytes();
        Input { now: Timestamp(self.now), seed: std::array::from_fn(|i| seed[i % 8]), by: Caller::engine(), ask }
    }

    fn ask(&mut self, ask: Ask) -> Decision {
        let input = self.input(ask);
        self.engine.handle(input)
    }

    /// Decides and keeps the frame.
    fn record(&mut self, ask: Ask) {
        let events = self.ask(ask).events;
        let frame =
            Frame { seq: self.seq + 1, at: Timestamp(self.now), by: "alice".into(), recorded_late: false, events };
        self.seq += frame.events.len() as u64;
        self.frames.extend((!frame.events.is_empty()).then_some(frame));
    }

    /// The end of one attempt that is under way.
    fn finish(&self) -> Option<Ask> {
        let delivery = *self.engine.state.all_in_flight().first()?;
        let n = self.engine.state.deliveries.get(&delivery)?.n;
        let result = AttemptResult::Delivered { provider_id: None, detail: "answered 200".into() };
        Some(Ask::Finished(vec![Outcome { delivery, n, result }]))
    }

    /// Everything that is under way and whatever follows from it ends.
    fn drain(&mut self) {
        while let Some(finish) = self.finish() {
            self.ask(finish);
        }
    }
}

fn alert() -> SendRequest {
    SendRequest {
        subject: "disk of db-1 is nearly full".into(),
        body: "/var/lib/postgresql has 1.2 GiB left of 200 GiB".into(),
        labels: [("host", "db-1"), ("service", "postgres")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ..SendRequest::default()
    }
}

fn decisions(c: &mut Criterion) {
    for pending in [10, 10_000] {
        let bench = RefCell::new(Bench::with_pending(pending));
        let one_ends = || {
            let mut bench = bench.borrow_mut();
            let finish = bench.finish().expect("an attempt is under way");
            bench.ask(finish);
            bench.input(Ask::Send(alert()))
        };
        c.bench_function(&format!("decide: send, {pending} pending"), |b| {
            b.iter_batched(one_ends, |input| bench.borrow_mut().engine.handle(input), BatchSize::PerIteration);
        });
        let one_comes = || {
            let mut bench = bench.borrow_mut();
            bench.ask(Ask::Send(alert()));
            let finish = bench.finish().expect("an attempt is under way");
            bench.input(finish)
        };
        c.bench_function(&format!("decide: an attempt ends and the next begins, {pending} pending"), |b| {
            b.iter_batched(one_comes, |input| bench.borrow_mut().engine.handle(input), BatchSize::PerIteration);
        });
        c.bench_function(&format!("when to wake next, {pending} pending"), |b| {
            b.iter(|| bench.borrow().engine.next_due());
        });
    }
    let bench = RefCell::new(Bench::new());
    let the_last_is_over = || {
        let mut bench = bench.borrow_mut();
        let last = bench.engine.state.live_incidents().next().map(|i| i.number.to_string());
        if let Some(id) = last {
            bench.ask(Ask::Resolve { id, note: None });
        }
        bench.drain();
        let open = OpenRequest { subject: "database down".into(), body: "no answer".into(), ..OpenRequest::default() };
        bench.input(Ask::Open(open))
    };
    c.bench_function("decide: an incident opens", |b| {
        b.iter_batched(the_last_is_over, |input| bench.borrow_mut().engine.handle(input), BatchSize::PerIteration);
    });
}

/// Frames of alerts that come and are delivered, up to so many events.
fn history(events: u64) -> Vec<Frame> {
    let mut bench = Bench::new();
    while bench.seq < events {
        bench.record(Ask::Send(alert()));
        let finish = bench.finish().expect("an attempt is under way");
        bench.record(finish);
    }
    bench.frames
}

fn folds(c: &mut Criterion) {
    let frames = history(10_000);
    let mut group = c.benchmark_group("fold");
    group.throughput(Throughput::Elements(frames.iter().map(|f| f.events.len() as u64).sum()));
    group.bench_function("10,000 events", |b| {
        let fresh = || Engine::new(State::default(), Arc::new(from_toml(CONFIG)), "bench");
        let fold = |mut engine: Engine| {
            frames.iter().for_each(|frame| engine.replay(frame));
            engine
        };
        b.iter_batched(fresh, fold, BatchSize::PerIteration);
    });
    group.finish();
}

fn journal(c: &mut Criterion) {
    let frames = history(2_000);
    let accepted = frames.iter().find(|f| f.events.len() > 2).expect("an alert that was accepted");
    let mut bytes = Vec::new();
    c.bench_function("encode one accepted alert", |b| {
        b.iter(|| {
            bytes.clear();
            encode(&mut bytes, black_box(accepted), &FrameHash::default(), &SEED, true).expect("it encodes")
        });
    });
    append_groups(c, "nowhere", accepted, Arc::new(Nowhere));
    append_groups(c, "to the disk", accepted, Arc::new(Disk));
}

/// Hands a group of frames over and waits until it is durable.
fn append_groups(c: &mut Criterion, to: &str, accepted: &Frame, files: Arc<dyn Files>) {
    let dir = tempfile::tempdir().expect("a directory");
    let (durable, reports) = mpsc::channel();
    let report = move |report| {
        if let Report::Durable(tip) = report {
            let _ = durable.send(tip.seq);
        }
    };
    let journal = Journal::start(Start {
        dir: dir.path().to_owned(),
        blobs: dir.path().join("blobs"),
        files,
        clock: Arc::new(SystemClock),
        segment_bytes: 16 << 20,
        hold_bytes: 64 << 20,
        tip: Tip::default(),
        end: None,
        unwritten: None,
        report: Arc::new(report),
        sink: Box::new(drop),
    })
    .expect("a journal");
    let mut frame = Frame { seq: 1, ..accepted.clone() };
    let events = frame.events.len() as u64;
    let mut group = c.benchmark_group("journal");
    group.throughput(Throughput::Elements(GROUP as u64));
    group.bench_function(format!("append {GROUP} accepted alerts {to}"), |b| {
        let group = || {
            let next = |_| {
                let one = Arc::new(frame.clone());
                frame.seq += events;
                one
            };
            (0..GROUP).map(next).collect::<Vec<_>>()
        };
        let append = |frames: Vec<Arc<Frame>>| {
            let last = frames.last().map_or(0, |last| last.seq + events - 1);
            for frame in frames {
                journal.append(frame, &SEED, Extract::default()).expect("it is taken");
            }
            while reports.recv().expect("the journal goes on") < last {}
        };
        b.iter_batched(group, append, BatchSize::PerIteration);
    });
    group.finish();
    journal.stop().expect("all of it is durable");
}

/// A disk that takes no time and keeps nothing: what is left is ours.
struct Nowhere;

impl Files for Nowhere {
    fn create(&self, _: &Path) -> std::io::Result<Box<dyn JournalFile>> {
        Ok(Box::new(Nowhere))
    }
    fn open(&self, _: &Path) -> std::io::Result<Box<dyn JournalFile>> {
        Ok(Box::new(Nowhere))
    }
    fn sync_dir(&self, _: &Path) -> std::io::Result<()> {
        Ok(())
    }
}

impl JournalFile for Nowhere {
    fn reserve(&mut self, _: u64, _: u64) -> std::io::Result<()> {
        Ok(())
    }
    fn write_at(&mut self, bytes: &[u8], _: u64) -> std::io::Result<()> {
        black_box(bytes);
        Ok(())
    }
    fn sync(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn cut(&mut self, _: u64) -> std::io::Result<()> {
        Ok(())
    }
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = short(); targets = decisions, folds, journal }
criterion_main!(benches);
