//! Notices that the config may have changed: inotify on its folder, a look every thirty seconds in
//! case no event came, and what others ask for. It only says "maybe"; the reload compares.

use crate::domain::time::Span;
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Changes come in bursts; the last one of a burst counts.
const QUIET: Span = Span::millis(300);
const AT_MOST: Span = Span::secs(2);
const POLL: Span = Span::secs(30);

/// Waits for the next moment at which the config may have changed.
pub struct Changes {
    path: PathBuf,
    events: mpsc::Receiver<()>,
    sender: mpsc::Sender<()>,
    watcher: Option<RecommendedWatcher>,
}

impl Changes {
    pub fn of(path: &Path) -> Changes {
        let (sender, events) = mpsc::channel(1);
        let mut changes = Changes { path: path.to_owned(), events, sender, watcher: None };
        changes.watch();
        changes
    }

    /// The folder of the file, conf.d in it, and where a link leads: the folder may be replaced,
    /// so it is watched anew after each look.
    fn watch(&mut self) {
        let sender = self.sender.clone();
        let tell = move |event: notify::Result<Event>| {
            if event.map_or(true, |e| matters(&e.kind)) {
                let _ = sender.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(tell).and_then(|mut watcher| {
            for folder in self.folders() {
                watcher.watch(&folder, RecursiveMode::Recursive)?;
            }
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => {
                self.watcher = None;
                tracing::warn!(%error, "the config folder cannot be watched; it is looked at every {POLL}");
            }
        }
    }

    fn folders(&self) -> Vec<PathBuf> {
        let folder = |p: &Path| p.parent().map(Path::to_owned).filter(|p| !p.as_os_str().is_empty());
        let mut folders: Vec<PathBuf> = folder(&self.path).into_iter().collect();
        folders.extend(std::fs::canonicalize(&self.path).ok().as_deref().and_then(folder));
        folders.retain(|f| f.is_dir());
        folders.dedup();
        folders
    }

    /// Returns when something may have changed; also every thirty seconds.
    pub async fn next(&mut self) {
        let event = tokio::time::timeout(POLL.to_std(), self.events.recv()).await;
        if event.is_ok() {
            let burst = async { while tokio::time::timeout(QUIET.to_std(), self.events.recv()).await.is_ok() {} };
            // Somebody may be writing without a pause.
            let _ = tokio::time::timeout(AT_MOST.to_std(), burst).await;
        }
        self.watch();
    }
}

/// Our own reading opens the files, too; only what writes matters.
fn matters(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}
