//! Damage is found with its place, what is whole is read, and a crash is no damage.

use crate::domain::event::Frame;
use crate::ledger::codec::{RawFrame, Tip};
use crate::ledger::fault::FaultKind::{self, *};
use crate::ledger::journal::segment::{self, Header};
use crate::ledger::journal::walk::{Walk, WalkError, Walked};
use crate::ledger::testing::*;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Groups of frames, as counts of events: 14 events in 8 frames.
pub const GROUPS: &[&[u64]] = &[&[1], &[2, 1, 3], &[1], &[2, 2], &[2]];

pub struct Sample {
    pub dir: tempfile::TempDir,
    pub frames: Vec<Vec<u8>>,
    pub first: PathBuf,
}

/// Everything in one segment.
pub fn one_segment() -> Sample {
    let dir = tempfile::tempdir().unwrap();
    let frames = chain(Tip::default(), GROUPS);
    let first = write_segment(dir.path(), Tip::default(), 0, &frames);
    Sample { dir, frames, first }
}

/// Frames 0 to 4 in one segment, 5 to 7 in the next.
pub fn two_segments() -> Sample {
    let dir = tempfile::tempdir().unwrap();
    let frames = chain(Tip::default(), GROUPS);
    let first = write_segment(dir.path(), Tip::default(), 0, &frames[..5]);
    write_segment(dir.path(), tip_of(&frames[4]), 0, &frames[5..]);
    Sample { dir, frames, first }
}

impl Sample {
    pub fn read(&self) -> (Vec<u64>, Vec<(FaultKind, Option<u64>)>) {
        let (frames, found) = walked(self.dir.path(), Walk::default());
        (frames.iter().map(|f| f.seq).collect(), found.faults.iter().map(|f| (f.kind, f.seq)).collect())
    }

    /// Where a frame begins, if its segment begins with `first`.
    pub fn offset(&self, frame: usize, first: usize) -> usize {
        segment::HEADER + self.frames[first..frame].iter().map(Vec::len).sum::<usize>()
    }

    fn rewrite(&self, order: &[usize]) {
        let frames: Vec<_> = order.iter().map(|i| self.frames[*i].clone()).collect();
        write_segment(self.dir.path(), Tip::default(), 0, &frames);
    }
}

#[test]
fn a_whole_journal_has_no_faults() {
    for sample in [one_segment(), two_segments()] {
        assert_eq!(sample.read(), (vec![1, 2, 4, 5, 8, 9, 11, 13], vec![]));
        let (_, found) = walked(sample.dir.path(), Walk::default());
        assert_eq!((found.tip, found.events), (tip_of(&sample.frames[7]), 14));
        assert!(found.end.unwrap().clean);
    }
}

#[test]
fn no_directory_is_an_empty_journal() {
    let (frames, found) = walked(Path::new("/nonexistent/journal"), Walk::default());
    assert_eq!((frames.len(), found.tip, found.end), (0, Tip::default(), None));
}

#[test]
fn a_walk_can_begin_and_end_anywhere() {
    let sample = two_segments();
    let from = tip_of(&sample.frames[5]);
    let walk = Walk { from: Some(from), ..Walk::default() };
    let (frames, found) = walked(sample.dir.path(), walk);
    assert_eq!((frames[0].seq, found.events, found.faults), (11, 4, vec![]));

    let (frames, found) = walked(sample.dir.path(), Walk { through: Some(8), ..Walk::default() });
    assert_eq!((frames.last().unwrap().seq, found.tip), (8, tip_of(&sample.frames[4])));

    let mut seen = 0;
    let mut visit = |_: &RawFrame<'_>| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Walk::default().run(sample.dir.path(), &mut visit).unwrap();
    assert_eq!(seen, 3);
}

#[test]
fn a_beginning_that_is_not_in_the_chain_is_told() {
    let sample = two_segments();
    for seq in [3, 8, 9, 10, 12] {
        let mut from = tip_of(&sample.frames[4]);
        from.seq = seq;
        from.hash.0[0] ^= 1;
        let (_, found) = walked(sample.dir.path(), Walk { from: Some(from), ..Walk::default() });
        assert_eq!(found.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), [ForeignSnapshot], "{seq}");
    }
}

