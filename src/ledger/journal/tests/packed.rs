//! Packed segments say what plain ones said, and damage in them is found and mended as well.

use super::damage::{Sample, edited, one_segment, two_segments};
use crate::ledger::codec::Tip;
use crate::ledger::fault::FaultKind::*;
use crate::ledger::journal::repair::repair;
use crate::ledger::journal::sealed::{self, SealedError, Standing};
use crate::ledger::journal::segment;
use crate::ledger::journal::walk::{Refill, Walk};
use crate::ledger::testing::*;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn stands(durable: u64, writing: Option<PathBuf>) -> Standing {
    Standing { durable, writing }
}

fn pack(dir: &Path) {
    for segment in sealed::list(dir, || stands(14, None)).unwrap() {
        segment.pack().unwrap();
    }
}

fn packed(sample: Sample) -> Sample {
    pack(sample.dir.path());
    sample
}

#[test]
fn a_packed_journal_reads_as_it_did() {
    for sample in [one_segment(), two_segments()] {
        let plain = walked(sample.dir.path(), Walk::default());
        let sample = packed(sample);
        assert!(sealed::list(sample.dir.path(), || stands(14, None)).unwrap().iter().all(|s| s.is_packed()));
        let (frames, found) = walked(sample.dir.path(), Walk::default());
        assert_eq!((frames, found.tip, found.events, found.faults), (plain.0, plain.1.tip, 14, vec![]));
        assert!(!found.end.unwrap().clean, "nobody writes on in it");
        for (place, from) in sample.frames.iter().enumerate() {
            let walk = Walk { from: Some(tip_of(from)), ..Walk::default() };
            assert_eq!(walked(sample.dir.path(), walk).0.len(), 7 - place);
        }
        pack(sample.dir.path());
        assert_eq!(sample.read().1, vec![], "packing again changes nothing");
    }
}

#[test]
fn what_is_written_to_and_what_is_void_is_not_packed() {
    let sample = two_segments();
    let segments = segment::list(sample.dir.path()).unwrap();
    let second = segments[1].path.clone();
    let sealed = sealed::list(sample.dir.path(), || stands(14, Some(second.clone()))).unwrap();
    assert_eq!(sealed.iter().map(|s| (s.segment.first_seq, s.limit)).collect::<Vec<_>>(), [(1, 8)]);
    // What is beyond the durable place may be lost yet.
    let sealed = sealed::list(sample.dir.path(), || stands(10, None)).unwrap();
    assert_eq!(sealed.iter().map(|s| s.limit).collect::<Vec<_>>(), [8, 10]);
    sealed[1].pack().unwrap();
    let (frames, found) = walked(sample.dir.path(), Walk::default());
    assert_eq!((frames.len(), found.tip.seq, found.faults), (6, 10, vec![]));
}

#[test]
fn what_the_writer_leaves_while_the_directory_is_read_is_whole_or_left_out() {
    let sample = one_segment();
    let limits = |standing: &dyn Fn() -> Standing| {
        let sealed = sealed::list(sample.dir.path(), standing).unwrap();
        sealed.iter().map(|s| s.limit).collect::<Vec<_>>()
    };
    // It was at event 10 of this one, wrote it to its end, and is about to make the next.
    let asked = Cell::new(0);
    let next = segment::path(sample.dir.path(), 15, 0);
    let leaving = || match asked.replace(asked.get() + 1) {
        0 => stands(10, Some(sample.first.clone())),
        _ => stands(14, Some(next.clone())),
    };
    assert_eq!(limits(&leaving), [14]);
    let running = || {
        asked.set(asked.get() + 1);
        stands(asked.get(), None)
    };
    assert!(limits(&running).is_empty(), "without a successor, and never still");
}

#[test]
fn a_damaged_segment_stays_as_it_is() {
    let sample = two_segments();
    flip(&sample.first, sample.offset(3, 0) + 20);
    let before = std::fs::read(&sample.first).unwrap();
    let sealed = sealed::list(sample.dir.path(), || stands(14, None)).unwrap();
    let error = sealed[0].pack().unwrap_err();
    assert!(matches!(error, SealedError::Damaged { after: 4, .. }), "{error}");
    assert_eq!(std::fs::read(&sample.first).unwrap(), before);
    assert_eq!(std::fs::read_dir(sample.dir.path()).unwrap().count(), 2, "and nothing is left beside it");
}

