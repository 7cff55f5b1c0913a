//! Starting, going on, stopping.

use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_start_goes_on_where_the_last_one_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    for round in 0..3u64 {
        let mut run = start(&state);
        assert_eq!(firsts(&run.replayed), odd(round * 20));
        assert_eq!(run.recovery.faults, []);
        assert_eq!(run.ledger.durable(), run.recovery.tip);
        let tip = run.append(10);
        assert_eq!(run.ledger.taken(), (tip, 0));
        run.stop();
    }
}

#[test]
fn files_are_ours_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("deep/state");
    let mut run = start(&state);
    let tip = run.append(1);
    run.ledger.save_snapshot(tip, b"state").unwrap();
    run.settle();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["", "journal", "snapshots", "history"] {
        assert_eq!(mode(&state.join(name)), 0o700, "{name}");
    }
    assert_eq!(mode(&only_segment(&state)), 0o600);
    assert_eq!(mode(&state.join("lock")), 0o600);
    assert_eq!(mode(&snapshot::path(&state.join("snapshots"), tip.seq)), 0o600);
    run.stop();
}

#[test]
fn f09_two_at_once_cannot_have_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    run.append(1);
    let Err(error) = open(dir.path(), Options::default()) else { panic!("it is in use") };
    assert!(matches!(error, OpenError::Lock(lock::LockError::Held { .. })));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    run.stop();
    start(dir.path()).stop();
}

#[test]
fn f22_a_snapshot_saves_the_fold_and_the_one_before_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    for n in 0..3u8 {
        let tip = run.append(5);
        run.ledger.save_snapshot(tip, &[n; 1000]).unwrap();
    }
    let not_yet = Tip { seq: 31, ..run.ledger.durable() };
    assert!(run.ledger.save_snapshot(not_yet, b"").unwrap_err().to_string().contains("not durable"));
    run.append(2);
    run.stop();

    let opening = open(dir.path(), Options::default()).unwrap();
    assert_eq!(opening.snapshot().unwrap().body(), [2; 1000]);
    let again = run_and_stop(opening);
    assert_eq!(firsts(&again), [31, 33]);

    let mut opening = open(dir.path(), Options::default()).unwrap();
    opening.reject_snapshot("its state is of another version").unwrap();
    assert_eq!(opening.snapshot().unwrap().body(), [1; 1000]);
    assert_eq!(firsts(&run_and_stop(opening)), [21, 23, 25, 27, 29, 31, 33]);

    let mut opening = open(dir.path(), Options::default()).unwrap();
    opening.reject_snapshot("no").unwrap();
    opening.reject_snapshot("no").unwrap();
    assert_eq!(opening.snapshot(), None);
    assert_eq!(firsts(&run_and_stop(opening)), odd(34));
}

fn run_and_stop(opening: Opening) -> Vec<Frame> {
    let run = run(opening);
    let replayed = run.replayed.clone();
    run.stop();
    replayed
}

#[tokio::test]
async fn what_was_appended_can_be_asked_for_at_once_and_after_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    run.append(5);
    let ask = async |run: &Run| {
        let page = run.ledger.history().entries(EntryQuery::default()).await.unwrap();
        page.entries.iter().map(|e| e.seq).collect::<Vec<_>>()
    };
    assert_eq!(ask(&run).await, (1..=10).rev().collect::<Vec<_>>());
    run.stop();
    let mut run = start(dir.path());
    run.append(1);
    assert_eq!(ask(&run).await, (1..=12).rev().collect::<Vec<_>>());
    run.stop();
}

#[test]
fn events_that_wait_when_it_is_dropped_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    for seq in 0..50 {
        run.ledger.append(frame(1 + seq * 2, 2).into(), &SEED, Extract::default()).unwrap();
    }
    run.stop();
    assert_eq!(firsts(&start(dir.path()).replayed), odd(100));
}

#[test]
fn f08_a_newer_journal_is_refused() {
    let dir = made(2);
    let path = only_segment(dir.path());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 2;
    let crc = crc32fast::hash(&bytes[..124]);
    bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let opening = open(dir.path(), Options::default()).unwrap();
    let Err(error) = opening.replay(&mut |_| Extract::default()) else { panic!("it is newer") };
    assert!(error.to_string().contains("newer stentor"), "{error}");
}

#[test]
fn events_of_unknown_kinds_are_counted() {
    let dir = made(2);
    let path = only_segment(dir.path());
    let after = Tip::default();
    let bytes = std::fs::read(&path).unwrap();
    let odd_one = bytes.windows(18).position(|w| w == b"\"heartbeat_pinged\"").unwrap();
    let mut frame_bytes = journal::repair::frames_of(&path, 2);
    frame_bytes[odd_one - 128..odd_one - 128 + 18].copy_from_slice(b"\"heartbeat_pinked\"");
    let crc = crc32fast::hash(&frame_bytes[8..]);
    frame_bytes[4..8].copy_from_slice(&crc.to_le_bytes());
    write_segment(&dir.path().join("journal"), after, 0, &[frame_bytes]);
    let run = start(dir.path());
    assert_eq!((run.recovery.unreadable, run.recovery.faults[0].kind), (1, FaultKind::Edited));
    run.stop();
}

#[test]
fn f12_a_disk_that_is_dead_from_the_start_does_not_stop_the_start() {
    let dir = made(3);
    let disk = Scripted::new(|op, _| if matches!(op, Op::Open | Op::Create) { broken() } else { Answer::Obey });
    let options = Options { files: std::sync::Arc::new(disk.clone()), ..Options::default() };
    let mut run = start_with(dir.path(), options);
    assert_eq!(firsts(&run.replayed), [1, 3, 5]);
    run.ear.wait(|r| matches!(r, Report::Trouble { .. }));
    run.ledger.append(frame(7, 2).into(), &SEED, Extract::default()).unwrap();
    run.next += 2;
    disk.set(|_, _| Answer::Obey);
    run.ear.wait_durable(8);
    run.stop();
    assert_eq!(firsts(&start(dir.path()).replayed), [1, 3, 5, 7]);
}

/// Somebody keeps something there, by whatever name.
#[test]
fn what_is_not_ours_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    run.append(3);
    run.stop();
    for name in ["journal/x.new", "journal/00000000000000000099-0.journal", "snapshots/00000000000000000099.snapshot"] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
    }
    std::fs::write(dir.path().join(".linked-0"), "no folder").unwrap();
    let run = start(dir.path());
    assert_eq!((run.replayed.len(), run.recovery.faults.len()), (3, 0), "{:?}", run.recovery.faults);
    run.settle();
    assert!(run.ledger.verify(&[]).unwrap().ok);
    run.stop();
}
