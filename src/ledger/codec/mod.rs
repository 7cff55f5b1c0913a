//! A frame as bytes: what the journal holds, what the history packs into blocks.
//!
//! ```text
//! offset  size  field (numbers little-endian)
//!      0     4  magic "fRm1"
//!      4     4  CRC-32 of everything from offset 8 to the frame's end
//!      8     4  length of the whole frame, this header included
//!     12     2  flags: 1 first of a group, 2 recorded late
//!     14     2  zero
//!     16     4  number of events, at least 1
//!     20     4  length of `by`
//!     24     8  sequence number of the first event
//!     32     8  wall clock of the decision, microseconds since 1970
//!     40    32  the frame's hash
//!     72     .  `by`, then each event:
//!               4  length of the head
//!               4  payload: upper two bits 0 none, 1 live, 2 blanked; the rest its length
//!               .  the head: JSON with a `kind`
//!               .  live: 16 bytes of salt and the payload's JSON; blanked: its 32 bytes of digest
//! ```
//!
//! The hash chains the frames: it is BLAKE3 over the previous frame's hash, number, time, `by`, the
//! late flag, and of each event the head and the payload's digest, BLAKE3(salt, payload). A payload
//! can thus be replaced by its digest later and the chain still verifies; the salt goes with it, so
//! that nobody can try out likely payloads. The group flag, lengths and CRC are storage, not history, and are
//! outside the hash.
//!
//! A group is what one flush of the disk covers. A whole frame with the group flag is therefore proof that
//! everything before it was durable.

mod blank;
mod decode;
mod encode;
mod events;
mod hash;
mod layout;
#[cfg(test)]
mod tests;

pub use blank::blank;
pub use decode::{Bad, RawEvent, RawFrame, Slot, next_frame};
pub use encode::{EncodeError, encode};
pub use events::{decode_event, kind_of};
pub use hash::{FrameHash, Tip};
pub use layout::MAX_FRAME;
