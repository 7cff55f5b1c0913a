//! What is done to the files behind the writer's back: one thread that writes snapshots, packs sealed
//! segments, and removes what is too old. No append waits for it, and nothing depends on its being quick.
//!
//! It looks when there is something to do and it is quiet, or when it cannot be put off ([`pace`]).
//! Everything it writes takes its place by a rename; what a crash leaves the next start removes.

pub mod erasure;
mod expiry;
mod forgetting;
mod inbox;
mod pace;
mod snapshots;

use crate::domain::clock::Clock;
use crate::domain::failpoint::{self, Point};
use crate::ledger::codec::Tip;
use crate::ledger::fold::Body;
use crate::ledger::journal::{Sealed, SealedError};
use crate::ledger::places::Places;
use crate::ledger::report::{Report, Reporter};
use crate::ledger::retention::{Erased, Expired, Retention, Select, TextKind};
use crate::ledger::snapshot;
use erasure::Eraser;
pub use forgetting::done as forgotten;
pub use inbox::Inbox;
use inbox::{Handed, Todo};
use pace::Pace;
use snapshots::Unfolded;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// At the end the thread may take this long.
const FAREWELL: Duration = Duration::from_secs(5);
/// Different damage that is remembered as told.
const TOLD: usize = 1_000;

/// What the thread works on.
pub struct Setup {
    pub eraser: Eraser,
    pub clock: Arc<dyn Clock>,
    pub report: Reporter,
    pub inbox: Arc<Inbox>,
    /// See [`Options::handed`](crate::ledger::Options::handed).
    pub handed: bool,
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
            handed: setup.handed,
            told: BTreeSet::new(),
        };
        let (ending, ended) = mpsc::channel();
        std::thread::Builder::new().name("upkeep".to_owned()).spawn(move || {
            if worker.caught(Worker::resume) {
                while let Some(todo) = worker.inbox.wait(worker.clock.as_ref()) {
                    worker.caught(|worker| worker.look(todo));
                }
            }
            // Nobody listens when the patience at the end was over.
            let _ = ending.send(());
        })?;
        Ok(Upkeep { inbox, eraser, hands, ended: Mutex::new(Some(ended)) })
    }

    /// See [`Inbox::hand_over`].
    pub fn hand_over(&self, tip: Tip, body: Body, durable: u64) {
        self.inbox.hand_over(tip, body, durable);
    }

    /// See [`Inbox::erased`].
    pub fn erased(&self) {
        self.inbox.erased();
    }

    /// Looks now, as far as there is anything to do; does not wait for it.
    pub fn look(&self) {
        self.inbox.ask();
    }

    /// From now on; looked at within a day.
    pub fn retain(&self, retention: Retention) {
        self.inbox.retain(retention);
    }

    /// Removes these texts from all that was written until now. Blocks, for long if the ledger is large.
    ///
    /// # Errors
    /// A sentence; what was begun is gone on with at the next daily look, and at a start.
    pub fn erase(&self, select: &mut dyn Select, because: String) -> Result<Option<Erased>, String> {
        let _hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        if erasure::begun(&self.eraser.places).is_some() {
            return Err("another erasure is not finished yet".to_owned());
        }
        self.eraser.journal.seal()?;
        self.eraser.mend()?;
        let stop = || self.inbox.stopping();
        let planned = self.eraser.plan(select, 0, because, &stop)?;
        if let Some(erased) = &planned {
            self.eraser.carry_out(erased, &stop).inspect_err(|words| {
                tracing::error!(reason = %words, "texts that are to be erased are not yet; tried again within a day");
            })?;
            failpoint::reached(Point::EraseDone);
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
        self.inbox.stop();
        if let Some(ended) = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = ended.recv_timeout(FAREWELL);
        }
    }
}

/// Between which events texts are being removed, which is not recorded yet.
pub fn erasing(places: &Places) -> Option<RangeInclusive<u64>> {
    erasure::begun(places).map(|erased| erased.from_seq..=erased.to_seq)
}

