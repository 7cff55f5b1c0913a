//! Removing payloads from a frame that is already part of the chain.

use crate::ledger::codec::decode::{RawFrame, Slot};
use crate::ledger::codec::encode::seal;
use crate::ledger::codec::layout::{BLANKED, HEADER, LIVE};

/// The same frame with the payloads replaced by their digests for whose place (from 0) `which` says
/// so. Number, hash and heads stay, hence the chain holds; the frame gets shorter or longer.
pub fn blank(frame: &RawFrame<'_>, mut which: impl FnMut(u32) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.bytes.len());
    out.extend_from_slice(&frame.bytes[..HEADER + frame.by.len()]);
    for (index, event) in (0u32..).zip(frame.events()) {
        let slot = match event.payload {
            Slot::Live { .. } if which(index) => BLANKED,
            Slot::Live { json, .. } => LIVE | json.len() as u32,
            Slot::Blanked { .. } => BLANKED,
            Slot::None => 0,
        };
        out.extend_from_slice(&(event.head.len() as u32).to_le_bytes());
        out.extend_from_slice(&slot.to_le_bytes());
        out.extend_from_slice(event.head);
        match event.payload {
            Slot::Live { salted, .. } if slot != BLANKED => out.extend_from_slice(salted),
            payload => out.extend_from_slice(payload.digest().as_ref().map_or(&[][..], |d| d)),
        }
    }
    seal(&mut out);
    out
}
