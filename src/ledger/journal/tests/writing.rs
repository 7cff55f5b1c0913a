//! What is appended comes back, also from a disk that fails.

use crate::domain::clock::SystemClock;
use crate::domain::event::Frame;
use crate::ledger::codec::Tip;
use crate::ledger::extract::{Extract, Group};
use crate::ledger::files::{Disk, Files};
use crate::ledger::journal::queue::{Queue, Taken};
use crate::ledger::journal::walk::{Walk, Walked};
use crate::ledger::journal::{AppendError, Journal, Start};
use crate::ledger::report::Report;
use crate::ledger::testing::*;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

pub(super) struct Running {
    pub journal: Journal,
    pub ear: Ear,
    groups: Arc<Mutex<Vec<Group>>>,
    pub next: u64,
}

fn start_with(dir: &Path, found: Walked, change: impl FnOnce(&mut Start)) -> Running {
    let (ear, groups) = (Ear::default(), Arc::new(Mutex::new(Vec::new())));
    let sink = groups.clone();
    let mut start = Start {
        dir: dir.to_owned(),
        blobs: dir.join("blobs"),
        files: Arc::new(Disk),
        clock: Arc::new(SystemClock),
        segment_bytes: 16 << 20,
        hold_bytes: 64 << 20,
        tip: found.tip,
        end: found.end,
        unwritten: None,
        report: ear.reporter(),
        sink: Box::new(move |group| sink.lock().unwrap().push(group)),
    };
    change(&mut start);
    Running { journal: Journal::start(start).unwrap(), ear, groups, next: found.tip.seq + 1 }
}

pub(super) fn start_on(dir: &Path, files: impl Files + 'static) -> Running {
    let (_, found) = walked(dir, Walk::default());
    start_with(dir, found, |start| start.files = Arc::new(files))
}

impl Running {
    /// Gives the number of its last event.
    pub fn append(&mut self, count: u64) -> u64 {
        self.journal.append(frame(self.next, count).into(), &SEED, Extract::default()).unwrap();
        self.next += count;
        self.next - 1
    }

    fn settle(&mut self, frames: u64) {
        for _ in 0..frames {
            let last = self.append(2);
            self.ear.wait_durable(last);
        }
    }
}

/// Whole, and with exactly these frames of two events each.
fn assert_holds(dir: &Path, frames: u64) {
    let (got, found) = walked(dir, Walk::default());
    assert_eq!(found.faults, []);
    let expected: Vec<_> = (0..frames).map(|n| frame(1 + n * 2, 2)).collect();
    assert_eq!(got, expected);
}

#[test]
fn what_was_appended_comes_back_after_each_start() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let mut run = start_on(dir.path(), Disk);
        assert_eq!(run.next, 1 + round * 10);
        run.settle(5);
        let tip = run.journal.stop().unwrap();
        assert_eq!(tip.seq, (round + 1) * 10);
    }
    assert_holds(dir.path(), 15);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "one segment is continued");
}

#[test]
fn all_that_waits_shares_one_sync() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Scripted::new(|_, _| Answer::Obey);
    let mut run = start_on(dir.path(), disk.clone());
    run.settle(1);
    let before = disk.count(Op::Sync);
    let (began, begun) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    disk.set(move |op, _| {
        if op == Op::Sync {
            began.send(()).unwrap();
            gate.recv().unwrap();
        }
        Answer::Obey
    });
    run.append(2);
    begun.recv().unwrap();
    assert!(run.journal.flushing_since().is_some());
    for _ in 0..100 {
        run.append(2);
    }
    assert_eq!(run.journal.durable().seq, 2, "nothing is durable while the disk still works on it");
    release.send(()).unwrap();
    begun.recv().unwrap();
    assert_eq!(run.journal.durable().seq, 4);
    release.send(()).unwrap();
    run.ear.wait_durable(204);
    assert_eq!(disk.count(Op::Sync) - before, 2);
    assert_eq!(run.journal.flushing_since(), None);
    run.journal.stop().unwrap();
    assert_holds(dir.path(), 102);
    let sizes: Vec<u64> = run.groups.lock().unwrap().iter().map(Group::events).collect();
    assert_eq!(sizes, [2, 2, 200]);
}

#[test]
fn f13_a_failed_sync_moves_to_a_new_segment_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Scripted::new(|_, _| Answer::Obey);
    let mut run = start_on(dir.path(), disk.clone());
    run.settle(3);
    let mut failed = false;
    disk.set(
        move |op, _| if op == Op::Sync && !std::mem::replace(&mut failed, true) { broken() } else { Answer::Obey },
    );
    run.settle(3);
    assert!(matches!(run.ear.wait(|r| matches!(r, Report::Replaced { .. })), Report::Replaced { .. }));
    run.journal.stop().unwrap();
    assert_holds(dir.path(), 6);
    let asked = disk.asked.lock().unwrap();
    let first = "00000000000000000001-0.journal";
    let syncs_of_first = asked.iter().filter(|(op, name)| *op == Op::Sync && name == first).count();
    assert_eq!(syncs_of_first, 4, "three good ones and the failed one, never again");
    assert!(asked.iter().any(|(op, name)| *op == Op::Create && name == "00000000000000000007-0.journal"));
}

