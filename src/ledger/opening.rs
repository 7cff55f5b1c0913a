//! From a state directory to a running ledger: lock, snapshot, the frames after it, then the threads.

use crate::domain::clock::{Clock, SystemClock};
use crate::domain::event::{EventKind, Frame};
use crate::ledger::backup;
use crate::ledger::blobs;
use crate::ledger::codec::Tip;
use crate::ledger::extract::{Extract, Group, MakeExtractor, events_only};
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::files::{self, Disk, Files};
use crate::ledger::fold::{self, MakeFold};
use crate::ledger::history::store::block;
use crate::ledger::history::{self, History};
use crate::ledger::journal::walk::{Walk, WalkError};
use crate::ledger::journal::{self, Journal};
use crate::ledger::lock::{Lock, LockError};
use crate::ledger::mending;
use crate::ledger::places::Places;
use crate::ledger::refill;
use crate::ledger::report::Reporter;
use crate::ledger::running::Ledger;
use crate::ledger::snapshot::{self, Snapshot, SnapshotError};
use crate::ledger::upkeep::erasure::Eraser;
use crate::ledger::upkeep::{self, Upkeep};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Frames after the snapshot are handed to the history up to this; it reads more from the journal.
const HANDED_OVER: usize = 32 << 20;
const GROUP: usize = 256 << 10;

/// What can be chosen.
pub struct Options {
    pub files: Arc<dyn Files>,
    pub clock: Arc<dyn Clock>,
    /// A segment of the journal that is this long is followed by a new one.
    pub segment_bytes: u64,
    /// So many bytes of the journal are worth a look at the files: a snapshot, packing.
    pub look_bytes: u64,
    /// Bytes of events that may wait for the disk; beyond, `append` refuses.
    pub hold_bytes: usize,
    /// How documents and counters are made again for a history that is.
    pub extractor: MakeExtractor,
    /// Safe mode: the history is neither opened nor asked for what the journal lost.
    pub without_history: bool,
    /// How the state is folded beside the engine, where one of an earlier event is needed.
    pub fold: MakeFold,
    /// Snapshots are made from states that are handed over when they are wanted ([`Ledger::keep`]); otherwise by
    /// folding.
    pub handed: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            files: Arc::new(Disk),
            clock: Arc::new(SystemClock),
            segment_bytes: 4 << 20,
            look_bytes: 4 << 20,
            hold_bytes: 64 << 20,
            extractor: events_only(),
            without_history: false,
            fold: fold::nothing(),
            handed: false,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    Journal(#[from] WalkError),
    #[error("{} cannot be used: {source}", path.display())]
    Unusable { path: PathBuf, source: io::Error },
}

/// A state directory that is ours, with its newest good snapshot.
pub struct Opening {
    places: Places,
    options: Options,
    lock: Lock,
    snapshot: Option<Snapshot>,
    faults: Vec<Fault>,
}

/// How the start went; to be logged, and alarmed on when there are faults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovery {
    /// The last frame.
    pub tip: Tip,
    /// The snapshot that the state began with.
    pub snapshot: Option<Tip>,
    /// Events folded after it.
    pub events: u64,
    /// Of these, events of kinds that this version cannot read.
    pub unreadable: u64,
    /// Events that the journal had lost and the history still had.
    pub refilled: u64,
    /// A torn tail (what a crash leaves) and any damage.
    pub faults: Vec<Fault>,
}

/// Everything is read; nothing runs yet.
pub struct Recovered {
    pub recovery: Recovery,
    places: Places,
    options: Options,
    lock: Lock,
    end: Option<journal::End>,
    unwritten: Option<(Tip, Vec<u8>)>,
    groups: Vec<Group>,
}

