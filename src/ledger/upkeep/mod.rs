//! What is done to the files behind the writer's back: one thread that folds snapshots and packs sealed
//! segments. No append waits for it, and nothing depends on its being quick.
//!
//! It looks when there is something to do and it is quiet, or when it cannot be put off ([`pace`]).
//! Everything it writes takes its place by a rename; what a crash leaves the next start removes.

mod pace;
mod snapshots;

use crate::domain::clock::Clock;
use crate::domain::time::Span;
use crate::ledger::codec::Tip;
use crate::ledger::fold::MakeFold;
use crate::ledger::journal::{Journal, SealedError};
use crate::ledger::places::Places;
use crate::ledger::report::{Report, Reporter};
use pace::Pace;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

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
}

impl Inbox {
    pub fn new(clock: &dyn Clock, tip: Tip, snapshot: u64, segment_bytes: u64) -> Inbox {
        let pace = Pace::new(clock.read().boot, tip.seq, snapshot, segment_bytes);
        Inbox { state: Mutex::new(State { pace, stop: false, asked: false }), changed: Condvar::new() }
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

    /// Waits until there is something to do; `false`: it is over.
    fn wait(&self, clock: &dyn Clock) -> bool {
        let mut state = self.lock();
        loop {
            if state.stop {
                return false;
            }
            let wait = if state.asked { Some(Span::ZERO) } else { state.pace.wait(clock.read().boot) };
            state = match wait {
                Some(Span::ZERO) => {
                    state.asked = false;
                    return true;
                }
                Some(wait) => {
                    let waited = self.changed.wait_timeout(state, wait.to_std());
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// What the thread works on.
pub struct Setup {
    pub places: Places,
    pub journal: Arc<Journal>,
    pub fold: MakeFold,
    pub clock: Arc<dyn Clock>,
    pub report: Reporter,
    pub inbox: Arc<Inbox>,
}

/// The running thread.
pub struct Upkeep {
    inbox: Arc<Inbox>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Upkeep {
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(setup: Setup) -> io::Result<Upkeep> {
        let inbox = setup.inbox.clone();
        let thread = std::thread::Builder::new().name("upkeep".to_owned()).spawn(move || {
            let mut worker = Worker { setup, told: None };
            while worker.setup.inbox.wait(worker.setup.clock.as_ref()) {
                if catch_unwind(AssertUnwindSafe(|| worker.look())).is_err() {
                    worker.tell("looking after the ledger's files panicked (a bug in stentor)".to_owned());
                    worker.done(None);
                }
            }
        })?;
        Ok(Upkeep { inbox, thread: Mutex::new(Some(thread)) })
    }

    /// Looks now, as far as there is anything to do; does not wait for it.
    pub fn look(&self) {
        self.inbox.lock().asked = true;
        self.inbox.changed.notify_all();
    }

    /// Ends the thread, after the file that it is at.
    pub fn stop(&self) {
        self.inbox.lock().stop = true;
        self.inbox.changed.notify_all();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It catches its panics.
            let _ = thread.join();
        }
    }
}

struct Worker {
    setup: Setup,
    /// What was wrong last.
    told: Option<String>,
}

impl Worker {
    fn look(&mut self) {
        let body = self.snapshot();
        self.done(body);
        self.pack();
    }

    fn done(&self, body: Option<u64>) {
        let now = self.setup.clock.read().boot;
        let seq = self.setup.journal.durable().seq;
        self.setup.inbox.lock().pace.done(now, seq, body);
    }

    fn snapshot(&mut self) -> Option<u64> {
        let Setup { places, fold, journal, inbox, .. } = &self.setup;
        let folded = snapshots::fold_through(places, fold, journal.durable().seq, &|| inbox.stopping());
        let saved = folded.and_then(|folded| folded.map(|folded| snapshots::save(places, &folded)).transpose());
        match saved {
            Ok(length) => {
                self.told = None;
                length
            }
            Err(words) => {
                self.tell(format!("no snapshot was made, and a start reads more of the journal: {words}"));
                None
            }
        }
    }

    /// Packs what is sealed and not packed yet, the oldest first.
    fn pack(&mut self) {
        let sealed = match self.setup.journal.sealed() {
            Ok(sealed) => sealed,
            Err(error) => return self.tell(format!("the journal cannot be listed: {error}")),
        };
        for segment in sealed.iter().filter(|s| !s.is_packed()) {
            if self.setup.inbox.stopping() {
                return;
            }
            match segment.rewrite(&mut |_| None) {
                Ok(_) => {}
                Err(error @ SealedError::Damaged { .. }) => self.tell(error.to_string()),
                // Likely a full disk: what is not packed is as good, and the next look tries again.
                Err(error) => return tracing::warn!(%error, "a segment of the journal stays as large as it is"),
            }
        }
    }

    /// Damage is told once, not at each look.
    fn tell(&mut self, words: String) {
        if self.told.as_ref() != Some(&words) {
            (self.setup.report)(Report::Files { words: words.clone() });
            self.told = Some(words);
        }
    }
}
