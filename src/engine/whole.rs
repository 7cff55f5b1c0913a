//! Whole texts: the state keeps the beginning of a long one and its place. What has just been said is
//! at hand; what is not at hand any more is asked for, and the delivery that needs it holds a slot of
//! its channel against those that are not more urgent. What cannot be read is told in the message, which
//! goes out with what is here.

use super::effect::Effect;
use super::state::{Content, Delivery};
use super::turn::{Turn, done};
use crate::channel::Format;
use crate::config::ChannelConfig;
use crate::domain::delivery::Sort;
use crate::domain::event::{Blob, Event, EventKind, IN_EVENT, KEPT, Place, Rendered, beginning};
use crate::domain::id::DeliveryId;
use crate::domain::level::Level;
use crate::engine::refusal::Answer;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Bytes of texts at hand; the oldest go first. They are in the journal, too, unless its disk fails.
const AT_HAND: usize = 8 << 20;
/// That a place cannot be read takes as much room as this.
const UNREADABLE: usize = 8 << 10;

/// The whole texts that can be used now. Not part of the state: what is missing is read again.
#[derive(Clone, Debug, Default)]
pub(crate) struct AtHand {
    /// By the event that brought it.
    texts: BTreeMap<u64, Result<Arc<str>, String>>,
    order: VecDeque<u64>,
    bytes: usize,
    /// Deliveries that wait for the text of an event.
    asked: BTreeMap<DeliveryId, Asked>,
}

#[derive(Clone, Debug)]
struct Asked {
    channel: String,
    level: Level,
    seq: u64,
}

impl AtHand {
    fn put(&mut self, seq: u64, text: Result<Arc<str>, String>, emergency: bool) {
        self.bytes += weight(&text);
        match self.texts.insert(seq, text) {
            Some(before) => self.bytes -= weight(&before),
            None => self.order.push_back(seq),
        }
        // While nothing can be written the only copy is here; new requests are refused then.
        while self.bytes > AT_HAND && self.order.len() > 1 && !emergency {
            let oldest = self.order.pop_front().and_then(|oldest| self.texts.remove(&oldest));
            self.bytes -= oldest.as_ref().map_or(0, weight);
        }
    }

    /// What was erased must not be here either; what is still needed is read again.
    pub fn forget(&mut self) {
        *self = AtHand { asked: std::mem::take(&mut self.asked), ..AtHand::default() };
    }

    /// Deliveries of this channel, of this level or above, that wait for a text. Each holds a slot: what
    /// is more urgent does not wait for the disk.
    pub fn awaited(&self, channel: &str, level: Level) -> usize {
        self.asked.values().filter(|asked| asked.channel == channel && asked.level >= level).count()
    }

    pub fn is_awaited(&self, id: DeliveryId) -> bool {
        self.asked.contains_key(&id)
    }

    fn has(&self, place: &Place) -> bool {
        self.texts.contains_key(&place.seq)
    }
}