#[test]
fn f16_every_flipped_byte_of_a_packed_journal_is_told() {
    for sample in [one_segment(), two_segments()] {
        let sample = packed(sample);
        let (whole, _) = walked(sample.dir.path(), Walk::default());
        for segment in segment::list(sample.dir.path()).unwrap() {
            let good = std::fs::read(&segment.path).unwrap();
            for place in 0..good.len() {
                flip(&segment.path, place);
                let (frames, found) = walked(sample.dir.path(), Walk::default());
                assert!(!found.faults.is_empty(), "byte {place} of {}", segment.shown());
                assert!(frames.iter().all(|f| whole.contains(f)), "byte {place} of {}", segment.shown());
                let offset = found.faults[0].offset.unwrap_or_default();
                assert!(offset <= good.len() as u64, "a place in the file, not in what it unpacks to");
                std::fs::write(&segment.path, &good).unwrap();
            }
            for length in 0..good.len() {
                std::fs::write(&segment.path, &good[..length]).unwrap();
                let (frames, found) = walked(sample.dir.path(), Walk::default());
                assert!(!found.faults.is_empty(), "cut at {length} of {}", segment.shown());
                assert!(frames.iter().all(|f| whole.contains(f)), "cut at {length} of {}", segment.shown());
            }
            std::fs::write(&segment.path, &good).unwrap();
        }
    }
}

#[test]
fn no_edit_of_a_packed_one_makes_it_panic_or_goes_unnoticed() {
    edited(&packed(two_segments()), |seed, _, whole, (frames, found)| {
        assert!(!found.faults.is_empty() || frames.len() == whole.len(), "seed {seed}: {} frames", frames.len());
    });
}

#[test]
fn what_a_packed_one_lost_is_refilled_and_repaired() {
    let sample = packed(two_segments());
    let (whole, _) = walked(sample.dir.path(), Walk::default());
    flip(&sample.first, segment::HEADER + 40);
    let (frames, found) = walked(sample.dir.path(), Walk::default());
    assert_eq!((frames.len(), found.faults[0].kind, found.faults[0].seq), (3, DamagedFrame, Some(1)));
    let copy = &sample.frames;
    let mut refill = |tip: Tip, until: Option<u64>| {
        let wanted = |f: &&Vec<u8>| tip_of(f).seq > tip.seq && until.is_none_or(|u| tip_of(f).seq < u);
        copy.iter().filter(wanted).cloned().collect::<Vec<_>>()
    };
    let refill: Refill<'_> = &mut refill;
    let walk = Walk { refill: Some(refill), ..Walk::default() };
    let mut seen = Vec::new();
    let found = walk
        .run(sample.dir.path(), &mut |frame| {
            seen.push(frame.decode());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, whole);
    let missing: Vec<Vec<u8>> = found.refilled.into_iter().map(|(_, bytes)| bytes).collect();
    repair(&sample.first, &missing, None).unwrap();
    assert_eq!(walked(sample.dir.path(), Walk::default()).0, whole);
    let sample = packed(sample);
    assert_eq!((walked(sample.dir.path(), Walk::default()).0, sample.read().1), (whole, vec![]));
}

#[test]
fn f02_a_crash_at_any_step_of_packing_leaves_a_whole_journal() {
    let sample = two_segments();
    let (whole, _) = walked(sample.dir.path(), Walk::default());
    let plain = std::fs::read(&sample.first).unwrap();
    pack(sample.dir.path());
    let packed = std::fs::read(&sample.first).unwrap();
    let mut beside = sample.first.clone().into_os_string();
    beside.push(".new");
    // While the new one is written: as far as it came, and whole but not renamed.
    std::fs::write(&sample.first, &plain).unwrap();
    for length in [0, 1, segment::HEADER, packed.len() / 2, packed.len()] {
        std::fs::write(&beside, &packed[..length]).unwrap();
        assert_eq!(walked(sample.dir.path(), Walk::default()).0, whole, "{length} bytes beside");
        assert_eq!(sample.read().1, vec![]);
    }
    // It is overwritten by the next try.
    pack(sample.dir.path());
    assert!(!Path::new(&beside).exists());
    assert_eq!((walked(sample.dir.path(), Walk::default()).0, sample.read().1), (whole, vec![]));
}
