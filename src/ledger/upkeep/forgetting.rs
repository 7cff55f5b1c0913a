//! Whole segments that are too old: the state after them becomes the base, and they go, with the blobs and
//! the history that have them.
//!
//! Up to where is written down first, in `STATE/forgetting`. A crash at any step leaves that file, and the next
//! start goes on; what is forgotten is said to be so only when nothing has it any more.

use super::erasure::{Eraser, STOPPED, words};
use super::snapshots;
use crate::domain::failpoint::{self, Point};
use crate::ledger::blobs;
use crate::ledger::files;
use crate::ledger::places::Places;
use crate::ledger::snapshot;
use std::io;
use std::path::PathBuf;

impl Eraser {
    /// Removes whole segments up to this event, but none with a text that is still needed; the state after
    /// them is the base from then on. Gives up to where; 0: nothing was removed.
    ///
    /// # Errors
    /// A sentence; what is not removed yet is the next time.
    pub fn forget(&self, through: u64, stop: &dyn Fn() -> bool) -> Result<u64, String> {
        let durable = self.journal.durable().seq;
        let folded = snapshots::fold_through(&self.places, &self.fold, durable, stop).map_err(words)?;
        let needed = folded.ok_or_else(|| STOPPED.to_owned())?.fold.oldest_text().unwrap_or(u64::MAX);
        let ends = self.sealed()?.into_iter().map(|s| s.limit);
        let Some(through) = ends.take_while(|end| *end <= through && *end < needed).last() else { return Ok(0) };
        files::replace(&file(&self.places), &[through.to_string().as_bytes()])
            .map_err(|e| format!("{}: {e}", file(&self.places).display()))?;
        if !self.is_based(through)? {
            self.make_base(through, stop)?;
            failpoint::reached(Point::ForgetBased);
        }
        self.remove_through(through, stop)?;
        Ok(through)
    }

    /// Goes on with what the last life began; gives up to where it has forgotten now.
    ///
    /// # Errors
    /// As [`Eraser::forget`].
    pub fn forget_on(&self, stop: &dyn Fn() -> bool) -> Result<Option<u64>, String> {
        match begun(&self.places) {
            Some(through) if self.is_based(through)? => self.remove_through(through, stop).map(|()| Some(through)),
            // Nothing is removed yet; it is looked for anew.
            Some(_) => self.forgot().map(|()| None),
            None => Ok(None),
        }
    }

    fn is_based(&self, through: u64) -> Result<bool, String> {
        let base = snapshot::base(&self.places.snapshots).map_err(|e| e.to_string())?;
        Ok(base.is_some_and(|(seq, _)| seq >= through))
    }

    fn make_base(&self, through: u64, stop: &dyn Fn() -> bool) -> Result<(), String> {
        let folded = snapshots::fold_through(&self.places, &self.fold, through, stop).map_err(words)?;
        let mut folded = folded.ok_or_else(|| STOPPED.to_owned())?;
        if folded.tip.seq != through {
            return Err(format!("event {through} is no end of a segment"));
        }
        folded.fold.forget_texts();
        snapshot::save_base(&self.places.snapshots, folded.tip, &mut |out| folded.fold.write(out))
            .map_err(|e| format!("the base cannot be written: {e}"))
    }

    /// What the base stands for.
    fn remove_through(&self, through: u64, stop: &dyn Fn() -> bool) -> Result<(), String> {
        for segment in self.sealed()?.iter().take_while(|s| s.limit <= through) {
            let removed = std::fs::remove_file(&segment.segment.path);
            removed.map_err(|e| format!("{} cannot be removed: {e}", segment.segment.shown()))?;
            failpoint::reached(Point::ForgetSegment);
        }
        files::sync_parent(&self.places.journal.join("x")).map_err(|e| e.to_string())?;
        self.remove_copies().map_err(|e| format!("a copy of what is forgotten cannot be removed: {e}"))?;
        let gone = blobs::remove(&self.places.blobs, |seq| seq <= through);
        gone.map_err(|e| format!("a blob cannot be removed: {e}"))?;
        self.history_anew(stop)?;
        self.forgot()
    }

    fn forgot(&self) -> Result<(), String> {
        let path = file(&self.places);
        std::fs::remove_file(&path).map_err(|e| format!("{} cannot be removed: {e}", path.display()))
    }
}

/// Up to where is being forgotten right now. What cannot be read is looked for anew.
pub fn begun(places: &Places) -> Option<u64> {
    let text = std::fs::read_to_string(file(places)).ok()?;
    Some(text.trim().parse().unwrap_or(u64::MAX))
}

/// The event after which the journal begins, once nothing has what was before.
///
/// # Errors
/// What the system says.
pub fn done(places: &Places) -> io::Result<Option<u64>> {
    let base = snapshot::base(&places.snapshots)?.map(|(seq, _)| seq);
    Ok(base.filter(|_| begun(places).is_none()))
}

fn file(places: &Places) -> PathBuf {
    places.state.join("forgetting")
}
