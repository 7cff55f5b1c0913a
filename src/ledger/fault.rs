//! What is wrong with the ledger's files, and where.

use crate::ledger::places::{Places, UNFINISHED};
use serde::Serialize;
use std::fmt;

/// The kinds of damage, as `verify` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A segment's first bytes.
    DamagedHeader,
    /// Bytes that are no whole frame, with good ones after them.
    DamagedFrame,
    /// Bytes at the very end that are no whole frame: what a crash leaves, or damage.
    TornTail,
    /// Sequence numbers are missing.
    Gap,
    /// A frame where another number belongs: copied or moved.
    OutOfOrder,
    /// A whole frame that is not the one which was chained.
    Edited,
    /// A snapshot that cannot be read.
    DamagedSnapshot,
    /// A snapshot of something else than this journal.
    ForeignSnapshot,
    /// A snapshot or the history goes on after the journal's end.
    JournalBehind,
    /// The history differs from the journal.
    HistoryDiffers,
    /// A text is gone that no recorded erasure took.
    UnrecordedErasure,
    /// A blob is not there, is not what it was, or belongs to no event.
    DamagedBlob,
    /// The history cannot be read.
    DamagedHistory,
    /// A backup that broke off while it was written: the files that came are whole, and others are missing.
    UnfinishedBackup,
}

/// One fault with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// Below the state directory.
    pub file: String,
    /// Bytes from the file's beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The first event that is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    pub words: String,
}

impl Fault {
    /// Whether what is there is a part of a backup only.
    pub(super) fn unfinished(places: &Places) -> Option<Fault> {
        places.state.join(UNFINISHED).exists().then(|| Fault {
            kind: FaultKind::UnfinishedBackup,
            file: UNFINISHED.to_owned(),
            offset: None,
            seq: None,
            words: "the backup broke off while it was written here: take another one, into an empty directory"
                .to_owned(),
        })
    }

    /// The journal begins after a later event than the one that is known.
    pub(super) fn no_beginning(known: u64, after: u64) -> Fault {
        Fault {
            kind: FaultKind::Gap,
            file: "journal".to_owned(),
            offset: None,
            seq: Some(known + 1),
            words: format!("events {} to {after} are missing before the first segment", known + 1),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        if let Some(seq) = self.seq {
            write!(f, ", event {seq}")?;
        }
        write!(f, ": {}", self.words)
    }
}