#[test]
fn f14_half_a_write_is_void() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Scripted::new(|_, _| Answer::Obey);
    let mut run = start_on(dir.path(), disk.clone());
    run.settle(2);
    for length in [1, 50, 200] {
        let mut failed = false;
        disk.set(move |op, _| match op {
            Op::Write(_) if !std::mem::replace(&mut failed, true) => {
                Answer::Part(length, io::Error::from_raw_os_error(nix::libc::ENOSPC))
            }
            _ => Answer::Obey,
        });
        run.settle(1);
    }
    run.journal.stop().unwrap();
    assert_holds(dir.path(), 5);
}

#[test]
fn f11_a_dead_disk_is_trouble_until_it_lives_again() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Scripted::new(|_, _| Answer::Obey);
    let (_, found) = walked(dir.path(), Walk::default());
    let files = Arc::new(disk.clone());
    let mut run = start_with(dir.path(), found, |start| {
        start.files = files;
        start.hold_bytes = 20_000;
    });
    run.settle(1);
    let dead = Arc::new(AtomicBool::new(true));
    let switch = dead.clone();
    disk.set(move |op, _| {
        let writes = matches!(op, Op::Write(_) | Op::Sync);
        if writes && switch.load(Ordering::SeqCst) { broken() } else { Answer::Obey }
    });
    run.append(2);
    run.ear.wait(|r| matches!(r, Report::Trouble { words } if words.contains("cannot be written")));
    let mut accepted = 2;
    let full = loop {
        match run.journal.append(frame(run.next, 2).into(), &SEED, Extract::default()) {
            Ok(()) => (accepted, run.next) = (accepted + 1, run.next + 2),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AppendError::Full { held } if held >= 20_000), "{full}");
    assert!(run.journal.flushing_since().is_some());
    assert_eq!(run.journal.durable().seq, 2);
    dead.store(false, Ordering::SeqCst);
    run.ear.wait_durable(run.next - 1);
    let troubles = run.ear.heard().into_iter().filter(|r| matches!(r, Report::Trouble { .. } | Report::Well));
    assert_eq!(troubles.map(|r| r == Report::Well).collect::<Vec<_>>(), [false, true], "told once each");
    run.append(2);
    run.journal.stop().unwrap();
    assert_holds(dir.path(), accepted + 1);
    assert!(std::fs::read_dir(dir.path()).unwrap().count() <= 2, "failed tries leave no files behind");
}

#[test]
fn stopping_on_a_dead_disk_says_what_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Scripted::new(|_, _| Answer::Obey);
    let mut run = start_on(dir.path(), disk.clone());
    run.settle(1);
    disk.set(|op, _| if op == Op::Sync { broken() } else { Answer::Obey });
    run.append(2);
    run.ear.wait(|r| matches!(r, Report::Trouble { .. }));
    assert!(run.journal.stop().unwrap_err().contains("cannot be written"));
    let refused = run.journal.append(frame(run.next, 1).into(), &SEED, Extract::default());
    assert!(matches!(refused, Err(AppendError::Closed)));
}

#[test]
fn f11_a_disk_that_reserves_nothing_still_writes() {
    let dir = tempfile::tempdir().unwrap();
    let full = |op, _: &Path| match op {
        Op::Reserve => Answer::Fail(io::Error::from_raw_os_error(nix::libc::ENOSPC)),
        _ => Answer::Obey,
    };
    let mut run = start_on(dir.path(), Scripted::new(full));
    run.settle(3);
    run.journal.stop().unwrap();
    assert_holds(dir.path(), 3);
}

#[test]
fn segments_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (_, found) = walked(dir.path(), Walk::default());
    let mut run = start_with(dir.path(), found, |start| start.segment_bytes = 1000);
    run.settle(30);
    run.journal.stop().unwrap();
    assert!(std::fs::read_dir(dir.path()).unwrap().count() > 5);
    assert_holds(dir.path(), 30);
}

#[test]
fn space_reserved_and_not_used_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_on(dir.path(), Disk);
    run.settle(3);
    // As kill -9 leaves it: the thread goes on, but its file is copied now.
    let killed = tempfile::tempdir().unwrap();
    let name = "00000000000000000001-0.journal";
    std::fs::copy(dir.path().join(name), killed.path().join(name)).unwrap();
    assert!(std::fs::metadata(killed.path().join(name)).unwrap().len() > 1 << 20);
    run.journal.stop().unwrap();
    assert!(std::fs::metadata(dir.path().join(name)).unwrap().len() < 2000);

    assert_holds(killed.path(), 3);
    let mut run = start_on(killed.path(), Disk);
    run.settle(2);
    run.journal.stop().unwrap();
    assert_holds(killed.path(), 5);
    assert_eq!(std::fs::read_dir(killed.path()).unwrap().count(), 1);
}

