//! Starts that never became ready: counted in the state directory, forgiven by the first that does.
//!
//! After three in a row stentor starts in safe mode: without what may be at fault, and it says so.
//! An end after READY is no such start, whatever ended it.

use crate::domain::time::Span;
use crate::engine::{Ask, Caller, Read};
use crate::runtime::Handle;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many starts in a row may fail before the next one is a safe one.
const STARTS: u32 = 3;
/// The engine has gone round by then, or something is very wrong.
const ROUND: Span = Span::secs(30);

/// The starts since one was ready.
#[derive(Debug)]
pub struct Starts {
    file: PathBuf,
    /// Before this one.
    pub failed: u32,
}

impl Starts {
    /// One more; to be called when the state directory is ours. What cannot be written does not count.
    pub fn count(state_dir: &Path) -> Starts {
        let file = state_dir.join("starting");
        let failed = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        // Beside it first: a full disk leaves the count as it was, and not an empty file.
        let beside = state_dir.join("starting.new");
        let counted = fs::write(&beside, format!("{}\n", u32::saturating_add(failed, 1)));
        if let Err(error) = counted.and_then(|()| fs::rename(&beside, &file)) {
            tracing::warn!(%error, file = %file.display(), "this start cannot be counted");
        }
        Starts { file, failed }
    }

    pub fn is_safe_mode(&self) -> bool {
        self.failed >= STARTS
    }

    pub fn words(&self) -> String {
        format!("{} starts in a row never became ready; the log of those says why", self.failed)
    }

    /// This one was ready, or was asked to stop.
    pub fn forgive(&self) {
        if let Err(error) = fs::remove_file(&self.file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = %self.file.display(), "the count of starts cannot be removed");
        }
    }

    /// Forgives when the engine has gone round.
    pub async fn when_round(self: Arc<Starts>, handle: Handle) {
        let pulse = handle.ask(Caller::engine(), Ask::Read(Read::Pulse));
        if matches!(tokio::time::timeout(ROUND.to_std(), pulse).await, Ok(Ok(_))) {
            self.forgive();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn f06_three_starts_in_a_row_that_never_became_ready_make_the_next_a_safe_one() {
        let dir = tempfile::tempdir().unwrap();
        for failed in 0..3 {
            let starts = Starts::count(dir.path());
            assert_eq!((starts.failed, starts.is_safe_mode()), (failed, false));
        }
        let starts = Starts::count(dir.path());
        assert!(starts.is_safe_mode());
        starts.forgive();
        assert_eq!(Starts::count(dir.path()).failed, 0, "in a row");
    }

    #[test]
    fn f06_a_count_that_cannot_be_read_is_none() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("starting"), "many").unwrap();
        assert_eq!(Starts::count(dir.path()).failed, 0);
        assert_eq!(Starts::count(Path::new("/nonexistent")).failed, 0);
    }
}
