//! The journal: what makes an event durable. Append-only segments of frames, one sync for all that
//! wait.
//!
//! Promises: after [`Report::Durable`](crate::ledger::report::Report::Durable) a frame survives kill -9
//! and a power cut; a frame is there whole or not at all; after a failure no frame is lost that the
//! memory still holds; damage is reported with its place, never passed over in silence.

pub mod content;
mod encoder;
mod mark;
pub mod packed;
mod queue;
pub mod repair;
pub mod sealed;
pub mod segment;
#[cfg(test)]
mod tests;
pub mod walk;
mod writer;

pub use queue::AppendError;
pub use sealed::{Sealed, SealedError};
pub use walk::End;
pub use writer::Sink;

use crate::domain::clock::Clock;
use crate::domain::event::{Blob, Frame};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::codec::Tip;
use crate::ledger::extract::{Extract, Group};
use crate::ledger::files::Files;
use crate::ledger::journal::mark::DurableMark;
use crate::ledger::journal::queue::Queue;
use crate::ledger::journal::writer::{Open, Writer};
use crate::ledger::report::Reporter;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The disk may take this long until a segment is ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// How to go on after recovery.
pub struct Start {
    pub dir: PathBuf,
    /// Where blobs are kept.
    pub blobs: PathBuf,
    pub files: Arc<dyn Files>,
    pub clock: Arc<dyn Clock>,
    pub segment_bytes: u64,
    /// Bytes that may wait for the disk.
    pub hold_bytes: usize,
    /// The last frame.
    pub tip: Tip,
    /// The last segment; `None` when there is none.
    pub end: Option<End>,
    /// Frames at the end of the chain that no segment has yet, and the frame before them.
    pub unwritten: Option<(Tip, Vec<u8>)>,
    pub report: Reporter,
    pub sink: Sink,
}

/// The running journal.
pub struct Journal {
    dir: PathBuf,
    queue: Arc<Queue>,
    mark: Arc<DurableMark>,
    thread: Mutex<Option<JoinHandle<Result<(), String>>>>,
}

impl Journal {
    /// Makes durable what was recovered and starts the thread. A disk that fails is no error here:
    /// it is reported as trouble, and the frames wait.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(start: Start) -> io::Result<Journal> {
        let recovered = Recovered::secure(&start);
        let mark = Arc::new(DurableMark::new(recovered.durable, recovered.writing));
        let waiting = recovered.waiting.as_ref().map_or(0, |g| g.bytes.len());
        let queue = Arc::new(Queue::new(start.tip, start.hold_bytes, waiting));
        let writer = Writer {
            dir: start.dir.clone(),
            blobs: start.blobs,
            files: start.files,
            clock: start.clock,
            segment_bytes: start.segment_bytes,
            queue: queue.clone(),
            mark: mark.clone(),
            report: start.report,
            sink: start.sink,
            open: recovered.open,
        };
        let closing = CloseAtEnd(queue.clone());
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let _closing = closing;
            writer.run(recovered.waiting)
        })?;
        Ok(Journal { dir: start.dir, queue, mark, thread: Mutex::new(Some(thread)) })
    }

    /// Hands a frame over; it is durable when `Durable` with its number or a later one is reported.
    /// `seed` is 16 random bytes. One that cannot be encoded is told as trouble, and ends the journal.
    ///
    /// # Errors
    /// See [`AppendError`]; the frame is not taken then.
    pub fn append(&self, frame: Arc<Frame>, seed: &[u8; 16], extract: Extract) -> Result<(), AppendError> {
        self.queue.append(frame, seed, extract)
    }

    /// Hands over what is to be durable before the frame that is appended next.
    pub fn keep(&self, blobs: Vec<Blob>) {
        self.queue.keep(blobs);
    }

    pub fn durable(&self) -> Tip {
        self.mark.tip()
    }

    /// The last frame taken, and the bytes that wait for the disk; what is not encoded yet is, for its hash.
    pub fn taken(&self) -> (Tip, usize) {
        self.queue.state()
    }

    /// Bytes that wait for the disk, as far as they are encoded.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Since when (time since boot) the flush under way lasts.
    pub fn flushing_since(&self) -> Option<Span> {
        self.mark.flushing_since()
    }

    /// The segments that are not written to any more, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn sealed(&self) -> io::Result<Vec<Sealed>> {
        sealed::list(&self.dir, || self.mark.standing())
    }

    /// When the segment being written was begun, by the wall clock; `None`: none is.
    pub fn begun(&self) -> Option<Timestamp> {
        segment::created(&self.mark.writing()?)
    }

    /// Ends the segment being written, so that all that was taken is in sealed ones.
    ///
    /// # Errors
    /// A sentence, when that was not done in time.
    pub fn seal(&self) -> Result<(), String> {
        let sealed = self.queue.seal().recv_timeout(PATIENCE);
        sealed.map_err(|_| "the journal's segment could not be ended; its disk may have trouble".to_owned())
    }

    /// Takes no more, writes what waits, and ends the thread.
    ///
    /// # Errors
    /// When frames could not be written.
    pub fn stop(&self) -> Result<Tip, String> {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        match thread.map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(self.durable()),
            Some(Ok(Err(words))) => Err(words),
            Some(Err(_)) => Err("the journal's thread panicked".to_owned()),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Whatever ends the thread: nobody goes on handing it frames.
struct CloseAtEnd(Arc<Queue>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What recovery read may be in memory alone, left there by a process that was killed between
/// write and sync.
struct Recovered {
    durable: Tip,
    open: Option<Open>,
    writing: Option<PathBuf>,
    waiting: Option<Group>,
}

impl Recovered {
    fn secure(start: &Start) -> Recovered {
        let mut durable = start.unwritten.as_ref().map_or(start.tip, |(before, _)| *before);
        let mut unwritten = Vec::new();
        let (mut open, mut writing) = (None, None);
        if let Some(end) = &start.end {
            // Its name, too: it may have been made just before a kill.
            let secured = start.files.open(&end.path).and_then(|mut file| {
                file.sync()?;
                end.path.parent().map_or(Ok(()), |dir| start.files.sync_dir(dir))?;
                Ok(file)
            });
            match secured {
                Ok(file) if end.clean => {
                    open = Some(Open::at(file, end));
                    writing = Some(end.path.clone());
                }
                Ok(_) => {}
                Err(_) => {
                    // The disk may have lost what memory still shows: the whole segment is written anew.
                    unwritten = repair::frames_of(&end.path, durable.seq);
                    durable = end.after;
                }
            }
        }
        unwritten.extend(start.unwritten.iter().flat_map(|(_, bytes)| bytes));
        let waiting = (!unwritten.is_empty()).then(|| Group {
            bytes: unwritten,
            first: durable.seq + 1,
            tip: start.tip,
            ..Group::default()
        });
        Recovered { durable, open, writing, waiting }
    }
}
