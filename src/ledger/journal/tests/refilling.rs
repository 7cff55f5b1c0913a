//! What a damaged journal lost is taken from a copy of its frames, and written back.

use super::damage::{GROUPS, Sample, one_segment, two_segments};
use crate::ledger::codec::{RawFrame, Tip};
use crate::ledger::journal::repair::repair;
use crate::ledger::journal::segment;
use crate::ledger::journal::walk::{Refill, Walk};
use crate::ledger::testing::*;

/// Gives frames out of a whole copy.
fn from_copy(frames: &[Vec<u8>]) -> impl FnMut(Tip, Option<u64>) -> Vec<Vec<u8>> {
    move |tip, until| {
        let wanted = |f: &&Vec<u8>| {
            let seq = RawFrame::read(f).unwrap().seq;
            seq > tip.seq && until.is_none_or(|until| seq < until)
        };
        frames.iter().filter(wanted).cloned().collect()
    }
}

fn refilled(sample: &Sample) -> (Vec<u64>, crate::ledger::journal::walk::Walked) {
    let mut copy = from_copy(&sample.frames);
    let refill: Refill<'_> = &mut copy;
    let (frames, found) = walked(sample.dir.path(), Walk { refill: Some(refill), ..Walk::default() });
    (frames.iter().map(|f| f.seq).collect(), found)
}

#[test]
fn what_is_lost_can_be_refilled_and_repaired() {
    for place in [0, 20, 100] {
        for frame in 0..5 {
            let sample = two_segments();
            flip(&sample.first, sample.offset(frame, 0) + place);
            let (seqs, found) = refilled(&sample);
            assert_eq!(seqs, [1, 2, 4, 5, 8, 9, 11, 13], "frame {frame}");
            assert_eq!(found.faults.len(), 1);
            assert!(found.faults[0].words.contains("taken from the history"), "{}", found.faults[0].words);
            let missing: Vec<_> = found.refilled.into_iter().map(|(_, bytes)| bytes).collect();
            repair(&sample.first, &missing, None).unwrap();
            assert_eq!(sample.read(), (vec![1, 2, 4, 5, 8, 9, 11, 13], vec![]));
            assert!(sample.first.with_extension("journal.damaged").exists());
        }
    }
}

#[test]
fn a_cut_end_can_be_refilled() {
    let sample = two_segments();
    let last = segment::list(sample.dir.path()).unwrap()[1].path.clone();
    let good = std::fs::read(&last).unwrap();
    for length in [0, 40, segment::HEADER + 10, good.len() - 1] {
        std::fs::write(&last, &good[..length]).unwrap();
        let (seqs, found) = refilled(&sample);
        assert_eq!(seqs, [1, 2, 4, 5, 8, 9, 11, 13], "cut at {length}");
        assert_eq!(found.tip, tip_of(&sample.frames[7]));
        let (before, appended) = found.appended.unwrap();
        assert!(sample.frames.concat().ends_with(&appended));
        assert_eq!(RawFrame::read(&appended).unwrap().seq, before.seq + 1);
    }
}

#[test]
fn a_refill_of_another_chain_is_not_taken() {
    let mut sample = one_segment();
    flip(&sample.first, sample.offset(3, 0) + 20);
    let other = Tip { seq: 0, hash: crate::ledger::codec::FrameHash([1; 32]) };
    sample.frames = chain(other, GROUPS);
    let (seqs, found) = refilled(&sample);
    assert_eq!(seqs, [1, 2, 4, 8, 9, 11, 13]);
    assert!(found.faults[0].words.contains("lost"));
}
