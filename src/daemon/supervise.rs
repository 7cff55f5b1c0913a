//! Start-up in an order that can be read, the wait, and the same backwards.

use super::args::Args;
use super::opening::Opening;
use super::reload::{Reloader, give_folders, keep};
use super::signals::{self, Signal};
use super::starts::Starts;
use super::store::{self, Store, StoreError};
use super::systemd;
use super::tasks::Tasks;
use super::watcher::Changes;
use super::{Exit, chronicle, deadman, doors, keeping, links};
use crate::api::{self, Api, Own, SocketError};
use crate::config::Config;
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::failpoint::{self, Point};
use crate::domain::time::{Span, Timestamp};
use crate::engine::{Ask, Caller, Read};
use crate::heartbeat;
use crate::ledger::Report;
use crate::ledger::lock::{Lock, LockError};
use crate::message::LinkKey;
use crate::runtime::{Cycle, Ended, Handle, Lanes, Setup};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What the engine gets to answer for a state dump.
const DUMP: Span = Span::secs(5);

/// The daemon, from an accepted config to its end.
pub async fn run(args: Args, opening: Opening) -> Exit {
    match start(args, opening).await {
        Ok(running) => running.wait().await,
        Err(exit) => exit,
    }
}

/// What is up, in the order in which it came up.
struct Running {
    starts: Arc<Starts>,
    signals: mpsc::UnboundedReceiver<Signal>,
    store: Arc<Store>,
    cycle: JoinHandle<Ended>,
    stop_cycle: Option<oneshot::Sender<String>>,
    handle: Handle,
    reloader: Reloader,
    tasks: Tasks,
    fatal: mpsc::UnboundedReceiver<String>,
    api: Arc<Api>,
}

async fn start(args: Args, opening: Opening) -> Result<Running, Exit> {
    let failed = |what: &'static str| {
        move |error: std::io::Error| {
            tracing::error!(%error, "{what}");
            Exit::Failed
        }
    };
    let signals = signals::listen().map_err(failed("signals cannot be listened to"))?;
    let Opening { config, refused } = opening;
    let config = Arc::new(config);

    // 1. The ledger: the truth so far. Nothing of it is touched while another daemon may have it.
    alone(&config)?;
    let (news_in, news) = mpsc::unbounded_channel();
    let mut opened = store::open(&config, news_in).map_err(|error| {
        tracing::error!(%error, dir = %config.daemon.state_dir.display(), "the state directory cannot be used");
        match error {
            StoreError::Dir(_) => Exit::StateDir,
            StoreError::Failed(_) => Exit::Failed,
        }
    })?;
    let (store, starts) = (opened.store, opened.starts);

    let last_checkpoint = opened.engine.state.checkpoint_at;

    // 2. The engine and its loop.
    let links = links::key(&config.daemon.state_dir);
    opened.engine.set_link_key(links.clone());
    let (handle, lanes) = Lanes::open(config.clone());
    let (stop_cycle, stop) = oneshot::channel();
    let last = LastLife {
        unrecorded: store.ledger().is_unrecorded(),
        renewed: opened.engine.state.config.hash != config.source.hash,
    };
    let first = first_inputs(&config, refused.as_ref(), opened.faults, last);
    let setup = Setup {
        engine: opened.engine,
        handle: handle.clone(),
        lanes,
        log: store.clone(),
        news,
        clock: Arc::new(SystemClock),
        last_seq: opened.last_seq,
        first,
        stop,
    };
    // Before the first frame, so that every one is counted and told.
    let frames = handle.subscribe();
    let (tasks, fatal) = Tasks::new();
    keep_telling(&tasks, &handle);
    let cycle = tokio::spawn(Cycle::new(setup).run());
    let broken = starts.is_safe_mode().then(|| starts.words());
    failpoint::reached(Point::StartBegun);

    // 3. The doors.
    let refused_hash = refused.as_ref().map(|(hash, _)| hash.clone());
    let reloader = Reloader::new(Arc::new(args.clone()), handle.clone(), refused_hash);
    let record = Arc::new(store.record(&config, links.as_ref().map(LinkKey::attachments)));
    let api =
        Api::new(handle.clone(), record, Arc::new(reloader.clone()), Arc::new(tasks.clone()), Own::of_this_process());
    if let Some(key) = links {
        api.take_links(key);
    }
    doors::open(&tasks, &config, &api).await?;
    tasks.once("metrics", api.clone().count(frames));
    let events = api.clone();
    tasks.keep("event receivers", move || events.clone().carry_events());

    // 4. What runs beside.
    let noted = store.clone();
    tasks.keep("daily head", move || noted.clone().note_head());
    let (looked, told) = (store.clone(), handle.clone());
    tasks.keep("look for damage", move || looked.clone().look_for_damage(told.clone()));
    keep_running(&tasks, &handle, &reloader, &args.config);
    keep_ledger(&tasks, &handle, &store, opened.removals, last_checkpoint);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), name = %config.daemon.name, "stentor is ready");
    failpoint::reached(Point::StartReady);
    systemd::ready(match (&broken, &refused) {
        (Some(_), _) => "SAFE MODE: three starts in a row never became ready",
        (None, refused) => systemd::status(refused.is_some()),
    });
    handle.tell(Caller::engine(), Ask::Broken { words: broken });
    tasks.once("start counted", starts.clone().when_round(handle.clone()));
    if refused.is_none() {
        keep(&config.daemon.state_dir, &config);
    }
    after_ready(&tasks, &config);
    Ok(Running { starts, signals, store, cycle, stop_cycle: Some(stop_cycle), handle, reloader, tasks, fatal, api })
}

