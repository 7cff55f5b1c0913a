//! Frames on their way to the disk. Whoever decides lays them here as they are; the writer encodes what
//! lies here, at the end of one buffer, and what comes meanwhile is the next group.
//!
//! So the next decision does not wait for the last one's bytes. Others encode too: whoever has just woken
//! the writer, until it is awake; who asks for the last frame's hash; and who finds much waiting because
//! the disk hangs, so that what may wait is bounded by its bytes.

use crate::domain::event::{Blob, Frame};
use crate::ledger::codec::Tip;
use crate::ledger::extract::{Extract, Group};
use crate::ledger::journal::encoder::{Encoder, Waiting};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Frames that wait as they are, at the most.
const UNENCODED: usize = 64;
/// Events of a frame that is encoded in less time than the writer's thread takes to wake.
const SHORT: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error("{held} bytes of events wait for the disk, which is as much as may")]
    Full { held: usize },
    #[error("the ledger is being closed")]
    Closed,
    /// One before this one, and so nothing after it.
    #[error("an event cannot be written: {0}")]
    Broken(String),
    #[error("event {expected} is next, not {found}")]
    OutOfOrder { expected: u64, found: u64 },
}

pub(super) struct Queue {
    /// Held for as long as frames are encoded, and locked before `state`.
    encoder: Mutex<Encoder>,
    /// Held for moments.
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
    /// An event cannot be written, and so nothing after it; why.
    Broken(String),
}

struct State {
    frames: Vec<Waiting>,
    blobs: Vec<Blob>,
    /// Those who wait for the end of the segment, and the event that came next when they asked.
    seals: Vec<(u64, SyncSender<()>)>,
    /// Frames wait, encoded or not.
    pending: bool,
    /// The writer sleeps until something comes.
    idle: bool,
    /// Bytes that are encoded and wait for the writer.
    encoded: usize,
    /// Bytes of the blobs that wait.
    blob_bytes: usize,
    /// Bytes that the writer has and that are not durable yet.
    writing: usize,
    /// The event that comes next, and the one that the writer is given next.
    next: u64,
    given: u64,
    closed: bool,
}

impl Queue {
    /// `tip` is the last frame; `writing` bytes are with the writer already.
    pub fn new(tip: Tip, hold: usize, writing: usize) -> Queue {
        let state = State {
            frames: Vec::new(),
            blobs: Vec::new(),
            seals: Vec::new(),
            pending: false,
            idle: false,
            encoded: 0,
            blob_bytes: 0,
            writing,
            next: tip.seq + 1,
            given: tip.seq + 1,
            closed: false,
        };
        Queue { encoder: Mutex::new(Encoder::after(tip)), state: Mutex::new(state), changed: Condvar::new(), hold }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn encoder(&self) -> MutexGuard<'_, Encoder> {
        self.encoder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// See [`AppendError`]; nothing is queued then.
    pub fn append(&self, frame: Arc<Frame>, seed: &[u8; 16], extract: Extract) -> Result<(), AppendError> {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            let broken = self.encoder().broken().map(ToString::to_string);
            return Err(broken.map_or(AppendError::Closed, AppendError::Broken));
        }
        if frame.seq != state.next {
            return Err(AppendError::OutOfOrder { expected: state.next, found: frame.seq });
        }
        let held = state.held();
        if held >= self.hold {
            return Err(AppendError::Full { held });
        }
        let events = frame.events.len();
        state.next += events as u64;
        state.frames.push(Waiting { frame, seed: *seed, extract });
        state.pending = true;
        let (woken, waiting) = (std::mem::take(&mut state.idle), state.frames.len());
        // Whoever wakes would wait for the lock.
        drop(state);
        if woken {
            self.changed.notify_all();
        }
        // By the time that the writer is awake a short one is encoded here.
        if waiting >= UNENCODED || woken && events <= SHORT {
            self.encode(&mut self.encoder());
        }
        Ok(())
    }

    /// Encodes what waits, for the writer to take; gives the last frame.
    fn encode(&self, encoder: &mut Encoder) -> Tip {
        let mut state = self.lock();
        let (frames, blobs) = (std::mem::take(&mut state.frames), std::mem::take(&mut state.blobs));
        drop(state);
        encoder.take_in(frames, blobs);
        let mut state = self.lock();
        state.encoded = encoder.bytes();
        state.closed |= encoder.broken().is_some();
        encoder.tip()
    }

    /// What an event of the next frame is too short for; it is durable before that frame is.
    pub fn keep(&self, blobs: Vec<Blob>) {
        let mut state = self.lock();
        state.blob_bytes += bytes_of(&blobs);
        state.blobs.extend(blobs);
    }

    /// Bytes that are not durable, of what is encoded, and of blobs.
    pub fn waiting(&self) -> usize {
        self.lock().held()
    }

    /// Asks for the open segment to be ended, after all that was taken before.
    pub fn seal(&self) -> Receiver<()> {
        let (done, sealed) = sync_channel(1);
        let mut state = self.lock();
        let next = state.next;
        state.seals.push((next, done));
        drop(state);
        self.changed.notify_all();
        sealed
    }

    /// Waits for frames; `None` when it is closed and empty.
    pub fn take(&self) -> Option<Taken> {
        loop {
            let mut state = self.lock();
            // Before what has come since it was asked for, or it would wait for a pause.
            let given = state.given;
            if let Some(at) = state.seals.iter().position(|(next, _)| *next <= given) {
                return Some(Taken::Seal(state.seals.swap_remove(at).1));
            }
            while !state.pending {
                if let Some((_, done)) = state.seals.pop() {
                    return Some(Taken::Seal(done));
                }
                if state.closed {
                    drop(state);
                    return self.encoder().broken().map(|error| Taken::Broken(error.to_string()));
                }
                state.idle = true;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.idle = false;
            drop(state);
            let mut encoder = self.encoder();
            self.encode(&mut encoder);
            let group = encoder.take();
            let (length, blob_bytes) = (group.bytes.len(), bytes_of(&group.blobs));
            let mut state = self.lock();
            state.pending = !state.frames.is_empty();
            state.given = state.given.max(group.tip.seq + 1);
            state.encoded = 0;
            state.blob_bytes -= blob_bytes;
            state.writing = length + blob_bytes;
            // Of frames that are dropped behind a broken one there is nothing to write.
            if length > 0 {
                return Some(Taken::Group(group));
            }
        }
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
        let tip = self.encode(&mut self.encoder());
        (tip, self.lock().held())
    }
}

impl State {
    /// Bytes that are not durable, of what is encoded.
    fn held(&self) -> usize {
        self.encoded + self.blob_bytes + self.writing
    }
}

fn bytes_of(blobs: &[Blob]) -> usize {
    blobs.iter().map(|blob| blob.bytes.len()).sum()
}
