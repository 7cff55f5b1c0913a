//! The thread that owns the store: trails the journal, answers, and makes the store again when it
//! is damaged, missing, of another journal, or too far behind.

use crate::domain::time::Span;
use crate::ledger::codec::Tip;
use crate::ledger::extract::Group;
use crate::ledger::history::aside;
use crate::ledger::history::catch_up::{CatchUp, Ended};
use crate::ledger::history::inbox::{BOUND, Inbox, Question, Replacement};
use crate::ledger::history::pace::Pace;
use crate::ledger::history::start::Start;
use crate::ledger::history::status::{HistoryError, Phase};
use crate::ledger::history::store::{Store, StoreError};
use crate::ledger::history::tail::Tail;
use crate::ledger::history::view::View;
use crate::ledger::report::Report;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// So many bytes are applied at once, about; between two slices questions are answered.
const SLICE: usize = 1 << 20;
/// In a rush so many events are worth a look.
const LOOK: u64 = 10_000;
/// What is applied is flushed after this long at the latest.
const FLUSH: Span = Span::secs(1);
const FIRST_PAUSE: Span = Span::secs(1);
const LONGEST_PAUSE: Span = Span::mins(1);

pub(super) struct Worker {
    start: Start,
    inbox: Arc<Inbox>,
    tail: Tail,
    home: Home,
    /// When the tail is to be applied.
    pace: Pace,
    /// When the store is to be flushed (time since boot).
    flush_due: Option<Span>,
    pause: Span,
    /// Groups between the store and the tail were dropped: they have to be read from the journal.
    hole: bool,
    /// The last thing told about the history was bad.
    told_bad: bool,
    /// Where the journal ended when this life began, until the store was held against it. What this life writes would hide
    /// that something is missing there.
    found: Option<Tip>,
}

enum Home {
    /// To be opened then; `fresh` when nothing is expected there.
    Closed {
        at: Span,
        fresh: bool,
    },
    Open(Store),
}

impl Worker {
    pub fn new(start: Start, inbox: Arc<Inbox>, found: Tip) -> Worker {
        Worker {
            home: Home::Closed { at: Span::ZERO, fresh: false },
            start,
            inbox,
            tail: Tail::default(),
            pace: Pace::default(),
            flush_due: None,
            pause: FIRST_PAUSE,
            hole: false,
            told_bad: false,
            found: Some(found),
        }
    }

    pub fn run(mut self) {
        loop {
            let work = self.inbox.take(self.wait(), self.ripe());
            for group in work.groups {
                self.take_in(group);
            }
            self.open();
            if let Some(Replacement { fresh, reply }) = work.replacement {
                // Who asked may have lost patience.
                let _ = reply.send(self.replace(&fresh));
            }
            self.apply(work.stop);
            self.answer(work.questions);
            self.flush(work.stop);
            if work.stop {
                break;
            }
        }
        self.close();
    }

    fn now(&self) -> Span {
        self.start.clock.read().boot
    }

    /// Until the next thing is due.
    fn wait(&self) -> Option<std::time::Duration> {
        let open_due = match &self.home {
            Home::Closed { at, .. } => Some(*at),
            Home::Open(_) => None,
        };
        let due = [self.pace.due(), self.flush_due, open_due].into_iter().flatten().min()?;
        Some((due - self.now()).to_std())
    }

    /// How many events are worth waking up for. Once it is known when to apply, each group would only
    /// be put aside.
    fn ripe(&self) -> u64 {
        self.pace.due().map_or(1, |_| LOOK)
    }

    fn take_in(&mut self, group: Group) {
        let applied = self.applied();
        let follows = self.tail.last().or(applied).is_none_or(|last| group.first <= last + 1);
        if !follows || self.tail.weight() > BOUND {
            self.tail.clear();
            self.hole = true;
        }
        let last = group.tip.seq;
        self.tail.push(group);
        if applied.is_some() {
            self.pace.came(self.now(), last);
        }
    }

    /// Opens the store if it is time, and brings it to where the tail begins.
    fn open(&mut self) {
        while let Home::Closed { at, fresh } = self.home {
            if at > self.now() {
                return;
            }
            match Store::open(&self.start.dir).and_then(|store| self.bring_up(store, fresh)) {
                Ok(Some(store)) => {
                    self.home = Home::Open(store);
                    self.ready();
                }
                Ok(None) => self.home = Home::Closed { at: self.now() + LONGEST_PAUSE, fresh },
                Err(error) => self.fail(error, fresh),
            }
        }
    }

    /// `None` when it was stopped underway.
    fn bring_up(&mut self, mut store: Store, fresh: bool) -> Result<Option<Store>, StoreError> {
        self.inbox.show_applied(store.applied().seq);
        loop {
            let (groups, fed) = self.inbox.take_groups();
            groups.into_iter().for_each(|group| self.take_in(group));
            self.hole = false;
            if let Some(found) = self.found.take() {
                self.check_place(&store, found)?;
            }
            self.check_place(&store, fed)?;
            self.tail.forget(store.applied());
            let target = self.tail.first().map_or(fed.seq, |first| first - 1);
            let before = store.applied().seq;
            if before >= target {
                return Ok(Some(store));
            }
            let stop = || self.inbox.stopping();
            let catch_up = CatchUp { start: &self.start, inbox: &self.inbox, target, check: !fresh, stop: &stop };
            match catch_up.run(&mut store)? {
                Ended::Stopped => {
                    store.close();
                    return Ok(None);
                }
                // The journal has nothing (more) there; what it lost is reported by those who read it.
                Ended::Reached if store.applied().seq == before => return Ok(Some(store)),
                Ended::Reached => {}
            }
        }
    }

