//! What the history begins with.

use crate::domain::clock::Clock;
use crate::ledger::extract::MakeExtractor;
use crate::ledger::report::Reporter;
use std::path::PathBuf;
use std::sync::Arc;

/// What the thread needs.
#[derive(Clone)]
pub struct Start {
    /// STATE/history.
    pub dir: PathBuf,
    /// STATE/journal.
    pub journal: PathBuf,
    /// STATE/snapshots.
    pub snapshots: PathBuf,
    pub clock: Arc<dyn Clock>,
    pub extractor: MakeExtractor,
    pub report: Reporter,
}
