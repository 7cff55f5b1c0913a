//! Making the history again from the journal while no daemon runs.

use crate::domain::clock::SystemClock;
use crate::ledger::codec::Tip;
use crate::ledger::extract::MakeExtractor;
use crate::ledger::history::{self, StoreError};
use crate::ledger::lock::{Lock, LockError};
use crate::ledger::places::Places;
use std::io;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the new history cannot be made: {0}")]
    Store(#[from] StoreError),
    #[error("the new history cannot take its place: {0}")]
    Io(#[from] io::Error),
}

/// Builds a new history beside the old one and swaps them; gives the last event that is in.
///
/// # Errors
/// When the directory is in use (naming the process), or the new one cannot be made; the old one is
/// untouched then.
pub fn offline(state: &Path, extractor: MakeExtractor) -> Result<Tip, RebuildError> {
    let _lock = Lock::take(state)?;
    let places = Places::of(state);
    let fresh = state.join("history.new");
    remove(&fresh)?;
    let start = history::Start {
        dir: fresh.clone(),
        journal: places.journal,
        snapshots: places.snapshots,
        clock: Arc::new(SystemClock),
        extractor,
        report: Arc::new(|_| ()),
    };
    let tip = history::build(&start)?;
    remove(&places.history)?;
    std::fs::rename(&fresh, &places.history)?;
    Ok(tip)
}

fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
