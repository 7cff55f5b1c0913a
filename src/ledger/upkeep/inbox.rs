//! What the thread is told by others, and when there is something to do.

use super::pace::Pace;
use crate::domain::clock::Clock;
use crate::domain::failpoint;
use crate::domain::time::Span;
use crate::ledger::codec::Tip;
use crate::ledger::fold::Body;
use crate::ledger::retention::Retention;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// It is looked for what is too old this long after the start, and then each day.
const FIRST_EXPIRY: Span = Span::mins(10);
const EXPIRY: Span = Span::days(1);
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
    /// The last event that is on the disk, as far as is known here.
    durable: u64,
    /// How often something that the state had was erased.
    erased: u64,
    /// A state, until the frame that it is after is on the disk and there is time to write it.
    handed: Option<Handed>,
}

/// A state after a frame.
pub(super) struct Handed {
    pub tip: Tip,
    pub body: Body,
    erased: u64,
}

impl State {
    fn is_ready(&self) -> bool {
        self.handed.as_ref().is_some_and(|handed| handed.tip.seq <= self.durable)
    }
}

impl Inbox {
    pub fn new(clock: &dyn Clock, tip: Tip, snapshot: u64, look_bytes: u64) -> Inbox {
        let now = clock.read().boot;
        let pace = Pace::new(now, tip.seq, snapshot, look_bytes);
        let first = failpoint::expiry_ms().and_then(|ms| i64::try_from(ms).ok()).map_or(FIRST_EXPIRY, Span::millis);
        let (retention, expiry_at) = (Retention::default(), now + first);
        Inbox {
            state: Mutex::new(State {
                pace,
                stop: false,
                asked: false,
                retention,
                expiry_at,
                durable: tip.seq,
                erased: 0,
                handed: None,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frames became durable.
    pub fn grew(&self, tip: Tip, bytes: usize) {
        let mut state = self.lock();
        state.durable = state.durable.max(tip.seq);
        if state.pace.grew(tip.seq, bytes as u64) || state.is_ready() {
            self.changed.notify_all();
        }
    }

    /// The state after `tip`; the one that waited before is of no use any more.
    pub fn hand_over(&self, tip: Tip, body: Body, durable: u64) {
        let mut state = self.lock();
        state.durable = state.durable.max(durable);
        let erased = state.erased;
        let before = state.handed.replace(Handed { tip, body, erased });
        drop(state);
        // It may be large.
        drop(before);
        self.changed.notify_all();
    }

    /// What was erased is recorded, and the state has no more of it; what was handed over before may.
    pub fn erased(&self) {
        let mut state = self.lock();
        state.erased += 1;
        let handed = state.handed.take();
        drop(state);
        drop(handed);
    }

    /// Whether something was erased since.
    pub(super) fn is_stale(&self, handed: &Handed) -> bool {
        self.lock().erased != handed.erased
    }

    /// Looks now, whatever the pace.
    pub(super) fn ask(&self) {
        self.lock().asked = true;
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    pub(super) fn retain(&self, retention: Retention) {
        self.lock().retention = retention;
    }

    pub(super) fn retention(&self) -> Retention {
        self.lock().retention
    }

    /// Changes the pace.
    pub(super) fn pace(&self, change: impl FnOnce(&mut Pace)) {
        change(&mut self.lock().pace);
    }

    pub(super) fn stopping(&self) -> bool {
        self.lock().stop
    }

    /// Waits until there is something to do; `None`: it is over.
    pub(super) fn wait(&self, clock: &dyn Clock) -> Option<Todo> {
        let mut state = self.lock();
        loop {
            // Also at the end: the next start is quicker for it.
            if state.is_ready() {
                return Some(Todo { state: state.handed.take(), snapshot: false, files: false, expiry: false });
            }
            if state.stop {
                return None;
            }
            let now = clock.read().boot;
            let asked = std::mem::take(&mut state.asked);
            let wait = state.pace.wait(now);
            let (files, expiry) = (asked || wait == Some(Span::ZERO), asked || state.expiry_at <= now);
            let todo = Todo { state: None, snapshot: files && (asked || state.pace.wants_state()), files, expiry };
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

/// What there is to do.
pub(super) struct Todo {
    /// A state to write.
    pub state: Option<Handed>,
    /// A snapshot is wanted.
    pub snapshot: bool,
    /// What is sealed is to be packed.
    pub files: bool,
    pub expiry: bool,
}
