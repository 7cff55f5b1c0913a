//! The power fails: what was written and not synced is on the disk in part, in any order, or not at
//! all; a file whose directory was not synced may have no name. What was reported durable is there.

use super::writing::start_on;
use crate::ledger::fault::FaultKind;
use crate::ledger::files::{Disk, Files, JournalFile};
use crate::ledger::journal::walk::Walk;
use crate::ledger::testing::*;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// The real disk, which knows what of it would survive.
#[derive(Clone, Default)]
struct Powered(Arc<Mutex<Disks>>);

#[derive(Default)]
struct Disks {
    off: bool,
    files: BTreeMap<PathBuf, Image>,
}

#[derive(Default)]
struct Image {
    /// As of the last sync.
    synced: Vec<u8>,
    /// Written since, at these places.
    since: Vec<(usize, Vec<u8>)>,
    named: bool,
}

impl Powered {
    fn on(&self) -> io::Result<MutexGuard<'_, Disks>> {
        let disks = self.0.lock().unwrap();
        if disks.off { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(disks) }
    }

    /// From now on nothing reaches it.
    fn cut(&self) {
        self.0.lock().unwrap().off = true;
    }

    /// Each file is what survived.
    fn come_back(self, mut random: u64) {
        let mut chance = move |one_in: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33).is_multiple_of(one_in)
        };
        for (path, image) in std::mem::take(&mut self.0.lock().unwrap().files) {
            if !image.named && chance(2) {
                std::fs::remove_file(path).unwrap();
                continue;
            }
            let mut bytes = image.synced;
            for (offset, written) in image.since {
                let mut at = offset;
                for part in written.chunk_by_sector(offset) {
                    if chance(2) {
                        bytes.resize(bytes.len().max(at + part.len()), 0);
                        bytes[at..at + part.len()].copy_from_slice(part);
                    }
                    at += part.len();
                }
            }
            std::fs::write(path, bytes).unwrap();
        }
    }
}

trait BySector {
    fn chunk_by_sector(&self, offset: usize) -> Vec<&[u8]>;
}

impl BySector for Vec<u8> {
    fn chunk_by_sector(&self, offset: usize) -> Vec<&[u8]> {
        let (first, rest) = self.split_at(self.len().min(SECTOR - offset % SECTOR));
        std::iter::once(first).chain(rest.chunks(SECTOR)).collect()
    }
}

impl Files for Powered {
    fn create(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        let file = {
            drop(self.on()?);
            Disk.create(path)?
        };
        self.on()?.files.insert(path.to_owned(), Image::default());
        Ok(Box::new(PoweredFile { file, path: path.to_owned(), disk: self.clone() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn JournalFile>> {
        let file = {
            drop(self.on()?);
            Disk.open(path)?
        };
        let image = Image { synced: std::fs::read(path)?, named: true, ..Image::default() };
        self.on()?.files.entry(path.to_owned()).or_insert(image);
        Ok(Box::new(PoweredFile { file, path: path.to_owned(), disk: self.clone() }))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.sync_dir(dir)?;
        self.on()?.files.values_mut().for_each(|image| image.named = true);
        Ok(())
    }
}

struct PoweredFile {
    file: Box<dyn JournalFile>,
    path: PathBuf,
    disk: Powered,
}

impl JournalFile for PoweredFile {
    fn reserve(&mut self, offset: u64, length: u64) -> io::Result<()> {
        // Not so much of it, or each of the many files is megabytes of zeros.
        let length = length.min(8_192);
        let mut disks = self.disk.on()?;
        disks.files.get_mut(&self.path).unwrap().since.push((offset as usize, vec![0; length as usize]));
        self.file.reserve(offset, length)
    }
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut disks = self.disk.on()?;
        disks.files.get_mut(&self.path).unwrap().since.push((offset as usize, bytes.to_vec()));
        self.file.write_at(bytes, offset)
    }
    fn sync(&mut self) -> io::Result<()> {
        let mut disks = self.disk.on()?;
        let image = disks.files.get_mut(&self.path).unwrap();
        image.synced = std::fs::read(&self.path)?;
        image.since.clear();
        Ok(())
    }
    fn cut(&mut self, length: u64) -> io::Result<()> {
        drop(self.disk.on()?);
        self.file.cut(length)
    }
}

#[test]
fn f01_a_power_cut_loses_nothing_that_was_reported_durable() {
    // Frames that were appended and went with the power: without them nothing is tested.
    let mut gone = 0;
    for seed in seeds(60) {
        let random = blake3::hash(&seed.to_le_bytes());
        let dir = tempfile::tempdir().unwrap();
        let mut durable = 0;
        for life in random.as_bytes()[..4].chunks(1).map(|byte| u64::from(byte[0])) {
            let disk = Powered::default();
            let mut run = start_on(dir.path(), disk.clone());
            assert!(run.next > durable, "seed {seed}: event {durable} was durable, the next one is {}", run.next);
            for n in 0..2 + life % 9 {
                let last = run.append(2);
                if n % 3 == life % 3 {
                    run.ear.wait_durable(last);
                }
            }
            // In some lives the power goes at once, before the writer is through.
            if life > 64 {
                std::thread::sleep(Duration::from_micros(life * 7));
            }
            disk.cut();
            // What is not written by now will not be.
            drop(run.journal.stop());
            durable = durable.max(run.journal.durable().seq);
            let appended = run.next - 1;
            drop(run);
            disk.come_back(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ life);

            let (frames, found) = walked(dir.path(), Walk::default());
            assert!(
                found.tip.seq >= durable,
                "seed {seed}: {durable} events were durable, {} are there",
                found.tip.seq
            );
            gone += appended - found.tip.seq;
            let expected: Vec<_> = (0..found.tip.seq / 2).map(|n| frame(1 + n * 2, 2)).collect();
            assert_eq!(frames, expected, "seed {seed}");
            let damage = found.faults.iter().find(|fault| fault.kind != FaultKind::TornTail);
            assert_eq!(damage, None, "seed {seed}: a power cut is no damage");
        }
    }
    assert!(gone > 0);
}
