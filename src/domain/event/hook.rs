//! How far a receiver of events has come, as it is written.

use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A receiver of events has all that it wants up to here. Written now and then, so after a crash some is
/// sent again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HookMoved {
    pub hook: String,
    /// The event's number in the ledger.
    pub seq: u64,
    /// Documents that it refused for good and that were passed over, in all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<HookFailing>,
    /// It was taken out of the config: what was known of it is forgotten.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// It takes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookFailing {
    pub since: Timestamp,
    pub words: String,
    /// For so long that somebody is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub long: bool,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
