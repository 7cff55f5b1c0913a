//! Verify, rebuild, export.

use super::*;
use crate::ledger::export::{Export, Format, export};
use crate::ledger::history::store::Store;
use crate::ledger::journal::segment;
use crate::ledger::verify::{VerifyError, offline};
use jiff::tz::TimeZone;

fn kinds(verified: &verify::Verified) -> Vec<FaultKind> {
    verified.faults.iter().map(|f| f.kind).collect()
}

#[test]
fn a_whole_ledger_verifies_while_it_runs_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    run.append(3);
    let anchor = run.append(4);
    run.ledger.save_snapshot(anchor, b"state").unwrap();
    run.append(4);
    let verified = run.ledger.verify(&[anchor]).unwrap();
    assert_eq!((verified.ok, verified.events, verified.head), (true, 22, run.ledger.durable().hash));
    run.settle();
    assert_eq!(run.ledger.verify(&[]).unwrap().history_events, Some(22));
    assert!(matches!(offline(dir.path(), &[]), Err(VerifyError::Lock(_))));
    run.stop();
    let verified = offline(dir.path(), &[anchor]).unwrap();
    assert_eq!((verified.ok, verified.events, verified.seq, verified.history_events), (true, 22, 22, Some(22)));
    let json = serde_json::to_value(&verified).unwrap();
    assert_eq!(json["head"], verified.head.to_string());
    assert_eq!(json["faults"], serde_json::json!([]));
}

#[test]
fn where_there_is_no_ledger_nothing_is_well() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(offline(dir.path(), &[]), Err(VerifyError::Nothing(_))));
}

#[test]
fn a_flipped_byte_is_found_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    run.append(5);
    flip(&only_segment(dir.path()), 300);
    let verified = run.ledger.verify(&[]).unwrap();
    assert!(!verified.ok);
    assert_eq!(verified.faults[0].file, "journal/00000000000000000001-0.journal");
    run.stop();
}

/// Somebody who can write files, but has no anchor outside: whatever is cut, edited or re-chained
/// differs from the history or the snapshot.
#[test]
fn f80_tampering_is_found() {
    let tampered = |change: &dyn Fn(&Path)| {
        let dir = made(10);
        let run = start(dir.path());
        run.ledger.save_snapshot(run.ledger.durable(), b"state").unwrap();
        run.stop();
        assert!(offline(dir.path(), &[]).unwrap().ok);
        change(dir.path());
        let verified = offline(dir.path(), &[]).unwrap();
        assert!(!verified.ok);
        kinds(&verified)
    };
    let frames_in = |dir: &Path| -> Vec<Vec<u8>> {
        let bytes = journal::repair::frames_of(&only_segment(dir), u64::MAX);
        history::store::block::frames(&bytes).map(|f| f.bytes.to_vec()).collect()
    };
    let write = |dir: &Path, frames: &[Vec<u8>]| {
        write_segment(&dir.join("journal"), Tip::default(), 0, frames);
    };
    let cut = tampered(&|dir| write(dir, &frames_in(dir)[..6]));
    assert_eq!(cut, [FaultKind::JournalBehind, FaultKind::JournalBehind]);
    let without_middle = tampered(&|dir| {
        let frames = frames_in(dir);
        write(dir, &[&frames[..4], &frames[5..]].concat());
    });
    assert_eq!(without_middle, [FaultKind::Gap]);
    let swapped = tampered(&|dir| {
        let mut frames = frames_in(dir);
        frames.swap(4, 5);
        write(dir, &frames);
    });
    assert_eq!(swapped, [FaultKind::Gap, FaultKind::OutOfOrder]);
    let rechained = tampered(&|dir| {
        let frames = frames_in(dir);
        let from = tip_of(&frames[6]);
        let other = chain(from, &[&[1, 1], &[2], &[2]]);
        write(dir, &[&frames[..7], &other].concat());
    });
    assert!(rechained.contains(&FaultKind::HistoryDiffers) && rechained.contains(&FaultKind::ForeignSnapshot));
    let no_journal = tampered(&|dir| std::fs::remove_file(only_segment(dir)).unwrap());
    assert_eq!(no_journal, [FaultKind::JournalBehind, FaultKind::JournalBehind]);
    let damaged_snapshot = tampered(&|dir| flip(&snapshot::path(&dir.join("snapshots"), 20), 80));
    assert_eq!(damaged_snapshot, [FaultKind::DamagedSnapshot]);
    let foreign_history = tampered(&|dir| {
        let other = made(11);
        std::fs::remove_dir_all(dir.join("history")).unwrap();
        std::fs::rename(other.path().join("history"), dir.join("history")).unwrap();
    });
    assert_eq!(foreign_history, [FaultKind::JournalBehind]);
    let no_history = tampered(&|dir| {
        for file in ["db", "conf"] {
            std::fs::write(dir.join("history").join(file), vec![0x33; 50_000]).unwrap();
        }
    });
    assert_eq!(no_history, [FaultKind::HistoryDiffers]);
}

