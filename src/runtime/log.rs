//! What the loop asks of the ledger, and hears from it.

use crate::domain::event::{Blob, Frame, Place};
use crate::domain::time::Span;
use crate::ledger::extract::Extract;
use crate::ledger::fold::Body;
use std::sync::Arc;

/// Too much waits for the disk: the daemon must end.
#[derive(Clone, Debug)]
pub struct LogFull(pub String);

/// Takes frames in order; tells later, by [`LogNews`], up to where they are durable.
pub trait Log: Send + Sync {
    /// `extract` is what the history keeps of it.
    ///
    /// # Errors
    /// When no more frames can be held in memory, or none can be written any more.
    fn append(&self, frame: Arc<Frame>, seed: &[u8; 16], extract: Extract) -> Result<(), LogFull>;

    /// Takes what is to be durable before the frame that comes next.
    fn keep_blobs(&self, blobs: Vec<Blob>);

    /// Bytes that wait for the disk.
    fn waiting(&self) -> usize;

    /// Reads what is at a place, on a thread that may block.
    fn reader(&self) -> Reader;

    /// How long the flush under way lasts.
    fn flushing_for(&self) -> Option<Span>;

    /// Keeps the state as it is after the last frame; does not wait for it.
    fn keep(&self, state: Body);

    /// Notes for the next life whether alarms leave without a record; does not wait for it.
    fn mark_unrecorded(&self, unrecorded: bool);
}

/// Reads what is at a place of the ledger, a text or a blob; blocks.
pub type Reader = Arc<dyn Fn(&Place) -> Result<Vec<u8>, String> + Send + Sync>;

/// What the ledger's threads tell the loop.
#[derive(Clone, Debug, PartialEq)]
pub enum LogNews {
    /// Everything up to this sequence number is durable.
    Durable(u64),
    /// Frames cannot be made durable; they wait in memory.
    Trouble(String),
    Well,
    /// It is time for a snapshot of the state.
    StateWanted,
    /// Something is wrong with the ledger's files; alarms go on.
    Files(String),
    /// The history cannot be used, or can again; alarms go on without it.
    History {
        words: String,
        well: bool,
    },
}
