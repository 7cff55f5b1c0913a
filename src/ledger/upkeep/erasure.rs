//! Blanking texts in sealed segments, and everywhere they were copied to: the history and the snapshots.
//!
//! What is to be blanked is written down first, as numbers of events, in `STATE/erasing`. A crash at any
//! step leaves that file, and the next start does all of it again; doing it twice changes nothing. The
//! file goes when the `erased` event is durable.

use crate::domain::failpoint::{self, Point};
use crate::ledger::blobs;
use crate::ledger::codec::blank;
use crate::ledger::files;
use crate::ledger::fold;
use crate::ledger::history;
use crate::ledger::journal::{Journal, Sealed, segment};
use crate::ledger::mending;
use crate::ledger::places::Places;
use crate::ledger::retention::{Erased, Found, Select};
use crate::ledger::snapshot;
use crate::ledger::upkeep::snapshots::{self, Folded, Unfolded};
use std::io;
use std::path::Path;
use std::sync::Arc;
use ulid::Ulid;

/// What is needed for it.
pub struct Eraser {
    pub places: Places,
    pub journal: Arc<Journal>,
    pub history: Arc<history::History>,
    /// To make a history anew, in a directory of its own.
    pub beside: history::Start,
    pub fold: fold::MakeFold,
}

impl Eraser {
    /// Finds what is to be blanked in events after `from` and writes it down. `None`: nothing is.
    ///
    /// # Errors
    /// A sentence; nothing was changed then.
    pub fn plan(
        &self,
        select: &mut dyn Select,
        from: u64,
        because: String,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Erased>, String> {
        let durable = self.journal.durable().seq;
        let Some(folded) = snapshots::fold_through(&self.places, &self.fold, durable, stop).map_err(words)? else {
            return Err(STOPPED.to_owned());
        };
        let is_open = |id: Ulid| folded.fold.is_open(id);
        let mut found = Found::default();
        for segment in self.sealed()?.iter().filter(|s| s.limit > from) {
            let frames = segment.read().map_err(|e| e.to_string())?;
            frames.iter().filter(|f| f.last_seq() > from).for_each(|f| select.look(&f.decode(), &is_open, &mut found));
            if stop() {
                return Err(STOPPED.to_owned());
            }
        }
        found.ids.remove(&Ulid(0));
        let (Some(from_seq), Some(to_seq)) = (found.seqs.first().copied(), found.seqs.last().copied()) else {
            return Ok(None);
        };
        let erased = Erased { from_seq, to_seq, because, found };
        let json = serde_json::to_vec(&erased).map_err(|e| e.to_string())?;
        let path = &self.places.erasing;
        files::replace(path, &[&json]).map_err(|e| format!("{}: {e}", path.display()))?;
        failpoint::reached(Point::ErasePlanned);
        Ok(Some(erased))
    }

    /// What the journal has lost is put back first: the history, which may have the only copy, is made anew from it.
    ///
    /// # Errors
    /// A sentence: it cannot be.
    pub fn mend(&self) -> Result<(), String> {
        let mended = mending::mend(&self.places, &self.journal, &self.history).map_err(|e| e.to_string())?;
        match (mended.unasked, mended.faults.first()) {
            (Some(fault), _) => Err(format!("{fault}; the history cannot be asked for that now")),
            (None, Some(fault)) => Err(fault.to_string()),
            (None, None) => Ok(()),
        }
    }

    /// Does what was written down.
    ///
    /// # Errors
    /// A sentence; it is done again at the next start.
    pub fn carry_out(&self, erased: &Erased, stop: &dyn Fn() -> bool) -> Result<(), String> {
        // After a start the last segment is written on in.
        self.journal.seal()?;
        let seqs = &erased.found.seqs;
        let of = |seq: u64| seqs.binary_search(&seq).is_ok();
        blobs::remove(&self.places.blobs, of).map_err(|e| format!("a blob cannot be removed: {e}"))?;
        for segment in self.sealed()? {
            let first = segment.segment.after_seq() + 1;
            let concerned =
                seqs.partition_point(|seq| *seq < first) < seqs.partition_point(|seq| *seq <= segment.limit);
            if concerned {
                let is_named = |seq: u64| seqs.binary_search(&seq).is_ok();
                let changed = segment.rewrite(&mut |frame| {
                    let named = (frame.seq..=frame.last_seq()).any(is_named);
                    named.then(|| blank(frame, |place| is_named(frame.seq + u64::from(place))))
                });
                changed.map_err(|e| e.to_string())?;
                failpoint::reached(Point::EraseSegment);
            }
            if stop() {
                return Err(STOPPED.to_owned());
            }
        }
        self.remove_copies().map_err(|e| format!("a copy of what is erased cannot be removed: {e}"))?;
        failpoint::reached(Point::EraseJournal);
        self.snapshot_without(erased, stop)?;
        failpoint::reached(Point::EraseSnapshots);
        self.history_anew(stop)
    }

    /// None of them is passed over: what a damaged header hides would keep its texts.
    pub(super) fn sealed(&self) -> Result<Vec<Sealed>, String> {
        let all = segment::list(&self.places.journal).map_err(|e| format!("the journal cannot be listed: {e}"))?;
        let before_the_last = all.iter().rev().skip(1);
        if let Some(hidden) = before_the_last.filter(|s| s.header.is_err()).find(|s| s.holds_something()) {
            return Err(format!("{} has a damaged header", hidden.shown()));
        }
        self.journal.sealed().map_err(|e| format!("the journal cannot be listed: {e}"))
    }

    /// What repairs set aside has the texts, too.
    pub(super) fn remove_copies(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.places.journal)?.flatten() {
            if entry.path().extension().is_some_and(|e| e == "damaged") {
                std::fs::remove_file(entry.path())?;
            }
        }
        for entry in std::fs::read_dir(&self.places.state)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("history.damaged-") {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// One snapshot without the texts; those that have them go.
    fn snapshot_without(&self, erased: &Erased, stop: &dyn Fn() -> bool) -> Result<(), String> {
        let durable = self.journal.durable().seq;
        let folded = snapshots::fold_through(&self.places, &self.fold, durable, stop).map_err(words)?;
        let Folded { mut fold, tip } = folded.ok_or_else(|| STOPPED.to_owned())?;
        let ids: Vec<Ulid> = erased.found.ids.iter().copied().collect();
        fold.erase(&ids);
        snapshots::save(&self.places, &mut Folded { fold, tip }).map_err(words)?;
        snapshot::keep(&self.places.snapshots, 1).map_err(|e| format!("an old snapshot cannot be removed: {e}"))
    }

    /// A history that never had them takes the place of the one that had.
    pub(super) fn history_anew(&self, stop: &dyn Fn() -> bool) -> Result<(), String> {
        remove(&self.beside.dir).map_err(|e| format!("{}: {e}", self.beside.dir.display()))?;
        let through = self.journal.durable().seq;
        history::build_through(&self.beside, through, stop).map_err(|e| format!("the new history: {e}"))?;
        if stop() {
            return Err(STOPPED.to_owned());
        }
        failpoint::reached(Point::EraseHistory);
        self.history.replace_by(&self.beside.dir)
    }
}

pub(super) fn words(why: Unfolded) -> String {
    format!("no state can be folded: {why}")
}

pub(super) const STOPPED: &str = "the daemon stops; it is gone on with at the next start";

/// What was begun and is not recorded yet.
pub fn begun(places: &Places) -> Option<Erased> {
    let bytes = std::fs::read(&places.erasing).ok()?;
    match serde_json::from_slice(&bytes) {
        Ok(erased) => Some(erased),
        Err(error) => {
            tracing::error!(%error, file = %places.erasing.display(), "what was to be erased cannot be read; ask for it again");
            None
        }
    }
}

/// The `erased` event is durable.
///
/// # Errors
/// What the system says.
pub fn recorded(places: &Places) -> io::Result<()> {
    failpoint::reached(Point::EraseRecorded);
    match std::fs::remove_file(&places.erasing) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
