//! What the disk does to files between two starts: told, mended from the other copy where there
//! is one, and never in the way of a start.

use super::*;

fn offset(path: &Path, nth: usize) -> usize {
    let bytes = std::fs::read(path).unwrap();
    let mut at = 0;
    for _ in 0..nth {
        let (offset, frame) = codec::next_frame(&bytes, at).unwrap();
        at = offset + frame.bytes.len();
    }
    codec::next_frame(&bytes, at).unwrap().0
}

#[test]
fn f16_damage_is_mended_from_the_history() {
    for nth in [0, 3, 9] {
        let dir = made(10);
        let path = only_segment(dir.path());
        flip(&path, offset(&path, nth) + 30);
        let mut run = start(dir.path());
        assert_eq!(firsts(&run.replayed), odd(20), "frame {nth}");
        assert_eq!((run.recovery.refilled, run.recovery.faults.len()), (2, 1));
        run.append(2);
        run.stop();
        let verified = verify::offline(dir.path(), &[]).unwrap();
        assert_eq!((verified.ok, verified.events), (true, 24), "{:?}", verified.faults);
        assert_eq!(start(dir.path()).recovery.faults, []);
    }
}

/// Several segments, the first of them older than any snapshot, and the ledger running.
fn running(dir: &Path) -> (Run, Vec<std::path::PathBuf>) {
    let mut run = start_with(dir, Options { segment_bytes: 2_000, ..Options::default() });
    run.append(60);
    run.settle();
    let segments = journal::segment::list(&dir.join("journal")).unwrap();
    assert!(segments.len() > 5, "{}", segments.len());
    (run, segments.into_iter().map(|s| s.path).collect())
}

#[test]
fn f16_what_is_lost_of_old_segments_is_put_back_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (run, segments) = running(dir.path());
    let before = run.ledger.verify(&[]).unwrap();
    assert!(before.ok);
    flip(&segments[1], offset(&segments[1], 1) + 30);
    flip(&segments[2], 40);
    std::fs::remove_file(&segments[4]).unwrap();
    let found = run.ledger.examine(&[]).unwrap();
    let kinds: Vec<FaultKind> = found.faults.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FaultKind::DamagedFrame, FaultKind::DamagedHeader, FaultKind::Gap]);
    assert!(found.put_back > 2, "{found:?}");
    assert!(found.damage().unwrap().contains("put back"));
    assert_eq!(run.ledger.examine(&[]).unwrap(), before, "all of it is there again");
    run.stop();
    assert!(verify::offline(dir.path(), &[]).unwrap().ok);
}

/// A file of zeros, or shorter than its header, or with nothing whole in it, is as good as none: also the first.
#[test]
fn f16_a_segment_in_which_nothing_is_left_is_put_back() {
    type Harm = fn(&Path);
    let harms: [Harm; 5] = [
        |path| std::fs::write(path, vec![0; std::fs::metadata(path).unwrap().len() as usize]).unwrap(),
        |path| std::fs::write(path, b"").unwrap(),
        |path| std::fs::write(path, &std::fs::read(path).unwrap()[..100]).unwrap(),
        |path| std::fs::write(path, vec![7; 1_000]).unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
    ];
    for (n, harm) in harms.into_iter().enumerate() {
        for places in [[2, 3], [0, 1]] {
            let dir = tempfile::tempdir().unwrap();
            let (run, segments) = running(dir.path());
            let before = run.ledger.verify(&[]).unwrap();
            places.iter().for_each(|place| harm(&segments[*place]));
            let found = run.ledger.examine(&[]).unwrap();
            assert!(!found.ok && found.put_back > 2, "harm {n} at {places:?}: {found:?}");
            assert_eq!(run.ledger.examine(&[]).unwrap(), before, "harm {n} at {places:?}");
            run.stop();
            assert!(verify::offline(dir.path(), &[]).unwrap().ok);
        }
    }
}

