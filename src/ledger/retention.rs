//! How long the ledger keeps what, and whose texts are to go.
//!
//! Only payloads (subjects, bodies, addresses) are blanked; the heads say for as long as `audit` what
//! happened, and the chain holds.

use crate::domain::delivery::Medium;
use crate::domain::event::{Event, EventKind, Frame, Payload};
use crate::domain::id::{DeliveryId, NotificationId};
use crate::domain::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ulid::Ulid;

/// For how long; `None` is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Texts and addresses of e-mails.
    pub mail: Option<Span>,
    /// Of text messages.
    pub sms: Option<Span>,
    /// Of calls.
    pub voice: Option<Span>,
    /// Of everything else, and what incidents say.
    pub other: Option<Span>,
    /// Everything: what is older goes as a whole.
    pub audit: Option<Span>,
}

/// What a text is kept as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextKind {
    Mail,
    Sms,
    Voice,
    Other,
}

pub const TEXT_KINDS: [TextKind; 4] = [TextKind::Mail, TextKind::Sms, TextKind::Voice, TextKind::Other];

impl TextKind {
    pub fn as_str(self) -> &'static str {
        match self {
            TextKind::Mail => "mail",
            TextKind::Sms => "sms",
            TextKind::Voice => "voice",
            TextKind::Other => "other",
        }
    }

    fn of(medium: Option<Medium>) -> TextKind {
        match medium {
            Some(Medium::Mail) => TextKind::Mail,
            Some(Medium::Sms) => TextKind::Sms,
            Some(Medium::Voice) => TextKind::Voice,
            None => TextKind::Other,
        }
    }
}

impl Retention {
    pub fn of(&self, kind: TextKind) -> Option<Span> {
        match kind {
            TextKind::Mail => self.mail,
            TextKind::Sms => self.sms,
            TextKind::Voice => self.voice,
            TextKind::Other => self.other,
        }
    }
}

/// Texts to be blanked, found frame by frame in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The events that have them.
    pub seqs: Vec<u64>,
    /// The notifications and deliveries that they are of.
    #[serde(with = "ulids")]
    pub ids: BTreeSet<Ulid>,
}

/// Texts that were removed, as the `erased` event says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Erased {
    /// The first event that had one, and the last; 0 when there was none.
    pub from_seq: u64,
    pub to_seq: u64,
    pub because: String,
    pub found: Found,
}

mod ulids {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::collections::BTreeSet;
    use ulid::Ulid;

