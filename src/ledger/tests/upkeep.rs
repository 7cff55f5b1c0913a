//! What is done to the files beside the engine: snapshots folded, segments packed, and a kill at any
//! moment of it.

use super::*;
use crate::domain::event::EventKind;
use crate::ledger::fold::Fold;
use crate::ledger::journal::sealed;
use crate::ledger::verify::offline;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use ulid::Ulid;

/// A state: the names of all that was pinged.
#[derive(Default)]
pub struct Names(Vec<String>);

impl Fold for Names {
    fn fold(&mut self, frame: &Frame) {
        for event in &frame.events {
            if let EventKind::HeartbeatPinged { name, .. } = &event.head {
                self.0.push(name.clone());
            }
        }
    }
    fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.0.join(" ").as_bytes())
    }
    fn is_open(&self, _: Ulid) -> bool {
        false
    }
    fn erase(&mut self, _: &[Ulid]) {}
    fn forget_texts(&mut self) {}
}

/// Small segments, and a state that is folded.
pub fn options() -> Options {
    let make = |snapshot: Option<&Snapshot>| {
        let words = snapshot.map(|s| String::from_utf8(s.body()).unwrap()).unwrap_or_default();
        Ok(Box::new(Names(words.split_whitespace().map(str::to_owned).collect())) as Box<dyn Fold>)
    };
    Options { segment_bytes: 2_000, fold: Arc::new(make), ..Options::default() }
}

/// Names of the events up to this one.
pub fn names(through: u64) -> String {
    (1..=through).map(|n| format!("beat-{n}")).collect::<Vec<_>>().join(" ")
}

pub fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

pub fn newest(dir: &Path) -> Option<Snapshot> {
    snapshot::load_newest(&dir.join("snapshots"), None, &mut Vec::new()).unwrap()
}

/// Plain segments, the one that is written to included.
pub fn plain(dir: &Path) -> usize {
    let segments = journal::segment::list(&dir.join("journal")).unwrap();
    segments.iter().filter(|s| s.header.unwrap().packed.is_none()).count()
}

impl Run {
    /// Until a snapshot is at the end and all but the last segment is packed.
    pub fn look(&self, dir: &Path) {
        self.ledger.look_after_files();
        until("a snapshot at the end", || newest(dir).is_some_and(|s| s.tip == self.ledger.durable()));
        until("all is packed", || plain(dir) <= 1);
    }
}

/// The same files elsewhere, as a kill at this moment would leave them.
pub fn killed(dir: &Path) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            let target: PathBuf = to.join(entry.file_name());
            if entry.path().is_dir() {
                std::fs::create_dir_all(&target).unwrap();
                copy(&entry.path(), &target);
            } else {
                // What is replaced meanwhile is gone under this name for nobody.
                let _ = std::fs::copy(entry.path(), target);
            }
        }
    }
    let to = tempfile::tempdir().unwrap();
    copy(dir, to.path());
    to
}

#[test]
fn f22_a_snapshot_is_folded_and_segments_are_packed_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(50);
    assert!(plain(dir.path()) > 3 && newest(dir.path()).is_none());
    run.look(dir.path());
    assert_eq!(newest(dir.path()).unwrap().body(), names(100).as_bytes());
    run.append(20);
    run.look(dir.path());
    assert_eq!(newest(dir.path()).unwrap().body(), names(140).as_bytes());
    assert_eq!(snapshot::list(&dir.path().join("snapshots")).unwrap().len(), 2);
    run.settle();
    let verified = run.ledger.verify(&[]).unwrap();
    assert!(verified.ok && verified.events == 140, "{:?}", verified.faults);
    assert_eq!(verified.history_events, Some(140));
    run.append(3);
    let left = killed(dir.path());
    let again = start_with(left.path(), options());
    assert_eq!(firsts(&again.replayed), [141, 143, 145]);
    assert_eq!(again.recovery.faults, vec![]);
    again.stop();
    run.stop();
    assert!(offline(dir.path(), &[]).unwrap().ok);
}