#[test]
fn an_export_says_that_the_beginning_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (run, segments) = running(dir.path());
    std::fs::remove_file(&segments[0]).unwrap();
    let all = export::Export {
        format: export::Format::Jsonl,
        zone: jiff::tz::TimeZone::UTC,
        since: None,
        until: None,
        through: None,
    };
    let exported = run.ledger.export(&all, &mut std::io::sink()).unwrap();
    assert_eq!((exported.faults.len(), exported.faults[0].kind), (1, FaultKind::Gap), "{:?}", exported.faults);
    run.stop();
}

#[test]
fn f16_the_segment_that_is_written_to_is_left_to_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (mut run, segments) = running(dir.path());
    let last = segments.last().unwrap();
    flip(last, offset(last, 0) + 30);
    let harmed = std::fs::read(last).unwrap();
    let found = run.ledger.examine(&[]).unwrap();
    assert_eq!((found.ok, found.put_back), (false, 0));
    assert_eq!(std::fs::read(last).unwrap(), harmed);
    run.append(1);
    run.settle();
    run.stop();
    start(dir.path()).stop();
    assert!(verify::offline(dir.path(), &[]).unwrap().ok);
}

#[test]
fn without_a_history_damage_is_told_and_the_rest_is_read() {
    let dir = made(10);
    std::fs::remove_dir_all(dir.path().join("history")).unwrap();
    let path = only_segment(dir.path());
    flip(&path, offset(&path, 4) + 30);
    let mut run = start(dir.path());
    assert_eq!(firsts(&run.replayed), [1, 3, 5, 7, 11, 13, 15, 17, 19]);
    let fault = &run.recovery.faults[0];
    assert_eq!((fault.kind, fault.seq), (FaultKind::DamagedFrame, Some(9)));
    run.append(1);
    run.settle();
    run.stop();
    assert!(!verify::offline(dir.path(), &[]).unwrap().ok, "what is lost stays told");
}

#[test]
fn f15_every_kind_of_cut_is_a_start_and_what_was_durable_comes_back() {
    let dir = made(6);
    let path = only_segment(dir.path());
    let good = std::fs::read(&path).unwrap();
    // A cut between two frames cannot be seen in the journal.
    let ends: Vec<usize> = (0..6).map(|frames| offset_end(&good, frames)).collect();
    for length in (0..good.len()).step_by(97).chain([127, 129]).filter(|length| !ends.contains(length)) {
        std::fs::write(&path, &good[..length]).unwrap();
        let run = start(dir.path());
        assert_eq!(firsts(&run.replayed), odd(12), "cut at {length}: the history has the rest");
        assert!(!run.recovery.faults.is_empty());
        run.stop();
        // Back to one segment.
        for segment in journal::segment::list(&dir.path().join("journal")).unwrap() {
            std::fs::remove_file(segment.path).unwrap();
        }
    }
}

fn offset_end(bytes: &[u8], frames: usize) -> usize {
    let mut at = 128;
    for _ in 0..frames {
        at += codec::RawFrame::read(&bytes[at..]).unwrap().bytes.len();
    }
    at
}

/// A small journal, no history. (That every byte is told is shown by the walk's own test.)
#[test]
fn f16_every_flipped_byte_is_told_at_the_start_and_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let frames = chain(Tip::default(), &[&[1], &[2, 1], &[1]]);
    let journal = dir.path().join("journal");
    let path = write_segment(&journal, Tip::default(), 0, &frames);
    let good = std::fs::read(&path).unwrap();
    for place in 0..good.len() {
        flip(&path, place);
        let mut run = start(dir.path());
        assert!(!run.recovery.faults.is_empty(), "byte {place}");
        let tip = run.append(1);
        run.stop();
        let (again, found) = walked(&journal, journal::walk::Walk::default());
        assert_eq!((found.tip, again.last().unwrap()), (tip, &frame(tip.seq - 1, 2)), "byte {place}");
        std::fs::remove_dir_all(dir.path()).unwrap();
        std::fs::create_dir(dir.path()).unwrap();
        std::fs::create_dir(&journal).unwrap();
        std::fs::write(&path, &good).unwrap();
    }
}

