//! The loop with a journal of the test's own: what leaves when.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::channel::{Channel, Outgoing, Probed};
use crate::config::Config;
use crate::config::testing::from_toml;
use crate::domain::clock::{Clock, Reading};
use crate::domain::event::{AttemptResult, EventKind, Frame};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::time::{Span, Timestamp};
use crate::engine::{
    AlertReport, Ask, Caller, Code, Engine, LevelWord, OpenRequest, Read, Reports, SendRequest, State,
};
use crate::ledger::Body;
use crate::ledger::extract::Extract;
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

mod emergency;

const CONFIG: &str = r#"
[daemon]
name = "test"
[channels.hook]
kind = "webhook"
url = "http://127.0.0.1:9/"
[channels.mail]
kind = "smtp"
to = ["ops@example.org"]
[levels.low]
channels = ["mail"]
[levels.urgent]
channels = ["hook"]
[policies.late]
steps = [{ after = "0s", channels = ["hook"] }, { after = "2h", channels = ["mail"] }]
"#;

/// A journal that becomes durable when the test says so.
#[derive(Default)]
struct Paper {
    frames: Mutex<Vec<Frame>>,
    snapshot: Mutex<Option<Vec<u8>>>,
    full: AtomicBool,
    flushing: Mutex<Option<Span>>,
    waiting: AtomicUsize,
}

impl Log for Paper {
    fn append(&self, frame: Arc<Frame>, _seed: &[u8; 16], _extract: Extract) -> Result<(), LogFull> {
        if self.full.load(Ordering::SeqCst) {
            return Err(LogFull("64 MiB wait".into()));
        }
        self.frames.lock().unwrap().push(Frame::clone(&frame));
        Ok(())
    }
    fn mark_unrecorded(&self, _unrecorded: bool) {}
    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
    fn keep_blobs(&self, _blobs: Vec<crate::domain::event::Blob>) {}
    fn reader(&self) -> crate::runtime::Reader {
        Arc::new(|_| Err("nothing is kept here".to_owned()))
    }
    fn flushing_for(&self) -> Option<Span> {
        *self.flushing.lock().unwrap()
    }
    fn keep(&self, state: Body) {
        let mut body = Vec::new();
        state(&mut body).unwrap();
        *self.snapshot.lock().unwrap() = Some(body);
    }
}

impl Paper {
    fn kinds(&self) -> Vec<&'static str> {
        self.frames.lock().unwrap().iter().flat_map(|f| f.events.iter().map(|e| e.head.name())).collect()
    }
    fn last_seq(&self) -> u64 {
        self.frames.lock().unwrap().iter().map(|f| f.events.len() as u64).sum()
    }
}

/// The real clock, which can be set, of a machine that can be suspended.
#[derive(Default)]
struct Shifted {
    set: AtomicI64,
    slept: AtomicI64,
}

impl Clock for Shifted {
    fn read(&self) -> Reading {
        let real = crate::domain::clock::SystemClock.read();
        let slept = self.slept.load(Ordering::SeqCst);
        let wall = Timestamp(real.wall.0 + self.set.load(Ordering::SeqCst) + slept);
        Reading { wall, boot: Span(real.boot.0 + slept) }
    }
}

struct Rig {
    handle: Handle,
    paper: Arc<Paper>,
    clock: Arc<Shifted>,
    news: mpsc::UnboundedSender<LogNews>,
    stop: Option<oneshot::Sender<String>>,
    cycle: tokio::task::JoinHandle<Ended>,
}

impl Rig {
    fn new() -> Rig {
        Rig::of(from_toml(CONFIG))
    }

    fn of(config: Config) -> Rig {
        let config = Arc::new(config);
        let (handle, lanes) = Lanes::open(config.clone());
        let paper = Arc::new(Paper::default());
        let clock = Arc::new(Shifted::default());
        let (news, heard) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let setup = Setup {
            engine: Engine::new(State::default(), config, "0"),
            handle: handle.clone(),
            lanes,
            log: paper.clone(),
            news: heard,
            clock: clock.clone(),
            last_seq: 0,
            first: Vec::new(),
            stop: stopped,
        };
        let cycle = tokio::spawn(Cycle::new(setup).run());
        Rig { handle, paper, clock, news, stop: Some(stop), cycle }
    }

