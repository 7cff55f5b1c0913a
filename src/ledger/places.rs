//! What is where in a state directory.

use std::path::{Path, PathBuf};

/// Its name in a copy, too.
pub const ERASING: &str = "erasing";
/// There as long as a backup is being written into the directory.
pub const UNFINISHED: &str = "backup.unfinished";

#[derive(Clone, Debug)]
pub struct Places {
    pub state: PathBuf,
    pub journal: PathBuf,
    pub snapshots: PathBuf,
    pub history: PathBuf,
    pub blobs: PathBuf,
    /// Which texts are being removed, while that is not recorded.
    pub erasing: PathBuf,
}

impl Places {
    pub fn of(state: &Path) -> Places {
        Places {
            state: state.to_owned(),
            journal: state.join("journal"),
            snapshots: state.join("snapshots"),
            history: state.join("history"),
            blobs: state.join("blobs"),
            erasing: state.join(ERASING),
        }
    }
}
