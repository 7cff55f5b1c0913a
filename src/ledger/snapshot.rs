//! Snapshots: the state as it was after one frame, so that a start need not fold the whole journal.
//!
//! ```text
//! offset  size  (numbers little-endian)
//!      0     8  magic "stentorS"
//!      8     2  format version
//!     10     2  encoding of the body: 1 zstd
//!     12     4  length of this header
//!     16     8  made after this event
//!     24    32  and its frame's hash
//!     56     8  length of the body when unpacked
//!     64    32  BLAKE3 of everything before and of the body as it stands here
//!     96     .  the body: what the engine gave, opaque here
//!
//! Version 2 differs from 1 in the body, which the engine knows: one of version 1 it still reads.
//! ```
//!
//! Written whole or not at all. Two are kept; a damaged one is passed over for the one before. Where the
//! journal no longer has its first events, the *base* (`SEQ.base`) is the state after the last of them: it
//! stays, and whoever has to begin at the beginning begins there.

use crate::ledger::codec::{FrameHash, Tip};
use crate::ledger::fault::{Fault, FaultKind};
use crate::ledger::files;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const HEADER: usize = 96;
const VERSION: u16 = 2;
const MAGIC: [u8; 8] = *b"stentorS";
const ZSTD: u16 = 1;
const LEVEL: i32 = 1;
const KEPT: usize = 2;
/// The body is read and written in pieces of so many bytes.
const PIECE: usize = 256 << 10;
const SNAPSHOT: &str = ".snapshot";
const BASE: &str = ".base";

/// A state and the frame it was made after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub tip: Tip,
    packed: Vec<u8>,
}

impl Snapshot {
    /// The body, piece by piece: it may be large.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn read(&self) -> io::Result<impl BufRead + '_> {
        Ok(BufReader::with_capacity(PIECE, zstd::stream::Decoder::with_buffer(self.packed.as_slice())?))
    }

    /// All of it.
    ///
    /// # Panics
    /// When it cannot be unpacked; for tests.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub fn body(&self) -> Vec<u8> {
        zstd::stream::decode_all(self.packed.as_slice()).unwrap()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("{} cannot be read: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{file} was written by a newer stentor (snapshot format {version}, encoding {encoding}; this one knows {VERSION} \
         and {ZSTD}): run that version, or restore a backup made before the upgrade"
    )]
    Newer { file: String, version: u16, encoding: u16 },
}

/// Writes the state after `tip` and forgets all but the newest two.
///
/// # Errors
/// What the system says; earlier snapshots are untouched then.
pub fn save(dir: &Path, tip: Tip, body: &[u8]) -> io::Result<()> {
    save_from(dir, tip, &mut |out| out.write_all(body)).map(drop)
}

/// The same of a body that is written in pieces; gives its length.
///
/// # Errors
/// As above.
pub fn save_from(dir: &Path, tip: Tip, write: WriteBody<'_>) -> io::Result<u64> {
    let length = put(&path(dir, tip.seq), tip, write)?;
    keep(dir, KEPT)?;
    Ok(length)
}

/// Writes the base, and forgets older ones.
///
/// # Errors
/// As above.
pub fn save_base(dir: &Path, tip: Tip, write: WriteBody<'_>) -> io::Result<()> {
    put(&base_path(dir, tip.seq), tip, write)?;
    for (_, path) in named(dir, BASE)?.into_iter().skip(1) {
        std::fs::remove_file(path)?;
    }
    files::sync_parent(&path(dir, 0))
}

