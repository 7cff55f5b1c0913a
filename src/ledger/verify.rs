//! Is the ledger what it was when it was written? Journal by checksum and chain, snapshots and the
//! history against the journal, blobs against the events that brought them.

use crate::ledger::blanked::Blanked;
use crate::ledger::blobs::check::BlobFiles;
use crate::ledger::codec::{FrameHash, RawFrame, Tip};
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::history::HistoryError;
use crate::ledger::history::store::{Store, StoreError, block};
use crate::ledger::history::view::block_from;
use crate::ledger::journal::segment;
use crate::ledger::journal::walk::{Walk, WalkError};
use crate::ledger::lock::{Lock, LockError};
use crate::ledger::places::Places;
use crate::ledger::snapshot::{self, SnapshotError};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Nobody knows what the history has: it is asked for every event.
pub(super) const UNKNOWN: u64 = u64::MAX;
/// More faults of the history than this say nothing new.
const HISTORY_FAULTS: usize = 10;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    pub ok: bool,
    /// Events read.
    pub events: u64,
    /// The last frame's hash.
    pub head: FrameHash,
    /// The last event.
    pub seq: u64,
    /// Events of the history that were compared; `None`: it could not be read now.
    pub history_events: Option<u64>,
    pub faults: Vec<Fault>,
    /// Events that were lost and are back, from the history.
    #[serde(skip_serializing_if = "is_zero")]
    pub put_back: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Verified {
    /// What is wrong with the record itself, if anything is, and what was done about it. A damaged history can be made
    /// again from it; where the two differ nobody knows which of them is right.
    pub fn damage(&self) -> Option<String> {
        let first = self.faults.iter().find(|fault| fault.kind != FaultKind::DamagedHistory)?;
        Some(match self.put_back {
            0 => first.to_string(),
            n => format!("{first}. The history had {n} lost events, and they are put back"),
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Journal(#[from] WalkError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("the snapshots cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("there is no ledger in {}", .0.display())]
    Nothing(PathBuf),
}

/// Gives the frames of the history's block with an event or the first after it.
pub(super) type Blocks<'a> = &'a mut dyn FnMut(u64) -> Result<Option<Vec<u8>>, HistoryError>;

/// Verifies a state directory that no daemon uses. `anchors` are places noted elsewhere (a checkpoint in a mail);
/// each must be in the chain.
///
/// # Errors
/// When the directory is in use (naming the process) or cannot be read at all.
pub fn offline(state: &Path, anchors: &[Tip]) -> Result<Verified, VerifyError> {
    let _lock = Lock::look(state)?;
    let places = Places::of(state);
    if ![&places.journal, &places.snapshots, &places.history].iter().any(|place| place.exists()) {
        return Err(VerifyError::Nothing(state.to_owned()));
    }
    if !places.history.exists() {
        return run(&places, None, anchors, &mut |_| Ok(None), 0);
    }
    match Store::open(&places.history) {
        Ok(store) => {
            let applied = store.applied().seq;
            let damaged = |e: StoreError| HistoryError::Unavailable(e.to_string());
            let verified = run(&places, None, anchors, &mut |seq| block_from(&store, seq).map_err(damaged), applied);
            store.close();
            verified
        }
        Err(error) => run(&places, None, anchors, &mut |_| Err(HistoryError::Unavailable(error.to_string())), UNKNOWN),
    }
}

/// `through` is the last event to look at (while the journal is being written), `applied` the last
/// that the history has, or [`UNKNOWN`].
pub(super) fn run(
    places: &Places,
    through: Option<u64>,
    anchors: &[Tip],
    blocks: Blocks<'_>,
    applied: u64,
) -> Result<Verified, VerifyError> {
    let mut faults: Vec<Fault> = Fault::unfinished(places).into_iter().collect();
    let mut check = Check {
        anchors: anchors.iter().map(|tip| ((tip.seq, format!("the noted head {tip}")), (tip.hash, true))).collect(),
        faults: Vec::new(),
        previous: None,
        history: Compared { blocks, applied, frames: VecDeque::new(), events: Some(0), faults: 0 },
        files: BlobFiles::of(places)?,
        blanked: Blanked::default(),
    };
    check.snapshots(places, through)?;
    check.beginning(places)?;
    let walk = Walk { through, ..Walk::default() };
    let walked = walk.run(&places.journal, &mut |frame| {
        check.frame(frame);
        ControlFlow::Continue(())
    })?;
    let history_events = check.end(walked.tip);
    check.faults.append(&mut check.files.end(walked.tip.seq));
    check.faults.extend(check.blanked.end(places)?);
    faults.extend(walked.faults);
    faults.append(&mut check.faults);
    Ok(Verified {
        ok: faults.is_empty(),
        events: walked.events,
        head: walked.tip.hash,
        seq: walked.tip.seq,
        history_events,
        faults,
        put_back: 0,
    })
}

struct Check<'a> {
    /// What must be at an event by whose word: a snapshot's, or that of a head noted elsewhere (`true`).
    anchors: BTreeMap<(u64, String), (FrameHash, bool)>,
    faults: Vec<Fault>,
    previous: Option<Tip>,
    history: Compared<'a>,
    files: BlobFiles<'a>,
    blanked: Blanked,
}

impl Check<'_> {
    fn snapshots(&mut self, places: &Places, through: Option<u64>) -> Result<(), VerifyError> {
        for (seq, path) in snapshot::list(&places.snapshots)? {
            if through.is_some_and(|through| seq > through) {
                continue;
            }
            match snapshot::load(&path)? {
                Ok(found) => {
                    self.anchors.insert((found.tip.seq, snapshot::shown(&path)), (found.tip.hash, false));
                }
                Err(words) => self.fault(FaultKind::DamagedSnapshot, snapshot::shown(&path), seq, words.to_owned()),
            }
        }
        Ok(())
    }

    /// A journal that does not begin with the first event begins after the base.
    fn beginning(&mut self, places: &Places) -> Result<(), VerifyError> {
        let base = snapshot::base(&places.snapshots)?;
        let first = match segment::list(&places.journal) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            listed => listed?.into_iter().next(),
        };
        let after = first.as_ref().map_or(0, |segment| segment.after_seq());
        let tip = match &base {
            None => None,
            Some((seq, path)) => match snapshot::load(path)? {
                Ok(found) => Some(found.tip),
                Err(words) => {
                    self.fault(FaultKind::DamagedSnapshot, snapshot::shown(path), *seq, words.to_owned());
                    return Ok(());
                }
            },
        };
        let based = tip.map_or(0, |tip| tip.seq);
        if after > based {
            self.faults.push(Fault::no_beginning(based, after));
        }
        let header = first.and_then(|segment| segment.header.ok());
        if let Some(header) = &header {
            self.noted_at(header.after);
        }
        match (tip, header) {
            (Some(tip), Some(header)) if header.after.seq == tip.seq && header.after != tip => {
                let words = format!("it follows another event {} than the one the base was made after", tip.seq);
                self.fault(FaultKind::ForeignSnapshot, "journal".to_owned(), tip.seq, words);
            }
            // Where the journal still has that event it must be the same.
            (Some(tip), _) if after < tip.seq => {
                self.anchors.insert((tip.seq, "the base".to_owned()), (tip.hash, false));
            }
            _ => {}
        }
        Ok(())
    }

    /// A noted head right before the journal's first frame: its header says which event that was.
    fn noted_at(&mut self, after: Tip) {
        let here: Vec<_> = self.anchors.extract_if(.., |(seq, _), (_, noted)| *noted && *seq == after.seq).collect();
        for ((seq, who), (hash, _)) in here {
            if hash != after.hash {
                let words = format!("the journal follows another event {seq}");
                self.fault(FaultKind::ForeignSnapshot, who, seq, words);
            }
        }
    }

    fn frame(&mut self, frame: &RawFrame<'_>) {
        let previous = self.previous.replace(frame.tip());
        while let Some(entry) = self.anchors.first_entry().filter(|e| e.key().0 <= frame.last_seq()) {
            let ((seq, who), (hash, noted)) = entry.remove_entry();
            let there = [previous, Some(frame.tip())].into_iter().flatten().any(|tip| tip == Tip { seq, hash });
            if noted && previous.is_none() && seq + 1 < frame.seq {
                let words =
                    format!("the journal begins at event {} (retention?): nothing can be said of it", frame.seq);
                self.fault(FaultKind::Gap, who, seq, words);
            } else if !there && seq >= frame.seq {
                let words = format!("event {seq} of the journal is not the one it was made after");
                self.fault(FaultKind::ForeignSnapshot, who, seq, words);
            }
        }
        self.files.frame(frame);
        self.blanked.frame(frame);
        let linked = previous.filter(|p| p.seq + 1 == frame.seq);
        if let Some(words) = self.history.compare(frame, linked) {
            self.fault(FaultKind::HistoryDiffers, "history".to_owned(), frame.seq, words);
        }
    }

    /// What is left says that the journal lost its end.
    fn end(&mut self, tip: Tip) -> Option<u64> {
        for ((seq, who), _) in std::mem::take(&mut self.anchors) {
            if seq > tip.seq {
                let words = format!("the journal ends at event {}", tip.seq);
                self.fault(FaultKind::JournalBehind, who, seq, words);
            }
        }
        let applied = self.history.applied;
        if self.history.events.is_some() && applied != UNKNOWN && applied > tip.seq {
            let words = format!("it holds {} events, the journal ends at {}", applied, tip.seq);
            self.fault(FaultKind::JournalBehind, "history".to_owned(), tip.seq + 1, words);
        }
        self.history.events
    }

    fn fault(&mut self, kind: FaultKind, file: String, seq: u64, words: String) {
        self.faults.push(Fault { kind, file, offset: None, seq: Some(seq), words });
    }
}

/// The history, read beside the journal.
struct Compared<'a> {
    blocks: Blocks<'a>,
    applied: u64,
    /// Of the block being compared.
    frames: VecDeque<Vec<u8>>,
    events: Option<u64>,
    faults: usize,
}

