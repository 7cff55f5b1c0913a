//! Bounds on what waits: at one of them new requests are refused, what was accepted stays.

use super::refusal::{Code, Refusal};
use super::turn::{Turn, refuse};
use crate::domain::level::Level;

/// Deliveries that have not ended; urgent has a quarter on top.
pub(super) const PENDING: usize = if cfg!(test) { 4_000 } else { 250_000 };
const RESERVE: usize = PENDING / 4;
/// By then some will have gone.
const SECONDS: u64 = 5;

impl Turn<'_> {
    /// Whether a new request of this level has room.
    ///
    /// # Errors
    /// OVERLOADED, with when to come again.
    pub fn has_room(&self, level: Level) -> Result<(), Refusal> {
        let most = if level == Level::Urgent { PENDING + RESERVE } else { PENDING };
        let pending = self.state.pending();
        if pending < most {
            return Ok(());
        }
        let message = format!("{pending} deliveries have not ended; more are taken when there are under {most}");
        refuse(Refusal::new(Code::Overloaded, message).retry_after(SECONDS))
    }
}