#[test]
fn f13_a_disk_that_cannot_confirm_what_was_recovered_gets_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_on(dir.path(), Disk);
    run.settle(4);
    run.journal.stop().unwrap();

    let mut failed = false;
    let disk =
        Scripted::new(
            move |op, _| if op == Op::Sync && !std::mem::replace(&mut failed, true) { broken() } else { Answer::Obey },
        );
    let mut run = start_on(dir.path(), disk);
    run.ear.wait_durable(8);
    run.settle(1);
    run.journal.stop().unwrap();
    assert_holds(dir.path(), 5);
    std::fs::remove_file(dir.path().join("00000000000000000001-0.journal")).unwrap();
    assert_holds(dir.path(), 5);
}

#[test]
fn what_the_end_lacks_is_written_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_on(dir.path(), Disk);
    run.settle(2);
    let before = run.journal.stop().unwrap();
    let frames = chain(before, &[&[2], &[2]]);
    let (_, found) = walked(dir.path(), Walk::default());
    let tip = tip_of(&frames[1]);
    let mut run = start_with(dir.path(), Walked { tip, ..found }, |start| {
        start.tip = tip;
        start.end = None;
        start.unwritten = Some((before, frames.concat()));
    });
    run.ear.wait_durable(8);
    run.settle(1);
    run.journal.stop().unwrap();
    assert_holds(dir.path(), 5);
}

#[test]
fn numbers_must_follow() {
    let dir = tempfile::tempdir().unwrap();
    let run = start_on(dir.path(), Disk);
    let error = run.journal.append(frame(2, 1).into(), &SEED, Extract::default()).unwrap_err();
    assert!(matches!(error, AppendError::OutOfOrder { expected: 1, found: 2 }), "{error}");
    run.journal.stop().unwrap();
}

#[test]
fn a_thread_that_dies_takes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (_, found) = walked(dir.path(), Walk::default());
    let mut run = start_with(dir.path(), found, |start| start.sink = Box::new(|_| panic!("the sink is broken")));
    run.append(2);
    assert_eq!(run.journal.stop().unwrap_err(), "the journal's thread panicked");
    let refused = run.journal.append(frame(run.next, 1).into(), &SEED, Extract::default());
    assert!(matches!(refused, Err(AppendError::Closed)));
}

#[test]
fn an_event_that_cannot_be_written_ends_the_journal_after_what_came_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_on(dir.path(), Disk);
    run.settle(1);
    run.append(2);
    let nothing = Frame { events: Vec::new(), ..frame(run.next, 1) };
    run.journal.append(nothing.into(), &SEED, Extract::default()).unwrap();
    run.ear.wait(
        |r| matches!(r, Report::Trouble { words } if words.contains("an event cannot be written: a frame without")),
    );
    let refused = run.journal.append(frame(run.next, 2).into(), &SEED, Extract::default()).unwrap_err();
    assert!(refused.to_string().starts_with("an event cannot be written: a frame without"), "it says why: {refused}");
    assert!(run.journal.stop().unwrap_err().contains("an event cannot be written"));
    assert_holds(dir.path(), 2);
}

#[test]
fn whoever_asks_for_the_last_frame_gets_it_while_the_disk_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Scripted::new(|_, _| Answer::Obey);
    let mut run = start_on(dir.path(), disk.clone());
    run.settle(1);
    let dead = Arc::new(AtomicBool::new(true));
    let switch = dead.clone();
    disk.set(move |op, _| if op == Op::Sync && switch.load(Ordering::SeqCst) { broken() } else { Answer::Obey });
    run.append(2);
    run.ear.wait(|r| matches!(r, Report::Trouble { .. }));
    // Some as they came, some encoded by whoever found many, some by whoever asks.
    for _ in 0..100 {
        run.append(2);
    }
    let (tip, held) = run.journal.taken();
    assert_eq!(tip.seq, run.next - 1);
    assert!(held > 100 * 100, "{held} bytes");
    dead.store(false, Ordering::SeqCst);
    run.ear.wait_durable(tip.seq);
    assert_eq!(run.journal.durable(), tip);
    run.append(2);
    run.journal.stop().unwrap();
    assert_holds(dir.path(), 103);
}

/// Who asks for the end of a segment does not wait for a pause in what is appended.
#[test]
fn a_segment_is_ended_before_what_came_after_it_was_asked_for() {
    let queue = Queue::new(Tip::default(), 1 << 20, 0);
    let append = |seq| queue.append(frame(seq, 1).into(), &SEED, Extract::default()).unwrap();
    append(1);
    let sealed = queue.seal();
    append(2);
    assert!(matches!(queue.take(), Some(Taken::Group(group)) if group.tip.seq == 2));
    append(3);
    let Some(Taken::Seal(done)) = queue.take() else { panic!("the group that came later") };
    done.send(()).unwrap();
    sealed.recv().unwrap();
    assert!(matches!(queue.take(), Some(Taken::Group(group)) if group.tip.seq == 3));
    // And at once where nothing waits.
    let _sealed = queue.seal();
    append(4);
    assert!(matches!(queue.take(), Some(Taken::Seal(_))));
}
