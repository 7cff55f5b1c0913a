//! Notices that the config may have changed: inotify on its folder, a look every thirty seconds in
//! case no event came, and what others ask for. It only says "maybe"; the reload compares.

use crate::config::folders_of;
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

    /// The folder of the file, those in it that belong to the config, and where a link leads: the folder may be replaced,
    /// so it is watched anew after each look.
    fn watch(&mut self) {
        let sender = self.sender.clone();
        let tell = move |event: notify::Result<Event>| {
            if event.map_or(true, |e| matters(&e.kind)) {
                let _ = sender.try_send(());
            }
        };
        // Not what lies below: it may be closed to us, and it may be everything.
        let watcher = notify::recommended_watcher(tell).and_then(|mut watcher| {
            for folder in self.folders() {
                watcher.watch(&folder, RecursiveMode::NonRecursive)?;
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
        folders.dedup();
        let main = self.path.file_name().unwrap_or_default();
        let parts: Vec<PathBuf> = folders.iter().flat_map(|f| folders_of(&f.join(main)).collect::<Vec<_>>()).collect();
        folders.extend(parts);
        folders.retain(|f| f.is_dir());
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    /// Whether it is noticed, long before a look at the files would have come.
    async fn is_noticed(changes: &mut Changes, change: impl FnOnce()) -> bool {
        while changes.events.try_recv().is_ok() {}
        change();
        tokio::time::timeout(POLL.to_std() / 2, changes.events.recv()).await.is_ok()
    }

    #[tokio::test]
    async fn f54_the_file_and_conf_d_are_watched_and_nothing_below() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("stentor.toml");
        fs::write(&file, "").unwrap();
        fs::create_dir(dir.path().join("conf.d")).unwrap();
        fs::create_dir(dir.path().join("secrets")).unwrap();
        let mut changes = Changes::of(&file);
        assert!(is_noticed(&mut changes, || fs::write(&file, "a = 1").unwrap()).await);
        assert!(is_noticed(&mut changes, || fs::write(dir.path().join("conf.d/1.toml"), "").unwrap()).await);
        assert_eq!(changes.folders(), [dir.path().to_owned(), dir.path().join("conf.d")]);
    }

    #[tokio::test]
    async fn f54_the_texts_of_templates_are_watched() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("stentor.toml");
        fs::write(&file, "").unwrap();
        fs::create_dir(dir.path().join("templates")).unwrap();
        let mut changes = Changes::of(&file);
        assert!(is_noticed(&mut changes, || fs::write(dir.path().join("templates/a.sms.txt"), "x").unwrap()).await);
    }

    #[tokio::test]
    async fn f54_a_new_conf_d_is_watched_after_the_next_look() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("stentor.toml");
        fs::write(&file, "").unwrap();
        let mut changes = Changes::of(&file);
        fs::create_dir(dir.path().join("conf.d")).unwrap();
        changes.next().await;
        assert!(is_noticed(&mut changes, || fs::write(dir.path().join("conf.d/1.toml"), "").unwrap()).await);
    }

    #[tokio::test(start_paused = true)]
    async fn f53_a_file_that_is_being_written_is_looked_at_when_it_has_been_quiet() {
        let dir = tempfile::tempdir().unwrap();
        let mut changes = Changes::of(&dir.path().join("nothing/stentor.toml"));
        let sender = changes.sender.clone();
        let begun = tokio::time::Instant::now();
        let writing = tokio::spawn(async move {
            for _ in 0..5 {
                tokio::time::sleep(Span::millis(250).to_std()).await;
                sender.send(()).await.unwrap();
            }
        });
        changes.next().await;
        assert_eq!(begun.elapsed(), Span::millis(5 * 250 + 300).to_std());
        writing.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn f54_without_an_event_it_is_looked_at_every_thirty_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let mut changes = Changes::of(&dir.path().join("nothing/stentor.toml"));
        for n in 1..4 {
            let begun = tokio::time::Instant::now();
            changes.next().await;
            assert_eq!(begun.elapsed(), Span::secs(30).to_std(), "look {n}");
        }
    }
}