/// Takes the state directory, which is made (0700) when it is not there.
///
/// # Errors
/// When another process has it, it cannot be used, or it is from a newer version.
pub fn open(dir: &Path, options: Options) -> Result<Opening, OpenError> {
    let places = Places::of(dir);
    let make =
        |path: &Path| files::durable_dir(path).map_err(|source| OpenError::Unusable { path: path.to_owned(), source });
    make(dir)?;
    let lock = Lock::take(dir)?;
    make(&places.journal)?;
    make(&places.snapshots)?;
    let blobs = places.blobs.exists().then_some(&places.blobs);
    for dir in [&places.journal, &places.snapshots].into_iter().chain(blobs) {
        files::remove_unfinished(dir).map_err(|source| OpenError::Unusable { path: dir.clone(), source })?;
    }
    // Half of a history that was to take the place of the other one.
    let _ = std::fs::remove_dir_all(dir.join("history.new"));
    backup::remove_left(dir).map_err(|source| OpenError::Unusable { path: dir.to_owned(), source })?;
    let mut faults: Vec<Fault> = Fault::unfinished(&places).into_iter().collect();
    let snapshot = snapshot::load_newest(&places.snapshots, None, &mut faults)?;
    Ok(Opening { places, options, lock, snapshot, faults })
}

impl Opening {
    /// The state to begin with; `None`: begin with nothing.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The engine cannot read it: the one before takes its place, or none.
    ///
    /// # Errors
    /// When that one cannot be read at all.
    pub fn reject_snapshot(&mut self, words: &str) -> Result<(), OpenError> {
        let Some(rejected) = self.snapshot.take() else { return Ok(()) };
        let seq = rejected.tip.seq;
        self.faults.push(Fault {
            kind: FaultKind::DamagedSnapshot,
            file: snapshot::shown(&snapshot::path(&self.places.snapshots, seq)),
            offset: None,
            seq: Some(seq),
            words: words.to_owned(),
        });
        self.snapshot = snapshot::load_newest(&self.places.snapshots, Some(seq), &mut self.faults)?;
        Ok(())
    }

    /// Whether it is the base: what is older is nowhere else.
    pub fn is_at_base(&self) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.tip.seq == based(&self.places))
    }

    /// Hands every frame after the snapshot to `fold`, in order, and keeps what it extracts for the
    /// history. What is damaged is passed over and reported; what the history still has of it is put
    /// back.
    ///
    /// # Errors
    /// When the journal cannot be read at all, or is from a newer version.
    pub fn replay(self, fold: &mut dyn FnMut(&Frame) -> Extract) -> Result<Recovered, OpenError> {
        let from = self.snapshot.map(|s| s.tip);
        let mut replay = Replay { fold, unreadable: 0, groups: Vec::new(), weight: 0 };
        let history = self.places.history.clone();
        let mut refill = |tip, until| refill::fetch(&history, tip, until);
        let refill: Option<&mut dyn FnMut(_, _) -> _> =
            if self.options.without_history { None } else { Some(&mut refill) };
        let walk = Walk { from, refill, ..Walk::default() };
        let mut walked = walk.run(&self.places.journal, &mut |raw| {
            let frame = raw.decode();
            replay.frame(&frame, raw.bytes, raw.tip());
            ControlFlow::Continue(())
        })?;
        mending::put_back(&mut walked);
        let behind = from.filter(|from| walked.tip.seq < from.seq);
        let mut faults = self.faults;
        faults.append(&mut walked.faults);
        faults.extend(behind.map(|from| journal_behind(walked.tip, from)));
        faults.extend(no_beginning(&self.places, from));
        let put_back = walked.refilled.iter().map(|(_, bytes)| bytes);
        let refilled = put_back.chain(walked.appended.iter().map(|(_, bytes)| bytes));
        let recovery = Recovery {
            tip: behind.unwrap_or(walked.tip),
            snapshot: from,
            events: walked.events,
            unreadable: replay.unreadable,
            refilled: refilled.flat_map(|bytes| block::frames(bytes)).map(|f| u64::from(f.count)).sum(),
            faults,
        };
        Ok(Recovered {
            end: walked.end.map(|end| journal::End { clean: end.clean && behind.is_none(), ..end }),
            unwritten: walked.appended.filter(|_| behind.is_none()),
            groups: if behind.is_some() { Vec::new() } else { replay.groups },
            recovery,
            places: self.places,
            options: self.options,
            lock: self.lock,
        })
    }
}

/// A journal that begins later than the state that it goes on from, or has no segment any more: what is between is
/// nowhere.
fn no_beginning(places: &Places, from: Option<Tip>) -> Option<Fault> {
    let known = from.map_or(0, |tip| tip.seq);
    let (known, after) = match after_first(places)? {
        Some(after) => (known, after),
        None => (based(places), known),
    };
    (after > known).then(|| Fault::no_beginning(known, after))
}