/// No other daemon answers on our socket. Who has the state directory has its lock; if somebody removed that file, the
/// socket still tells.
fn alone(config: &Config) -> Result<(), Exit> {
    let Err(error @ SocketError::InUse(_)) = api::make_way(&config.daemon.socket) else { return Ok(()) };
    if let Err(error @ LockError::Held { .. }) = Lock::look(&config.daemon.state_dir) {
        tracing::error!(%error, "the state directory cannot be used");
        return Err(Exit::StateDir);
    }
    tracing::error!(%error, "no control socket");
    Err(Exit::Failed)
}

/// Which boot of the machine this is, empty where nothing says so. From the unit: under its ProcSubset=pid
/// there is no /proc/sys.
fn boot_id() -> String {
    let told = std::env::var("STENTOR_BOOT").ok().filter(|id| !id.is_empty());
    let asked = || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    // The kernel writes it with hyphens, systemd without.
    told.unwrap_or_else(asked).trim().replace('-', "")
}

/// What a life has to know of the one before.
struct LastLife {
    /// Its alarms may have left without a record.
    unrecorded: bool,
    /// It went by another config.
    renewed: bool,
}

/// The first inputs of this life: it has started, under which config, and what is wrong with its ledger.
fn first_inputs(
    config: &Arc<Config>,
    refused: Option<&(String, Vec<String>)>,
    faults: Vec<String>,
    LastLife { unrecorded, renewed }: LastLife,
) -> Vec<Ask> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let up = Some(SystemClock.read().boot);
    give_folders(config);
    let mut first = Vec::new();
    if unrecorded {
        tracing::warn!("the last life ended in emergency mode: what waits may have been sent, and goes out marked");
    }
    if unrecorded || renewed {
        first.push(Ask::Begin { unrecorded, renewed });
    }
    first.push(Ask::Started { version, boot: boot_id(), up });
    first.push(Ask::Apply { config: config.clone(), changed: Vec::new(), kept: refused.is_some() });
    if let Some((hash, errors)) = refused {
        first.push(Ask::ConfigRefused { hash: hash.clone(), errors: errors.clone() });
    }
    for words in faults {
        tracing::error!(fault = %words, "the ledger is damaged");
        first.push(Ask::StorageTroubled { part: "ledger".into(), words, well: false });
    }
    first
}

/// What happens goes to the log, from the first frame on.
fn keep_telling(tasks: &Tasks, handle: &Handle) {
    let (first, handle) = (Mutex::new(Some(handle.subscribe())), handle.clone());
    tasks.keep("event log", move || {
        let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        chronicle::run(handle.clone(), first.unwrap_or_else(|| handle.subscribe()))
    });
}

fn keep_running(tasks: &Tasks, handle: &Handle, reloader: &Reloader, config: &Path) {
    let triggers = handle.clone();
    tasks.keep("heartbeat triggers", move || heartbeat::run(triggers.clone()));
    let outward = handle.clone();
    tasks.keep("dead man's switch", move || deadman::run(outward.clone()));
    let (looks, path) = (reloader.clone(), config.to_owned());
    tasks.keep("config watcher", move || watch_config(looks.clone(), path.clone()));
    tasks.once("watchdog", systemd::feed(handle.clone()));
}

