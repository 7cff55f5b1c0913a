//! The running ledger: what the runtime holds.

use crate::domain::event::{Blob, Frame, Place};
use crate::domain::time::Span;
use crate::ledger::backup::{BackupError, Linked};
use crate::ledger::blobs;
use crate::ledger::codec::Tip;
use crate::ledger::export::{self, Export, ExportError, Exported};
use crate::ledger::extract::Extract;
use crate::ledger::files;
use crate::ledger::fold::Body;
use crate::ledger::history::{History, Phase};
use crate::ledger::journal::{AppendError, Journal};
use crate::ledger::lock::Lock;
use crate::ledger::mending::{self, Mended};
use crate::ledger::places::Places;
use crate::ledger::retention::{Erased, Retention, Select};
use crate::ledger::snapshot;
use crate::ledger::texts;
use crate::ledger::upkeep::{self, Upkeep};
use crate::ledger::verify::{self, Verified, VerifyError};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that stay free beside what needs no place in the journal: a segment of it.
const SPARE: u64 = 4 << 20;

/// The running ledger. The state directory is ours until this is dropped.
pub struct Ledger {
    pub(super) places: Places,
    pub(super) journal: Arc<Journal>,
    pub(super) history: Arc<History>,
    pub(super) upkeep: Upkeep,
    pub(super) lock: Lock,
    pub(super) marking: Mutex<()>,
}

impl Ledger {
    /// Hands a frame over; its number must be the next. It is durable when
    /// [`Report::Durable`](crate::ledger::Report::Durable) with its last event or a later one comes.
    /// `seed` is 16 random bytes; `extract` goes to the history with it.
    ///
    /// # Errors
    /// See [`AppendError`]; the frame is not taken then.
    pub fn append(&self, frame: Arc<Frame>, seed: &[u8; 16], extract: Extract) -> Result<(), AppendError> {
        self.journal.append(frame, seed, extract)
    }

    /// Whether alarms of the life before may have left without a record.
    pub fn is_unrecorded(&self) -> bool {
        self.lock.is_unrecorded()
    }

    /// Notes it for the life after this one; asked for when it is written. Blocks.
    ///
    /// # Errors
    /// What the system says.
    pub fn mark_unrecorded(&self, unrecorded: impl Fn() -> bool) -> io::Result<()> {
        let _turn = self.marking.lock().unwrap_or_else(PoisonError::into_inner);
        self.lock.mark(unrecorded())
    }

    /// Hands over what is to be durable before the frame that is appended next.
    pub fn keep_blobs(&self, blobs: Vec<Blob>) {
        self.journal.keep(blobs);
    }

    /// The whole text at this place. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// A sentence with the file: it is damaged, or gone.
    pub fn text(&self, place: &Place) -> Result<String, String> {
        texts::read(&self.places, place)
    }

    /// What is at this place, as bytes. Blocks.
    ///
    /// # Errors
    /// As [`Ledger::text`].
    pub fn at(&self, place: &Place) -> Result<Vec<u8>, String> {
        match place.blob {
            Some(_) => blobs::read(&self.places.blobs, place),
            None => texts::read(&self.places, place).map(String::into_bytes),
        }
    }

    /// The blob of this event whose hash begins like this; `None`: there is none (any more). Blocks.
    ///
    /// # Errors
    /// A sentence with the file: it cannot be read, or is damaged.
    pub fn blob(&self, seq: u64, beginning: &str) -> Result<Option<Vec<u8>>, String> {
        let all = blobs::list(&self.places.blobs).map_err(|e| format!("blobs: {e}"))?;
        let found = all.into_iter().find(|kept| kept.seq == seq && kept.hash.starts_with(beginning));
        found.map(|kept| self.at(&Place { seq, bytes: 0, blob: Some(kept.hash) })).transpose()
    }

    /// Whether the disk has room for so many bytes, and still for a segment of the journal. Blocks.
    pub fn has_room(&self, bytes: u64) -> bool {
        files::free(&self.places.state).is_none_or(|free| free >= bytes.saturating_add(SPARE))
    }

    /// The last frame that is on the disk.
    pub fn durable(&self) -> Tip {
        self.journal.durable()
    }

    /// The last frame taken, and the bytes that wait for the disk.
    pub fn taken(&self) -> (Tip, usize) {
        self.journal.taken()
    }

    /// Bytes that wait for the disk, as far as they are encoded.
    pub fn waiting(&self) -> usize {
        self.journal.waiting()
    }

    /// Since when (time since boot) the flush under way lasts; over two seconds is an emergency.
    pub fn flushing_since(&self) -> Option<Span> {
        self.journal.flushing_since()
    }

