//! The state as a snapshot has it: handed over by whoever folds it anyway, or folded here from a snapshot and the
//! frames after it.

use crate::domain::event::Frame;
use crate::ledger::codec::RawFrame;
use crate::ledger::snapshot::Snapshot;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use ulid::Ulid;

/// A state under way. Opaque here.
pub trait Fold: Send {
    fn fold(&mut self, frame: &Frame);

    /// Writes the state as a snapshot's body.
    ///
    /// # Errors
    /// When `out` takes no more.
    fn write(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// Something with this id has not ended: its texts are still needed.
    fn is_open(&self, id: Ulid) -> bool;

    /// Removes the texts and addresses of what has these ids and is not open.
    fn erase(&mut self, ids: &[Ulid]);

    /// Removes every text and address, which are older than all that is kept.
    fn forget_texts(&mut self);

    /// The oldest event whose text is still needed: it is read from the journal.
    fn oldest_text(&self) -> Option<u64> {
        None
    }
}

/// Writes a state that stays as it was when it was handed over, as a snapshot's body.
///
/// # Errors
/// (of the closure) when `out` takes no more.
pub type Body = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// Begins a fold: from a snapshot's state, or from nothing.
///
/// # Errors
/// (of the closure) a sentence, when the snapshot's state cannot be read.
pub type MakeFold = Arc<dyn Fn(Option<&Snapshot>) -> Result<Box<dyn Fold>, String> + Send + Sync>;

/// For a ledger that nobody folds: its snapshots say nothing.
pub fn nothing() -> MakeFold {
    struct Nothing;
    impl Fold for Nothing {
        fn fold(&mut self, _: &Frame) {}
        fn write(&mut self, _: &mut dyn Write) -> io::Result<()> {
            Ok(())
        }
        fn is_open(&self, _: Ulid) -> bool {
            false
        }
        fn erase(&mut self, _: &[Ulid]) {}
        fn forget_texts(&mut self) {}
    }
    Arc::new(|_| Ok(Box::new(Nothing)))
}

/// Begins one; a panic is a sentence, too.
///
/// # Errors
/// As [`MakeFold`].
pub fn begin(make: &MakeFold, from: Option<&Snapshot>) -> Result<Box<dyn Fold>, String> {
    catch_unwind(AssertUnwindSafe(|| make(from))).unwrap_or_else(|_| Err("reading a snapshot's state panicked".into()))
}

/// Folds one frame.
///
/// # Errors
/// A sentence, when that panicked.
pub fn add(fold: &mut dyn Fold, frame: &RawFrame<'_>) -> Result<(), String> {
    let typed = frame.decode();
    catch_unwind(AssertUnwindSafe(|| fold.fold(&typed))).map_err(|_| format!("folding event {} panicked", frame.seq))
}