    async fn until(&self, kind: &str) {
        for _ in 0..500 {
            if self.paper.kinds().contains(&kind) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{kind} never came: {:?}", self.paper.kinds());
    }

    fn durable(&self) {
        self.news.send(LogNews::Durable(self.paper.last_seq())).unwrap();
    }
}

fn urgent_word() -> Option<LevelWord> {
    Some(LevelWord(crate::domain::level::Level::Urgent))
}

fn urgent(subject: &str) -> Ask {
    Ask::Send(SendRequest { level: urgent_word(), subject: subject.into(), ..SendRequest::default() })
}

#[tokio::test]
async fn an_answer_and_its_effects_wait_until_their_frame_is_durable() {
    let rig = Rig::new();
    let mut stream = rig.handle.subscribe();
    let asking = tokio::spawn({
        let handle = rig.handle.clone();
        async move { handle.ask(Caller::engine(), urgent("x")).await }
    });
    rig.until("attempt_started").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!asking.is_finished(), "answered before it was durable");
    assert!(!rig.paper.kinds().contains(&"attempt_finished"), "sent before it was durable");
    assert!(stream.try_recv().is_err(), "told to the stream before it was durable");
    rig.durable();
    let answer = asking.await.unwrap().unwrap();
    assert_eq!(answer["status"], "pending");
    rig.until("attempt_finished").await;
    let first = stream.recv().await.unwrap();
    assert!(matches!(first.frame.events[0].head, EventKind::NotificationAccepted { .. }));
}

#[tokio::test]
async fn acceptance_and_first_attempt_share_one_frame() {
    let rig = Rig::new();
    let handle = rig.handle.clone();
    let asking = tokio::spawn(async move { handle.ask(Caller::engine(), urgent("x")).await });
    rig.until("attempt_started").await;
    let frames = rig.paper.frames.lock().unwrap().clone();
    assert_eq!(frames.len(), 1, "one fdatasync to the wire");
    rig.durable();
    asking.await.unwrap().unwrap();
}

#[tokio::test]
async fn alerts_that_come_together_are_one_frame_and_each_sender_is_answered() {
    let rig = Rig::new();
    let report = |fingerprint: u64| {
        let labels = [("alertname", "DiskFull".to_owned()), ("n", fingerprint.to_string())].into_iter().collect();
        let (annotations, generator_url) = (Default::default(), String::new());
        let alert = AlertReport { fingerprint, labels, annotations, starts_at: None, ends_at: None, generator_url };
        Ask::Report(Reports { alerts: vec![alert], urgent: false })
    };
    let all = futures_util::future::join_all((0..10).map(|n| rig.handle.ask(Caller::engine(), report(n))));
    let durable = async {
        rig.until("incident_opened").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        rig.durable();
    };
    let (answers, ()) = tokio::join!(all, durable);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let frames = rig.paper.frames.lock().unwrap().clone();
    let opened = |frame: &Frame| frame.events.iter().filter(|e| e.head.name() == "incident_opened").count();
    let opened: Vec<usize> = frames.iter().map(opened).filter(|n| *n > 0).collect();
    assert_eq!(opened, [10], "{frames:?}");
}

#[tokio::test]
async fn f23_a_step_of_the_wall_clock_is_an_input() {
    let rig = Rig::new();
    rig.clock.set.store(Span::hours(1).0, Ordering::SeqCst);
    rig.handle.tell(Caller::engine(), Ask::SetMetric { name: "m".into(), value: 1.0 });
    rig.until("clock_stepped").await;
    let frames = rig.paper.frames.lock().unwrap().clone();
    let EventKind::ClockStepped { by } = &frames[0].events[0].head else { panic!("{frames:?}") };
    assert!((by.as_secs() - 3600).abs() <= 1, "{by}");
}

/// The loop sleeps until a step that is due in two hours, and the machine is suspended for three: its
/// own timer knows nothing of that.
#[tokio::test(start_paused = true)]
async fn f25_after_a_suspend_what_is_due_is_done_within_seconds() {
    let rig = Rig::new();
    let open = Ask::Open(OpenRequest {
        subject: "x".into(),
        policy: Some("late".into()),
        level: urgent_word(),
        ..OpenRequest::default()
    });
    let handle = rig.handle.clone();
    tokio::spawn(async move { handle.ask(Caller::engine(), open).await });
    rig.until("incident_stepped").await;
    rig.durable();
    let steps = || rig.paper.kinds().iter().filter(|k| **k == "incident_stepped").count();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(steps(), 1);
    rig.clock.slept.store(Span::hours(3).0, Ordering::SeqCst);
    // By tokio's clock, which does not run while it is suspended.
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    assert_eq!(steps(), 2);
    assert!(!rig.paper.kinds().contains(&"clock_stepped"), "nobody set a clock");
}

