//! The ledger as the loop and the API know it.

use super::starts::Starts;
use crate::api::Record;
use crate::config::Config;
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::event::{Blob, Frame};
use crate::domain::failpoint::{self, Point};
use crate::domain::time::Span;
use crate::engine::{Ask, Caller, Engine, State};
use crate::ledger::{self, Body, Extract, FaultKind, Ledger, OpenError, Opening, Options, Report};
use crate::message::links::Links;
use crate::runtime::{Handle, Log, LogFull, LogNews, Reader, extract, extractor, read_state, state_fold};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, mpsc};

/// The running ledger.
pub struct Store {
    ledger: Arc<Ledger>,
    /// Alarms leave without a record.
    unrecorded: Arc<AtomicBool>,
    /// Something is wrong with its files: all of it is to be looked at.
    doubtful: Arc<Notify>,
}

/// What came out of the state directory.
pub struct Opened {
    pub starts: Arc<Starts>,
    pub store: Arc<Store>,
    pub engine: Engine,
    pub last_seq: u64,
    /// Damage that was found, to be told.
    pub faults: Vec<String>,
    /// What the ledger removes, to be recorded.
    pub removals: mpsc::UnboundedReceiver<Report>,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// In use, or not usable by us: exit 75.
    #[error("{0}")]
    Dir(String),
    #[error("{0}")]
    Failed(String),
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> StoreError {
        StoreError::Dir(error.to_string())
    }
}

/// How much is trusted at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    All,
    /// Safe mode: no history.
    NoHistory,
    /// Nor a snapshot: the state is folded from the journal's first frame.
    JournalOnly,
}

/// Opens the ledger; in safe mode without the history, and where that panics without the snapshots.
///
/// # Errors
/// When the directory is in use, cannot be used, or comes from a newer version.
pub fn open(config: &Arc<Config>, news: mpsc::UnboundedSender<LogNews>) -> Result<Opened, StoreError> {
    // The lock is taken before the start is counted: a second daemon is no failed start of the first.
    let opening = lock(config, Trust::All)?;
    let starts = Arc::new(Starts::count(&config.daemon.state_dir));
    failpoint::reached(Point::StartLocked);
    if !starts.is_safe_mode() {
        return read(config, news, opening, Trust::All, starts);
    }
    tracing::error!(reason = %starts.words(), "safe mode");
    drop(opening);
    let opening = lock(config, Trust::NoHistory)?;
    let (news_again, starts_again) = (news.clone(), starts.clone());
    let read_it = AssertUnwindSafe(|| read(config, news, opening, Trust::NoHistory, starts));
    catch_unwind(read_it).unwrap_or_else(|_| {
        tracing::error!("safe mode: the last snapshot cannot be used; the journal alone is read");
        read(config, news_again, lock(config, Trust::JournalOnly)?, Trust::JournalOnly, starts_again)
    })
}

fn lock(config: &Arc<Config>, trust: Trust) -> Result<Opening, StoreError> {
    let without_history = trust != Trust::All;
    let mut options = Options {
        extractor: extractor(config.clone()),
        fold: state_fold(),
        handed: true,
        without_history,
        ..Options::default()
    };
    if let Some(bytes) = failpoint::segment_bytes() {
        (options.segment_bytes, options.look_bytes) = (bytes, bytes);
    }
    Ok(ledger::open(&config.daemon.state_dir, options)?)
}

/// Folds the newest good snapshot and the journal after it, and starts the ledger's threads.
fn read(
    config: &Arc<Config>,
    news: mpsc::UnboundedSender<LogNews>,
    mut opening: Opening,
    trust: Trust,
    starts: Arc<Starts>,
) -> Result<Opened, StoreError> {
    while trust == Trust::JournalOnly && opening.snapshot().is_some() && !opening.is_at_base() {
        opening.reject_snapshot("it ended the start before this one")?;
    }
    let mut state = State::default();
    while let Some(snapshot) = opening.snapshot() {
        match read_state(snapshot) {
            Ok(read) => {
                state = read;
                break;
            }
            Err(words) => opening.reject_snapshot(&words)?,
        }
    }
    let mut engine = Engine::new(state, config.clone(), env!("CARGO_PKG_VERSION"));
    let recovered = opening.replay(&mut |frame| {
        engine.replay(frame);
        extract(&mut engine, frame)
    })?;
    failpoint::reached(Point::StartReplayed);
    let recovery = &recovered.recovery;
    tracing::info!(events = recovery.tip.seq, replayed = recovery.events, "the ledger is open");
    for torn in recovery.faults.iter().filter(|f| f.kind == FaultKind::TornTail) {
        tracing::warn!(fault = %torn, "the journal's torn end was cut; a crash leaves that");
    }
    // A torn end is what a crash leaves; anything else is damage.
    let damage = recovery.faults.iter().filter(|f| f.kind != FaultKind::TornTail);
    let faults: Vec<String> = damage.map(ToString::to_string).collect();
    let last_seq = recovery.tip.seq;
    let (removals_in, removals) = mpsc::unbounded_channel();
    let doubtful = Arc::new(Notify::new());
    if !faults.is_empty() {
        doubtful.notify_one();
    }
    let doubt = doubtful.clone();
    let reporter = move |report| {
        if matches!(report, Report::Files { .. }) {
            doubt.notify_one();
        }
        tell(&news, &removals_in, report);
    };
    let ledger = recovered
        .start(Arc::new(reporter))
        .map_err(|e| StoreError::Failed(format!("the ledger's threads cannot be started: {e}")))?;
    ledger.retain(config.retention);
    let store = Arc::new(Store { unrecorded: Arc::default(), doubtful, ledger: Arc::new(ledger) });
    Ok(Opened { starts, store, engine, last_seq, faults, removals })
}

