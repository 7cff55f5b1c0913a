//! A daemon in small: engine, loop and ledger are the real ones; channels do what the test says.

use crate::api::history::History;
use crate::api::serve::connection;
use crate::api::{Api, Overseer, Own, Peer, Record, Reloader};
use crate::channel::{Channel, Outgoing, Probed};
use crate::config::Config;
use crate::config::testing::from_toml;
use crate::domain::clock::SystemClock;
use crate::domain::event::{AttemptResult, Frame};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::time::Span;
use crate::engine::{Ask, Caller, Engine, State};
use crate::ledger::{self, Body, Extract, Ledger, Options, Report};
use crate::message::links::Links;
use crate::runtime::{Cycle, Ended, Handle, Lanes, Log, LogFull, LogNews, Setup, extractor};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

pub const OWN: u32 = 4242;
pub const ADMIN: u32 = 1001;
/// The person bob.
pub const OPERATOR: u32 = 1002;
pub const VIEWER: u32 = 1003;
/// A person without a role.
pub const ALICE: u32 = 1004;
/// A client: a person with a tier.
pub const CAROL: u32 = 1005;
pub const STRANGER: u32 = 9999;
pub const OVERFLOW: u32 = 65_534;

const CONFIG: &str = r#"
[daemon]
name = "test-1"
timezone = "Europe/Prague"
[http]
listen = "127.0.0.1:7373"
[channels.hook]
kind = "webhook"
[channels.slow]
kind = "webhook"
timeout = "20s"
[channels.mail]
kind = "smtp"
to = ["ops@example.org"]
[channels.sms]
kind = "twilio-sms"
[people.alice]
email = "alice@example.org"
phone = "+15550100"
[people.bob]
email = "bob@example.org"
[people.carol]
email = "carol@example.org"
tier = "TIER_1"
[levels.low]
channels = ["mail"]
[levels.normal]
channels = ["hook"]
[levels.high]
channels = ["hook"]
[levels.urgent]
channels = ["hook", "mail"]
to = ["alice"]
policy = "call-out"
[policies.call-out]
repeat = 1
every = "1h"
steps = [
  { after = "0s", channels = ["hook"] },
  { after = "10m", channels = ["mail"], to = ["alice"] },
]
[heartbeats.hook]
probe = "hook"
every = "24h"
timeout = "5s"
[heartbeats.backup]
kind = "passive"
every = "26h"
[watches.deal]
kind = "capacity"
deal = "A7"
metric = "deal.a7"
below = 500000
clear_above = 600000
tiers = ["TIER_1"]
channels = ["mail"]
"#;

/// What the channel `slow` and the probes wait for.
#[derive(Debug)]
pub struct Held {
    permits: Semaphore,
    fails: Mutex<bool>,
}

impl Held {
    pub fn release(&self, n: usize) {
        self.permits.add_permits(n);
    }
    pub fn fail(&self) {
        *self.fails.lock().unwrap() = true;
    }
}

#[derive(Debug)]
struct SlowChannel(Arc<Held>);

impl Channel for SlowChannel {
    fn send<'a>(&'a self, _: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async {
            self.0.permits.acquire().await.unwrap().forget();
            if *self.0.fails.lock().unwrap() {
                AttemptResult::Failed(Failure::new(FailureClass::ValidationError, Blame::Message, "no such place"))
            } else {
                AttemptResult::Delivered { provider_id: None, detail: "200".into() }
            }
        })
    }
    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async {
            self.0.permits.acquire().await.unwrap().forget();
            Ok("it answers".to_owned())
        })
    }
    fn describe(&self, _: &Outgoing) -> String {
        "slow".into()
    }
}

/// The journal and the history on a real disk.
struct Paper(Arc<Ledger>, Arc<AtomicBool>);

impl Log for Paper {
    fn append(&self, frame: Arc<Frame>, seed: &[u8; 16], extract: Extract) -> Result<(), LogFull> {
        self.0.append(frame, seed, extract).map_err(|e| LogFull(e.to_string()))
    }
    fn mark_unrecorded(&self, _unrecorded: bool) {}
    fn waiting(&self) -> usize {
        0
    }
    fn keep_blobs(&self, _blobs: Vec<crate::domain::event::Blob>) {}
    fn reader(&self) -> crate::runtime::Reader {
        Arc::new(|_| Err("nothing is kept here".to_owned()))
    }
    fn flushing_for(&self) -> Option<Span> {
        self.1.load(Ordering::SeqCst).then_some(Span::secs(3))
    }
    fn keep(&self, _: Body) {}
}

pub struct Reloads;

impl Reloader for Reloads {
    fn reload(&self, by: Caller) -> BoxFuture<'_, Value> {
        Box::pin(async move { json!({ "ok": true, "errors": [], "warnings": [], "changed": [by.name] }) })
    }

    fn write_channel(&self, _by: Caller, name: String, text: Option<String>) -> BoxFuture<'_, crate::engine::Answer> {
        Box::pin(async move { Ok(json!({ "ok": true, "file": name, "text": text })) })
    }
}

/// One task that has been started again.
struct Tasks;

impl Overseer for Tasks {
    fn tasks(&self) -> Value {
        json!([{ "name": "reader", "policy": "restarted", "state": "running", "restarts": 1, "last_error": "it ended" }])
    }
}