#[tokio::test]
async fn a_stop_takes_nothing_new_and_keeps_a_snapshot() {
    let mut rig = Rig::new();
    let open = Ask::Open(OpenRequest { subject: "open".into(), ..OpenRequest::default() });
    let handle = rig.handle.clone();
    let opening = tokio::spawn(async move { handle.ask(Caller::engine(), open).await });
    rig.until("attempt_started").await;
    rig.durable();
    opening.await.unwrap().unwrap();
    rig.until("attempt_finished").await;
    rig.stop.take().unwrap().send("asked".into()).unwrap();
    rig.until("stopping").await;
    let refusal = rig.handle.ask(Caller::engine(), urgent("late")).await.unwrap_err();
    assert_eq!(refusal.code, Code::Overloaded);
    rig.durable();
    assert!(matches!(rig.cycle.await.unwrap(), Ended::Stopped));
    let snapshot = rig.paper.snapshot.lock().unwrap().clone().unwrap();
    let state = State::read(&mut snapshot.as_slice()).unwrap();
    assert_eq!(state.incidents.len(), 1);
}

/// A channel that never works.
#[derive(Debug)]
struct Broken;

impl Channel for Broken {
    fn send<'a>(&'a self, _: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        let refused = Failure::new(FailureClass::ProviderError, Blame::Channel, "connection refused");
        Box::pin(async { AttemptResult::Failed(refused) })
    }
    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async { Ok(String::new()) })
    }
    fn describe(&self, _: &Outgoing) -> String {
        String::new()
    }
}

#[tokio::test]
async fn what_is_urgent_and_heard_by_nobody_for_a_minute_stops_the_dead_mans_switch() {
    let mut config = from_toml(CONFIG);
    config.channels.get_mut("hook").unwrap().adapter = Arc::new(Broken);
    let rig = Rig::of(config);
    let open = OpenRequest { subject: "disk full".into(), ..OpenRequest::default() };
    let handle = rig.handle.clone();
    let opening = tokio::spawn(async move { handle.ask(Caller::engine(), Ask::Open(open)).await });
    rig.until("attempt_started").await;
    rig.durable();
    opening.await.unwrap().unwrap();
    rig.until("attempt_finished").await;
    assert!(!rig.handle.progress().unheard.load(Ordering::SeqCst));
    rig.clock.slept.store(Span::secs(61).0, Ordering::SeqCst);
    rig.handle.tell(Caller::engine(), Ask::Wake);
    rig.until("urgent_unheard").await;
    rig.durable();
    assert!(rig.handle.progress().unheard.load(Ordering::SeqCst));
    let resolve = Ask::Resolve { id: "1".into(), note: None };
    let handle = rig.handle.clone();
    let resolving = tokio::spawn(async move { handle.ask(Caller::engine(), resolve).await });
    rig.until("incident_resolved").await;
    rig.durable();
    resolving.await.unwrap().unwrap();
    assert!(!rig.handle.progress().unheard.load(Ordering::SeqCst), "it is over");
}

/// The log holds so much and no more, and then the daemon would have to end.
#[tokio::test]
async fn f65_with_much_waiting_for_the_disk_no_request_is_taken() {
    let rig = Rig::new();
    let open = |word: &str| {
        let level = Some(serde_json::from_value(serde_json::json!(word)).unwrap());
        Ask::Open(OpenRequest { subject: "disk full".into(), level, ..OpenRequest::default() })
    };
    for (waiting, taken) in [(0, vec!["low", "urgent"]), (40 << 20, vec!["urgent"]), (50 << 20, vec![])] {
        rig.paper.waiting.store(waiting, Ordering::SeqCst);
        for word in ["low", "urgent"] {
            let asked = tokio::time::timeout(Duration::from_millis(300), rig.handle.ask(Caller::engine(), open(word)));
            // What is taken waits here: nothing becomes durable.
            match asked.await {
                Err(_) => assert!(taken.contains(&word), "{word} at {waiting}"),
                Ok(answer) => {
                    let refusal = answer.unwrap_err();
                    assert_eq!((refusal.code, taken.contains(&word)), (Code::Overloaded, false), "{word} at {waiting}");
                }
            }
        }
    }
}
