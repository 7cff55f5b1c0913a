//! What people wrote to us: the latest of it, and who wants no more texts.

use super::State;
use crate::domain::event::{InboundReceived, Payload};
use crate::domain::failure::cut;
use crate::domain::id::InboundId;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use ulid::Ulid;

/// Messages at hand; all of them stand in the ledger.
const KEPT: usize = 1_000;
/// Numbers that want no texts. Over that the oldest is forgotten here; the provider knows it.
const NUMBERS: usize = 10_000;
/// Characters of one message at hand.
const LONGEST: usize = 480;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Inbox {
    /// Oldest first.
    pub written: VecDeque<Written>,
    /// Since when a number wants no texts.
    pub opted_out: BTreeMap<String, Timestamp>,
}

/// One message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Written {
    pub id: Option<InboundId>,
    pub at: Timestamp,
    pub channel: String,
    pub provider_id: String,
    pub number: String,
    pub who: Option<String>,
    pub text: String,
    pub did: Option<String>,
}

impl Inbox {
    /// Whether this has come before.
    pub fn has(&self, channel: &str, provider_id: &str) -> bool {
        self.written.iter().rev().any(|w| w.provider_id == provider_id && w.channel == channel)
    }

    /// What this number wrote, the latest first.
    pub fn of<'a>(&'a self, number: &'a str) -> impl Iterator<Item = &'a Written> {
        self.written.iter().rev().filter(move |w| w.number == number)
    }

    pub fn ids_among(&self, ids: &[Ulid]) -> Vec<InboundId> {
        self.written.iter().filter_map(|w| w.id).filter(|id| ids.contains(&id.0)).collect()
    }

    /// Removes text and number of these.
    pub fn erase(&mut self, ids: &[InboundId]) {
        self.written.retain(|w| !w.id.is_some_and(|id| ids.contains(&id)));
    }

    pub fn forget(&mut self) {
        self.written.clear();
    }
}

impl State {
    pub(super) fn fold_inbound(&mut self, at: Timestamp, received: &InboundReceived, payload: Option<&Payload>) {
        // Without its number there is nothing to be shown of it.
        let Some(payload) = payload else { return };
        let Some(number) = payload.address.clone() else { return };
        match received.opted_out {
            Some(true) => drop(self.inbox.opted_out.insert(number.clone(), at)),
            Some(false) => drop(self.inbox.opted_out.remove(&number)),
            None => {}
        }
        if self.inbox.opted_out.len() > NUMBERS {
            let oldest = self.inbox.opted_out.iter().min_by_key(|(_, at)| **at).map(|(number, _)| number.clone());
            oldest.map(|number| self.inbox.opted_out.remove(&number));
        }
        self.inbox.written.push_back(Written {
            id: received.id,
            at,
            channel: received.channel.clone(),
            provider_id: received.provider_id.clone(),
            number,
            who: received.who.clone(),
            text: cut(payload.text.as_ref().map_or("", |text| &text.text), LONGEST),
            did: received.did.clone(),
        });
        if self.inbox.written.len() > KEPT {
            self.inbox.written.pop_front();
        }
    }
}
