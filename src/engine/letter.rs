//! Dead letters: a message that no way could deliver, kept until somebody requeues or drops it.
//!
//! One of high or urgent raises an incident by other channels than the one that it is about; the
//! deliveries of such an incident raise none. Requeueing is an order: it goes once more under the
//! same key, also when its incident was acknowledged or is resolved meanwhile.

use super::incident::Opening;
use super::refusal::{Answer, Code, Refusal};
use super::state::Delivery;
use super::turn::{Turn, refuse};
use crate::domain::event::EventKind;
use crate::domain::failure::cut;
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use serde_json::json;

/// So many dead letters are kept, and so many bytes of their text; over that the oldest is dropped.
const LETTERS: usize = 10_000;
const LETTER_BYTES: u64 = if cfg!(test) { 16 << 10 } else { 64 << 20 };

/// The incident about dead letters of a channel, by name and by fingerprint.
const ABOUT: &str = "dead-letters-";
const ABOUT_SELF: &str = "self/dead-letters-";
/// The incident about a message that ends the daemon each time that it is sent.
pub(super) const POISON: &str = "poison";

impl Turn<'_> {
    /// A delivery has ended dead: what is told of it, and what has to go for it.
    pub fn became_dead_letter(&mut self, id: DeliveryId) {
        self.raise_about(id);
        while self.state.dead_count() > LETTERS || self.state.dead_bytes() > LETTER_BYTES {
            let Some(oldest) = self.state.dead_letters().map(|d| d.id).next() else { return };
            self.give_up(oldest);
        }
    }

    fn raise_about(&mut self, id: DeliveryId) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        if (d.level < Level::High && !d.is_condemned()) || self.is_about_letters(id) {
            return;
        }
        let Some(channel) = d.chain.first().cloned() else { return };
        if d.is_condemned() {
            let subject = "A message ends stentor each time that it is sent".to_owned();
            let opening = Opening::about_self(POISON, d.level.max(Level::High), subject, self.letter_words(id));
            self.open(Opening { about: Some(channel), ..opening });
            return;
        }
        let subject = format!("A message by {channel} could not be delivered");
        let opening = Opening::about_self(&format!("{ABOUT}{channel}"), d.level, subject, self.letter_words(id));
        self.open(Opening { about: Some(channel), ..opening });
    }

    /// What the message was, to whom, and why it is dead.
    pub fn letter_words(&self, id: DeliveryId) -> String {
        let Some(d) = self.state.deliveries.get(&id) else { return String::new() };
        let n = self.state.notifications.get(&d.notification);
        let subject = n.map_or(String::new(), |n| cut(&n.content.subject, 120));
        let to = d.who.as_ref().map(|who| format!(" to {who}")).unwrap_or_default();
        let why = d.reason.as_deref().unwrap_or("-");
        format!("\"{subject}\"{to}: {why}\nIt is kept: stentorctl dlq list, dlq requeue {id}, dlq drop {id}")
    }

    /// Whether a delivery speaks of dead letters itself.
    fn is_about_letters(&self, id: DeliveryId) -> bool {
        let incident = self.state.deliveries.get(&id).and_then(|d| d.incident);
        let about = incident.and_then(|i| self.state.incidents.get(&i));
        about.is_some_and(|i| *i.fingerprint == *format!("self/{POISON}") || i.fingerprint.starts_with(ABOUT_SELF))
    }

    /// The incident about a channel's dead letters is over when none of them is left.
    fn letters_left(&mut self, channel: &str) {
        let of_channel = |d: &Delivery| d.chain.first().is_some_and(|c| c == channel);
        let told = |d: &Delivery| d.level >= Level::High && !d.is_condemned();
        self.over_without(&format!("{ABOUT_SELF}{channel}"), |d| told(d) && of_channel(d));
        self.over_without(&format!("self/{POISON}"), Delivery::is_condemned);
    }

    fn over_without(&mut self, fingerprint: &str, is_one: impl Fn(&Delivery) -> bool) {
        let Some(id) = self.state.live_incident(fingerprint).map(|i| i.id) else { return };
        if !self.state.dead_letters().any(is_one) {
            self.resolve(id, "stentor", "none of its dead letters is left", None);
        }
    }

    fn dead_letter(&self, id: &str) -> Result<DeliveryId, Refusal> {
        let found = self.find_delivery(id)?;
        if self.state.is_dead_letter(found) {
            return Ok(found);
        }
        let what = match self.state.deliveries.get(&found) {
            Some(d) if d.dropped => "it was given up",
            Some(d) => d.status.as_str(),
            None => "gone",
        };
        refuse(Refusal::new(Code::Conflict, format!("delivery {found} is no dead letter: {what}")))
    }

    /// One dead letter, or all of them, once more. What a silence holds stays where it is.
    pub fn requeue(&mut self, id: Option<&str>) -> Answer {
        let ids: Vec<DeliveryId> = match id {
            Some(id) => vec![self.dead_letter(id)?],
            None => self.state.dead_letters().map(|d| d.id).collect(),
        };
        let (held, free): (Vec<DeliveryId>, Vec<DeliveryId>) = ids.into_iter().partition(|id| self.is_held(*id));
        if let (Some(_), Some(first)) = (id, held.first()) {
            let message = format!("a silence holds delivery {first}; end the silence first, or drop the letter");
            return refuse(Refusal::new(Code::Conflict, message));
        }
        for id in &free {
            self.emit(EventKind::DeadLetterRequeued { id: *id });
            self.take_first_way(*id);
        }
        for channel in self.channels_of(&free) {
            self.letters_left(&channel);
        }
        self.pump();
        let mut answer = self.deliveries_by_id(&free[..free.len().min(super::view::ROWS)])?;
        answer["requeued"] = json!(free.len());
        answer["held"] = json!(held.len());
        Ok(answer)
    }

    pub fn drop_letter(&mut self, id: &str) -> Answer {
        let id = self.dead_letter(id)?;
        self.give_up(id);
        self.pump();
        self.deliveries_by_id(&[id])
    }

    fn give_up(&mut self, id: DeliveryId) {
        self.emit(EventKind::DeadLetterDropped { id });
        for channel in self.channels_of(&[id]) {
            self.letters_left(&channel);
        }
    }

    fn channels_of(&self, ids: &[DeliveryId]) -> std::collections::BTreeSet<String> {
        ids.iter().filter_map(|id| self.state.deliveries.get(id)?.chain.first().cloned()).collect()
    }

    /// Round what is dead at this moment.
    fn take_first_way(&mut self, id: DeliveryId) {
        let Some(d) = self.state.deliveries.get(&id) else { return };
        let at = self.first_way(&d.chain, &self.reader(d), d.level, false);
        if at != d.at {
            self.fall_back(id, at, "it is dead");
        }
    }

    /// A silence holds at every level, also against an order.
    fn is_held(&self, id: DeliveryId) -> bool {
        let Some(d) = self.state.deliveries.get(&id) else { return false };
        let of_incident = d.incident.and_then(|i| self.state.incidents.get(&i));
        let n = self.state.notifications.get(&d.notification);
        let labels = of_incident.map(|i| &i.labels).or(n.map(|n| &n.labels));
        labels.is_some_and(|labels| self.silence_for(labels).is_some())
    }
}