    pub fn serialize<S: Serializer>(ids: &BTreeSet<Ulid>, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(ids.iter().map(Ulid::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeSet<Ulid>, D::Error> {
        let texts = Vec::<String>::deserialize(d)?;
        texts.iter().map(|text| Ulid::from_string(text).map_err(D::Error::custom)).collect()
    }
}

/// Which texts. Something with an id that `is_open` says of is left alone.
pub trait Select {
    fn look(&mut self, frame: &Frame, is_open: &dyn Fn(Ulid) -> bool, found: &mut Found);
}

/// The texts of some kinds, each up to an event.
pub struct Expired {
    pub through: BTreeMap<TextKind, u64>,
    /// The first that would be due, and is of something open: to be looked at again.
    pub kept: Option<u64>,
}

impl Select for Expired {
    fn look(&mut self, frame: &Frame, is_open: &dyn Fn(Ulid) -> bool, found: &mut Found) {
        for (seq, event) in numbered(frame) {
            let (kinds, id) = match &event.head {
                EventKind::DeliveryCreated { id, medium, .. } => (vec![TextKind::of(*medium)], id.0),
                EventKind::AttemptStarted { delivery, medium, .. }
                | EventKind::AttemptFinished { delivery, medium, .. } => (vec![TextKind::of(*medium)], delivery.0),
                EventKind::NotificationAccepted { id, .. } => (media(frame, *id), id.0),
                EventKind::IncidentOpened { id, .. } => (vec![TextKind::Other], id.0),
                EventKind::InboundReceived(r) => (vec![TextKind::Sms], r.id.map_or(Ulid(0), |id| id.0)),
                // What was in force belongs to the audit.
                _ => continue,
            };
            // What went by several ways is kept as long as the longest.
            let due = kinds.iter().all(|kind| self.through.get(kind).is_some_and(|through| seq <= *through));
            if due && is_open(id) {
                self.kept.get_or_insert(seq);
            } else if due {
                found.seqs.push(seq);
                found.ids.insert(id);
            }
        }
    }
}

/// The ways that a message takes; they are decided with it.
fn media(frame: &Frame, notification: NotificationId) -> Vec<TextKind> {
    let deliveries = frame.events.iter().filter_map(|event| match &event.head {
        EventKind::DeliveryCreated { notification: of, medium, .. } if *of == notification => {
            Some(TextKind::of(*medium))
        }
        _ => None,
    });
    let kinds: Vec<TextKind> = deliveries.collect();
    if kinds.is_empty() { vec![TextKind::Other] } else { kinds }
}

/// Everything that was for one person or address.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The name in the config.
    pub name: Option<String>,
    /// Addresses and numbers; those that the ledger has under the name come on top.
    pub addresses: BTreeSet<String>,
    deliveries: BTreeSet<DeliveryId>,
    /// Deliveries whose texts are still needed.
    pub left: u64,
}

impl Person {
    pub fn new(name: Option<String>, addresses: impl IntoIterator<Item = String>) -> Person {
        Person { name, addresses: addresses.into_iter().collect(), ..Person::default() }
    }

    fn is_address(&self, address: &str) -> bool {
        self.addresses.contains(address)
    }

    fn is_theirs(&self, who: Option<&String>, payload: &Payload) -> bool {
        let addressed = payload.address.iter().chain(payload.others.values()).any(|a| self.is_address(a));
        addressed || (self.name.is_some() && who == self.name.as_ref())
    }

    /// Each delivery is theirs and not open, or goes to a place that is nobody's.
    fn is_all_of(&self, frame: &Frame, notification: NotificationId, is_open: &dyn Fn(Ulid) -> bool) -> bool {
        let mut any = false;
        for event in &frame.events {
            let EventKind::DeliveryCreated { id, notification: of, who, .. } = &event.head else { continue };
            let Some(payload) = event.payload.as_deref().filter(|_| *of == notification) else { continue };
            match self.is_theirs(who.as_ref(), payload) {
                true if is_open(id.0) => return false,
                true => any = true,
                false if payload.address.is_some() || who.is_some() => return false,
                false => {}
            }
        }
        any
    }
}

impl Select for Person {
    fn look(&mut self, frame: &Frame, is_open: &dyn Fn(Ulid) -> bool, found: &mut Found) {
        for event in &frame.events {
            let EventKind::DeliveryCreated { id, who, .. } = &event.head else { continue };
            let theirs = event.payload.as_deref().filter(|payload| self.is_theirs(who.as_ref(), payload));
            let Some(payload) = theirs else { continue };
            if is_open(id.0) {
                self.left += 1;
                continue;
            }
            self.deliveries.insert(*id);
            // An address that they had once is theirs in what follows, too.
            if who.is_some() && *who == self.name {
                self.addresses.extend(payload.address.iter().chain(payload.others.values()).cloned());
            }
        }
        for (seq, event) in numbered(frame) {
            let payload = event.payload.as_deref();
            let says = |payload: &Payload| self.addresses.iter().any(|address| payload.body.contains(address.as_str()));
            let id = match &event.head {
                EventKind::DeliveryCreated { id, .. } if self.deliveries.contains(id) => id.0,
                EventKind::AttemptStarted { delivery, .. } | EventKind::AttemptFinished { delivery, .. }
                    if self.deliveries.contains(delivery) =>
                {
                    delivery.0
                }
                EventKind::NotificationAccepted { id, .. } if self.is_all_of(frame, *id, is_open) && !is_open(id.0) => {
                    id.0
                }
                EventKind::InboundReceived(r) if payload.is_some_and(|p| self.is_theirs(r.who.as_ref(), p)) => {
                    r.id.map_or(Ulid(0), |id| id.0)
                }
                EventKind::ConfigApplied { .. } if payload.is_some_and(says) => Ulid(0),
                _ => continue,
            };
            found.seqs.push(seq);
            found.ids.insert(id);
        }
    }
}

/// Events that have a text, with their numbers.
fn numbered(frame: &Frame) -> impl Iterator<Item = (u64, &Event)> {
    let has_text = |(_, event): &(u64, &Event)| event.payload.as_ref().is_some_and(|p| !p.erased);
    (frame.seq..).zip(&frame.events).filter(has_text)
}
