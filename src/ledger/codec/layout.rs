//! The numbers of the layout that [`super`] draws.

/// Also a lower bound of a frame's length.
pub(super) const HEADER: usize = 72;
/// No frame is longer; a length beyond it is damage.
pub const MAX_FRAME: usize = 64 << 20;

pub(super) const MAGIC: [u8; 4] = *b"fRm1";
pub(super) const GROUP_START: u16 = 1;
pub(super) const RECORDED_LATE: u16 = 2;
pub(super) const LIVE: u32 = 1 << 30;
pub(super) const BLANKED: u32 = 2 << 30;
pub(super) const LENGTH: u32 = LIVE - 1;
pub(super) const SALT: usize = 16;
pub(super) const DIGEST: usize = 32;
