//! Every frame of the journal in order, with a report of all that is wrong: what recovery, `verify`,
//! `export` and the rebuild of the history share.
//!
//! - A segment counts up to where the next one says it begins ("after event S"); beyond that it is void.
//! - Bad bytes at the very end are a torn tail, cut and reported: a flush that a crash interrupted.
//! - Bad bytes are damage when it is certain that they were durable once: a later segment says so, or
//!   a whole frame that begins a later group. The walk goes on after them; what is missing is reported
//!   with its place and asked for by `refill`.

mod progress;

use crate::ledger::codec::{RawFrame, Tip, next_frame};
use crate::ledger::fault::Fault;
use crate::ledger::journal::segment::{self, HeaderProblem, Segment};
use progress::Progress;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Gives frames that follow a place and end before an event (or as far as there are any).
pub type Refill<'a> = &'a mut dyn FnMut(Tip, Option<u64>) -> Vec<Vec<u8>>;
/// Sees each frame; `Break` ends the walk.
pub type Visit<'a> = &'a mut dyn FnMut(&RawFrame<'_>) -> ControlFlow<()>;

/// What to read.
#[derive(Default)]
pub struct Walk<'a> {
    /// Visit only what follows this frame, which must be in the chain. `None`: all.
    pub from: Option<Tip>,
    /// Not beyond this event (the durable one, while somebody appends).
    pub through: Option<u64>,
    pub refill: Option<Refill<'a>>,
}

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
    /// Frames that `refill` gave after the journal's end.
    pub appended: Vec<u8>,
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

#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error("{} cannot be read: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{file} was written by a newer stentor (journal format {version}, encoding {encoding}; this one knows {known} and 0): run that version, or restore a backup made before the upgrade", known = segment::VERSION)]
    Newer { file: String, version: u16, encoding: u16 },
}

impl Walk<'_> {
    /// Goes through the segments in `dir`; a directory that does not exist is an empty journal.
    ///
    /// # Errors
    /// When files cannot be read for want of permission or the like, or are from a newer version.
    /// Damage is no error.
    pub fn run(self, dir: &Path, visit: Visit<'_>) -> Result<Walked, WalkError> {
        let segments = usable(dir)?;
        let start = self.from.map_or(0, |from| {
            segments.iter().rposition(|s| s.header.is_ok() && s.after_seq() <= from.seq).unwrap_or(0)
        });
        let segments = &segments[start..];
        let mut progress = Progress::begin(self, visit, segments.first());
        for (index, segment) in segments.iter().enumerate() {
            let next = segments[index + 1..].iter().find(|s| s.usable);
            let previous = index.checked_sub(1).map(|i| segments[i].path.as_path());
            if progress.segment(segment, next.map(|s| s.after_seq()), previous)?.is_break() {
                break;
            }
        }
        Ok(progress.end())
    }
}

/// A segment, and whether anything in it counts.
struct Listed {
    segment: Segment,
    usable: bool,
}

impl std::ops::Deref for Listed {
    type Target = Segment;
    fn deref(&self) -> &Segment {
        &self.segment
    }
}

fn usable(dir: &Path) -> Result<Vec<Listed>, WalkError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| WalkError::Io { path, source }
    };
    let segments = match segment::list(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        found => found.map_err(io(dir))?,
    };
    let mut listed = Vec::with_capacity(segments.len());
    for segment in segments {
        let usable = match segment.header {
            Ok(_) => true,
            Err(HeaderProblem::Newer { version, encoding }) => {
                return Err(WalkError::Newer { file: segment.shown(), version, encoding });
            }
            Err(HeaderProblem::Damaged) => {
                let (bytes, _) = read(&segment.path).map_err(io(&segment.path))?;
                next_frame(&bytes, 0).is_some()
            }
        };
        listed.push(Listed { segment, usable });
    }
    Ok(listed)
}

/// The file as far as the disk gives it back; what a bad sector hides is damage like any other.
fn read(path: &Path) -> io::Result<(Vec<u8>, Option<io::Error>)> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::with_capacity(file.metadata().map_or(0, |m| m.len() as usize + 1));
    match file.read_to_end(&mut bytes) {
        Err(e) if e.raw_os_error() == Some(nix::libc::EIO) => Ok((bytes, Some(e))),
        other => other.map(|_| (bytes, None)),
    }
}
