//! Frames on their way to the disk. Whoever decides encodes them here, at the end of one buffer;
//! the writer takes the whole buffer, and what waits meanwhile is the next group.

use crate::domain::event::{Blob, Frame};
use crate::ledger::codec::{EncodeError, Tip, encode};
use crate::ledger::extract::{Extract, Group};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that are at hand for a group before it begins, at the least and at the most.
const AHEAD: (usize, usize) = (4 << 10, 256 << 10);

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error("{held} bytes of events wait for the disk, which is as much as may")]
    Full { held: usize },
    #[error("the ledger is being closed")]
    Closed,
    #[error("event {expected} is next, not {found}")]
    OutOfOrder { expected: u64, found: u64 },
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// Bytes that may wait.
    hold: usize,
}

/// What the writer is to do next.
pub(super) enum Taken {
    Group(Group),
    /// End the open segment, and say so.
    Seal(SyncSender<()>),
}

struct State {
    pending: Group,
    seals: Vec<SyncSender<()>>,
    /// Bytes that the writer has and that are not durable yet.
    writing: usize,
    /// Bytes of the blobs that are pending.
    blob_bytes: usize,
    tip: Tip,
    closed: bool,
}

impl Queue {
    /// `tip` is the last frame; `writing` bytes are with the writer already.
    pub fn new(tip: Tip, hold: usize, writing: usize) -> Queue {
        let state = State { pending: Group::default(), seals: Vec::new(), writing, blob_bytes: 0, tip, closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), hold }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// See [`AppendError`]; nothing is queued then.
    pub fn append(&self, frame: &Frame, seed: &[u8; 16], extract: Extract) -> Result<Tip, AppendError> {
        let mut state = self.lock();
        let held = state.pending.bytes.len() + state.blob_bytes + state.writing;
        let expected = state.tip.seq + 1;
        if state.closed {
            return Err(AppendError::Closed);
        }
        if frame.seq != expected {
            return Err(AppendError::OutOfOrder { expected, found: frame.seq });
        }
        if held >= self.hold {
            return Err(AppendError::Full { held });
        }
        let previous = state.tip.hash;
        let pending = &mut state.pending;
        let first_of_group = pending.bytes.is_empty();
        let hash = encode(&mut pending.bytes, frame, &previous, seed, first_of_group)?;
        let tip = Tip { seq: frame.seq + frame.events.len() as u64 - 1, hash };
        pending.tip = tip;
        if !extract.is_empty() {
            pending.extracts.push((tip.seq, extract));
        }
        if first_of_group {
            pending.first = frame.seq;
        }
        state.tip = tip;
        // Whoever wakes would wait for the lock.
        drop(state);
        if first_of_group {
            self.changed.notify_all();
        }
        Ok(tip)
    }

    /// What an event of the next frame is too short for; it is durable before that frame is.
    pub fn keep(&self, blobs: Vec<Blob>) {
        let mut state = self.lock();
        state.blob_bytes += blobs.iter().map(|blob| blob.bytes.len()).sum::<usize>();
        state.pending.blobs.extend(blobs);
    }

    /// Asks for the open segment to be ended, after all that was taken before.
    pub fn seal(&self) -> Receiver<()> {
        let (done, sealed) = sync_channel(1);
        self.lock().seals.push(done);
        self.changed.notify_all();
        sealed
    }

    /// Waits for frames; `None` when it is closed and empty.
    pub fn take(&self) -> Option<Taken> {
        let mut state = self.lock();
        while state.pending.bytes.is_empty() {
            if let Some(done) = state.seals.pop() {
                return Some(Taken::Seal(done));
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let group = std::mem::take(&mut state.pending);
        // The next group may be somewhat longer, and is not copied from buffer to buffer until it fits.
        state.pending.bytes.reserve((2 * group.bytes.len()).clamp(AHEAD.0, AHEAD.1));
        state.writing = group.bytes.len() + std::mem::take(&mut state.blob_bytes);
        Some(Taken::Group(group))
    }

    /// What was taken is durable.
    pub fn written(&self) {
        self.lock().writing = 0;
    }

    /// Waits until it is closed, at most this long; whether it is.
    pub fn closed_within(&self, wait: Duration) -> bool {
        let state = self.lock();
        let (state, _) =
            self.changed.wait_timeout_while(state, wait, |s| !s.closed).unwrap_or_else(PoisonError::into_inner);
        state.closed
    }

    /// Takes no more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The last frame that was taken, and the bytes that are not durable.
    pub fn state(&self) -> (Tip, usize) {
        let state = self.lock();
        (state.tip, state.pending.bytes.len() + state.blob_bytes + state.writing)
    }
}
