//! A backup that is taken while the ledger is written, and what comes of it elsewhere.

use super::upkeep::{newest, options};
use super::*;
use crate::ledger::backup::Line;
use crate::ledger::restore::{Copied, Receiving, RestoreError};
use crate::ledger::verify::offline;

pub fn receive(stream: &[u8], dir: &Path, piece: usize) -> Result<Copied, RestoreError> {
    let mut receiving = Receiving::into(dir)?;
    stream.chunks(piece).try_for_each(|piece| receiving.take(piece))?;
    receiving.finish()
}

#[test]
fn a_copy_taken_while_it_is_written_is_whole_and_starts() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(40);
    run.look(dir.path());
    run.append(7);
    let (ledger, ear) = (&run.ledger, &run.ear);
    let mut stream = Vec::new();
    let tip = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for seq in (95..195).step_by(2) {
                ledger.append(frame(seq, 2).into(), &SEED, Extract::default()).unwrap();
            }
        });
        let tip = ledger.backup(&mut stream).unwrap();
        writing.join().unwrap();
        tip
    });
    ear.wait_durable(194);
    assert!((94..=194).contains(&tip.seq));
    assert!(!dir.path().read_dir().unwrap().flatten().any(|e| e.file_name().to_string_lossy().starts_with(".linked")));
    for piece in [1, 7, 4096, usize::MAX] {
        let home = tempfile::tempdir().unwrap();
        let copy = home.path().join("copy");
        let copied = receive(&stream, &copy, piece.min(stream.len())).unwrap();
        assert_eq!(copied.tip, tip);
        let verified = offline(&copy, &[tip]).unwrap();
        assert!(!copy.join("lock").exists(), "what is looked at stays as it is");
        assert_eq!((verified.ok, verified.seq, verified.head), (true, tip.seq, tip.hash), "{:?}", verified.faults);
        let again = start_with(&copy, options());
        assert_eq!((again.recovery.snapshot.unwrap().seq, again.recovery.tip), (80, tip));
        again.settle();
        again.stop();
    }
    run.next = 195;
    run.append(1);
    run.stop();
}

#[test]
fn f21_an_old_copy_is_noticed_by_a_place_noted_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(20);
    let mut stream = Vec::new();
    run.ledger.backup(&mut stream).unwrap();
    let later = run.append(20);
    run.stop();
    let copy = tempfile::tempdir().unwrap();
    receive(&stream, copy.path(), 512).unwrap();
    assert!(offline(copy.path(), &[]).unwrap().ok);
    let noted: Tip = later.to_string().parse().unwrap();
    let kinds: Vec<FaultKind> = offline(copy.path(), &[noted]).unwrap().faults.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FaultKind::JournalBehind]);
}

#[test]
fn a_copy_that_broke_off_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(20);
    run.look(dir.path());
    let mut stream = Vec::new();
    run.ledger.backup(&mut stream).unwrap();
    run.stop();
    for length in [0, 10, stream.len() / 2, stream.len() - 1] {
        let copy = tempfile::tempdir().unwrap();
        let error = receive(&stream[..length], copy.path(), 100).unwrap_err();
        assert!(matches!(error, RestoreError::Unfinished { .. }), "{length}: {error}");
        let error = receive(&stream, copy.path(), 100).unwrap_err();
        assert!(matches!(error, RestoreError::NotEmpty { .. }), "{error}");
        let kinds: Vec<FaultKind> = offline(copy.path(), &[]).unwrap().faults.iter().map(|f| f.kind).collect();
        assert!(kinds.contains(&FaultKind::UnfinishedBackup), "{length}: {kinds:?}");
        // Whoever starts by it all the same is told.
        let begun = start_with(copy.path(), options());
        assert!(begun.recovery.faults.iter().any(|f| f.kind == FaultKind::UnfinishedBackup), "{length}");
        begun.stop();
    }
    assert!(newest(dir.path()).is_some());
}

#[test]
fn a_stream_leads_nowhere_else() {
    for file in
        ["../lock", "journal/../../x.journal", "journal/x", "kept-config/stentor.toml", "/etc/passwd", "snapshots/.."]
    {
        let copy = tempfile::tempdir().unwrap();
        let mut line = serde_json::to_vec(&Line::File { file: file.into(), bytes: 1 }).unwrap();
        line.extend(b"\nx");
        let error = receive(&line, copy.path(), 100).unwrap_err();
        assert!(matches!(error, RestoreError::Malformed(_)), "{file}: {error}");
    }
    let copy = tempfile::tempdir().unwrap();
    let error = receive(&[b'x'; 10_000], copy.path(), 100).unwrap_err();
    assert!(matches!(error, RestoreError::Malformed(_)), "{error}");
}

#[test]
fn what_a_crash_left_of_a_backup_is_removed() {
    let dir = made(3);
    std::fs::create_dir_all(dir.path().join(".linked-0").join("journal")).unwrap();
    start(dir.path()).stop();
    assert!(!dir.path().join(".linked-0").exists());
}