#[test]
fn f80_an_anchor_outside_finds_what_nothing_inside_can() {
    let dir = made(5);
    let anchor = offline(dir.path(), &[]).map(|v| Tip { seq: v.seq, hash: v.head }).unwrap();
    std::fs::remove_dir_all(dir.path()).unwrap();
    let other = start(dir.path());
    other.ledger.append(frame(1, 3).into(), &SEED, Extract::default()).unwrap();
    other.ledger.append(frame(4, 9).into(), &SEED, Extract::default()).unwrap();
    other.stop();
    assert!(offline(dir.path(), &[]).unwrap().ok);
    assert_eq!(kinds(&offline(dir.path(), &[anchor]).unwrap()), [FaultKind::ForeignSnapshot]);
    let later = Tip { seq: 100, ..anchor };
    assert_eq!(kinds(&offline(dir.path(), &[later]).unwrap()), [FaultKind::JournalBehind]);

    // Whoever makes a snapshot to fit the other chain does not cover the noted head with it.
    let run = start(dir.path());
    let forged = run.ledger.durable();
    assert_eq!(forged.seq, 12);
    run.ledger.save_snapshot(forged, b"a state to fit").unwrap();
    run.stop();
    assert!(offline(dir.path(), &[forged]).unwrap().ok);
    let noted = Tip { seq: forged.seq, ..anchor };
    assert_eq!(kinds(&offline(dir.path(), &[noted]).unwrap()), [FaultKind::ForeignSnapshot]);
}

#[test]
fn f80_a_noted_head_before_the_journals_beginning_is_not_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let frames = chain(Tip::default(), &[&[1], &[2], &[3]]);
    write_segment(&dir.path().join("journal"), tip_of(&frames[1]), 0, &frames[2..]);
    assert_eq!(kinds(&offline(dir.path(), &[]).unwrap()), [FaultKind::Gap], "who removed the beginning?");
    std::fs::create_dir(dir.path().join("snapshots")).unwrap();
    snapshot::save_base(&dir.path().join("snapshots"), tip_of(&frames[1]), &mut |out| out.write_all(b"x")).unwrap();
    assert!(offline(dir.path(), &[]).unwrap().ok, "retention may, and leaves a base");
    assert!(offline(dir.path(), &[tip_of(&frames[2])]).unwrap().ok);
    let verified = offline(dir.path(), &[tip_of(&frames[0])]).unwrap();
    assert_eq!(kinds(&verified), [FaultKind::Gap]);
    assert!(verified.faults[0].words.contains("begins at event 4"), "{:?}", verified.faults);
    // Right before it: the header of the segment says which event that was.
    let noted = tip_of(&frames[1]);
    assert!(offline(dir.path(), &[noted]).unwrap().ok);
    let another = Tip { hash: tip_of(&frames[0]).hash, ..noted };
    assert_eq!(kinds(&offline(dir.path(), &[another]).unwrap()), [FaultKind::ForeignSnapshot]);
}