#[test]
fn a_start_after_all_is_packed_begins_a_new_segment() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(30);
    run.stop();
    for segment in
        sealed::list(&dir.path().join("journal"), || sealed::Standing { durable: 60, writing: None }).unwrap()
    {
        segment.pack().unwrap();
    }
    assert_eq!(plain(dir.path()), 0);
    let mut run = start_with(dir.path(), options());
    assert_eq!((run.recovery.tip.seq, run.recovery.faults.len()), (60, 0));
    run.append(1);
    assert_eq!(plain(dir.path()), 1);
    run.stop();
    let verified = offline(dir.path(), &[]).unwrap();
    assert!(verified.ok && verified.events == 62, "{:?}", verified.faults);
}

#[test]
fn f02_a_kill_at_any_moment_of_it_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    for _ in 0..40 {
        run.append(4);
        run.ledger.look_after_files();
        let durable = run.ledger.durable();
        let left = killed(dir.path());
        let again = start_with(left.path(), options());
        assert_eq!(again.recovery.faults, vec![]);
        assert!(again.recovery.tip.seq >= durable.seq);
        let from = again.recovery.snapshot.map_or(0, |tip| tip.seq);
        assert_eq!(again.replayed.first().map_or(again.recovery.tip.seq + 1, |f| f.seq), from + 1);
        again.stop();
        assert!(
            !left
                .path()
                .join("journal")
                .read_dir()
                .unwrap()
                .flatten()
                .any(|f| { f.path().extension().is_some_and(|e| e == "new") })
        );
    }
    run.stop();
}

#[test]
fn damage_is_told_and_no_snapshot_hides_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(30);
    let first = journal::segment::list(&dir.path().join("journal")).unwrap().remove(0).path;
    flip(&first, 700);
    run.ledger.look_after_files();
    let told = run.ear.wait(|r| matches!(r, Report::Files { .. }));
    let Report::Files { words } = told else { unreachable!() };
    assert!(words.contains("no snapshot was made") && words.contains("journal/"), "{words}");
    assert_eq!(newest(dir.path()), None);
    run.stop();
}

#[test]
fn f16_a_segment_that_is_removed_while_it_runs_is_told_at_the_next_look() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(60);
    run.ledger.look_after_files();
    until("all is packed", || plain(dir.path()) <= 1);
    let segments = journal::segment::list(&dir.path().join("journal")).unwrap();
    assert!(segments.len() > 3, "{}", segments.len());
    std::fs::remove_file(&segments[1].path).unwrap();
    run.ledger.look_after_files();
    let told = run.ear.wait(|r| matches!(r, Report::Files { words } if words.contains("a segment is gone")));
    let Report::Files { words } = told else { unreachable!() };
    let (from, to) = (segments[1].after_seq() + 1, segments[2].after_seq());
    assert!(words.contains(&format!("events {from} to {to} are missing before")), "{words}");
    run.append(3);
    run.stop();
}

#[test]
fn a_state_that_cannot_be_folded_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let make = |_: Option<&Snapshot>| -> Result<Box<dyn Fold>, String> { panic!("on purpose") };
    let mut run = start_with(dir.path(), Options { fold: Arc::new(make), ..options() });
    run.append(30);
    run.ledger.look_after_files();
    run.ear.wait(|r| matches!(r, Report::Files { words } if words.contains("panicked")));
    until("all is packed all the same", || plain(dir.path()) <= 1);
    run.append(3);
    run.stop();
}

fn body(words: &'static str) -> Body {
    Box::new(move |out| out.write_all(words.as_bytes()))
}

#[test]
fn a_state_that_is_handed_over_is_the_snapshot_when_its_frame_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), Options { handed: true, ..options() });
    run.append(30);
    run.ledger.look_after_files();
    run.ear.wait(|r| *r == Report::StateWanted);
    assert_eq!(newest(dir.path()), None, "nothing is folded");
    run.ledger.append(frame(run.next, 2).into(), &SEED, Extract::default()).unwrap();
    run.next += 2;
    let (tip, _) = run.ledger.taken();
    run.ledger.keep(body("as it was then"));
    let is_there = |tip, words: &str| newest(dir.path()).is_some_and(|s| s.tip == tip && s.body() == words.as_bytes());
    until("it is written", || is_there(tip, "as it was then"));
    let last = run.append(1);
    run.ledger.keep(body("the end"));
    run.stop();
    assert!(is_there(last, "the end"), "also when the ledger stops");
}