struct Worker {
    eraser: Arc<Eraser>,
    clock: Arc<dyn Clock>,
    report: Reporter,
    inbox: Arc<Inbox>,
    hands: Arc<Mutex<()>>,
    handed: bool,
    /// What was wrong last.
    told: BTreeSet<String>,
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

    fn look(&mut self, todo: Todo) {
        if let Some(handed) = todo.state {
            self.keep(handed);
        }
        if todo.snapshot {
            let body = self.snapshot();
            self.done(body);
        }
        if todo.files {
            self.inbox.pace(Pace::looked);
            self.pack();
        }
        if todo.expiry {
            self.erase_on();
            self.expire();
        }
    }

    fn done(&self, body: Option<u64>) {
        let now = self.clock.read().boot;
        let seq = self.eraser.journal.durable().seq;
        self.inbox.pace(|pace| pace.done(now, seq, body));
    }

    /// Writes a state that was handed over.
    fn keep(&mut self, handed: Handed) {
        let hands = self.hands.clone();
        let _hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
        // It may hold what is being erased, or was meanwhile; in this order, see `Ledger::recorded`.
        if erasure::begun(&self.eraser.places).is_some() {
            return tracing::warn!(
                "no snapshot is made before an erasure has ended, and a start reads more of the journal"
            );
        }
        if self.inbox.is_stale(&handed) {
            return;
        }
        let (tip, mut body) = (handed.tip, Some(handed.body));
        let mut write = |out: &mut dyn Write| body.take().map_or(Ok(()), |body| body(out));
        match snapshot::save_from(&self.eraser.places.snapshots, tip, &mut write) {
            Ok(length) => self.inbox.pace(|pace| pace.wrote(length)),
            // Likely a full disk, which is told elsewhere.
            Err(error) => tracing::warn!(%error, "no snapshot was made, and a start reads more of the journal"),
        }
    }

