//! What comes in from outside beside requests: providers call, people press keys and write.
//!
//! The door has checked who calls; which of our messages it is about stands in the key that the URL of each
//! attempt carries: `<delivery>.<attempt>.<nonce>`. The nonce is drawn for the attempt, so a call of yesterday
//! fits nothing today.

use crate::domain::event::Heard;
use crate::domain::failure::Failure;
use crate::domain::id::DeliveryId;

/// Hex digits of a nonce: 64 bits.
pub(super) const NONCE: usize = 16;

/// Which attempt a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    pub delivery: DeliveryId,
    pub n: u32,
    pub nonce: String,
}

impl Keyed {
    /// `None` for what we never gave to anybody.
    pub fn parse(key: &str) -> Option<Keyed> {
        let mut parts = key.split('.');
        let (delivery, n, nonce) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        let plain = nonce.len() == NONCE && nonce.bytes().all(|b| b.is_ascii_hexdigit());
        (plain && parts.next().is_none()).then(|| Keyed { delivery, n, nonce: nonce.to_owned() })
    }
}

/// What came in.
#[derive(Clone, Debug)]
pub enum Called {
    /// A provider says how a message is.
    Reported { keyed: Keyed, heard: Heard },
    /// A provider was asked how a message is.
    Asked { delivery: DeliveryId, n: u32, answer: Result<Heard, Failure> },
    /// Somebody listens to a call, and has pressed a key, or none yet.
    Pressed(Pressed),
    /// Somebody wrote.
    Wrote(Wrote),
}

#[derive(Clone, Debug)]
pub struct Pressed {
    pub keyed: Keyed,
    /// The provider's id of the call.
    pub call: String,
    pub digits: String,
}

#[derive(Clone, Debug)]
pub struct Wrote {
    pub channel: String,
    pub provider_id: String,
    pub from: String,
    pub text: String,
    /// The provider says that it took this as a word to opt out or in.
    pub opted_out: Option<bool>,
}
