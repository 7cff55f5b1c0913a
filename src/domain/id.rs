//! Identifiers: ULIDs with a type each, so that a delivery is never looked up as an incident.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use ulid::Ulid;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Ulid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0.array_to_str(&mut [0; ulid::ULID_LEN]))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $name {
            type Err = ulid::DecodeError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Ulid::from_string(s).map($name)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.0.array_to_str(&mut [0; ulid::ULID_LEN]))
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type!(
    /// An incident; people use its number, see [`crate::domain::event::EventKind::IncidentOpened`].
    IncidentId
);
id_type!(
    /// One sending: a set of channels and recipients, made into deliveries.
    NotificationId
);
id_type!(
    /// One message to one place; also the idempotency key towards the provider.
    DeliveryId
);

id_type!(
    /// Something that somebody wrote to us.
    InboundId
);

/// The shortest ending by which something is found.
pub const SHORTEST_ENDING: usize = 4;

/// The end of an identifier, as people write it instead of the whole: its last four characters or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    bits: u128,
    mask: u128,
}

impl Ending {
    /// In either case; `None` for what is too short, too long or no end of any.
    pub fn parse(text: &str) -> Option<Ending> {
        if !(SHORTEST_ENDING..=ulid::ULID_LEN).contains(&text.len()) {
            return None;
        }
        // Five bits a character; the first of all has three.
        let bits = Ulid::from_string(&format!("{text:0>26}")).ok()?.0;
        let mask = 1_u128.checked_shl(5 * text.len() as u32).map_or(u128::MAX, |over| over - 1);
        Some(Ending { bits, mask })
    }

    pub fn fits(&self, id: Ulid) -> bool {
        id.0 & self.mask == self.bits
    }
}

/// Makes the ids of one decision from the 16 random bytes that its input brought, and a counter:
/// the same input gives the same ids.
#[derive(Debug)]
pub struct IdSource {
    millis: u64,
    seed: [u8; 16],
    counter: u32,
}

impl IdSource {
    /// `millis` is the wall clock, milliseconds since 1970; `seed` comes from outside.
    pub fn new(millis: u64, seed: [u8; 16]) -> Self {
        IdSource { millis, seed, counter: 0 }
    }

    /// 128 fresh bits.
    pub fn bits(&mut self) -> u128 {
        self.counter += 1;
        let hash = blake3::keyed_hash(&widen(self.seed), &self.counter.to_le_bytes());
        let mut out = [0u8; 16];
        out.copy_from_slice(&hash.as_bytes()[..16]);
        u128::from_le_bytes(out)
    }

    /// A number in `0.0..1.0`, for jitter.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 75) as f64 / (1u64 << 53) as f64
    }

    /// A ULID whose order within one decision is the order of asking: the first 24 of its 80 free
    /// bits are the counter, the others random.
    pub fn ulid(&mut self) -> Ulid {
        let random = (self.bits() & ((1 << 56) - 1)) | (u128::from(self.counter & 0xff_ffff) << 56);
        Ulid::from_parts(self.millis, random)
    }

    /// A random (version 4) UUID, as silences have them.
    pub fn uuid(&mut self) -> String {
        let b = (self.bits() & !(0xf << 76) & !(0x3 << 62)) | (4 << 76) | (2 << 62);
        let h = format!("{b:032x}");
        format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
    }
}

fn widen(seed: [u8; 16]) -> [u8; 32] {
    let mut key = [0u8; 32];
    key[..16].copy_from_slice(&seed);
    key
}