#[test]
fn f21_a_journal_that_lost_its_end_is_told_by_the_snapshot_and_mended() {
    for history in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut run = start(dir.path());
        run.append(5);
        run.settle();
        let tip = run.append(5);
        run.ledger.save_snapshot(tip, b"after 20").unwrap();
        run.settle();
        run.stop();
        let path = only_segment(dir.path());
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, &good[..offset_end(&good, 5)]).unwrap();
        if !history {
            std::fs::remove_dir_all(dir.path().join("history")).unwrap();
        }
        let mut run = start(dir.path());
        assert_eq!((run.recovery.tip, run.replayed.len()), (tip, 0));
        assert_eq!(run.recovery.refilled, if history { 10 } else { 0 });
        run.append(2);
        run.stop();
        let mut opening = open(dir.path(), Options::default()).unwrap();
        opening.reject_snapshot("to see the journal").unwrap();
        let run = super::run(opening);
        let expected = if history { odd(24) } else { [odd(10), vec![21, 23]].concat() };
        assert_eq!(firsts(&run.replayed), expected);
        run.stop();
        assert_eq!(verify::offline(dir.path(), &[]).unwrap().ok, history);
    }
}

/// What is written since hides nothing: not even one frame, and not as many as are gone.
#[test]
fn f21_a_journal_that_lost_its_end_is_told_by_the_history_whatever_follows() {
    for (lost, written) in [(1, 0), (1, 1), (1, 3), (2, 2), (3, 2), (4, 6)] {
        let dir = made(6);
        let path = only_segment(dir.path());
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, &good[..offset_end(&good, 6 - lost)]).unwrap();
        let mut run = start(dir.path());
        run.append(written);
        let told = run.ear.wait(|r| matches!(r, Report::Files { .. }));
        let Report::Files { words } = told else { unreachable!() };
        assert!(words.contains("may have lost its end") && words.contains("it holds 12 events"), "{words}");
        run.settle();
        run.stop();
        assert!(verify::offline(dir.path(), &[]).unwrap().ok, "the history was made anew: {lost} {written}");
    }
}

/// Reading it is an I/O error from its first byte on, as this file's is.
#[test]
fn f16_a_segment_that_the_disk_does_not_give_back_is_damage_and_stops_no_start() {
    let dir = made(6);
    let path = only_segment(dir.path());
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap_err().raw_os_error(), Some(nix::libc::EIO));
    let mut run = start(dir.path());
    assert_eq!((run.recovery.tip.seq, run.recovery.refilled, firsts(&run.replayed)), (12, 12, odd(12)));
    assert!(!run.recovery.faults.is_empty());
    run.append(2);
    run.stop();
}

#[test]
fn damaged_snapshots_cost_time_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    for _ in 0..2 {
        let tip = run.append(5);
        run.ledger.save_snapshot(tip, b"a state").unwrap();
    }
    run.stop();
    let newest = snapshot::path(&dir.path().join("snapshots"), 20);
    flip(&newest, 70);
    let run = start(dir.path());
    assert_eq!(firsts(&run.replayed), [11, 13, 15, 17, 19]);
    assert_eq!(run.recovery.faults[0].kind, FaultKind::DamagedSnapshot);
    run.stop();
    flip(&snapshot::path(&dir.path().join("snapshots"), 10), 70);
    let run = start(dir.path());
    assert_eq!((firsts(&run.replayed), run.recovery.faults.len()), (odd(20), 2));
    run.stop();
}

#[test]
fn a_snapshot_of_something_else_is_told() {
    let dir = made(5);
    let foreign = Tip { seq: 4, hash: FrameHash([8; 32]) };
    snapshot::save(&dir.path().join("snapshots"), foreign, b"?").unwrap();
    let run = start(dir.path());
    assert_eq!(run.recovery.faults[0].kind, FaultKind::ForeignSnapshot);
    assert_eq!(firsts(&run.replayed), [5, 7, 9]);
    run.stop();
}
