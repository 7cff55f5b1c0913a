//! Frame to bytes, in one pass at the end of a buffer that the caller keeps.

use crate::domain::event::{Event, Frame};
use crate::domain::json;
use crate::ledger::codec::hash::{Chain, FrameHash, Salts, payload_digest};
use crate::ledger::codec::layout::{GROUP_START, HEADER, LENGTH, LIVE, MAGIC, MAX_FRAME, RECORDED_LATE};

#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("a frame without events says nothing")]
    Empty,
    #[error("the frame would take {0} bytes; at most {MAX_FRAME} fit")]
    TooLong(usize),
    #[error("an event cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Appends `frame` to `out` and gives its hash. `seed` is 16 random bytes for the payloads' salts;
/// `first_of_group` marks it as the first that its flush covers.
///
/// # Errors
/// When the frame is empty, too long, or cannot be JSON; `out` is as before then.
pub fn encode(
    out: &mut Vec<u8>,
    frame: &Frame,
    previous: &FrameHash,
    seed: &[u8; 16],
    first_of_group: bool,
) -> Result<FrameHash, EncodeError> {
    let start = out.len();
    let done = write(out, start, frame, previous, seed, first_of_group);
    if done.is_err() {
        out.truncate(start);
    }
    done
}

fn write(
    out: &mut Vec<u8>,
    start: usize,
    frame: &Frame,
    previous: &FrameHash,
    seed: &[u8; 16],
    first_of_group: bool,
) -> Result<FrameHash, EncodeError> {
    if frame.events.is_empty() {
        return Err(EncodeError::Empty);
    }
    let by = frame.by.as_bytes();
    let count = u32::try_from(frame.events.len()).map_err(|_| EncodeError::TooLong(frame.events.len()))?;
    let flags = if first_of_group { GROUP_START } else { 0 } | if frame.recorded_late { RECORDED_LATE } else { 0 };
    out.resize(start + HEADER, 0);
    out.extend_from_slice(by);
    let mut chain = Chain::begin(previous, frame.seq, frame.at, flags, by, count);
    let mut salts = Salts::of(*seed);
    for event in &frame.events {
        write_event(out, event, &mut salts, &mut chain)?;
    }
    let hash = chain.end();
    let length = out.len() - start;
    if length > MAX_FRAME {
        return Err(EncodeError::TooLong(length));
    }
    let header = &mut out[start..start + HEADER];
    header[12..14].copy_from_slice(&flags.to_le_bytes());
    header[16..20].copy_from_slice(&count.to_le_bytes());
    header[20..24].copy_from_slice(&(by.len() as u32).to_le_bytes());
    header[24..32].copy_from_slice(&frame.seq.to_le_bytes());
    header[32..40].copy_from_slice(&frame.at.0.to_le_bytes());
    header[40..72].copy_from_slice(&hash.0);
    seal(&mut out[start..]);
    Ok(hash)
}

fn write_event(out: &mut Vec<u8>, event: &Event, salts: &mut Salts, chain: &mut Chain) -> Result<(), EncodeError> {
    let lengths = out.len();
    out.extend_from_slice(&[0; 8]);
    let head = out.len();
    json::append(out, &event.head)?;
    let head_end = out.len();
    out[lengths..lengths + 4].copy_from_slice(&length(head_end - head)?.to_le_bytes());
    let Some(payload) = &event.payload else {
        chain.event(&out[head..head_end], None);
        return Ok(());
    };
    let salted = out.len();
    out.extend_from_slice(&salts.next());
    let body = out.len();
    json::append(out, payload)?;
    let slot = LIVE | length(out.len() - body)?;
    out[lengths + 4..lengths + 8].copy_from_slice(&slot.to_le_bytes());
    chain.event(&out[head..head_end], Some(&payload_digest(&out[salted..])));
    Ok(())
}

fn length(bytes: usize) -> Result<u32, EncodeError> {
    u32::try_from(bytes).ok().filter(|n| *n <= LENGTH).ok_or(EncodeError::TooLong(bytes))
}

/// Writes magic, length and CRC over a frame whose other fields are in place.
pub(super) fn seal(frame: &mut [u8]) {
    let length = frame.len() as u32;
    frame[..4].copy_from_slice(&MAGIC);
    frame[8..12].copy_from_slice(&length.to_le_bytes());
    let crc = crc32fast::hash(&frame[8..]);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
}