/// The event after which the journal's first segment begins, if there is one; `None`: nobody can say.
fn after_first(places: &Places) -> Option<Option<u64>> {
    let segments = journal::segment::list(&places.journal).ok()?;
    Some(segments.first().map(journal::segment::Segment::after_seq))
}

/// The event after which the base was made.
fn based(places: &Places) -> u64 {
    snapshot::base(&places.snapshots).ok().flatten().map_or(0, |(seq, _)| seq)
}

impl Recovered {
    /// Makes what was recovered durable and starts the threads. `report` is called from them.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(self, report: Reporter) -> io::Result<Ledger> {
        let (tip, options) = (self.recovery.tip, self.options);
        // Of events that never became durable, or that the journal has forgotten.
        // Where a first segment is merely missing they stay: it may be put back.
        let before = after_first(&self.places).flatten().unwrap_or(0).min(based(&self.places));
        if let Err(error) = blobs::remove(&self.places.blobs, |seq| seq > tip.seq || seq <= before) {
            tracing::warn!(%error, "files that belong to no event stay in the directory of blobs");
        }
        let start = history::Start {
            dir: self.places.history.clone(),
            journal: self.places.journal.clone(),
            snapshots: self.places.snapshots.clone(),
            clock: options.clock.clone(),
            extractor: options.extractor,
            report: report.clone(),
        };
        let beside = history::Start { dir: self.places.state.join("history.new"), ..start.clone() };
        let history = Arc::new(match options.without_history {
            true => History::off(options.clock.clone(), tip),
            false => History::start(start, tip, self.groups)?,
        });
        let fed = history.clone();
        let snapshot = self.recovery.snapshot.map_or(0, |tip| tip.seq);
        let clock = options.clock;
        let inbox = Arc::new(upkeep::Inbox::new(clock.as_ref(), tip, snapshot, options.look_bytes));
        let growing = inbox.clone();
        let journal = Arc::new(Journal::start(journal::Start {
            dir: self.places.journal.clone(),
            blobs: self.places.blobs.clone(),
            files: options.files,
            clock: clock.clone(),
            segment_bytes: options.segment_bytes,
            hold_bytes: options.hold_bytes,
            tip,
            end: self.end,
            unwritten: self.unwritten,
            report: report.clone(),
            sink: Box::new(move |group| {
                growing.grew(group.tip, group.bytes.len());
                fed.feed(group);
            }),
        })?);
        let eraser = Eraser {
            places: self.places.clone(),
            journal: journal.clone(),
            history: history.clone(),
            beside,
            fold: options.fold,
        };
        let setup = upkeep::Setup { eraser, clock, report, inbox, handed: options.handed };
        let upkeep = Upkeep::start(setup)?;
        Ok(Ledger { places: self.places, journal, history, upkeep, lock: self.lock, marking: Mutex::default() })
    }
}

/// The fold under way, and what of it goes to the history.
struct Replay<'a> {
    fold: &'a mut dyn FnMut(&Frame) -> Extract,
    unreadable: u64,
    groups: Vec<Group>,
    weight: usize,
}

impl Replay<'_> {
    fn frame(&mut self, frame: &Frame, bytes: &[u8], tip: Tip) {
        self.unreadable += frame.events.iter().filter(|e| e.head == EventKind::Unknown).count() as u64;
        let extract = (self.fold)(frame);
        if self.weight > HANDED_OVER {
            self.groups.clear();
            self.weight = 0;
        }
        let follows = |g: &Group| g.bytes.len() < GROUP && g.tip.seq + 1 == frame.seq;
        if !self.groups.last().is_some_and(follows) {
            self.groups.push(Group { first: frame.seq, ..Group::default() });
        }
        if let Some(group) = self.groups.last_mut() {
            self.weight += bytes.len() + extract.weight();
            group.bytes.extend_from_slice(bytes);
            group.tip = tip;
            if !extract.is_empty() {
                group.extracts.push((tip.seq, extract));
            }
        }
    }
}

fn journal_behind(tip: Tip, from: Tip) -> Fault {
    Fault {
        kind: FaultKind::JournalBehind,
        file: "journal".to_owned(),
        offset: None,
        seq: Some(tip.seq + 1),
        words: format!("it ends at event {}, but a snapshot was made after event {}", tip.seq, from.seq),
    }
}
