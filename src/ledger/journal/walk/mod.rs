//! Every frame of the journal in order, with a report of all that is wrong: what recovery, `verify`,
//! `export` and the rebuild of the history share.
//!
//! - A segment counts up to where the next one says it begins ("after event S"); beyond that it is void.
//! - Bad bytes at the very end are a torn tail, cut and reported: a flush that a crash interrupted.
//! - Bad bytes are damage when it is certain that they were durable once: a later segment says so, or
//!   a whole frame that begins a later group. The walk goes on after them; what is missing is reported
//!   with its place and asked for by `refill`.

mod found;
mod listed;
mod progress;

pub use found::{End, Refill, Visit, Walked};
pub use listed::WalkError;

use crate::ledger::codec::Tip;
use crate::ledger::journal::walk::progress::Progress;
use std::path::Path;

/// What to read.
#[derive(Default)]
pub struct Walk<'a> {
    /// Visit only what follows this frame, which must be in the chain. `None`: all.
    pub from: Option<Tip>,
    /// Where the journal must begin: what is missing before its first segment is a gap. `None`: nobody asks.
    pub base: Option<Tip>,
    /// Not beyond this event (the durable one, while somebody appends).
    pub through: Option<u64>,
    pub refill: Option<Refill<'a>>,
}

impl Walk<'_> {
    /// Goes through the segments in `dir`; a directory that does not exist is an empty journal.
    ///
    /// # Errors
    /// When files cannot be read for want of permission or the like, or are from a newer version.
    /// Damage is no error.
    pub fn run(self, dir: &Path, visit: Visit<'_>) -> Result<Walked, WalkError> {
        let segments = listed::list(dir)?;
        let start = self.from.map_or(0, |from| {
            segments.iter().rposition(|s| s.header.is_ok() && s.after_seq() <= from.seq).unwrap_or(0)
        });
        let segments = &segments[start..];
        let base = self.base.filter(|_| self.from.is_none());
        let mut progress = Progress::begin(self.from, self.through, self.refill, visit, segments.first(), base);
        for (index, segment) in segments.iter().enumerate() {
            let next = segments[index + 1..].iter().find(|s| s.usable);
            let previous = segments[..index].iter().rfind(|s| s.usable).map(|s| s.path.as_path());
            if progress.segment(segment, next.map(|s| s.after_seq()), previous)?.is_break() {
                break;
            }
        }
        progress.catch_up_with_from();
        Ok(progress.end())
    }
}