pub struct World {
    pub api: Arc<Api>,
    pub handle: Handle,
    pub held: Arc<Held>,
    pub dir: tempfile::TempDir,
    pub stop: Option<oneshot::Sender<String>>,
    pub cycle: JoinHandle<Ended>,
    news: mpsc::UnboundedSender<LogNews>,
    stuck: Arc<AtomicBool>,
}

pub fn config(held: &Arc<Held>) -> Config {
    let mut config = from_toml(CONFIG);
    for name in ["slow", "sms"] {
        config.channels.get_mut(name).unwrap().adapter = Arc::new(SlowChannel(held.clone()));
    }
    config.access.admin.insert(ADMIN);
    config.access.channel_settings = true;
    config.access.operator.insert(OPERATOR);
    config.access.viewer.insert(VIEWER);
    for (uid, name) in [(OPERATOR, "bob"), (ALICE, "alice"), (CAROL, "carol")] {
        config.access.logins.insert(uid, name.to_owned());
    }
    config.access.names.insert(VIEWER, "vera".to_owned());
    config
}

impl World {
    pub async fn new() -> World {
        World::with(|history| history).await
    }

    /// With another past.
    pub async fn with(past: impl FnOnce(Arc<dyn History>) -> Arc<dyn History>) -> World {
        let held = Arc::new(Held { permits: Semaphore::new(0), fails: Mutex::new(false) });
        let config = Arc::new(config(&held));
        let dir = tempfile::tempdir().unwrap();
        let options = Options { extractor: extractor(config.clone()), ..Options::default() };
        let opening = ledger::open(&dir.path().join("state"), options).unwrap();
        let recovered = opening.replay(&mut |_| Extract::default()).unwrap();
        let (news, heard) = mpsc::unbounded_channel();
        let told = news.clone();
        let report = move |report: Report| {
            if let Report::Durable(tip) = report {
                let _ = told.send(LogNews::Durable(tip.seq));
            }
        };
        let ledger = Arc::new(recovered.start(Arc::new(report)).unwrap());
        let stuck = Arc::new(AtomicBool::new(false));
        let (handle, lanes) = Lanes::open(config.clone());
        let (stop, stopped) = oneshot::channel();
        let setup = Setup {
            engine: Engine::new(State::default(), config.clone(), "0"),
            handle: handle.clone(),
            lanes,
            log: Arc::new(Paper(ledger.clone(), stuck.clone())),
            news: heard,
            clock: Arc::new(SystemClock),
            last_seq: 0,
            first: Vec::new(),
            stop: stopped,
        };
        let cycle = tokio::spawn(Cycle::new(setup).run());
        handle.tell(Caller::engine(), Ask::Started { version: "0".into(), boot: String::new(), up: None });
        let record: Arc<dyn History> =
            Arc::new(Record::new(ledger, config.daemon.timezone.clone(), Some(Links::new(&[7; 32]))));
        let own = Own { uid: OWN, name: Some("stentor".into()) };
        let api = Api::new(handle.clone(), past(record), Arc::new(Reloads), Arc::new(Tasks), own);
        World { api, handle, held, dir, stop: Some(stop), cycle, news, stuck }
    }

    /// A flush goes on from here.
    pub fn stuck(&self) {
        self.stuck.store(true, Ordering::SeqCst);
    }

    /// What the journal would say.
    pub fn hear(&self, news: LogNews) {
        self.news.send(news).unwrap();
    }

    /// One request on a connection of its own, as this uid.
    pub async fn ask(&self, uid: u32, method: &str, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.raw(uid, &request(method, path, body.as_ref(), "")).await
    }

    /// As an operator, with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(OPERATOR, "POST", path, body.to_string()).await
    }

    /// As an operator.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(OPERATOR, "GET", path, "").await
    }

    pub async fn raw(&self, uid: u32, request: &[u8]) -> Answer {
        let mut stream = self.connect(uid);
        // The far end may answer, and hang up, before it has read all.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        Answer::read(&bytes)
    }

    /// A connection whose far end takes this uid for its peer's.
    pub fn connect(&self, uid: u32) -> UnixStream {
        let (near, far) = UnixStream::pair().unwrap();
        let api = self.api.clone();
        tokio::spawn(async move { connection(far, api.router(), Some(Peer { uid }), &api).await });
        near
    }

    /// An incident's number: urgent, by policy.
    pub async fn incident(&self, subject: &str) -> u64 {
        let opened = self.post("/api/v1/incidents", json!({ "subject": subject })).await;
        assert_eq!(opened.status, 202, "{opened:?}");
        opened.json["number"].as_u64().unwrap()
    }

    /// Kinds of the ledger, once it has got one of this kind `n` times.
    pub async fn until(&self, kind: &str, n: usize) -> Vec<Value> {
        for _ in 0..500 {
            let found = self.get(&format!("/api/v1/ledger?kind={kind}")).await;
            let entries = found.json["entries"].as_array().unwrap().clone();
            if entries.len() >= n {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{kind} did not come {n} times");
    }
}

pub fn request(method: &str, path: &str, body: &[u8], headers: &str) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: stentor\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
    /// Null where the body is no JSON.
    pub json: Value,
}

impl Answer {
    pub fn read(bytes: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer {
            status,
            head: head.to_ascii_lowercase(),
            json: serde_json::from_str(body).unwrap_or_default(),
            text: body.to_owned(),
        }
    }

    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or("-")
    }
    pub fn field(&self) -> &str {
        self.json["error"]["field"].as_str().unwrap_or("-")
    }
    pub fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or("-")
    }
}
