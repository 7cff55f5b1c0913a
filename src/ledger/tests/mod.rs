#![allow(clippy::unwrap_used, clippy::expect_used)]

mod blobs;
mod copying;
mod damage;
mod erasing;
mod life;
mod proving;
mod upkeep;

use super::history::{EntryQuery, Phase};
use super::testing::*;
use super::*;
use crate::domain::event::Frame;
use std::path::Path;
use std::time::Duration;

/// A running ledger and what it said.
pub struct Run {
    pub ledger: Ledger,
    pub recovery: Recovery,
    /// Folded at the start.
    pub replayed: Vec<Frame>,
    pub ear: Ear,
    pub next: u64,
}

pub fn start(dir: &Path) -> Run {
    start_with(dir, Options::default())
}

pub fn start_with(dir: &Path, options: Options) -> Run {
    run(open(dir, options).unwrap())
}

pub fn run(opening: Opening) -> Run {
    let mut replayed = Vec::new();
    let recovered = opening
        .replay(&mut |frame| {
            replayed.push(frame.clone());
            Extract::default()
        })
        .unwrap();
    let (ear, recovery) = (Ear::default(), recovered.recovery.clone());
    let ledger = recovered.start(ear.reporter()).unwrap();
    Run { next: recovery.tip.seq + 1, ledger, recovery, replayed, ear }
}

impl Run {
    /// Appends frames of two events, each a group of its own.
    pub fn append(&mut self, frames: u64) -> Tip {
        for _ in 0..frames {
            self.ledger.append(frame(self.next, 2).into(), &SEED, Extract::default()).unwrap();
            self.next += 2;
            self.ear.wait_durable(self.next - 1);
        }
        self.ledger.durable()
    }

    /// Until the history has all.
    pub fn settle(&self) {
        let last = self.next - 1;
        for _ in 0..6000 {
            if self.ledger.history().phase() == Phase::Ready && self.ledger.history().applied_seq() >= last {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the history never had all: {:?}", self.ear.heard());
    }

    pub fn stop(self) {
        self.ledger.stop().unwrap();
    }
}

/// A stopped ledger with this many frames of two events, all in the history.
pub fn made(frames: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    run.append(frames);
    run.settle();
    run.stop();
    dir
}

pub fn only_segment(dir: &Path) -> std::path::PathBuf {
    let mut segments = journal::segment::list(&dir.join("journal")).unwrap();
    assert_eq!(segments.len(), 1);
    segments.remove(0).path
}

pub fn firsts(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|f| f.seq).collect()
}

pub fn odd(upto: u64) -> Vec<u64> {
    (1..upto).step_by(2).collect()
}
