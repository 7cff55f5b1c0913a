//! The chunks of a packed segment by themselves.

use crate::ledger::codec::Tip;
use crate::ledger::history::store::block::frames;
use crate::ledger::journal::packed::{HOLE, MAGIC, Packing, is_packed, unpack};
use crate::ledger::testing::chain;

/// Three chunks behind ten bytes of header, and what they unpack to.
fn sample() -> (Vec<u8>, Vec<u8>) {
    let plain = chain(Tip::default(), &[&[2, 3], &[1], &[4]]).concat();
    let all: Vec<&[u8]> = frames(&plain).map(|f| f.bytes).collect();
    let mut file = b"ten bytes.".to_vec();
    for part in [&all[..1], &all[1..3], &all[3..]] {
        file.extend(packed(part.iter().copied()));
    }
    (file, plain)
}

fn packed<'a>(frames: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut packing = Packing::default();
    frames.for_each(|frame| packing.add(frame).unwrap());
    packing.finish().unwrap()
}

#[test]
fn it_unpacks_to_what_it_was_and_takes_less() {
    let (file, plain) = sample();
    let unpacked = unpack(&file, 10, Some(plain.len() as u64));
    assert_eq!(unpacked.bytes[10..], plain);
    assert_eq!((unpacked.places.len(), unpacked.in_file(10), unpacked.in_file(3)), (3, 10, 3));
    let many = chain(Tip::default(), &[&[50; 100]]).concat();
    let file = packed(frames(&many).map(|f| f.bytes));
    assert!(file.len() * 4 < many.len(), "{} of {}", file.len(), many.len());
    assert!(unpack(&file, 0, None).bytes == many && unpack(&file, 0, None).places.len() > 1);
}

#[test]
fn what_zstd_itself_reads_is_the_frames() {
    let (file, plain) = sample();
    assert_eq!(zstd::stream::decode_all(&file[10..]).unwrap(), plain);
}

#[test]
fn a_flipped_bit_costs_its_chunk_alone() {
    let (file, plain) = sample();
    for bit in 80..file.len() * 8 {
        let mut bytes = file.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let unpacked = unpack(&bytes, 10, Some(plain.len() as u64));
        assert!(unpacked.bytes.contains(&HOLE) && unpacked.bytes[10..] != plain, "bit {bit}");
        let left: usize = unpacked.bytes.split(|b| *b == HOLE).flat_map(frames).count();
        assert!(left <= 3, "bit {bit}");
    }
}

#[test]
fn every_cut_shows() {
    let (file, plain) = sample();
    for length in 10..file.len() {
        let unpacked = unpack(&file[..length], 10, Some(plain.len() as u64));
        assert_eq!(unpacked.bytes.last(), Some(&HOLE), "cut at {length}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), from in 0usize..20) {
        let mut bytes = bytes;
        unpack(&bytes, from, Some(7));
        is_packed(&bytes, from);
        bytes.splice(..0, MAGIC);
        unpack(&bytes, 0, None);
    }
}
