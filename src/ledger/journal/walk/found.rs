//! What a walk needs from its caller, and what it gives back.

use crate::ledger::codec::{RawFrame, Tip};
use crate::ledger::fault::Fault;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Gives frames that follow a place and end before an event (or as far as there are any).
pub type Refill<'a> = &'a mut dyn FnMut(Tip, Option<u64>) -> Vec<Vec<u8>>;
/// Sees each frame; `Break` ends the walk.
pub type Visit<'a> = &'a mut dyn FnMut(&RawFrame<'_>) -> ControlFlow<()>;

/// What was found.
#[derive(Debug, Default)]
pub struct Walked {
    /// The last good frame.
    pub tip: Tip,
    /// Events visited.
    pub events: u64,
    pub faults: Vec<Fault>,
    pub end: Option<End>,
    /// Frames that `refill` gave, with the segment they are missing from.
    pub refilled: Vec<(PathBuf, Vec<u8>)>,
    /// Segments whose header or whole file is lost, and what it must have said they come after.
    pub headless: Vec<(PathBuf, Tip)>,
    /// Segments in the middle of which nothing is left.
    pub void: Vec<PathBuf>,
    /// Frames that `refill` gave after the journal's end, and the place before them.
    pub appended: Option<(Tip, Vec<u8>)>,
}

/// The last segment that holds frames, or could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub path: PathBuf,
    /// Where this segment begins.
    pub after: Tip,
    /// Where its last good frame ends.
    pub offset: u64,
    /// Nothing is wrong at its end: it can be continued.
    pub clean: bool,
}