    pub fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// Takes the state after the last frame that was handed over; it is written by another thread
    /// when that frame is durable. To be called when [`Report::StateWanted`](crate::ledger::Report::StateWanted) comes,
    /// and at the end.
    pub fn keep(&self, body: Body) {
        let (tip, _) = self.journal.taken();
        self.upkeep.hand_over(tip, body, self.durable().seq);
    }

    /// Keeps the state after `tip`, which must be durable. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// What the system says, or that `tip` is not durable yet; earlier snapshots stay.
    pub fn save_snapshot(&self, tip: Tip, body: &[u8]) -> io::Result<()> {
        let durable = self.durable();
        if tip.seq > durable.seq {
            return Err(io::Error::other(format!("event {} is not durable yet, only {}", tip.seq, durable.seq)));
        }
        snapshot::save(&self.places.snapshots, tip, body)
    }

    /// Has snapshots made and sealed segments packed now, as far as there is anything to do, beside
    /// everything else.
    pub fn look_after_files(&self) {
        self.upkeep.look();
    }

    /// Verifies all that is durable. Blocks, for long if the ledger is large: for a thread of its own.
    ///
    /// # Errors
    /// When the journal or the snapshots cannot be read at all.
    pub fn verify(&self, anchors: &[Tip]) -> Result<Verified, VerifyError> {
        // First the history, which trails the journal: it has nothing beyond what is durable after that.
        let applied = if self.history.phase() == Phase::Ready { self.history.applied_seq() } else { verify::UNKNOWN };
        let through = self.durable().seq;
        verify::run(&self.places, Some(through), anchors, &mut |seq| self.history.block_from(seq), applied)
    }

    /// [`Ledger::verify`], and then what is lost is put back, as far as the history has it and the segment is not the
    /// one that is written to. What was found is told all the same. Blocks.
    ///
    /// # Errors
    /// As [`Ledger::verify`].
    pub fn examine(&self, anchors: &[Tip]) -> Result<Verified, VerifyError> {
        let mut found = self.verify(anchors)?;
        if found.faults.iter().any(mending::is_lost) {
            let mend = || match upkeep::erasing(&self.places) {
                // The history may still have what is being erased.
                Some(_) => Ok(Mended::default()),
                None => mending::mend(&self.places, &self.journal, &self.history),
            };
            let mut mended = self.upkeep.undisturbed(mend)?;
            found.faults.append(&mut mended.faults);
            found.put_back = mended.events;
        }
        Ok(found)
    }

    /// Writes all that is durable. Blocks: for a thread of its own.
    ///
    /// # Errors
    /// When the journal cannot be read at all, or `out` takes no more.
    pub fn export(&self, what: &Export, out: &mut dyn Write) -> Result<Exported, ExportError> {
        let durable = self.durable().seq;
        let through = Some(what.through.map_or(durable, |through| through.min(durable)));
        export::export(&self.places.state, &Export { through, ..what.clone() }, out)
    }

    /// How long what is kept from now on; looked at within a day.
    pub fn retain(&self, retention: Retention) {
        self.upkeep.retain(retention);
    }

    /// Removes texts from all that was written until now; `None`: there were none. Blocks, for long if
    /// the ledger is large. To be recorded by an `erased` event, and then [`Ledger::recorded`].
    ///
    /// # Errors
    /// A sentence; what was begun is gone on with at the next start.
    pub fn erase(&self, select: &mut dyn Select, because: String) -> Result<Option<Erased>, String> {
        self.upkeep.erase(select, because)
    }

    /// The `erased` event of what was removed last is durable.
    ///
    /// # Errors
    /// What the system says; it is recorded again after the next start then.
    pub fn recorded(&self) -> io::Result<()> {
        // Before the file goes that keeps older states from being written.
        self.upkeep.erased();
        upkeep::erasure::recorded(&self.places)
    }

    /// The event after which the journal begins, if it has forgotten something.
    pub fn forgotten(&self) -> Option<u64> {
        upkeep::forgotten(&self.places).ok().flatten()
    }

    /// Writes a copy of all that is durable, see [`crate::ledger::backup`]. Blocks: for a thread of its own.
    ///
    /// # Errors
    /// When files cannot be read or are damaged, or `out` takes no more; the stream has no end then.
    pub fn backup(&self, out: &mut dyn Write) -> Result<Tip, BackupError> {
        let linked = self.upkeep.undisturbed(|| Linked::take(&self.places, self.durable()))?;
        linked.write(out)
    }

    /// Writes what waits, then lets the history take it in. Nothing is taken any more.
    ///
    /// # Errors
    /// When events could not be made durable.
    pub fn stop(&self) -> Result<Tip, String> {
        self.upkeep.stop();
        let stopped = self.journal.stop();
        self.history.stop();
        stopped
    }
}

/// The threads end before the lock goes.
impl Drop for Ledger {
    fn drop(&mut self) {
        if let Err(words) = self.stop() {
            tracing::error!("events were lost when the ledger was closed: {words}");
        }
    }
}
