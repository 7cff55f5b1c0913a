//! What is where in a state directory.

use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct Places {
    pub state: PathBuf,
    pub journal: PathBuf,
    pub snapshots: PathBuf,
    pub history: PathBuf,
    pub blobs: PathBuf,
}

impl Places {
    pub fn of(state: &Path) -> Places {
        Places {
            state: state.to_owned(),
            journal: state.join("journal"),
            snapshots: state.join("snapshots"),
            history: state.join("history"),
            blobs: state.join("blobs"),
        }
    }
}
