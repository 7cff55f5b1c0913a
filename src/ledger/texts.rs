//! Reading what is at a place: a blob, or the payload of one event in the journal. Of a segment that is
//! packed the one chunk is unpacked that the event is in.

use crate::domain::event::{Payload, Place};
use crate::ledger::blobs;
use crate::ledger::codec::RawFrame;
use crate::ledger::codec::Slot;
use crate::ledger::journal::packed;
use crate::ledger::journal::segment::{self, HEADER};
use crate::ledger::places::Places;
use std::borrow::Cow;

/// Why there is no payload any more that was removed on purpose.
pub const ERASED: &str = "it was erased";

/// The whole text that the event at this place brought: its body, or the finished text of an attempt.
///
/// # Errors
/// A sentence with the file: it is not there any more, damaged, or was erased.
pub fn read(places: &Places, place: &Place) -> Result<String, String> {
    if place.blob.is_some() {
        return String::from_utf8(blobs::read(&places.blobs, place)?).map_err(|_| "it is no text".to_owned());
    }
    let payload = payload(places, place.seq)?;
    Ok(payload.text.map_or(payload.body, |text| text.text))
}

/// The payload of one event.
///
/// # Errors
/// A sentence with the file: it is not there any more, damaged, or was erased.
pub fn payload(places: &Places, seq: u64) -> Result<Payload, String> {
    // A segment may be packed, and so replaced, between the listing and the reading; never removed.
    let segments = segment::list(&places.journal).map_err(|e| format!("the journal cannot be listed: {e}"))?;
    let before = segments.iter().rposition(|s| s.header.is_ok() && s.after_seq() < seq);
    let segment = before.and_then(|at| segments.get(at)).ok_or("it is older than the journal")?;
    let file = std::fs::read(&segment.path).map_err(|e| format!("{}: {e}", segment.shown()))?;
    let is_packed = segment::Header::decode(&file).is_ok_and(|header| header.packed.is_some());
    let frames = match is_packed {
        true => Cow::Owned(packed::chunk_with(&file[HEADER..], |frames| first(frames) <= Some(seq))),
        false => Cow::Borrowed(file.get(HEADER..).unwrap_or_default()),
    };
    let damaged = || format!("{} is damaged, or ends before it", segment.shown());
    let frame = frame_with(&frames, seq).ok_or_else(damaged)?;
    let event = frame.events().nth((seq - frame.seq) as usize).ok_or_else(damaged)?;
    match event.payload {
        Slot::Live { json, .. } => serde_json::from_slice(json).map_err(|_| damaged()),
        _ => Err(ERASED.to_owned()),
    }
}

/// The number of the first frame.
fn first(frames: &[u8]) -> Option<u64> {
    frames.get(24..32)?.first_chunk().map(|b| u64::from_le_bytes(*b))
}

fn frame_with(frames: &[u8], seq: u64) -> Option<RawFrame<'_>> {
    let mut at = 0;
    loop {
        let frame = RawFrame::read(frames.get(at..)?).ok()?;
        if frame.last_seq() >= seq {
            return (frame.seq <= seq).then_some(frame);
        }
        at += frame.bytes.len();
    }
}