impl Compared<'_> {
    /// What is wrong with the history's copy of a frame. `linked` is the frame before.
    fn compare(&mut self, frame: &RawFrame<'_>, linked: Option<Tip>) -> Option<String> {
        let compared = self.events?;
        if frame.last_seq() > self.applied || self.faults >= HISTORY_FAULTS {
            return None;
        }
        let copy = match self.copy_of(frame.seq) {
            Ok(copy) => copy,
            // While it is made again there is nothing to compare.
            Err(HistoryError::Unavailable(words)) => {
                self.events = None;
                return Some(format!("it cannot be read: {words}"));
            }
            Err(_) => {
                self.events = None;
                return None;
            }
        };
        let words = match copy.as_deref().map(RawFrame::read) {
            None => "the history lacks this event".to_owned(),
            Some(Err(bad)) => format!("the history's copy is damaged: {bad}"),
            Some(Ok(copy)) => {
                let same = copy.hash == frame.hash
                    && copy.last_seq() == frame.last_seq()
                    && linked.is_none_or(|before| copy.chained(&before.hash) == copy.hash);
                if same {
                    self.events = Some(compared + u64::from(frame.count));
                    return None;
                }
                "the history's copy differs".to_owned()
            }
        };
        self.faults += 1;
        Some(words)
    }

    fn copy_of(&mut self, seq: u64) -> Result<Option<Vec<u8>>, HistoryError> {
        let number = |bytes: &Vec<u8>| RawFrame::read(bytes).map_or(0, |f| f.seq);
        while self.frames.front().is_some_and(|front| number(front) < seq) {
            self.frames.pop_front();
        }
        if self.frames.is_empty() {
            let block = (self.blocks)(seq)?.unwrap_or_default();
            self.frames = block::frames(&block).filter(|f| f.seq >= seq).map(|f| f.bytes.to_vec()).collect();
        }
        match self.frames.front() {
            Some(front) if number(front) == seq => Ok(self.frames.pop_front()),
            _ => Ok(None),
        }
    }
}