#[test]
fn f16_every_flipped_byte_is_told_and_nothing_wrong_is_read() {
    for sample in [one_segment(), two_segments()] {
        let (whole, _) = walked(sample.dir.path(), Walk::default());
        for segment in segment::list(sample.dir.path()).unwrap() {
            let good = std::fs::read(&segment.path).unwrap();
            for place in 0..good.len() {
                flip(&segment.path, place);
                let (frames, found) = walked(sample.dir.path(), Walk::default());
                assert!(!found.faults.is_empty(), "byte {place} of {}", segment.shown());
                assert!(frames.iter().all(|f| whole.contains(f)), "byte {place} of {}", segment.shown());
                assert!(frames.len() + 4 > whole.len(), "byte {place}: at most its group is lost");
                std::fs::write(&segment.path, &good).unwrap();
            }
        }
    }
}

#[test]
fn zeros_at_the_end_are_space_and_anything_else_is_told() {
    let sample = one_segment();
    let mut bytes = std::fs::read(&sample.first).unwrap();
    let end = bytes.len();
    bytes.resize(end + 5000, 0);
    std::fs::write(&sample.first, &bytes).unwrap();
    let (_, found) = walked(sample.dir.path(), Walk::default());
    assert_eq!((found.faults.len(), found.end.unwrap().offset), (0, end as u64));
    for place in [end, end + 1, end + 4999] {
        flip(&sample.first, place);
        let (frames, found) = walked(sample.dir.path(), Walk::default());
        assert_eq!((frames.len(), found.faults[0].kind), (8, TornTail));
        assert_eq!(found.faults[0].offset, Some(end as u64));
        assert!(!found.end.unwrap().clean);
        flip(&sample.first, place);
    }
}

#[test]
fn f15_every_cut_of_the_last_segment_is_a_torn_tail() {
    let sample = two_segments();
    let last = segment::list(sample.dir.path()).unwrap()[1].path.clone();
    let good = std::fs::read(&last).unwrap();
    let ends: Vec<usize> = (5..=8).map(|frame| sample.offset(frame, 5)).collect();
    for length in 0..good.len() {
        std::fs::write(&last, &good[..length]).unwrap();
        let (frames, found) = walked(sample.dir.path(), Walk::default());
        let whole = ends.iter().filter(|end| **end <= length).count().saturating_sub(1);
        assert_eq!(frames.len(), 5 + whole, "cut at {length}");
        if ends.contains(&length) {
            assert_eq!(found.faults, [], "a cut between frames cannot be seen here");
        } else {
            assert_eq!(found.faults.len(), 1);
            assert_eq!(
                (found.faults[0].kind, found.faults[0].seq),
                (TornTail, Some(frames.last().unwrap().seq + frames.last().unwrap().events.len() as u64))
            );
        }
    }
}

#[test]
fn a_segment_that_another_one_follows_must_be_whole() {
    let sample = two_segments();
    let good = std::fs::read(&sample.first).unwrap();
    for length in segment::HEADER..good.len() {
        std::fs::write(&sample.first, &good[..length]).unwrap();
        let (frames, found) = walked(sample.dir.path(), Walk::default());
        assert_eq!(frames[frames.len() - 3..].iter().map(|f| f.seq).collect::<Vec<_>>(), [9, 11, 13]);
        assert_eq!(found.faults.len(), 1, "cut at {length}: {:?}", found.faults);
        assert!(matches!(found.faults[0].kind, DamagedFrame | Gap), "cut at {length}");
    }
}

#[test]
fn a_group_that_a_power_cut_left_in_pieces_is_no_damage() {
    let sample = one_segment();
    // The last group but one holds frames 5 and 6; the last is gone.
    let end = sample.offset(7, 0);
    let mut bytes = std::fs::read(&sample.first).unwrap();
    bytes.truncate(end);
    let (from, to) = (sample.offset(5, 0), sample.offset(6, 0));
    bytes[from..to].fill(0);
    std::fs::write(&sample.first, &bytes).unwrap();
    assert_eq!(sample.read(), (vec![1, 2, 4, 5, 8], vec![(TornTail, Some(9))]));
}

#[test]
fn what_a_later_group_proves_durable_is_damage() {
    let sample = one_segment();
    flip(&sample.first, sample.offset(5, 0) + 20);
    let (_, found) = walked(sample.dir.path(), Walk::default());
    let fault = &found.faults[0];
    assert_eq!((fault.kind, fault.offset, fault.seq), (DamagedFrame, Some(sample.offset(5, 0) as u64), Some(9)));
    assert!(fault.words.contains("events 9 to 10 are lost"), "{}", fault.words);
    assert_eq!(fault.file, "journal/00000000000000000001-0.journal");
    assert_eq!(sample.read().0, [1, 2, 4, 5, 8, 11, 13]);
}

