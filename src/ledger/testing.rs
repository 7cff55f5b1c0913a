//! What the ledger's tests share: frames, a disk that fails when told to, an ear for reports.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::codec::{RawFrame, Tip, encode};
use super::files::{Disk, Files, JournalFile};
use super::journal::segment::{self, Header};
use super::journal::walk::{Walk, Walked};
use super::report::{Report, Reporter};
use crate::domain::event::{EventKind, Frame, Payload};
use crate::domain::time::Timestamp;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

pub const SEED: [u8; 16] = [5; 16];

/// A frame of `count` events, told apart by their number.
pub fn frame(seq: u64, count: u64) -> Frame {
    let events = (seq..seq + count).map(|n| {
        let head = EventKind::HeartbeatPinged { name: format!("beat-{n}"), ok: n % 2 == 0 };
        if n % 3 == 0 {
            head.with(Payload { body: format!("body of event {n}"), ..Payload::default() })
        } else {
            head.bare()
        }
    });
    Frame { seq, at: at(seq), by: format!("tester {seq}"), recorded_late: false, events: events.collect() }
}

/// One second per event.
pub fn at(seq: u64) -> Timestamp {
    Timestamp(1_700_000_000_000_000 + seq as i64 * 1_000_000)
}

/// Frames of these many events, after `tip`, in groups: each inner list is one group.
pub fn chain(tip: Tip, groups: &[&[u64]]) -> Vec<Vec<u8>> {
    let mut tip = tip;
    let mut out = Vec::new();
    for group in groups {
        for (place, count) in group.iter().enumerate() {
            let mut bytes = Vec::new();
            let hash = encode(&mut bytes, &frame(tip.seq + 1, *count), &tip.hash, &SEED, place == 0).unwrap();
            tip = Tip { seq: tip.seq + count, hash };
            out.push(bytes);
        }
    }
    out
}

pub fn tip_of(frame: &[u8]) -> Tip {
    RawFrame::read(frame).unwrap().tip()
}

/// Writes a segment as the journal would.
pub fn write_segment(dir: &Path, after: Tip, generation: u32, frames: &[Vec<u8>]) -> PathBuf {
    std::fs::create_dir_all(dir).unwrap();
    let path = segment::path(dir, after.seq + 1, generation);
    let mut bytes = Header { after, created: at(0), packed: None }.encode().to_vec();
    bytes.extend(frames.concat());
    std::fs::write(&path, bytes).unwrap();
    path
}

/// All that a walk visits, and what it found.
pub fn walked(dir: &Path, walk: Walk<'_>) -> (Vec<Frame>, Walked) {
    let mut frames = Vec::new();
    let found = walk.run(dir, &mut |raw| {
        frames.push(raw.decode());
        ControlFlow::Continue(())
    });
    (frames, found.unwrap())
}

pub fn flip(path: &Path, place: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[place] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

/// Seeds of a test with chance in it: `STENTOR_SEEDS=7..150` chooses others, to search or to replay.
pub fn seeds(count: u64) -> std::ops::Range<u64> {
    let chosen = std::env::var("STENTOR_SEEDS").ok();
    let range = chosen
        .as_deref()
        .and_then(|text| text.split_once(".."))
        .and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?));
    range.unwrap_or(0..count)
}

/// What the journal asks of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Create,
    Open,
    Reserve,
    Write(usize),
    Sync,
    SyncDir,
}

/// What the disk does.
pub enum Answer {
    Obey,
    Fail(io::Error),
    /// So many bytes are written, then it fails.
    Part(usize, io::Error),
}

pub fn broken() -> Answer {
    Answer::Fail(io::Error::from_raw_os_error(nix::libc::EIO))
}

type Script = Box<dyn FnMut(Op, &Path) -> Answer + Send>;

/// The real disk, behind a script that may refuse or block.
#[derive(Clone)]
pub struct Scripted {
    script: Arc<Mutex<Script>>,
    /// Everything that was asked, with the file's name.
    pub asked: Arc<Mutex<Vec<(Op, String)>>>,
}

impl Scripted {
    pub fn new(script: impl FnMut(Op, &Path) -> Answer + Send + 'static) -> Scripted {
        Scripted { script: Arc::new(Mutex::new(Box::new(script))), asked: Arc::default() }
    }

    pub fn set(&self, script: impl FnMut(Op, &Path) -> Answer + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    fn ask(&self, op: Op, path: &Path) -> Answer {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        self.asked.lock().unwrap().push((op, name));
        (self.script.lock().unwrap())(op, path)
    }

    fn obey(&self, op: Op, path: &Path) -> io::Result<()> {
        match self.ask(op, path) {
            Answer::Obey => Ok(()),
            Answer::Fail(e) | Answer::Part(_, e) => Err(e),
        }
    }

    pub fn count(&self, op: Op) -> usize {
        self.asked.lock().unwrap().iter().filter(|(o, _)| *o == op).count()
    }
}

impl Files for Scripted {
    fn create(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        self.obey(Op::Create, path)?;
        Ok(Box::new(ScriptedFile { file: Disk.create(path)?, path: path.to_owned(), disk: self.clone() }))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        self.obey(Op::Open, path)?;
        Ok(Box::new(ScriptedFile { file: Disk.open(path)?, path: path.to_owned(), disk: self.clone() }))
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.obey(Op::SyncDir, dir)?;
        Disk.sync_dir(dir)
    }
}

struct ScriptedFile {
    file: Box<dyn JournalFile>,
    path: PathBuf,
    disk: Scripted,
}

impl JournalFile for ScriptedFile {
    fn reserve(&mut self, offset: u64, length: u64) -> io::Result<()> {
        self.disk.obey(Op::Reserve, &self.path)?;
        self.file.reserve(offset, length)
    }
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self.disk.ask(Op::Write(bytes.len()), &self.path) {
            Answer::Obey => self.file.write_at(bytes, offset),
            Answer::Fail(e) => Err(e),
            Answer::Part(n, e) => self.file.write_at(&bytes[..n.min(bytes.len())], offset).and(Err(e)),
        }
    }
    fn sync(&mut self) -> io::Result<()> {
        self.disk.obey(Op::Sync, &self.path)?;
        self.file.sync()
    }
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.cut(length)
    }
}

/// Collects reports and lets a test wait for one.
#[derive(Clone, Default)]
pub struct Ear(Arc<(Mutex<Vec<Report>>, Condvar)>);

impl Ear {
    pub fn reporter(&self) -> Reporter {
        let ear = self.clone();
        Arc::new(move |report| {
            ear.0.0.lock().unwrap().push(report);
            ear.0.1.notify_all();
        })
    }

    pub fn heard(&self) -> Vec<Report> {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits, up to half a minute, until a report fits.
    pub fn wait(&self, fits: impl Fn(&Report) -> bool) -> Report {
        let heard = self.0.0.lock().unwrap();
        let none = |heard: &mut Vec<Report>| !heard.iter().any(&fits);
        let (heard, waited) = self.0.1.wait_timeout_while(heard, Duration::from_secs(30), none).unwrap();
        assert!(!waited.timed_out(), "not heard; but {heard:?}");
        heard.iter().find(|r| fits(r)).unwrap().clone()
    }

    pub fn wait_durable(&self, seq: u64) {
        self.wait(|r| matches!(r, Report::Durable(tip) if tip.seq >= seq));
    }
}
