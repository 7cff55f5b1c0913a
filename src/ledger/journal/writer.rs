//! The thread that writes: takes all that waits, writes it, syncs once, says so.
//!
//! After a failed write or sync that file is never touched again, since nobody knows what of it the
//! disk has. The same frames go to a new segment, which says where it begins, and thereby makes void
//! what the old one may hold beyond. If that fails too the frames wait here, with a try every second.

use crate::domain::clock::Clock;
use crate::domain::failpoint::{self, Point};
use crate::domain::time::Span;
use crate::ledger::blobs;
use crate::ledger::codec::Tip;
use crate::ledger::extract::Group;
use crate::ledger::files::{Files, JournalFile};
use crate::ledger::journal::mark::DurableMark;
use crate::ledger::journal::queue::{Queue, Taken};
use crate::ledger::journal::segment::{self, Header};
use crate::ledger::journal::walk::End;
use crate::ledger::report::{Report, Reporter};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Gets each group once it is durable.
pub type Sink = Box<dyn FnMut(Group) + Send>;

/// Space is reserved this far ahead, so that most syncs need not write a new file length.
const AHEAD: u64 = 2 << 20;
const SLOW: Span = Span::secs(2);
const AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    pub dir: PathBuf,
    /// Where blobs are kept.
    pub blobs: PathBuf,
    pub files: Arc<dyn Files>,
    pub clock: Arc<dyn Clock>,
    /// A segment that is this long is followed by a new one.
    pub segment_bytes: u64,
    pub queue: Arc<Queue>,
    pub mark: Arc<DurableMark>,
    pub report: Reporter,
    pub sink: Sink,
    pub open: Option<Open>,
}

/// The segment that is written to.
pub(super) struct Open {
    file: Box<dyn JournalFile>,
    end: u64,
    /// The file's length, zeros from `end` on.
    reserved: u64,
    /// The disk would not reserve space (it may be full); each write has to find its own.
    tight: bool,
}

impl Open {
    pub fn at(file: Box<dyn JournalFile>, end: &End) -> Open {
        Open { file, end: end.offset, reserved: end.offset, tight: false }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.end + bytes.len() as u64;
        if end > self.reserved && !self.tight {
            match self.file.reserve(self.end, bytes.len() as u64 + AHEAD) {
                Ok(()) => self.reserved = end + AHEAD,
                Err(_) => self.tight = true,
            }
        }
        failpoint::reached_with(Point::JournalTorn, || drop(self.file.write_at(&bytes[..bytes.len() / 2], self.end)));
        self.file.write_at(bytes, self.end)?;
        failpoint::reached(Point::JournalWritten);
        self.file.sync()?;
        failpoint::reached(Point::JournalSynced);
        self.end = end;
        Ok(())
    }

    /// Gives back what was reserved and not used. Readers take zeros at the end for nothing, too.
    fn seal(mut self) {
        let _ = self.file.cut(self.end);
    }
}

impl Writer {
    /// Runs until the queue is closed and empty. `first` is what could not be made durable before.
    /// Gives the frames that could not be written at the end.
    pub fn run(mut self, first: Option<Group>) -> Result<(), String> {
        if let Some(group) = first {
            self.store(group)?;
        }
        while let Some(taken) = self.queue.take() {
            match taken {
                Taken::Group(group) => self.store(group)?,
                Taken::Seal(done) => {
                    // A disk that hangs here holds the next group up.
                    self.mark.flush_began(self.clock.read().boot);
                    self.seal();
                    self.mark.flush_ended();
                    // Nobody listens when the patience was over.
                    let _ = done.send(());
                }
                Taken::Broken(error) => {
                    let words = format!("an event cannot be written: {error}");
                    (self.report)(Report::Trouble { words: words.clone() });
                    return Err(words);
                }
            }
        }
        self.seal();
        Ok(())
    }

    /// Ends the open segment; the next group begins a new one.
    fn seal(&mut self) {
        if let Some(open) = self.open.take() {
            open.seal();
            self.mark.writes(None);
        }
    }

    fn store(&mut self, mut group: Group) -> Result<(), String> {
        let began = self.clock.read().boot;
        self.mark.flush_began(began);
        failpoint::reached(Point::JournalTaken);
        self.write_until_done(&group)?;
        let took = self.clock.read().boot - began;
        group.blobs = Vec::new();
        // What was at hand and not needed; the history may keep it for long.
        group.bytes.shrink_to_fit();
        let tip = group.tip;
        self.mark.durable(tip);
        self.queue.written();
        // Whoever hears of it can ask for it.
        (self.sink)(group);
        (self.report)(Report::Durable(tip));
        failpoint::reached(Point::JournalDurable);
        if took > SLOW {
            (self.report)(Report::Slow { took });
        }
        Ok(())
    }

    fn write_until_done(&mut self, group: &Group) -> Result<(), String> {
        let mut troubled = false;
        let mut closing = false;
        while let Err(error) = self.write(group) {
            let words = format!("the journal cannot be written: {error}");
            if !troubled {
                troubled = true;
                (self.report)(Report::Trouble { words: words.clone() });
            }
            if closing {
                return Err(words);
            }
            closing = self.queue.closed_within(AGAIN);
        }
        if troubled {
            (self.report)(Report::Well);
        }
        Ok(())
    }

    /// Into the open segment, else, or if it fails, into a new one.
    fn write(&mut self, group: &Group) -> io::Result<()> {
        blobs::keep(&self.blobs, &group.blobs)?;
        if self.open.as_ref().is_some_and(|open| open.end >= self.segment_bytes) {
            self.seal();
        }
        let Some(mut open) = self.open.take() else { return self.begin(group) };
        match open.put(&group.bytes) {
            Ok(()) => self.open = Some(open),
            Err(error) => {
                drop(open);
                self.mark.writes(None);
                self.begin(group)?;
                let gone = error.kind() == io::ErrorKind::NotFound;
                (self.report)(Report::Replaced { words: format!("a segment of the journal failed: {error}"), gone });
            }
        }
        Ok(())
    }

    fn begin(&mut self, group: &Group) -> io::Result<()> {
        let after = self.mark.tip();
        let (path, file) = self.create(after)?;
        failpoint::reached(Point::SegmentMade);
        let mut open = Open { file, end: 0, reserved: 0, tight: false };
        let header = Header { after, created: self.clock.read().wall, packed: None }.encode();
        let written = open.put(&[&header, &group.bytes[..]].concat()).and_then(|()| self.files.sync_dir(&self.dir));
        if let Err(error) = written {
            // What it holds is written again elsewhere; a full disk needs the space.
            drop(open);
            self.mark.writes(None);
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        self.open = Some(open);
        Ok(())
    }

    /// A file with a name that is not taken.
    fn create(&self, after: Tip) -> io::Result<(PathBuf, Box<dyn JournalFile>)> {
        let mut generation = 0;
        loop {
            let path = segment::path(&self.dir, after.seq + 1, generation);
            self.mark.writes(Some(path.clone()));
            match self.files.create(&path) {
                Ok(file) => return Ok((path, file)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && generation < 100_000 => generation += 1,
                Err(e) => {
                    self.mark.writes(None);
                    return Err(e);
                }
            }
        }
    }
}