/// Forgets all but the newest `count`.
///
/// # Errors
/// What the system says.
pub fn keep(dir: &Path, count: usize) -> io::Result<()> {
    for (_, path) in list(dir)?.into_iter().skip(count) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

fn put(path: &Path, tip: Tip, write: WriteBody<'_>) -> io::Result<u64> {
    let mut length = 0;
    path.parent().map_or(Ok(()), files::make_again)?;
    files::replace_with(path, &mut |file| {
        length = fill(file, tip, write)?;
        Ok(())
    })?;
    Ok(length)
}

/// The body first, whose length is in the header, and then once more from the beginning: the checksum covers the
/// header before it. Memory is needed for a piece.
fn fill(file: &mut File, tip: Tip, write: WriteBody<'_>) -> io::Result<u64> {
    file.write_all(&[0; HEADER])?;
    let length = pack(file, write)?;
    let mut header = [0u8; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..10].copy_from_slice(&VERSION.to_le_bytes());
    header[10..12].copy_from_slice(&ZSTD.to_le_bytes());
    header[12..16].copy_from_slice(&(HEADER as u32).to_le_bytes());
    header[16..24].copy_from_slice(&tip.seq.to_le_bytes());
    header[24..56].copy_from_slice(&tip.hash.0);
    header[56..64].copy_from_slice(&length.to_le_bytes());
    file.seek(SeekFrom::Start(HEADER as u64))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header[..64]).update_reader(&mut *file)?;
    header[64..].copy_from_slice(hasher.finalize().as_bytes());
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header)?;
    Ok(length)
}

/// Gives the length of what was packed.
fn pack(file: &mut File, write: WriteBody<'_>) -> io::Result<u64> {
    let packed = BufWriter::with_capacity(PIECE, file);
    let mut body = Counted { out: zstd::stream::Encoder::new(packed, LEVEL)?, written: 0 };
    write(&mut body)?;
    body.out.finish()?.flush()?;
    Ok(body.written)
}

/// Writes a snapshot's body.
pub type WriteBody<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

struct Counted<W> {
    out: W,
    written: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The base, if the journal has forgotten its beginning.
///
/// # Errors
/// As [`load_newest`].
pub fn load_base(dir: &Path, faults: &mut Vec<Fault>) -> Result<Option<Snapshot>, SnapshotError> {
    first_good(named(dir, BASE), dir, None, faults)
}

/// The newest good snapshot after an event before `below`, else the base if that is; damaged ones are
/// added to `faults`.
///
/// # Errors
/// When the directory cannot be read, or a file is from a newer version.
pub fn load_newest(dir: &Path, below: Option<u64>, faults: &mut Vec<Fault>) -> Result<Option<Snapshot>, SnapshotError> {
    let listed = list(dir).and_then(|mut all| {
        all.extend(named(dir, BASE)?);
        Ok(all)
    });
    first_good(listed, dir, below, faults)
}

fn first_good(
    listed: io::Result<Vec<(u64, PathBuf)>>,
    dir: &Path,
    below: Option<u64>,
    faults: &mut Vec<Fault>,
) -> Result<Option<Snapshot>, SnapshotError> {
    for (seq, path) in listed.map_err(|source| SnapshotError::Io { path: dir.to_owned(), source })? {
        if below.is_some_and(|below| seq >= below) {
            continue;
        }
        match load(&path)? {
            Ok(snapshot) => return Ok(Some(snapshot)),
            Err(words) => {
                let (file, words) = (shown(&path), words.to_owned());
                faults.push(Fault { kind: FaultKind::DamagedSnapshot, file, offset: None, seq: Some(seq), words });
            }
        }
    }
    Ok(None)
}

/// Reads one file; the inner error says what is damaged.
///
/// # Errors
/// When it cannot be read for want of permission or the like, or is from a newer version.
pub fn load(path: &Path) -> Result<Result<Snapshot, &'static str>, SnapshotError> {
    let bytes = match std::fs::read(path) {
        Err(e) if e.raw_os_error() == Some(nix::libc::EIO) => return Ok(Err("the disk does not give it back")),
        read => read.map_err(|source| SnapshotError::Io { path: path.to_owned(), source })?,
    };
    let Some((header, packed)) = bytes.split_first_chunk::<HEADER>() else { return Ok(Err("it is too short")) };
    if header[..8] != MAGIC {
        return Ok(Err("it does not begin as a snapshot does"));
    }
    if header[64..] != checksum(header, packed) {
        return Ok(Err("the checksum does not match"));
    }
    let (version, encoding) =
        (u16::from_le_bytes([header[8], header[9]]), u16::from_le_bytes([header[10], header[11]]));
    if version > VERSION || encoding != ZSTD {
        return Err(SnapshotError::Newer { file: shown(path), version, encoding });
    }
    let number = |at: usize| header[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
    let mut hash = [0u8; 32];
    hash.copy_from_slice(&header[24..56]);
    let tip = Tip { seq: number(16), hash: FrameHash(hash) };
    let packed = packed.to_vec();
    Ok(Ok(Snapshot { tip, packed }))
}

/// All snapshot files, the newest first. No directory is an empty one.
///
/// # Errors
/// What the system says.
pub fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    named(dir, SNAPSHOT)
}