#[test]
fn a_torn_end_is_told_until_the_next_start_has_dealt_with_it() {
    let dir = made(5);
    std::fs::remove_dir_all(dir.path().join("history")).unwrap();
    let path = only_segment(dir.path());
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, &good[..good.len() - 5]).unwrap();
    assert_eq!(kinds(&offline(dir.path(), &[]).unwrap()), [FaultKind::TornTail]);
    let mut run = start(dir.path());
    run.append(1);
    run.settle();
    run.stop();
    let verified = offline(dir.path(), &[]).unwrap();
    assert_eq!((verified.ok, verified.events), (true, 10), "{:?}", verified.faults);
}

#[test]
fn the_history_is_rebuilt_offline() {
    let dir = made(30);
    std::fs::remove_dir_all(dir.path().join("history")).unwrap();
    let tip = rebuild::offline(dir.path(), extract::events_only()).unwrap().tip;
    assert_eq!(tip.seq, 60);
    let store = Store::open(&dir.path().join("history")).unwrap();
    assert_eq!(store.applied(), tip);
    store.close();
    assert_eq!(offline(dir.path(), &[]).unwrap().history_events, Some(60));
    // Over an existing one, too.
    rebuild::offline(dir.path(), extract::events_only()).unwrap();
    let run = start(dir.path());
    let error = rebuild::offline(dir.path(), extract::events_only()).unwrap_err();
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    run.stop();
    // What the journal has lost, the old one may have.
    let first = segment::list(&dir.path().join("journal")).unwrap().remove(0).path;
    let mut bytes = std::fs::read(&first).unwrap();
    let middle = bytes.iter().rposition(|b| *b != 0).unwrap() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&first, bytes).unwrap();
    let rebuilt = rebuild::offline(dir.path(), extract::events_only()).unwrap();
    assert!(!rebuilt.faults.is_empty() && dir.path().join("history.damaged-1").exists(), "{:?}", rebuilt.faults);
}

fn exported(dir: &Path, format: Format) -> String {
    let what = Export { format, zone: TimeZone::UTC, since: None, until: None, through: None };
    let mut out = Vec::new();
    let done = export(dir, &what, &mut out).unwrap();
    assert_eq!((done.events, done.faults), (8, vec![]));
    String::from_utf8(out).unwrap()
}

#[test]
fn an_export_has_every_event() {
    let dir = made(4);
    let lines: Vec<serde_json::Value> =
        exported(dir.path(), Format::Jsonl).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.iter().map(|l| l["seq"].as_u64().unwrap()).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    assert_eq!(lines[2]["body"], "body of event 3");
    assert_eq!(lines[2]["initiator"], "tester 3");

    let csv = exported(dir.path(), Format::Csv);
    let rows: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(
        rows[0],
        "seq,at,kind,initiator,hash,recorded_late,id,incident,notification,delivery,channel,status,details"
    );
    assert!(rows[1].starts_with("1,2023-11-14T22:13:21.000+00:00,heartbeat_pinged,tester 1,"), "{}", rows[1]);
    assert!(
        rows[3].ends_with(r#",,,,,,,"{""body"":""body of event 3"",""name"":""beat-3"",""ok"":false}""#),
        "{}",
        rows[3]
    );
    assert_eq!(rows.len(), 10);
}

#[test]
fn an_export_can_be_a_part_and_ends_when_nobody_takes_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    run.append(4);
    let what =
        Export { format: Format::Jsonl, zone: TimeZone::UTC, since: Some(at(3)), until: Some(at(7)), through: None };
    let mut out = Vec::new();
    assert_eq!(run.ledger.export(&what, &mut out).unwrap().events, 4);
    struct Deaf;
    impl std::io::Write for Deaf {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(matches!(run.ledger.export(&what, &mut Deaf), Err(export::ExportError::Io(_))));
    run.stop();
}

#[test]
fn a_spreadsheet_gets_no_formula() {
    let dir = tempfile::tempdir().unwrap();
    let run = start(dir.path());
    let mut wicked = frame(1, 1);
    wicked.by = "=HYPERLINK(\"x\")".into();
    run.ledger.append(wicked.into(), &SEED, Extract::default()).unwrap();
    run.stop();
    let what = Export { format: Format::Csv, zone: TimeZone::UTC, since: None, until: None, through: None };
    let mut out = Vec::new();
    export(dir.path(), &what, &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains(r#","'=HYPERLINK(""x"")","#));
}
