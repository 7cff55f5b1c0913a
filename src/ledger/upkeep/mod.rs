//! What is done to the files behind the writer's back: one thread that folds snapshots, packs sealed
//! segments, and removes what is too old. No append waits for it, and nothing depends on its being quick.
//!
//! It looks when there is something to do and it is quiet, or when it cannot be put off ([`pace`]).
//! Everything it writes takes its place by a rename; what a crash leaves the next start removes.

pub mod erasure;
mod expiry;
mod pace;
mod snapshots;

use crate::domain::clock::Clock;
use crate::domain::time::Span;
use crate::ledger::codec::Tip;
use crate::ledger::journal::{Sealed, SealedError};
use crate::ledger::report::{Report, Reporter};
use crate::ledger::retention::{Erased, Expired, Retention, Select};
use erasure::Eraser;
use pace::Pace;
use snapshots::Unfolded;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

/// What the thread is told by others.
pub struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    pace: Pace,
    stop: bool,
    /// To look at once, whatever the pace.
    asked: bool,
    retention: Retention,
    /// When it is looked for what is too old.
    expiry_at: Span,
}

impl Inbox {
    pub fn new(clock: &dyn Clock, tip: Tip, snapshot: u64, look_bytes: u64) -> Inbox {
        let now = clock.read().boot;
        let pace = Pace::new(now, tip.seq, snapshot, look_bytes);
        let (retention, expiry_at) = (Retention::default(), now + FIRST_EXPIRY);
        Inbox {
            state: Mutex::new(State { pace, stop: false, asked: false, retention, expiry_at }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frames became durable.
    pub fn grew(&self, tip: Tip, bytes: usize) {
        if self.lock().pace.grew(tip.seq, bytes as u64) {
            self.changed.notify_all();
        }
    }

    fn stopping(&self) -> bool {
        self.lock().stop
    }

    /// Waits until there is something to do; `None`: it is over.
    fn wait(&self, clock: &dyn Clock) -> Option<Todo> {
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            let now = clock.read().boot;
            let asked = std::mem::take(&mut state.asked);
            let wait = state.pace.wait(now);
            let todo = Todo { files: asked || wait == Some(Span::ZERO), expiry: asked || state.expiry_at <= now };
            if todo.expiry {
                state.expiry_at = now + EXPIRY;
            }
            if todo.files || todo.expiry {
                return Some(todo);
            }
            let wait = wait.map_or(state.expiry_at - now, |wait| wait.min(state.expiry_at - now));
            state = self.changed.wait_timeout(state, wait.to_std()).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

struct Todo {
    files: bool,
    expiry: bool,
}

/// It is looked for what is too old this long after the start, and then each day.
const FIRST_EXPIRY: Span = Span::mins(10);
const EXPIRY: Span = Span::days(1);
/// At the end the thread may take this long.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the thread works on.
pub struct Setup {
    pub eraser: Eraser,
    pub clock: Arc<dyn Clock>,
    pub report: Reporter,
    pub inbox: Arc<Inbox>,
}

/// The running thread.
pub struct Upkeep {
    inbox: Arc<Inbox>,
    eraser: Arc<Eraser>,
    /// Held while whole segments are replaced or removed.
    hands: Arc<Mutex<()>>,
    ended: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Upkeep {
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(setup: Setup) -> io::Result<Upkeep> {
        let inbox = setup.inbox.clone();
        let hands = Arc::new(Mutex::new(()));
        let eraser = Arc::new(setup.eraser);
        let mut worker = Worker {
            eraser: eraser.clone(),
            clock: setup.clock,
            report: setup.report,
            inbox: inbox.clone(),
            hands: hands.clone(),
            told: None,
        };
        let (ending, ended) = mpsc::channel();
        std::thread::Builder::new().name("upkeep".to_owned()).spawn(move || {
            if worker.caught(Worker::resume) {
                while let Some(todo) = worker.inbox.wait(worker.clock.as_ref()) {
                    worker.caught(|worker| worker.look(&todo));
                }
            }
            // Nobody listens when the patience at the end was over.
            let _ = ending.send(());
        })?;
        Ok(Upkeep { inbox, eraser, hands, ended: Mutex::new(Some(ended)) })
    }

    /// Looks now, as far as there is anything to do; does not wait for it.
    pub fn look(&self) {
        self.inbox.lock().asked = true;
        self.inbox.changed.notify_all();
    }

    /// From now on; looked at within a day.
    pub fn retain(&self, retention: Retention) {
        self.inbox.lock().retention = retention;
    }

    /// Removes these texts from all that was written until now. Blocks, for long if the ledger is large.
    ///
    /// # Errors
    /// A sentence; what was begun is gone on with at the next start.
    pub fn erase(&self, select: &mut dyn Select, because: String) -> Result<Option<Erased>, String> {
        let _hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        if erasure::begun(&self.eraser.places).is_some() {
            return Err("another erasure is not finished yet".to_owned());
        }
        self.eraser.journal.seal()?;
        let stop = || self.inbox.stopping();
        let planned = self.eraser.plan(select, 0, because, &stop)?;
        if let Some(erased) = &planned {
            self.eraser.carry_out(erased, &stop)?;
        }
        Ok(planned)
    }

    /// Does something while no segment is replaced or removed.
    pub fn undisturbed<T>(&self, run: impl FnOnce() -> T) -> T {
        let _hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        run()
    }

    /// Ends the thread, after the file that it is at; one that hangs on its disk is left behind.
    pub fn stop(&self) {
        self.inbox.lock().stop = true;
        self.inbox.changed.notify_all();
        if let Some(ended) = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = ended.recv_timeout(FAREWELL);
        }
    }
}

struct Worker {
    eraser: Arc<Eraser>,
    clock: Arc<dyn Clock>,
    report: Reporter,
    inbox: Arc<Inbox>,
    hands: Arc<Mutex<()>>,
    /// What was wrong last.
    told: Option<String>,
}

impl Worker {
    /// Runs one thing; a panic in it is told. Always true, so that the thread goes on.
    fn caught(&mut self, run: impl FnOnce(&mut Worker)) -> bool {
        if catch_unwind(AssertUnwindSafe(|| run(self))).is_err() {
            self.tell("looking after the ledger's files panicked (a bug in stentor)".to_owned());
            self.done(None);
        }
        true
    }

    fn look(&mut self, todo: &Todo) {
        if todo.files {
            let body = self.snapshot();
            self.done(body);
            self.pack();
        }
        if todo.expiry {
            self.expire();
        }
    }

    fn done(&self, body: Option<u64>) {
        let now = self.clock.read().boot;
        let seq = self.eraser.journal.durable().seq;
        self.inbox.lock().pace.done(now, seq, body);
    }

    fn snapshot(&mut self) -> Option<u64> {
        let Eraser { places, fold, journal, .. } = self.eraser.as_ref();
        let folded = snapshots::fold_through(places, fold, journal.durable().seq, &|| self.inbox.stopping());
        let saved = folded.and_then(|folded| folded.map(|folded| snapshots::save(places, &folded)).transpose());
        match saved {
            Ok(length) => {
                self.told = None;
                length
            }
            Err(why) => {
                let words = format!("no snapshot was made, and a start reads more of the journal: {why}");
                match why {
                    Unfolded::Damaged(_) => self.tell(words),
                    // Likely a full disk, which is told elsewhere.
                    Unfolded::Passing(_) => tracing::warn!("{words}"),
                }
                None
            }
        }
    }

    /// Packs what is sealed and not packed yet, the oldest first.
    fn pack(&mut self) {
        let sealed = match self.eraser.journal.sealed() {
            Ok(sealed) => sealed,
            Err(error) => return tracing::warn!(%error, "the journal cannot be listed, and nothing is packed"),
        };
        for segment in sealed.iter().filter(|s| !s.is_packed()) {
            if self.inbox.stopping() {
                return;
            }
            let hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
            let packed = segment.rewrite(&mut |_| None);
            drop(hands);
            match packed {
                Ok(_) => {}
                Err(error @ SealedError::Damaged { .. }) => self.tell(error.to_string()),
                // Likely a full disk: what is not packed is as good, and the next look tries again.
                Err(error) => return tracing::warn!(%error, "a segment of the journal stays as large as it is"),
            }
        }
    }

    /// Goes on with an erasure that the last life did not finish, or did not record.
    fn resume(&mut self) {
        let hands = self.hands.clone();
        let _hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(erased) = erasure::begun(&self.eraser.places) {
            self.carry_out(erased);
        }
    }

    fn carry_out(&mut self, erased: Erased) {
        match self.eraser.carry_out(&erased, &|| self.inbox.stopping()) {
            Ok(()) => (self.report)(Report::Erased(erased)),
            Err(words) => tracing::error!(reason = %words, "texts that are to be erased are not yet"),
        }
    }

    /// Texts first, then whole segments.
    fn expire(&mut self) {
        let retention = self.inbox.lock().retention;
        if retention == Retention::default() {
            return;
        }
        let hands = self.hands.clone();
        let _hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(words) = self.expire_texts(&retention).and_then(|()| self.expire_heads(&retention)) {
            tracing::error!(reason = %words, "what is older than the retention says is kept for now");
        }
    }

    fn sealed(&self) -> Result<Vec<Sealed>, String> {
        self.eraser.journal.sealed().map_err(|e| format!("the journal cannot be listed: {e}"))
    }

    fn expire_texts(&mut self, retention: &Retention) -> Result<(), String> {
        let Eraser { places, journal, .. } = self.eraser.as_ref();
        let now = self.clock.read().wall;
        if journal.begun().is_some_and(|begun| now - begun > expiry::SEGMENT_AGE) {
            journal.seal()?;
        }
        let mut done = expiry::done(places);
        let due = expiry::due(retention, &self.sealed()?, journal.begun(), now, &done);
        // One after the other: the last one has to be recorded before.
        if due.is_empty() || erasure::begun(places).is_some() {
            return Ok(());
        }
        let from = due.keys().map(|kind| done.get(kind).copied().unwrap_or(0)).min().unwrap_or(0);
        let because = expiry::words(retention, &due);
        let stop = || self.inbox.stopping();
        let planned = self.eraser.plan(&mut Expired(due.clone()), from, because, &stop)?;
        if let Some(erased) = planned {
            self.carry_out(erased);
        }
        done.extend(due);
        expiry::save_done(&self.eraser.places, &done)
    }

    fn expire_heads(&mut self, retention: &Retention) -> Result<(), String> {
        let Some(age) = retention.audit else { return Ok(()) };
        let through = expiry::older_than(&self.sealed()?, self.eraser.journal.begun(), self.clock.read().wall - age);
        if through == 0 {
            return Ok(());
        }
        let through = self.eraser.forget(through, &|| self.inbox.stopping())?;
        if through == 0 {
            return Ok(());
        }
        (self.report)(Report::Forgotten { to_seq: through, because: format!("retention: audit {}", age.exact()) });
        Ok(())
    }

    /// Damage is told once, not at each look.
    fn tell(&mut self, words: String) {
        if self.told.as_ref() != Some(&words) {
            (self.report)(Report::Files { words: words.clone() });
            self.told = Some(words);
        }
    }
}
