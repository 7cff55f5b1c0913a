//! Connections that are kept for a moment, by where they lead.

use crate::net::line::Line;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// An idle connection is used again within this time only: later it may be dead without our
/// knowing, and a request lost on it cannot be told from one that arrived.
const IDLE: Duration = Duration::from_secs(5);

/// Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// The last used at the end.
    lines: HashMap<String, Vec<(Line, Instant)>>,
    /// Somebody closes those that nobody wants.
    tended: bool,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was used last, if the far end still has it.
    pub async fn take(&self, place: &str) -> Option<Line> {
        loop {
            let (mut line, since) = self.lock().lines.get_mut(place)?.pop()?;
            if since.elapsed() < IDLE && line.is_free().await {
                return Some(line);
            }
        }
    }

    /// Keeps it, if another request can go over it.
    pub async fn keep(&self, place: &str, mut line: Line) {
        if !line.is_free().await {
            return;
        }
        let mut kept = self.lock();
        match kept.lines.get_mut(place) {
            Some(lines) => lines.push((line, Instant::now())),
            None => drop(kept.lines.insert(place.to_owned(), vec![(line, Instant::now())])),
        }
        if !std::mem::replace(&mut kept.tended, true) {
            tokio::spawn(self.clone().tend());
        }
    }

    /// Closes what was idle for too long; ends when nothing is left.
    async fn tend(self) {
        loop {
            tokio::time::sleep(IDLE).await;
            let mut kept = self.lock();
            kept.lines.retain(|_, lines| {
                lines.retain(|(_, since)| since.elapsed() < IDLE);
                !lines.is_empty()
            });
            if kept.lines.is_empty() {
                kept.tended = false;
                return;
            }
        }
    }
}