#[test]
fn f80_removed_moved_and_copied_frames_are_told() {
    let sample = one_segment();
    sample.rewrite(&[0, 1, 3, 4, 5, 6, 7]);
    assert_eq!(sample.read(), (vec![1, 2, 5, 8, 9, 11, 13], vec![(Gap, Some(4))]));
    sample.rewrite(&[0, 2, 1, 3, 4, 5, 6, 7]);
    assert_eq!(sample.read(), (vec![1, 4, 5, 8, 9, 11, 13], vec![(Gap, Some(2)), (OutOfOrder, Some(2))]));
    sample.rewrite(&[0, 1, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(sample.read(), (vec![1, 2, 4, 5, 8, 9, 11, 13], vec![(OutOfOrder, Some(2))]));
    sample.rewrite(&[1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(sample.read().1, [(Gap, Some(1))]);
}

#[test]
fn f80_an_edited_frame_is_told_though_its_checksum_fits() {
    let sample = one_segment();
    let raw = RawFrame::read(&sample.frames[3]).unwrap();
    let mut edited = raw.decode();
    edited.by = "nobody".into();
    // The same hash, another content.
    let mut bytes = Vec::new();
    crate::ledger::codec::encode(&mut bytes, &edited, &tip_of(&sample.frames[2]).hash, &SEED, false).unwrap();
    bytes[40..72].copy_from_slice(&raw.hash.0);
    let crc = crc32fast::hash(&bytes[8..]);
    bytes[4..8].copy_from_slice(&crc.to_le_bytes());
    let mut frames = sample.frames.clone();
    frames[3] = bytes;
    write_segment(sample.dir.path(), Tip::default(), 0, &frames);
    assert_eq!(sample.read().1, [(Edited, Some(5))]);

    // With a hash of its own it no longer fits what follows.
    let mut bytes = Vec::new();
    crate::ledger::codec::encode(&mut bytes, &edited, &tip_of(&sample.frames[2]).hash, &SEED, false).unwrap();
    frames[3] = bytes;
    write_segment(sample.dir.path(), Tip::default(), 0, &frames);
    assert_eq!(sample.read().1, [(Edited, Some(8))]);
}

#[test]
fn a_missing_segment_is_a_gap() {
    let sample = two_segments();
    let last = segment::list(sample.dir.path()).unwrap()[1].path.clone();
    std::fs::remove_file(&sample.first).unwrap();
    assert_eq!(sample.read(), (vec![9, 11, 13], vec![]), "retention may remove the beginning");
    let far = chain(tip_of(&sample.frames[7]), &[&[1], &[1]]);
    write_segment(sample.dir.path(), tip_of(&far[0]), 0, &far[1..]);
    assert_eq!(sample.read().1, [(Gap, Some(15))]);
    std::fs::remove_file(last).unwrap();
    assert_eq!(sample.read(), (vec![16], vec![]));
}

#[test]
fn a_segment_that_follows_another_frame_is_told() {
    let sample = two_segments();
    let mut after = tip_of(&sample.frames[4]);
    after.hash.0[5] ^= 1;
    let frames = chain(after, &[&[1]]);
    write_segment(sample.dir.path(), after, 0, &frames);
    assert_eq!(sample.read(), (vec![1, 2, 4, 5, 8, 9], vec![(Edited, Some(8))]));
}

#[test]
fn f13_what_a_failed_segment_holds_beyond_its_successor_is_void() {
    let dir = tempfile::tempdir().unwrap();
    let frames = chain(Tip::default(), GROUPS);
    let other = chain(tip_of(&frames[1]), &[&[1], &[1]]);
    let mut old = frames.clone();
    old.push(b"rubbish".to_vec());
    write_segment(dir.path(), Tip::default(), 0, &old);
    // A first successor that failed too, and one without a header, from a crash.
    write_segment(dir.path(), tip_of(&frames[1]), 0, &frames[2..4]);
    std::fs::write(segment::path(dir.path(), 4, 1), "").unwrap();
    write_segment(dir.path(), tip_of(&frames[1]), 2, &other);
    let (got, found) = walked(dir.path(), Walk::default());
    assert_eq!(found.faults, []);
    assert_eq!(got.iter().map(|f| (f.seq, f.events.len())).collect::<Vec<_>>(), [(1, 1), (2, 2), (4, 1), (5, 1)]);

    let (got, found) = walked(dir.path(), Walk { from: Some(tip_of(&frames[1])), ..Walk::default() });
    assert_eq!((got.len(), found.faults), (2, vec![]));
}

#[test]
fn f16_a_damaged_header_loses_no_frame() {
    let sample = two_segments();
    flip(&segment::list(sample.dir.path()).unwrap()[1].path, 30);
    let (frames, found) = walked(sample.dir.path(), Walk::default());
    assert_eq!((frames.len(), found.faults[0].kind), (8, DamagedHeader));
    assert!(!found.end.unwrap().clean);
    flip(&sample.first, 3);
    assert_eq!(
        sample.read(),
        (vec![1, 2, 4, 5, 8, 9, 11, 13], vec![(DamagedHeader, Some(1)), (DamagedHeader, Some(9))])
    );
}

#[test]
fn f08_a_newer_format_is_refused_in_clear_words() {
    let sample = one_segment();
    let mut bytes = std::fs::read(&sample.first).unwrap();
    bytes[8] = 9;
    let crc = crc32fast::hash(&bytes[..124]);
    bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&sample.first, bytes).unwrap();
    let error = Walk::default().run(sample.dir.path(), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, WalkError::Newer { version: 9, .. }));
    assert!(error.to_string().contains("newer stentor (journal format 9"), "{error}");
}

#[test]
fn headers_say_where_a_segment_belongs_whatever_its_name() {
    let sample = two_segments();
    std::fs::rename(&sample.first, segment::path(sample.dir.path(), 500, 0)).unwrap();
    assert_eq!(sample.read(), (vec![1, 2, 4, 5, 8, 9, 11, 13], vec![]));
    assert!(Header::decode(&[0; 10]).is_err());
}

/// One to three edits such as no disk makes alone.
pub fn mangle(bytes: &mut Vec<u8>, mut random: u64) {
    for _ in 0..1 + random % 3 {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let place = (random >> 33) as usize % bytes.len().max(1);
        let length = (random >> 20) as usize % 200;
        let end = (place + length).min(bytes.len());
        match random >> 61 {
            0 | 1 => bytes.iter_mut().skip(place).take(1).for_each(|b| *b ^= 1 << (random >> 8 & 7)),
            2 => bytes[place..end].fill(0),
            3 => drop(bytes.drain(place..end)),
            4 => drop(bytes.splice(place..place, vec![0x66; length])),
            5 => bytes.truncate(place),
            _ => {
                let copy = bytes[place..end].to_vec();
                drop(bytes.splice(place..place, copy));
            }
        }
    }
}

#[test]
fn f16_no_edit_makes_it_panic_or_goes_unnoticed() {
    edited(&two_segments(), |seed, which, whole, found| {
        // Only whole frames missing at the very end, or a file as it was, leave no trace.
        let traceless = whole.starts_with(&found.0) && (which == 1 || found.0.len() == whole.len());
        assert!(!found.1.faults.is_empty() || traceless, "seed {seed}: {} frames", found.0.len());
    });
}

/// What is found after one edit of one of two segments at a time: never a frame that was not there.
pub(super) fn edited(sample: &Sample, judge: impl Fn(u64, usize, &[Frame], &(Vec<Frame>, Walked))) {
    let (whole, _) = walked(sample.dir.path(), Walk::default());
    let segments = segment::list(sample.dir.path()).unwrap();
    let good: Vec<Vec<u8>> = segments.iter().map(|s| std::fs::read(&s.path).unwrap()).collect();
    for seed in seeds(500) {
        let which = (seed % 2) as usize;
        let mut bytes = good[which].clone();
        let random = blake3::hash(&seed.to_le_bytes());
        mangle(&mut bytes, u64::from_le_bytes(*random.as_bytes().first_chunk().unwrap()));
        std::fs::write(&segments[which].path, &bytes).unwrap();
        let found = walked(sample.dir.path(), Walk::default());
        assert!(found.0.iter().all(|f| whole.contains(f)), "seed {seed}");
        judge(seed, which, &whole, &found);
        std::fs::write(&segments[which].path, &good[which]).unwrap();
    }
}
