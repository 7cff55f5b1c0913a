//! The segments of a directory, and which of them count.

use crate::ledger::codec::next_frame;
use crate::ledger::journal::content::Content;
use crate::ledger::journal::segment::{self, HeaderProblem, Segment};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error("{} cannot be read: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{file} was written by a newer stentor (journal format {version}, encoding {encoding}; this one knows {known} \
         and {packed}): run that version, or restore a backup made before the upgrade",
        known = segment::VERSION,
        packed = segment::PACKED
    )]
    Newer { file: String, version: u16, encoding: u16 },
}

/// A segment, and whether anything in it counts.
pub(super) struct Listed {
    segment: Segment,
    pub usable: bool,
}

impl std::ops::Deref for Listed {
    type Target = Segment;
    fn deref(&self) -> &Segment {
        &self.segment
    }
}

pub(super) fn list(dir: &Path) -> Result<Vec<Listed>, WalkError> {
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
                next_frame(&Content::read(&segment.path).map_err(io(&segment.path))?.bytes, 0).is_some()
            }
        };
        listed.push(Listed { segment, usable });
    }
    Ok(listed)
}
