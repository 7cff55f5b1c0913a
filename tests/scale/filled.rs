//! A ledger with many events, made as the daemon makes them: the engine decides, the frames go to the
//! journal, and what is kept beside them to the history.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stentor::config::Config;
use stentor::config::testing::from_toml;
use stentor::domain::event::{AttemptResult, EventKind, Frame};
use stentor::domain::id::IncidentId;
use stentor::domain::time::{Span, Timestamp};
use stentor::engine::{AlertReport, Ask, Caller, Engine, Input, OpenRequest, Outcome, Reports, SendRequest, State};
use stentor::ledger::history::Phase;
use stentor::ledger::{self, Ledger, Options, Recovery, Report};
use stentor::runtime::{extract, extractor, read_state, state_fold};

const CONFIG: &str = r#"
[daemon]
name = "scale"
timezone = "UTC"
[channels.hook]
kind = "webhook"
[channels.mail]
kind = "smtp"
to = ["ops@example.org"]
[levels.normal]
channels = ["hook"]
[levels.high]
channels = ["hook", "mail"]
[watches.queue-overflow]
enabled = false
[watches.high-failure-rate]
enabled = false
[watches.low-processing-rate]
enabled = false
"#;

/// A second for each alert, beginning somewhere.
pub const BEGIN: i64 = 1_700_000_000_000_000;

pub struct Filled {
    pub dir: PathBuf,
    pub ledger: Arc<Ledger>,
    pub engine: Engine,
    pub recovery: Recovery,
    /// From the call to a state that could decide.
    pub opened_in: Duration,
    /// It is time to hand the state over.
    wanted: Arc<AtomicBool>,
    now: i64,
    alerts: u64,
    /// Bytes of the events as JSON, heads and payloads.
    pub json: u64,
    /// The last incident that was opened.
    opened: Option<IncidentId>,
    /// An incident that was opened, and how many events the ledger had then.
    pub incidents: Vec<(IncidentId, u64)>,
}

fn config() -> Arc<Config> {
    Arc::new(from_toml(CONFIG))
}

impl Filled {
    pub fn open(dir: &Path) -> Filled {
        let began = Instant::now();
        let config = config();
        let options =
            Options { extractor: extractor(config.clone()), fold: state_fold(), handed: true, ..Options::default() };
        let opening = ledger::open(dir, options).unwrap();
        let state = opening.snapshot().map_or_else(State::default, |s| read_state(s).unwrap());
        let mut engine = Engine::new(state, config, "scale");
        let recovered = opening
            .replay(&mut |frame| {
                engine.replay(frame);
                extract(&mut engine, frame)
            })
            .unwrap();
        let opened_in = began.elapsed();
        let recovery = recovered.recovery.clone();
        let wanted = Arc::new(AtomicBool::new(false));
        let wants = wanted.clone();
        let ledger = Arc::new(recovered.start(Arc::new(move |report| heard(&wants, &report))).unwrap());
        let (now, alerts) = (engine.state.last_at.0.max(BEGIN), engine.state.order);
        let dir = dir.to_owned();
        let incidents = Vec::new();
        Filled { dir, ledger, engine, recovery, opened_in, wanted, now, alerts, json: 0, opened: None, incidents }
    }

    pub fn events(&self) -> u64 {
        self.ledger.taken().0.seq
    }

