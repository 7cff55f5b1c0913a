//! The history: the ledger as it is read, queried and counted. It trails the journal and can be made
//! again from it at any time; no alarm ever waits for it.
//!
//! One thread owns the store. Questions go to it and are answered from the store and what is not
//! in it yet, together; while it is made again they get "rebuilding".

mod aside;
mod catch_up;
pub mod documents;
pub mod entry;
mod inbox;
mod pace;
pub mod query;
mod start;
mod status;
pub mod store;
mod tail;
#[cfg(test)]
mod tests;
pub mod view;
mod worker;

pub use aside::move_aside;
pub use documents::{DocumentQuery, Documents, Shortened};
pub use entry::Entry;
pub use query::{EntryQuery, Page};
pub use start::Start;
pub use status::{HistoryError, Phase};
pub use store::StoreError;
pub use store::rollup::{Charges, Tallies, Tally};
pub use view::Stats;

use crate::domain::clock::Clock;
use crate::domain::id::Ending;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::codec::Tip;
use crate::ledger::extract::{DocumentKind, Group};
use crate::ledger::history::inbox::{Inbox, Replacement};
use crate::ledger::history::view::View;
use crate::ledger::history::worker::Worker;
use crate::ledger::report::Report;
use std::io;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use ulid::Ulid;

/// A question is given up after this long.
const PATIENCE: Duration = Duration::from_secs(5);
/// A query that has searched for this long gives the page it has.
const SEARCH: Span = Span::secs(1);
/// Closing the old store and opening the new one may take this long.
const SWAP: Duration = Duration::from_secs(60);
/// At the end the thread may take this long; then it is left behind.
const FAREWELL: Duration = Duration::from_secs(5);

/// Makes the whole history in `start.dir`, which must be empty, on the calling thread.
///
/// # Errors
/// When the journal cannot be read, or the store not be written.
pub fn build(start: &Start) -> Result<Tip, StoreError> {
    build_through(start, u64::MAX, &|| false)
}

/// The same up to an event, while the journal is written on; half of it when `stop` says so.
///
/// # Errors
/// As above.
pub fn build_through(start: &Start, target: u64, stop: &dyn Fn() -> bool) -> Result<Tip, StoreError> {
    let inbox = Inbox::new(Tip::default(), Vec::new());
    let mut store = store::Store::open(&start.dir)?;
    let catch_up = catch_up::CatchUp { start, inbox: &inbox, target, check: false, stop };
    catch_up.run(&mut store)?;
    store.flush()?;
    let applied = store.applied();
    store.close();
    Ok(applied)
}

/// The running history.
pub struct History {
    inbox: Arc<Inbox>,
    clock: Arc<dyn Clock>,
    ended: Mutex<Option<mpsc::Receiver<()>>>,
    off: bool,
}

const OFF: &str = "safe mode: the history is not opened; it is back after a restart";

