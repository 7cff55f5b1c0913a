//! Bytes to frame. Nothing here trusts a length, and no bytes make it panic.

use crate::domain::time::Timestamp;
use crate::ledger::codec::hash::{Chain, FrameHash, Tip, payload_digest};
use crate::ledger::codec::layout::{
    BLANKED, DIGEST, GROUP_START, HEADER, LENGTH, LIVE, MAGIC, MAX_FRAME, RECORDED_LATE, SALT,
};

/// A frame in somebody's buffer: checked by CRC and in its structure, its events as they were written.
#[derive(Clone, Copy, Debug)]
pub struct RawFrame<'a> {
    /// The whole frame, header included.
    pub bytes: &'a [u8],
    pub seq: u64,
    pub at: Timestamp,
    pub by: &'a str,
    pub count: u32,
    pub hash: FrameHash,
    flags: u16,
    events: &'a [u8],
}

/// One event as it was written.
#[derive(Clone, Copy, Debug)]
pub struct RawEvent<'a> {
    /// JSON with a `kind`.
    pub head: &'a [u8],
    pub payload: Slot<'a>,
}

#[derive(Clone, Copy, Debug)]
pub enum Slot<'a> {
    None,
    /// `salted`: 16 bytes of salt, and the JSON behind it.
    Live {
        salted: &'a [u8],
        json: &'a [u8],
    },
    Blanked {
        digest: &'a [u8; DIGEST],
    },
}

/// Why there is no frame at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    #[error("no frame begins here")]
    Magic,
    #[error("the frame is longer than what is there")]
    Short,
    #[error("the checksum does not match")]
    Checksum,
    #[error("{0}")]
    Malformed(&'static str),
}

impl<'a> RawFrame<'a> {
    /// Reads the frame at the beginning of `bytes`.
    ///
    /// # Errors
    /// When no whole, undamaged frame begins there.
    pub fn read(bytes: &'a [u8]) -> Result<RawFrame<'a>, Bad> {
        let header: &[u8; HEADER] = bytes.first_chunk().ok_or(Bad::Short)?;
        if header[..4] != MAGIC {
            return Err(Bad::Magic);
        }
        let length = u32_at(header, 8) as usize;
        if !(HEADER..=MAX_FRAME).contains(&length) {
            return Err(Bad::Malformed("the length is impossible"));
        }
        let bytes = bytes.get(..length).ok_or(Bad::Short)?;
        if crc32fast::hash(&bytes[8..]) != u32_at(header, 4) {
            return Err(Bad::Checksum);
        }
        let (by, events) = bytes[HEADER..]
            .split_at_checked(u32_at(header, 20) as usize)
            .ok_or(Bad::Malformed("the name of who did it is longer than the frame"))?;
        let by = std::str::from_utf8(by).map_err(|_| Bad::Malformed("the name of who did it is not UTF-8"))?;
        let frame = RawFrame {
            bytes,
            seq: u64_at(header, 24),
            at: Timestamp(u64_at(header, 32) as i64),
            by,
            count: u32_at(header, 16),
            hash: FrameHash(header.last_chunk::<32>().copied().unwrap_or_default()),
            flags: u16::from_le_bytes([header[12], header[13]]),
            events,
        };
        frame.check_events()?;
        Ok(frame)
    }

    fn check_events(&self) -> Result<(), Bad> {
        if self.seq == 0 || self.seq.checked_add(u64::from(self.count)).is_none() {
            return Err(Bad::Malformed("the sequence number is impossible"));
        }
        let mut events = self.events();
        let found = events.by_ref().count();
        if found == 0 || found != self.count as usize || !events.rest.is_empty() {
            return Err(Bad::Malformed("the events do not fill the frame"));
        }
        Ok(())
    }

    /// Sequence number of the last event.
    pub fn last_seq(&self) -> u64 {
        self.seq + u64::from(self.count) - 1
    }

    pub fn tip(&self) -> Tip {
        Tip { seq: self.last_seq(), hash: self.hash }
    }

    /// Everything before this frame was durable when it was written.
    pub fn first_of_group(&self) -> bool {
        self.flags & GROUP_START != 0
    }

    /// It acted before it was durable (emergency mode).
    pub fn recorded_late(&self) -> bool {
        self.flags & RECORDED_LATE != 0
    }

    pub fn events(&self) -> Events<'a> {
        Events { rest: self.events }
    }

    /// What the hash must be if the frame before had `previous`.
    pub fn chained(&self, previous: &FrameHash) -> FrameHash {
        let mut chain = Chain::begin(previous, self.seq, self.at, self.flags, self.by.as_bytes(), self.count);
        for event in self.events() {
            chain.event(event.head, event.payload.digest().as_ref());
        }
        chain.end()
    }
}

impl Slot<'_> {
    pub(super) fn digest(&self) -> Option<[u8; DIGEST]> {
        match self {
            Slot::None => None,
            Slot::Live { salted, .. } => Some(payload_digest(salted)),
            Slot::Blanked { digest } => Some(**digest),
        }
    }
}

/// The events of a frame; ends early where the bytes make no sense.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Events<'a> {
    type Item = RawEvent<'a>;

    fn next(&mut self) -> Option<RawEvent<'a>> {
        let (lengths, rest) = self.rest.split_first_chunk::<8>()?;
        let slot = u32_at(lengths, 4);
        let length = (slot & LENGTH) as usize;
        let (head, rest) = rest.split_at_checked(u32_at(lengths, 0) as usize)?;
        let (payload, rest) = match slot & !LENGTH {
            0 if length == 0 => (Slot::None, rest),
            LIVE => {
                let (salted, rest) = rest.split_at_checked(SALT + length)?;
                (Slot::Live { salted, json: &salted[SALT..] }, rest)
            }
            BLANKED if length == 0 => {
                let (digest, rest) = rest.split_first_chunk::<DIGEST>()?;
                (Slot::Blanked { digest }, rest)
            }
            _ => return None,
        };
        self.rest = rest;
        Some(RawEvent { head, payload })
    }
}

/// The next place from `from` on where a whole frame begins, and that frame.
pub fn next_frame(bytes: &[u8], from: usize) -> Option<(usize, RawFrame<'_>)> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|b| *b == MAGIC[0])?;
        if let Ok(frame) = RawFrame::read(&bytes[at..]) {
            return Some((at, frame));
        }
        at += 1;
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u64::from_le_bytes(*b))
}
