//! Putting back into the journal what the disk has lost of it and the history still has: at a start, of what is
//! read then; of all of it when somebody looks, and before the history is replaced by one that the journal makes.

use crate::ledger::Tip;
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::history::store::block;
use crate::ledger::history::{History, Phase};
use crate::ledger::journal::walk::{Walk, WalkError, Walked};
use crate::ledger::journal::{Journal, repair, segment};
use crate::ledger::places::Places;
use crate::ledger::refill;
use crate::ledger::snapshot;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What became of it.
#[derive(Default)]
pub struct Mended {
    /// Events put back.
    pub events: u64,
    /// What could not be written.
    pub faults: Vec<Fault>,
    /// What is lost and the history could not be asked for now.
    pub unasked: Option<Fault>,
}

/// Whether this is what can be put back.
pub fn is_lost(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::DamagedFrame | FaultKind::DamagedHeader | FaultKind::Gap)
}

/// All but the segment that is written to. To be called while no segment is replaced or removed, and not while texts
/// are being erased, which the history may still have. Blocks, for long if the ledger is large.
///
/// # Errors
/// When the journal cannot be read at all.
pub fn mend(places: &Places, journal: &Journal, history: &History) -> Result<Mended, WalkError> {
    let io = |source| WalkError::Io { path: places.journal.clone(), source };
    let writing = segment::list(&places.journal).map_err(io)?.pop().map(|last| last.path);
    let sealed = journal.sealed().map_err(io)?;
    let ready = history.phase() == Phase::Ready;
    let mut refill = |tip, until| refill::frames(tip, until, &mut |seq| history.block_from(seq).ok().flatten());
    let through = Some(journal.durable().seq);
    let walk = Walk { base: base(places), through, refill: Some(&mut refill), ..Walk::default() };
    let mut walked = walk.run(&places.journal, &mut |_| ControlFlow::Continue(()))?;
    let unasked = walked.faults.drain(..).find(|fault| !ready && is_lost(fault));
    // What has no header is not among the sealed, but another segment follows it.
    walked.headless.retain(|(path, _)| writing.as_ref() != Some(path));
    let headless = |path: &Path| walked.headless.iter().any(|(p, _)| p == path);
    walked.refilled.retain(|(path, _)| headless(path) || sealed.iter().any(|s| s.segment.path == *path));
    put_back(&mut walked);
    let frames = walked.refilled.iter().flat_map(|(_, bytes)| block::frames(bytes));
    Ok(Mended { events: frames.map(|f| u64::from(f.count)).sum(), faults: walked.faults, unasked })
}

/// The event after which the journal must begin; `None`: that cannot be read.
pub fn base(places: &Places) -> Option<Tip> {
    match snapshot::base(&places.snapshots).ok()? {
        Some((_, path)) => Some(snapshot::load(&path).ok()?.ok()?.tip),
        None => Some(Tip::default()),
    }
}

/// Writes damaged segments anew, with what the history gave back and with headers that are known all the same. What could
/// not be written is no longer among `refilled`.
pub fn put_back(walked: &mut Walked) {
    let mut failed: BTreeSet<PathBuf> = BTreeSet::new();
    let mut fail = |path: &Path, error: std::io::Error| {
        failed.insert(path.to_owned());
        Fault {
            kind: FaultKind::DamagedFrame,
            file: segment::shown(path),
            offset: None,
            seq: None,
            words: format!("what was lost could not be put back here: {error}"),
        }
    };
    for path in &walked.void {
        walked.faults.extend(repair::set_aside(path).err().map(|error| fail(path, error)));
    }
    let mut harmed: BTreeMap<&Path, (Vec<Vec<u8>>, Option<Tip>)> = BTreeMap::new();
    for (path, bytes) in &walked.refilled {
        harmed.entry(path).or_default().0.push(bytes.clone());
    }
    for (path, after) in &walked.headless {
        // Of a file that is gone the history may have nothing.
        if path.exists() || harmed.contains_key(path.as_path()) {
            harmed.entry(path).or_default().1 = Some(*after);
        }
    }
    for (path, (frames, after)) in harmed {
        if let Some(end) = walked.end.as_mut().filter(|end| end.path == path) {
            // It is another file from here on.
            end.clean = false;
        }
        walked.faults.extend(repair::repair(path, &frames, after).err().map(|error| fail(path, error)));
    }
    walked.refilled.retain(|(path, _)| !failed.contains(path));
}