    /// A store that is ahead of the journal, or whose last event is another one, is of no use.
    fn check_place(&self, store: &Store, fed: Tip) -> Result<(), StoreError> {
        let applied = store.applied();
        let wrong = |words: String| Err(StoreError::Damaged(words));
        if applied.seq > fed.seq {
            let words = format!("it holds {} events, the journal ends at {}", applied.seq, fed.seq);
            let lost = format!("the journal may have lost its end: the history set aside says that {words}");
            (self.start.report)(Report::Files { words: lost });
            return wrong(words);
        }
        if applied.seq == fed.seq && applied.hash != fed.hash {
            return wrong(format!("its event {} is not the journal's", applied.seq));
        }
        let follows = self.tail.first_frame().filter(|f| f.seq == applied.seq + 1);
        if follows.is_some_and(|f| f.chained(&applied.hash) != f.hash) {
            return wrong(format!("its event {} is not the journal's", applied.seq));
        }
        Ok(())
    }

    fn ready(&mut self) {
        self.pause = FIRST_PAUSE;
        self.inbox.show(Phase::Ready);
        if !self.tail.is_empty() {
            self.pace.hurry(self.now(), self.tail.last().unwrap_or(0));
        }
        if std::mem::take(&mut self.told_bad) {
            (self.start.report)(Report::History { words: "the history is whole again".to_owned(), well: true });
        }
    }

    /// Sets the store aside, or waits; a fresh one that fails at once is not worth another try now.
    fn fail(&mut self, error: StoreError, fresh: bool) {
        self.pace.stop();
        self.flush_due = None;
        let now = self.now();
        let (words, at, fresh) = match error {
            StoreError::Damaged(words) if !fresh => match aside::move_aside(&self.start.dir) {
                Ok(()) => (format!("the history is made again from the journal: {words}"), now, true),
                Err(e) => (format!("the damaged history cannot be moved aside: {e}"), now + self.pause, false),
            },
            StoreError::Damaged(words) | StoreError::Unavailable(words) => {
                (format!("the history cannot be used: {words}"), now + self.pause, false)
            }
        };
        if at > now {
            self.pause = self.pause.times(2).min(LONGEST_PAUSE);
            self.inbox.show(Phase::Unavailable(words.clone()));
        } else {
            self.inbox.show(Phase::Rebuilding { applied: 0, of: self.inbox.fed().seq });
        }
        self.home = Home::Closed { at, fresh };
        if !std::mem::replace(&mut self.told_bad, true) || fresh {
            (self.start.report)(Report::History { words, well: false });
        }
    }

    /// Runs something on the open store; what fails closes it.
    fn with_store(&mut self, run: impl FnOnce(&mut Store, &mut Tail) -> Result<(), StoreError>) {
        let Home::Open(store) = &mut self.home else { return };
        let Err(error) = run(store, &mut self.tail) else { return };
        self.close();
        self.fail(error, false);
        self.open();
    }

    fn close(&mut self) {
        let closed = Home::Closed { at: Span::ZERO, fresh: false };
        if let Home::Open(store) = std::mem::replace(&mut self.home, closed) {
            store.close();
        }
    }

    /// Opens another history in the place of this one. A crash in between leaves none, and it is made
    /// again from the journal.
    fn replace(&mut self, fresh: &Path) -> Result<(), String> {
        self.close();
        let words = |e: io::Error| format!("the new history cannot take its place: {e}");
        let removed = match std::fs::remove_dir_all(&self.start.dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        let swapped = removed.and_then(|()| std::fs::rename(fresh, &self.start.dir)).map_err(words);
        self.open();
        swapped
    }

    /// What was dropped is read from the journal.
    fn fill_hole(&mut self) {
        if std::mem::take(&mut self.hole) {
            self.reopen();
        }
    }

    fn reopen(&mut self) {
        self.close();
        self.open();
    }

    fn apply(&mut self, stopping: bool) {
        if stopping {
            while self.apply_slice() {}
        } else if self.pace.is_due(self.now(), self.tail.last().unwrap_or(0), self.tail.weight()) {
            self.apply_slice();
        }
    }

    /// Applies the beginning of the tail; whether there is more, and it went well.
    fn apply_slice(&mut self) -> bool {
        if self.tail.is_empty() {
            self.pace.stop();
            return false;
        }
        self.fill_hole();
        let before = self.applied();
        self.with_store(|store, tail| {
            tail.forget(store.applied());
            store.apply(tail.slice(SLICE))?;
            tail.forget(store.applied());
            Ok(())
        });
        let Home::Open(store) = &self.home else { return false };
        self.inbox.show_applied(store.applied().seq);
        if store.dirty() {
            self.flush_due = self.flush_due.or(Some(self.now() + FLUSH));
        }
        self.pace.applied(self.now(), self.tail.weight());
        !self.tail.is_empty() && self.applied() > before
    }

    /// The last event in the store, if that is open.
    fn applied(&self) -> Option<u64> {
        match &self.home {
            Home::Open(store) => Some(store.applied().seq),
            Home::Closed { .. } => None,
        }
    }

    fn flush(&mut self, stopping: bool) {
        if stopping || self.flush_due.is_some_and(|due| due <= self.now()) {
            self.flush_due = None;
            self.with_store(|store, _| if store.dirty() { store.flush() } else { Ok(()) });
        }
    }

    fn answer(&mut self, questions: Vec<Question>) {
        // An answer that leaves something out is worse than none.
        if !questions.is_empty() {
            self.fill_hole();
        }
        for question in questions {
            match &self.home {
                Home::Open(_) => self.with_store(|store, tail| {
                    let view = View { store, tail };
                    question(Ok(&view)).map_or(Ok(()), Err)
                }),
                Home::Closed { .. } => {
                    question(Err(HistoryError::not_ready(&self.inbox.phase())));
                }
            }
        }
    }
}