fn keep_ledger(
    tasks: &Tasks,
    handle: &Handle,
    store: &Store,
    removals: mpsc::UnboundedReceiver<Report>,
    last_checkpoint: Option<Timestamp>,
) {
    tasks.once("ledger removals", keeping::record_removals(handle.clone(), store.ledger(), removals));
    let (engine, ledger) = (handle.clone(), store.ledger());
    tasks.keep("checkpoints", move || keeping::checkpoints(engine.clone(), ledger.clone(), last_checkpoint));
    let (configs, ledger) = (handle.clone(), store.ledger());
    tasks.keep("retention", move || keeping::retain(configs.clone(), ledger.clone()));
}

async fn watch_config(reloader: Reloader, path: std::path::PathBuf) -> Result<(), String> {
    let mut changes = Changes::of(&path);
    loop {
        // Also before the first event: the file may have changed since it was read for the start.
        reloader.look().await;
        changes.next().await;
    }
}

/// What may take time and must not delay the start: which certificates are trusted, do the sound files decode?
fn after_ready(tasks: &Tasks, config: &Arc<Config>) {
    tasks.once("trusted certificates", async {
        if let Err(failure) = crate::net::prepare().await {
            tracing::error!(reason = %failure, "the HTTP client cannot be made; it is tried again at each request");
        }
    });
    let config = config.clone();
    tasks.once("sound check", async move {
        let check = move || {
            for channel in config.channels.values().filter(|c| !c.simulate) {
                if let Some(Err(words)) = channel.adapter.sounder().map(|s| s.check()) {
                    tracing::error!(channel = %channel.name, reason = %words, "the sound file is bad; the level's tone sounds instead");
                }
            }
        };
        let _ = tokio::task::spawn_blocking(check).await;
    });
}

impl Running {
    async fn wait(mut self) -> Exit {
        loop {
            tokio::select! {
                Some(signal) = self.signals.recv() => match signal {
                    Signal::Stop(name) => return self.stop(format!("asked by {name}"), Exit::Stopped).await,
                    Signal::Reload => self.reload(),
                    Signal::Dump => self.dump(),
                },
                Some(words) = self.fatal.recv() => {
                    tracing::error!(reason = %words, "stentor ends, so that it is started anew");
                    return self.stop(words, Exit::Failed).await;
                }
                ended = &mut self.cycle => {
                    tracing::error!(?ended, "the engine's loop has ended");
                    return Exit::Failed;
                }
            }
        }
    }

    fn reload(&self) {
        let reloader = self.reloader.clone();
        self.tasks.once("reload", async move {
            reloader.reload(Caller { name: "SIGHUP".into(), ..Caller::engine() }).await;
        });
    }

    /// Beside the rest: an engine that does not answer must not keep us from the next signal.
    fn dump(&self) {
        let (handle, tasks) = (self.handle.clone(), self.tasks.clone());
        self.tasks.once("state dump", async move {
            let status = handle.ask(Caller::engine(), Ask::Read(Read::Status));
            let status = match tokio::time::timeout(DUMP.to_std(), status).await {
                Ok(answer) => answer.map_or_else(|refusal| refusal.message, |status| status.to_string()),
                Err(_) => "the engine does not answer".to_owned(),
            };
            let tasks = serde_json::to_string(&tasks.view()).unwrap_or_default();
            let log_lines_dropped = super::logging::dropped();
            tracing::info!(%status, %tasks, log_lines_dropped, "state, as asked by SIGUSR1");
        });
    }

    /// Backwards: no intake, running attempts, the journal, the socket.
    async fn stop(mut self, why: String, exit: Exit) -> Exit {
        tracing::info!(reason = %why, "stopping");
        systemd::stopping(&why);
        self.starts.forgive();
        failpoint::reached(Point::StopAsked);
        self.tasks.close();
        self.api.record_carried().await;
        if let Some(stop) = self.stop_cycle.take() {
            let _ = stop.send(why);
        }
        // Requests under way are answered while the loop still runs.
        let ((), ended) = tokio::join!(self.api.stop(), self.cycle);
        failpoint::reached(Point::StopEnded);
        self.tasks.stop();
        let store = self.store.clone();
        let stopped = tokio::task::spawn_blocking(move || store.stop()).await;
        failpoint::reached(Point::StopStored);
        match (ended, stopped) {
            (Ok(Ended::Stopped), Ok(Ok(()))) => {
                tracing::info!("stopped");
                exit
            }
            (ended, stopped) => {
                tracing::error!(?ended, ?stopped, "the end was not clean");
                Exit::Failed
            }
        }
    }
}
