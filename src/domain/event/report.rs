//! What comes back: what a provider says of a message after it has taken it, by a callback or when it is
//! asked, and what people write to us.

use crate::domain::event::price::Price;
use crate::domain::failure::Failure;
use crate::domain::id::{DeliveryId, InboundId};
use serde::{Deserialize, Serialize};

/// How far it is. A message only moves forward: [`Said::goes_beyond`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// Still in the provider's hands.
    Queued,
    /// Handed on: to the carrier; the phone rings or was picked up.
    Sent,
    /// It rang, and nobody picked up. The way works; escalation goes by the clock.
    Unanswered,
    Delivered,
    Failed(Failure),
}

impl Said {
    /// Nothing more will be said of it.
    pub fn is_final(&self) -> bool {
        matches!(self, Said::Unanswered | Said::Delivered | Said::Failed(_))
    }

    /// Whether this is news after what is known. What is final stays as it is.
    pub fn goes_beyond(&self, known: Option<&Said>) -> bool {
        let rank = |said: &Said| match said {
            Said::Queued => 1,
            Said::Sent => 2,
            Said::Unanswered | Said::Delivered | Said::Failed(_) => 3,
        };
        rank(self) > known.map_or(0, rank)
    }
}

/// One thing that a provider said of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub provider_id: String,
    /// In its own word: `undelivered`, `no-answer`.
    pub status: String,
    pub said: Said,
    pub price: Option<Price>,
}

/// What the provider said later, by callback or when asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryReported {
    pub id: DeliveryId,
    pub provider_id: String,
    pub status: String,
    /// Of something that had ended, or of an attempt that another came after.
    #[serde(default)]
    pub late: bool,
    /// Which attempt; 0: the last one.
    #[serde(default)]
    pub n: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<Said>,
    /// A key that was pressed during the call, which uses up its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its answer was lost: what the provider said when it was asked whether it has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
}

/// Somebody wrote to us. Payload: address, text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboundReceived {
    pub channel: String,
    pub provider_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<InboundId>,
    /// The person whose number it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What came of it: `acknowledged #417`, `hint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did: Option<String>,
    /// The number wants no more texts from us, or wants them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_out: Option<bool>,
}
