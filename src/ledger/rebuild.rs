//! Making the history again from the journal while no daemon runs.

use crate::domain::clock::SystemClock;
use crate::ledger::codec::Tip;
use crate::ledger::extract::MakeExtractor;
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::history::{self, StoreError};
use crate::ledger::journal::walk::{Walk, WalkError};
use crate::ledger::lock::{Lock, LockError};
use crate::ledger::places::Places;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the new history cannot be made: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] WalkError),
    #[error("the new history cannot take its place: {0}")]
    Io(#[from] io::Error),
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// The last event that is in.
    pub tip: Tip,
    /// What the journal lacks, and so the new history; the old one, which may have it, is set aside then.
    pub faults: Vec<Fault>,
}

/// Builds a new history beside the old one and swaps them.
///
/// # Errors
/// When the directory is in use (naming the process), or the new one cannot be made; the old one is
/// untouched then.
pub fn offline(state: &Path, extractor: MakeExtractor) -> Result<Rebuilt, RebuildError> {
    let _lock = Lock::take(state)?;
    let places = Places::of(state);
    let fresh = state.join("history.new");
    remove(&fresh)?;
    let start = history::Start {
        dir: fresh.clone(),
        journal: places.journal.clone(),
        snapshots: places.snapshots,
        clock: Arc::new(SystemClock),
        extractor,
        report: Arc::new(|_| ()),
    };
    let tip = history::build(&start)?;
    let mut faults = Walk::default().run(&places.journal, &mut |_| ControlFlow::Continue(()))?.faults;
    // A crash leaves that, and it says nothing that was answered for.
    faults.retain(|fault| fault.kind != FaultKind::TornTail);
    match faults.is_empty() {
        true => remove(&places.history)?,
        false => history::move_aside(&places.history)?,
    }
    std::fs::rename(&fresh, &places.history)?;
    Ok(Rebuilt { tip, faults })
}

fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
