//! What the history's thread is given: durable groups, questions, the word to stop.

use crate::ledger::codec::Tip;
use crate::ledger::extract::Group;
use crate::ledger::history::status::{HistoryError, Phase};
use crate::ledger::history::store::StoreError;
use crate::ledger::history::view::View;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Groups that wait for the thread are dropped beyond this; it reads them from the journal then.
pub const BOUND: usize = 64 << 20;
/// Questions that wait; more are refused.
const QUESTIONS: usize = 256;

/// A question: it answers whoever asked, and gives back what was wrong with the store.
pub type Question = Box<dyn FnOnce(Result<&View<'_>, HistoryError>) -> Option<StoreError> + Send>;

/// A history that is to take the place of the one that is open.
pub struct Replacement {
    pub fresh: PathBuf,
    pub reply: SyncSender<Result<(), String>>,
}

pub struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    groups: Vec<Group>,
    weight: usize,
    /// Events in `groups`, and how many of them wake the thread.
    events: u64,
    ripe: u64,
    questions: Vec<Question>,
    replacement: Option<Replacement>,
    stop: bool,
    fed: Tip,
    phase: Phase,
    applied: u64,
}

impl State {
    fn forget_groups(&mut self) -> Vec<Group> {
        (self.weight, self.events) = (0, 0);
        std::mem::take(&mut self.groups)
    }
}

/// What the thread takes at one wake.
pub struct Work {
    pub groups: Vec<Group>,
    pub questions: Vec<Question>,
    pub replacement: Option<Replacement>,
    pub stop: bool,
}

impl Inbox {
    /// `fed` is the last frame of the journal; `groups` of its end come with what belongs to them.
    pub fn new(fed: Tip, groups: Vec<Group>) -> Inbox {
        let state = State {
            weight: groups.iter().map(Group::weight).sum(),
            events: groups.iter().map(Group::events).sum(),
            ripe: 1,
            groups,
            questions: Vec::new(),
            replacement: None,
            stop: false,
            fed,
            phase: Phase::Opening,
            applied: 0,
        };
        Inbox { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a durable group; one that was there before is passed over.
    pub fn feed(&self, group: Group) {
        let mut state = self.lock();
        if group.tip.seq <= state.fed.seq {
            return;
        }
        if state.weight > BOUND {
            state.forget_groups();
        }
        state.fed = group.tip;
        state.weight += group.weight();
        state.events += group.events();
        state.groups.push(group);
        if state.events >= state.ripe {
            self.changed.notify_all();
        }
    }

    /// # Errors
    /// When it could not be answered now.
    pub fn ask(&self, question: Question) -> Result<(), HistoryError> {
        let mut state = self.lock();
        if state.stop {
            return Err(HistoryError::Stopped);
        }
        match &state.phase {
            Phase::Opening | Phase::Ready if state.questions.len() >= QUESTIONS => Err(HistoryError::Late),
            Phase::Opening | Phase::Ready => {
                state.questions.push(question);
                self.changed.notify_all();
                Ok(())
            }
            other => Err(HistoryError::not_ready(other)),
        }
    }

    /// An earlier one that was not taken yet is not taken.
    pub fn replace(&self, replacement: Replacement) {
        self.lock().replacement = Some(replacement);
        self.changed.notify_all();
    }

    pub fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    pub fn stopping(&self) -> bool {
        self.lock().stop
    }

    /// The last durable frame.
    pub fn fed(&self) -> Tip {
        self.lock().fed
    }

    pub fn phase(&self) -> Phase {
        self.lock().phase.clone()
    }

    pub fn applied(&self) -> u64 {
        self.lock().applied
    }

    pub fn show(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    pub fn show_applied(&self, seq: u64) {
        self.lock().applied = seq;
    }

    /// The groups that wait, and the last durable frame.
    pub fn take_groups(&self) -> (Vec<Group>, Tip) {
        let mut state = self.lock();
        (state.forget_groups(), state.fed)
    }

    /// Waits for work, at most `wait` (`None`: until there is some). Groups are waited for until they hold
    /// `ripe` events; a question or the word to stop ends the wait at once.
    pub fn take(&self, wait: Option<Duration>, ripe: u64) -> Work {
        let idle = |s: &mut State| s.events < s.ripe && s.questions.is_empty() && s.replacement.is_none() && !s.stop;
        let mut state = self.lock();
        state.ripe = ripe;
        let mut state = match wait {
            None => self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
            Some(wait) => self.changed.wait_timeout_while(state, wait, idle).unwrap_or_else(PoisonError::into_inner).0,
        };
        Work {
            groups: state.forget_groups(),
            questions: std::mem::take(&mut state.questions),
            replacement: state.replacement.take(),
            stop: state.stop,
        }
    }
}