    /// Decides and appends; waits when the disk is far behind.
    fn ask(&mut self, ask: Ask) {
        self.now += 250_000;
        let hash = u64::from_le_bytes(self.now.to_le_bytes()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut seed = [0; 16];
        seed[..8].copy_from_slice(&hash.to_le_bytes());
        seed[8..].copy_from_slice(&hash.rotate_left(29).wrapping_mul(hash | 1).to_le_bytes());
        let input = Input { now: Timestamp(self.now), seed, by: Caller::engine(), ask };
        let events = self.engine.handle(input).events;
        if events.is_empty() {
            return;
        }
        for event in &events {
            if let EventKind::IncidentOpened { id, .. } = &event.head {
                self.opened = Some(*id);
            }
            self.json += serde_json::to_vec(&event.head).unwrap().len() as u64;
            self.json += event.payload.as_ref().map_or(0, |p| serde_json::to_vec(p).unwrap().len() as u64);
        }
        let frame = Frame {
            seq: self.events() + 1,
            at: Timestamp(self.now),
            by: "uid 1000".into(),
            recorded_late: false,
            events,
        };
        let kept = extract(&mut self.engine, &frame);
        self.ledger.append(frame.into(), &seed, kept).unwrap();
        self.hand_over();
        while self.ledger.taken().1 > 4 << 20 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// As the loop does.
    fn hand_over(&mut self) {
        if self.wanted.swap(false, Ordering::Relaxed) {
            let state = self.engine.state.frozen();
            self.ledger.keep(Box::new(move |out| state.write(out)));
        }
    }

    /// One alert, and all that comes of it.
    pub fn alert(&mut self) {
        self.alerts += 1;
        let n = self.alerts;
        let words = format!("disk of db-{} is nearly full", n % 977);
        let body = format!("/var/lib/postgresql has {}.{} GiB left of 200 GiB; see run {}", n % 17, n % 10, n * 7919);
        let labels = [("host", format!("db-{}", n % 977)), ("service", "postgres".into()), ("run", n.to_string())];
        let labels: std::collections::BTreeMap<_, _> = labels.map(|(k, v)| (k.to_owned(), v)).into();
        if n.is_multiple_of(10) {
            let before = self.events();
            self.ask(Ask::Open(OpenRequest {
                subject: words,
                body,
                labels: labels.into_iter().collect(),
                ..OpenRequest::default()
            }));
            let id = self.opened.unwrap();
            self.incidents.push((id, before + 1));
            self.finish();
            self.ask(Ask::Resolve { id: id.to_string(), note: None });
        } else {
            self.ask(Ask::Send(SendRequest {
                subject: words,
                body,
                labels: labels.into_iter().collect(),
                ..SendRequest::default()
            }));
        }
        self.finish();
    }

    /// New alerts, as many as this, by the door of Alertmanager's API; each is told by the webhook and stays open.
    pub fn crowd(&mut self, count: u64) {
        for first in (0..count).step_by(64) {
            let alerts = (first..count.min(first + 64)).map(|_| self.report()).collect();
            self.ask(Ask::Report(Reports { alerts, urgent: false }));
            while !self.engine.state.is_idle() {
                self.finish();
            }
        }
    }

    fn report(&mut self) -> AlertReport {
        self.alerts += 1;
        let n = self.alerts;
        let labels = [
            ("alertname", "DiskNearlyFull".to_owned()),
            ("severity", "warning".to_owned()),
            ("instance", format!("db-{n}.prague-1.example.org:9100")),
            ("job", "node".to_owned()),
            ("run", n.to_string()),
        ];
        let annotations = [
            ("summary", format!("disk of db-{n} is nearly full")),
            ("description", format!("/var/lib/postgresql has {}.{} GiB left of 200 GiB", n % 17, n % 10)),
        ];
        AlertReport {
            fingerprint: n.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            labels: labels.into(),
            annotations: annotations.into(),
            starts_at: None,
            ends_at: Some(Timestamp(self.now + Span::days(1).0)),
            generator_url: "http://prometheus.example.org:9090/graph?g0.expr=disk".to_owned(),
        }
    }

    /// What is under way ends.
    fn finish(&mut self) {
        for delivery in self.engine.state.all_in_flight() {
            let n = self.engine.state.deliveries[&delivery].n;
            let result = AttemptResult::Delivered {
                provider_id: Some(format!("m-{}", self.now)),
                detail: "answered 200".into(),
            };
            self.ask(Ask::Finished(vec![Outcome { delivery, n, result }]));
        }
    }

    /// Alerts until the ledger has so many events.
    pub fn fill(&mut self, events: u64) {
        while self.events() < events {
            self.alert();
        }
    }

    /// Until the history has all, what is sealed is packed, and the snapshot is near the end.
    pub fn settle(&mut self) {
        // What the writer has still to seal would not be looked at.
        until("all is durable", || self.ledger.durable().seq == self.events());
        self.ledger.look_after_files();
        until("the state is wanted", || self.wanted.load(Ordering::Relaxed));
        self.hand_over();
        until("there is a snapshot", || files(&self.dir.join("snapshots")).iter().any(|f| is_of(f, self.events())));
        until("the history has all", || {
            let history = self.ledger.history();
            history.phase() == Phase::Ready && history.applied_seq() >= self.events()
        });
        until("what is sealed is packed", || self.unpacked() <= 1);
    }

    /// Segments that are as they were written.
    pub fn unpacked(&self) -> usize {
        let plain = |path: &PathBuf| std::fs::read(path).is_ok_and(|bytes| bytes.get(10) == Some(&0));
        files(&self.dir.join("journal")).iter().filter(|path| plain(path)).count()
    }
}

fn heard(wants: &AtomicBool, report: &Report) {
    if matches!(report, Report::StateWanted) {
        wants.store(true, Ordering::Relaxed);
    }
}

fn is_of(snapshot: &Path, seq: u64) -> bool {
    stentor::ledger::snapshot::seq_of(snapshot) == Some(seq)
}

pub fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

/// All files below a directory.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Bytes on the disk below a directory.
pub fn size(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    files(dir).iter().map(|f| std::fs::metadata(f).unwrap().blocks() * 512).sum()
}

/// Resident memory of this process, in KiB.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time that this thread has used.
pub fn thread_time() -> Duration {
    let spent = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    Duration::new(spent.tv_sec() as u64, spent.tv_nsec() as u32)
}