impl Turn<'_> {
    /// What is long in an event, on its way into the journal: it is at hand for what follows, and what
    /// is too long for the event becomes a blob.
    pub(super) fn set_apart(&mut self, event: &mut Event, seq: u64) {
        use EventKind::{AlertReported, AttemptFinished, AttemptStarted, IncidentOpened, NotificationAccepted};
        // Of others nothing is asked for again; an erasure looks into them.
        let said = matches!(
            event.head,
            NotificationAccepted { .. }
                | IncidentOpened { .. }
                | AlertReported(_)
                | AttemptStarted { .. }
                | AttemptFinished { .. }
        );
        let Some(payload) = event.payload.as_deref_mut().filter(|p| said && p.more.is_none()) else { return };
        if payload.body.len() > KEPT && !matches!(event.head, AttemptFinished { .. }) {
            self.agenda.at_hand.put(seq, Ok(payload.body.as_str().into()), self.agenda.emergency);
        }
        let text = match &mut payload.text {
            Some(rendered) => {
                rendered.is_object &= rendered.text.len() <= IN_EVENT;
                &mut rendered.text
            }
            None => &mut payload.body,
        };
        if text.len() > IN_EVENT {
            let short = beginning(text).to_owned();
            let blob = Blob::new(seq, std::mem::replace(text, short).into_bytes());
            payload.more = Some(Place { seq: 0, bytes: blob.bytes.len() as u64, blob: Some(blob.hash.clone()) });
            self.blobs.push(blob);
        }
    }

    /// The whole body; of one that cannot be read its beginning, and why there is no more.
    pub fn body<'a>(&'a self, content: &'a Content) -> Cow<'a, str> {
        let Some(place) = &content.more else { return Cow::Borrowed(&content.body) };
        match self.agenda.at_hand.texts.get(&place.seq) {
            Some(Ok(text)) => Cow::Borrowed(text),
            Some(Err(words)) => Cow::Owned(shortened(&content.body, place, words)),
            None => Cow::Owned(shortened(&content.body, place, "it was not read")),
        }
    }

    /// A text that was finished before; `None`: it has to be made again.
    pub fn finished(&self, d: &Delivery, key: &str) -> Option<Rendered> {
        let finished = d.texts.get(key)?;
        let Some(place) = &finished.place else { return finished.here() };
        let text = self.agenda.at_hand.texts.get(&place.seq)?.as_ref().ok()?;
        let (subject, html) = (finished.subject.clone(), finished.html.clone());
        Some(Rendered { subject, text: text.to_string(), html, is_object: false })
    }

    /// Asks for what an attempt by this channel needs and is not at hand; `false`: nothing is lacking.
    pub fn lacks_text(&mut self, id: DeliveryId, channel: &ChannelConfig) -> bool {
        if self.agenda.at_hand.is_awaited(id) {
            return true;
        }
        let Some(d) = self.state.deliveries.get(&id) else { return false };
        let Some(place) = self.lacking(d, channel) else { return false };
        let asked = Asked { channel: channel.name.clone(), level: d.level, seq: place.seq };
        self.agenda.at_hand.asked.insert(id, asked);
        self.effects.push(Effect::ReadText(place));
        true
    }

    fn lacking(&self, d: &Delivery, channel: &ChannelConfig) -> Option<Place> {
        let carries_more = channel.kind.sort == Sort::Fixed && channel.sound.is_none();
        if channel.format() == Format::None && !carries_more {
            return None;
        }
        let at_hand = &self.agenda.at_hand;
        let finished = d.texts.get(&self.text_key(d, channel, d.maybe_sent));
        let place = finished.and_then(|f| f.place.as_deref());
        if let Some(place) = place.filter(|place| !at_hand.has(place)) {
            return Some(place.clone());
        }
        let is_good = |place: &Place| matches!(at_hand.texts.get(&place.seq), Some(Ok(_)));
        let ready = finished.is_some() && place.is_none_or(is_good);
        if ready && !carries_more {
            return None;
        }
        let body = self.state.notifications.get(&d.notification).and_then(|n| n.content.more.as_deref());
        body.filter(|place| !at_hand.has(place)).cloned()
    }

    /// A text was read, or cannot be: what waited for it goes on.
    pub fn text_read(&mut self, place: &Place, text: Result<Arc<str>, String>) -> Answer {
        self.agenda.at_hand.asked.retain(|_, asked| asked.seq != place.seq);
        if let Err(words) = &text {
            let words = format!("a text of {} bytes ({place}) cannot be read: {words}", place.bytes);
            self.storage_troubled("ledger".to_owned(), words, false);
        }
        self.agenda.at_hand.put(place.seq, text, self.agenda.emergency);
        done()
    }
}

fn weight(text: &Result<Arc<str>, String>) -> usize {
    text.as_ref().map_or(UNREADABLE, |text| text.len())
}

fn shortened(body: &str, place: &Place, words: &str) -> String {
    format!("{body}\n\n[The rest of {} bytes cannot be shown: {place}, {words}.]", place.bytes)
}