/// The base's file: after which event, and where.
///
/// # Errors
/// What the system says.
pub fn base(dir: &Path) -> io::Result<Option<(u64, PathBuf)>> {
    Ok(named(dir, BASE)?.into_iter().next())
}

fn named(dir: &Path, ending: &str) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match std::fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let seq = path.file_name().and_then(|n| n.to_str()?.strip_suffix(ending)?.parse().ok());
        if !entry.file_type()?.is_dir() {
            found.extend(seq.map(|seq: u64| (seq, path)));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

/// After which event a snapshot or base was made, by its name; `None` for other files.
pub fn seq_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(SNAPSHOT).or_else(|| name.strip_suffix(BASE))?.parse().ok()
}

/// The file of the snapshot after this event.
pub fn path(dir: &Path, seq: u64) -> PathBuf {
    dir.join(format!("{seq:020}{SNAPSHOT}"))
}

fn base_path(dir: &Path, seq: u64) -> PathBuf {
    dir.join(format!("{seq:020}{BASE}"))
}

/// `snapshots/NAME`, for reports.
pub fn shown(path: &Path) -> String {
    format!("snapshots/{}", path.file_name().unwrap_or_default().to_string_lossy())
}

fn checksum(header: &[u8; HEADER], packed: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(&header[..64]).update(packed).finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip(seq: u64) -> Tip {
        Tip { seq, hash: FrameHash([seq as u8; 32]) }
    }

    fn newest(dir: &Path) -> (Option<Snapshot>, usize) {
        let mut faults = Vec::new();
        (load_newest(dir, None, &mut faults).unwrap(), faults.len())
    }

    #[test]
    fn two_are_kept_and_the_newest_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest(&dir.path().join("absent")), (None, 0));
        for seq in [9, 10, 11] {
            save(dir.path(), tip(seq), format!("state {seq}").as_bytes()).unwrap();
        }
        let (found, faults) = newest(dir.path());
        assert_eq!(found.map(|s| (s.tip, s.body())), Some((tip(11), b"state 11".to_vec())));
        assert_eq!(faults, 0);
        let older = load_newest(dir.path(), Some(11), &mut Vec::new()).unwrap();
        assert_eq!(older.unwrap().body(), b"state 10");
        let names: Vec<u64> = list(dir.path()).unwrap().into_iter().map(|(seq, _)| seq).collect();
        assert_eq!(names, [11, 10]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn f16_every_damaged_byte_and_length_means_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), tip(1), b"the older state").unwrap();
        save(dir.path(), tip(2), b"the newer state, a little longer, longer, longer").unwrap();
        let path = list(dir.path()).unwrap()[0].1.clone();
        let good = std::fs::read(&path).unwrap();
        for place in 0..good.len() {
            let mut bytes = good.clone();
            bytes[place] ^= 0x40;
            std::fs::write(&path, &bytes).unwrap();
            let (found, faults) = newest(dir.path());
            assert_eq!((found.unwrap().tip, faults), (tip(1), 1), "byte {place}");
            std::fs::write(&path, &good[..place]).unwrap();
            let (found, faults) = newest(dir.path());
            assert_eq!((found.unwrap().tip, faults), (tip(1), 1), "cut at {place}");
        }
        std::fs::write(list(dir.path()).unwrap()[1].1.clone(), "rubbish").unwrap();
        assert_eq!(newest(dir.path()), (None, 2));
    }

    #[test]
    fn f08_a_newer_format_is_refused_in_clear_words() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), tip(1), b"state").unwrap();
        let path = list(dir.path()).unwrap()[0].1.clone();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[8] = 3;
        let (header, packed) = bytes.split_first_chunk::<HEADER>().unwrap();
        let sum = checksum(header, packed);
        bytes[64..96].copy_from_slice(&sum);
        std::fs::write(&path, bytes).unwrap();
        let error = load_newest(dir.path(), None, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("newer stentor") && error.contains("format 3"), "{error}");
    }
}
