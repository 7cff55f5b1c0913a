//! Which of our attempts a provider's call is about, and where it is told to call.

use super::called::{Called, Keyed, NONCE};
use crate::channel::Callback;
use crate::config::ChannelConfig;
use crate::domain::id::DeliveryId;
use crate::engine::refusal::Answer;
use crate::engine::turn::{Turn, done};
use serde_json::json;

impl Turn<'_> {
    /// `known`: whether it is about something at hand.
    pub fn called(&mut self, called: Called) -> Answer {
        match called {
            Called::Reported { keyed, heard } => {
                let known = self.is_ours(&keyed);
                if known {
                    self.heard(keyed.delivery, keyed.n, heard);
                    self.pump();
                }
                Ok(json!({ "known": known }))
            }
            Called::Asked { delivery, n, answer } => {
                self.was_asked(delivery, n, answer);
                done()
            }
            Called::Pressed(pressed) => self.pressed(pressed),
            Called::Wrote(wrote) => self.wrote(wrote),
        }
    }

    /// The attempt is at hand, and this is its nonce.
    pub fn is_ours(&self, keyed: &Keyed) -> bool {
        let confirm = self.state.deliveries.get(&keyed.delivery).and_then(|d| d.confirm(keyed.n));
        confirm.is_some_and(|confirm| confirm.nonce == keyed.nonce)
    }

    /// A nonce for an attempt by this channel, if its provider can call us back.
    pub fn nonce(&mut self, channel: &ChannelConfig) -> Option<String> {
        let reached = self.config.http.as_ref().is_some_and(|http| http.public_url.is_some());
        let confirms = reached && channel.adapter.confirmer().is_some();
        confirms.then(|| format!("{:032x}", self.ids.bits())[..NONCE].to_owned())
    }

    /// Where the provider is to call.
    pub fn callback(&self, id: DeliveryId, n: u32, nonce: Option<&str>, keys: bool) -> Option<Callback> {
        let public_url = self.config.http.as_ref()?.public_url.clone()?;
        Some(Callback { public_url, key: format!("{id}.{n}.{}", nonce?), keys })
    }
}