impl History {
    /// Starts the thread, which opens the store. `tip` is the journal's last frame; `groups` are
    /// those of its end whose extracts are known.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(start: Start, tip: Tip, groups: Vec<Group>) -> io::Result<History> {
        let inbox = Arc::new(Inbox::new(tip, groups));
        let clock = start.clock.clone();
        let (report, shown) = (start.report.clone(), inbox.clone());
        let worker = Worker::new(start, inbox.clone(), tip);
        let (ending, ended) = mpsc::channel();
        std::thread::Builder::new().name("history".to_owned()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
                let words = "the history's thread panicked; it is back after a restart".to_owned();
                shown.show(Phase::Unavailable(words.clone()));
                report(Report::History { words, well: false });
            }
            // Nobody listens when the patience at the end was over.
            let _ = ending.send(());
        })?;
        Ok(History { inbox, clock, ended: Mutex::new(Some(ended)), off: false })
    }

    /// In safe mode: it is not opened at all, and says so to whoever asks.
    pub fn off(clock: Arc<dyn Clock>, tip: Tip) -> History {
        let inbox = Arc::new(Inbox::new(tip, Vec::new()));
        inbox.show(Phase::Unavailable(OFF.to_owned()));
        History { inbox, clock, ended: Mutex::new(None), off: true }
    }

    /// Takes a group that is durable.
    pub fn feed(&self, group: Group) {
        if !self.off {
            self.inbox.feed(group);
        }
    }

    pub fn phase(&self) -> Phase {
        self.inbox.phase()
    }

    /// The last event that the store has. It is read with those after it, which are in memory.
    pub fn applied_seq(&self) -> u64 {
        self.inbox.applied()
    }

    /// A page of entries.
    ///
    /// # Errors
    /// See [`HistoryError`]; so for all of these.
    pub async fn entries(&self, query: EntryQuery) -> Result<Page, HistoryError> {
        let clock = self.clock.clone();
        self.ask(move |view| {
            let until = clock.read().boot + SEARCH;
            query::entries(view, &query, &|| clock.read().boot > until)
        })
        .await
    }

    /// The JSON of a notification or incident that ended.
    ///
    /// # Errors
    /// As above.
    pub async fn document(&self, kind: DocumentKind, id: Ulid) -> Result<Option<String>, HistoryError> {
        self.ask(move |view| view.document(kind, id)).await
    }

    /// The JSON of the incident with this number, if it ended.
    ///
    /// # Errors
    /// As above.
    pub async fn incident(&self, number: u64) -> Result<Option<String>, HistoryError> {
        self.ask(move |view| match view.incident_numbered(number)? {
            Some(id) => view.document(DocumentKind::Incident, id),
            None => Ok(None),
        })
        .await
    }

    /// The JSON of the notification that a delivery belongs to, if that ended.
    ///
    /// # Errors
    /// As above.
    pub async fn notification_of(&self, delivery: Ulid) -> Result<Option<String>, HistoryError> {
        self.ask(move |view| match view.owner_of(delivery)? {
            Some(id) => view.document(DocumentKind::Notification, id),
            None => Ok(None),
        })
        .await
    }

    /// Which one's id ends so, if it is the only one of those in the history.
    ///
    /// # Errors
    /// As above.
    pub async fn ending(&self, of: Shortened, ending: Ending) -> Result<Option<Ulid>, HistoryError> {
        self.ask(move |view| documents::ending(view, of, ending)).await
    }

    /// A page of documents.
    ///
    /// # Errors
    /// As above.
    pub async fn documents(&self, query: DocumentQuery) -> Result<Documents, HistoryError> {
        self.ask(move |view| documents::find(view, &query)).await
    }

    /// Counters from the hour of `since` to the hour of `until`.
    ///
    /// # Errors
    /// As above.
    pub async fn stats(&self, since: Timestamp, until: Timestamp) -> Result<Stats, HistoryError> {
        self.ask(move |view| view.stats(since, until)).await
    }

    /// What was spent on these days, the last one included.
    ///
    /// # Errors
    /// As above.
    pub async fn charges(&self, days: RangeInclusive<String>) -> Result<Charges, HistoryError> {
        self.ask(move |view| view.charges(&days)).await
    }

    /// For threads that may wait: the frames of the block with event `seq` or the first after it.
    ///
    /// # Errors
    /// As above.
    pub fn block_from(&self, seq: u64) -> Result<Option<Vec<u8>>, HistoryError> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.put(move |view| view::block_from(view.store, seq), move |result| drop(reply.send(result)))?;
        answer.recv_timeout(PATIENCE).map_err(|_| HistoryError::Late)?
    }

    /// Takes this history, of the same journal, in place of its own; blocks until it has.
    ///
    /// # Errors
    /// A sentence; the old one is made again where it is lost.
    pub fn replace_by(&self, fresh: &Path) -> Result<(), String> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.inbox.replace(Replacement { fresh: fresh.to_owned(), reply });
        answer.recv_timeout(SWAP).map_err(|_| "the history did not take the new one in time".to_owned())?
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&View<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.put(question, move |result| drop(reply.send(result)))?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(HistoryError::Stopped),
            Err(_) => Err(HistoryError::Late),
        }
    }

    fn put<T: 'static>(
        &self,
        question: impl FnOnce(&View<'_>) -> Result<T, StoreError> + Send + 'static,
        reply: impl FnOnce(Result<T, HistoryError>) + Send + 'static,
    ) -> Result<(), HistoryError> {
        if self.off {
            return Err(HistoryError::Unavailable(OFF.to_owned()));
        }
        self.inbox.ask(Box::new(move |view| match view.map(question) {
            Ok(Ok(answer)) => {
                reply(Ok(answer));
                None
            }
            Ok(Err(error)) => {
                reply(Err(HistoryError::Unavailable(error.to_string())));
                Some(error)
            }
            Err(error) => {
                reply(Err(error));
                None
            }
        }))
    }

    /// Applies what waits, flushes and closes; a store that hangs is left behind after five seconds.
    pub fn stop(&self) {
        self.inbox.stop();
        if let Some(ended) = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = ended.recv_timeout(FAREWELL);
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.inbox.stop();
    }
}