    /// Asks for the state, or folds it here; gives the length of what was written.
    fn snapshot(&mut self) -> Option<u64> {
        if self.handed {
            (self.report)(Report::StateWanted);
            return None;
        }
        let Eraser { places, fold, journal, .. } = self.eraser.as_ref();
        let folded = snapshots::fold_through(places, fold, journal.durable().seq, &|| self.inbox.stopping());
        let saved = folded.and_then(|folded| folded.map(|mut folded| snapshots::save(places, &mut folded)).transpose());
        match saved {
            Ok(length) => {
                self.told.clear();
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
        if let Some(words) = missing(&sealed) {
            self.tell(words);
        }
        for segment in sealed.iter().filter(|s| !s.is_packed()) {
            if self.inbox.stopping() {
                return;
            }
            let hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
            let packed = segment.pack();
            drop(hands);
            match packed {
                Ok(_) => failpoint::reached(Point::PackDone),
                Err(error @ SealedError::Damaged { .. }) => self.tell(error.to_string()),
                // Likely a full disk: what is not packed is as good, and the next look tries again.
                Err(error) => return tracing::warn!(%error, "a segment of the journal stays as large as it is"),
            }
        }
    }

    /// Goes on with what the last life did not finish, or did not record.
    fn resume(&mut self) {
        self.erase_on();
        let hands = self.hands.clone();
        let _hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(words) = self.forget_on() {
            tracing::error!(reason = %words, "what is to be forgotten is not yet");
        }
    }

    /// What failed on the way, or whose record was refused, would else stop snapshots and retention until a restart.
    fn erase_on(&mut self) {
        let hands = self.hands.clone();
        let _hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(erased) = erasure::begun(&self.eraser.places) {
            self.carry_out(erased);
        }
    }

    fn forget_on(&mut self) -> Result<(), String> {
        if let Some(to_seq) = self.eraser.forget_on(&|| self.inbox.stopping())? {
            failpoint::reached(Point::ForgetDone);
            (self.report)(Report::Forgotten { to_seq, because: "the journal begins there".to_owned() });
        }
        Ok(())
    }

    fn carry_out(&mut self, erased: Erased) {
        match self.eraser.carry_out(&erased, &|| self.inbox.stopping()) {
            Ok(()) => {
                failpoint::reached(Point::EraseDone);
                (self.report)(Report::Erased(erased));
            }
            Err(words) => tracing::error!(reason = %words, "texts that are to be erased are not yet"),
        }
    }

    /// Texts first, then whole segments; a damaged segment, which stops the one, may be old enough for the other.
    fn expire(&mut self) {
        let retention = self.inbox.retention();
        if retention == Retention::default() || !expiry::believes(&self.eraser.places, self.clock.read().wall) {
            return;
        }
        let hands = self.hands.clone();
        let _hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = self.expire_texts(&retention);
        let heads = self.expire_heads(&retention);
        for words in [texts, heads].into_iter().filter_map(Result::err) {
            tracing::error!(reason = %words, "what is older than the retention says is kept for now");
            if words != erasure::STOPPED {
                self.tell(format!("what is older than the retention says is kept for now: {words}"));
            }
        }
    }

    fn expire_texts(&mut self, retention: &Retention) -> Result<(), String> {
        let Eraser { places, journal, .. } = self.eraser.as_ref();
        let now = self.clock.read().wall;
        if journal.begun().is_some_and(|begun| now - begun > expiry::SEGMENT_AGE) {
            journal.seal()?;
        }
        let mut done = expiry::done(places);
        let due = expiry::due(retention, &self.eraser.sealed()?, journal.begun(), now, &done);
        // One after the other: the last one has to be recorded before.
        if due.is_empty() || erasure::begun(places).is_some() {
            return Ok(());
        }
        self.eraser.mend()?;
        let from = due.keys().map(|kind| done.get(kind).copied().unwrap_or(0)).min().unwrap_or(0);
        let because = expiry::words(retention, &due);
        let stop = || self.inbox.stopping();
        // Of all kinds: what went by two ways is due by both, and one of them may have been for long.
        let kinds: Vec<TextKind> = due.keys().copied().collect();
        let mut through = done.clone();
        through.extend(due);
        let mut expired = Expired { through, kept: None };
        let planned = self.eraser.plan(&mut expired, from, because, &stop)?;
        if let Some(erased) = planned {
            self.carry_out(erased);
        }
        // What is still open is looked at again when it has ended.
        let most = expired.kept.map_or(u64::MAX, |kept| kept - 1);
        done.extend(kinds.into_iter().filter_map(|kind| Some((kind, most.min(*expired.through.get(&kind)?)))));
        expiry::save_done(&self.eraser.places, &done)
    }

    fn expire_heads(&mut self, retention: &Retention) -> Result<(), String> {
        self.forget_on()?;
        let Some(age) = retention.audit else { return Ok(()) };
        let through =
            expiry::older_than(&self.eraser.sealed()?, self.eraser.journal.begun(), self.clock.read().wall, age);
        if through == 0 {
            return Ok(());
        }
        self.eraser.mend()?;
        let through = self.eraser.forget(through, &|| self.inbox.stopping())?;
        if through == 0 {
            return Ok(());
        }
        failpoint::reached(Point::ForgetDone);
        (self.report)(Report::Forgotten { to_seq: through, because: format!("retention: audit {}", age.exact()) });
        Ok(())
    }

    /// Damage is told once, not at each look.
    fn tell(&mut self, words: String) {
        // Several places take turns, each until it is mended.
        if self.told.len() >= TOLD {
            self.told.clear();
        }
        if self.told.insert(words.clone()) {
            (self.report)(Report::Files { words });
        }
    }
}

/// A packed segment says where it ends, and the next one begins there; else somebody has removed one while we ran.
fn missing(sealed: &[Sealed]) -> Option<String> {
    sealed.windows(2).find_map(|pair| {
        let (end, after) = (pair[0].segment.end_seq()?, pair[1].segment.after_seq());
        let next = pair[1].segment.shown();
        (after > end).then(|| format!("events {} to {after} are missing before {next}: a segment is gone", end + 1))
    })
}