fn tell(news: &mpsc::UnboundedSender<LogNews>, removals: &mpsc::UnboundedSender<Report>, report: Report) {
    let told = match report {
        Report::Durable(tip) => LogNews::Durable(tip.seq),
        Report::Trouble { words } => LogNews::Trouble(words),
        Report::Well => LogNews::Well,
        Report::History { words, well } => LogNews::History { words, well },
        Report::Files { words } => LogNews::Files(words),
        Report::StateWanted => LogNews::StateWanted,
        Report::Erased(_) | Report::Forgotten { .. } => {
            // What ends meanwhile is reported again at the next start.
            let _ = removals.send(report);
            return;
        }
        Report::Replaced { words, gone } => {
            tracing::error!(reason = %words, "a segment of the journal failed; a new one took its frames");
            if !gone {
                return;
            }
            // What it had is in the state, and so in the next snapshot.
            let _ = news.send(LogNews::StateWanted);
            LogNews::Files(words)
        }
        Report::Slow { took } => {
            tracing::warn!(%took, "a flush of the journal was slow");
            return;
        }
    };
    // A loop that has ended hears no more.
    let _ = news.send(told);
}

/// The head of the chain goes to the log each day, where whoever edits the ledger does not reach it.
const NOTED: Span = Span::hours(24);
/// The whole ledger is read an hour after a start, when all else has its rhythm, and then once a week.
const FIRST_LOOK: Span = Span::hours(1);
const LOOK: Span = Span::days(7);
/// Where something is wrong already it is read soon, but not while a start has other things to do.
const SOON: Span = Span::secs(10);

impl Store {
    /// Notes the head now and each day; never ends.
    ///
    /// # Errors
    /// Never; tasks that are kept alive have a reason for their end.
    pub async fn note_head(self: Arc<Store>) -> Result<(), String> {
        loop {
            let head = self.ledger.durable();
            if head.seq > 0 {
                tracing::info!(%head, "the ledger's head, for `stentorctl ledger verify --against`");
            }
            tokio::time::sleep(NOTED.to_std()).await;
        }
    }

    /// Reads the whole ledger now and then: a start reads what came after the last snapshot, and nobody else reads
    /// what is older until it is needed. What the history still has of what is lost is put back.
    ///
    /// # Errors
    /// Never, as above.
    pub async fn look_for_damage(self: Arc<Store>, handle: Handle) -> Result<(), String> {
        let mut pause = FIRST_LOOK;
        loop {
            if tokio::time::timeout(pause.to_std(), self.doubtful.notified()).await.is_ok() {
                tokio::time::sleep(SOON.to_std()).await;
            }
            pause = LOOK;
            let ledger = self.ledger.clone();
            let Ok(Ok(found)) = tokio::task::spawn_blocking(move || ledger.examine(&[])).await else {
                pause = FIRST_LOOK;
                continue;
            };
            if let Some(words) = found.damage() {
                tracing::error!(fault = %words, faults = found.faults.len(), "the ledger is damaged");
                handle.tell(Caller::engine(), Ask::StorageTroubled { part: "ledger".into(), words, well: false });
            }
        }
    }

    /// What happened, for the API; `links` are those to attachments.
    pub fn record(&self, config: &Config, links: Option<Links>) -> Record {
        Record::new(self.ledger.clone(), config.daemon.timezone.clone(), links)
    }

    pub fn ledger(&self) -> Arc<Ledger> {
        self.ledger.clone()
    }

    /// Writes what waits and ends the threads; blocks.
    ///
    /// # Errors
    /// When events could not be made durable.
    pub fn stop(&self) -> Result<(), String> {
        let head = self.ledger.stop()?;
        tracing::info!(%head, "the ledger is closed");
        Ok(())
    }
}

impl Log for Store {
    fn append(&self, frame: Arc<Frame>, seed: &[u8; 16], extract: Extract) -> Result<(), LogFull> {
        self.ledger.append(frame, seed, extract).map_err(|e| LogFull(e.to_string()))
    }

    fn keep_blobs(&self, blobs: Vec<Blob>) {
        self.ledger.keep_blobs(blobs);
    }

    fn waiting(&self) -> usize {
        self.ledger.waiting()
    }

    fn reader(&self) -> Reader {
        let ledger = self.ledger.clone();
        Arc::new(move |place| ledger.at(place))
    }

    fn flushing_for(&self) -> Option<Span> {
        self.ledger.flushing_since().map(|since| SystemClock.read().boot - since)
    }

    fn keep(&self, state: Body) {
        self.ledger.keep(state);
    }

    fn mark_unrecorded(&self, unrecorded: bool) {
        self.unrecorded.store(unrecorded, Ordering::SeqCst);
        let (ledger, wanted) = (self.ledger.clone(), self.unrecorded.clone());
        // The disk may be what is in trouble. Whoever comes last writes what is wanted last.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = ledger.mark_unrecorded(|| wanted.load(Ordering::SeqCst)) {
                tracing::warn!(%error, unrecorded, "the next start cannot be told whether alarms left without a record");
            }
        });
    }
}
