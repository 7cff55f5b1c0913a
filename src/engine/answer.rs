//! A person answers an alarm: by a key during a call, by a text message. What that does, and what is said back.
//!
//! Only somebody who was told of the incident and has no tier may. The keys of a call can be used once: whoever
//! repeats the call's requests later, does nothing. A key that cannot do anything is not used up by it.

use super::called::Pressed;
use super::effect::Effect;
use super::input::{Caller, Role};
use super::refusal::Answer;
use super::reply::{Verb, key};
use super::turn::Turn;
use crate::config::ChannelConfig;
use crate::domain::delivery::Medium;
use crate::domain::event::{DeliveryReported, EventKind, Origin};
use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::time::Span;
use crate::message::spelled;
use serde_json::{Value, json};

/// So long after its attempt began, the keys of a call mean something.
const WINDOW: Span = Span::hours(1);

/// What came of an order.
pub(super) struct Did {
    /// `acknowledged #417`
    pub words: String,
    /// It was done now.
    pub done: bool,
}

impl Turn<'_> {
    /// The person whom this delivery asks to act, if it can be answered at all.
    fn asked(&self, id: DeliveryId) -> Option<(&str, IncidentId)> {
        self.config.http.as_ref()?.public_url.as_ref()?;
        let d = self.state.deliveries.get(&id)?;
        let asks = |origin: &Origin| !origin.is_notice() && *origin != Origin::Test;
        let n = self.state.notifications.get(&d.notification).filter(|n| asks(&n.origin))?;
        let incident = n.origin.incident()?;
        let once = self.state.incidents.get(&incident).is_some_and(|i| i.once);
        let person = d.who.as_deref().filter(|who| self.config.people.get(*who).is_some_and(|p| p.tier.is_none()))?;
        (!once).then_some((person, incident))
    }

    /// A call with a menu.
    pub fn offers_keys(&self, id: DeliveryId, channel: &ChannelConfig) -> bool {
        let can = channel.medium() == Some(Medium::Voice) && channel.adapter.confirmer().is_some();
        can && self.asked(id).is_some()
    }

    /// `417a`, where answers are read.
    pub fn reply_code(&self, id: DeliveryId, channel: &ChannelConfig) -> Option<String> {
        let can = channel.medium() == Some(Medium::Sms) && channel.adapter.confirmer().is_some_and(|c| c.inbound());
        let (_, incident) = self.asked(id).filter(|_| can)?;
        self.state.incidents.get(&incident).map(|i| format!("{}a", i.number))
    }

    /// The page where a person can acknowledge this, in a text or a mail to them.
    pub fn link(&self, id: DeliveryId, channel: &ChannelConfig) -> Option<String> {
        let written = matches!(channel.medium(), Some(Medium::Sms | Medium::Mail));
        let (person, incident) = self.asked(id).filter(|_| written)?;
        let number = self.state.incidents.get(&incident)?.number;
        let public_url = self.config.http.as_ref()?.public_url.as_ref()?;
        Some(format!("{public_url}/a/{}", self.agenda.link_key.as_ref()?.token(number, person, self.wall)))
    }

    /// Does what a person wants, in their name.
    pub(super) fn obey(&mut self, person: &str, id: IncidentId, verb: Verb, via: &str) -> Did {
        self.by = Caller { name: person.to_owned(), person: Some(person.to_owned()), role: Role::None };
        let number = self.numbered(id);
        if !self.may_acknowledge(id) {
            return Did { words: format!("{number} is not yours to answer"), done: false };
        }
        let (answer, what) = match verb {
            Verb::Acknowledge => {
                (self.acknowledge(Some(&number), None, Some(person.to_owned()), via.to_owned()), "acknowledged")
            }
            Verb::Resolve => (self.resolve_by_hand(&number, None), "resolved"),
            Verb::Escalate => (self.escalate(&number), "escalated"),
        };
        let already = |view: &Value| view["incidents"][0]["already"] == true;
        match answer {
            Ok(view) if already(&view) => {
                let by = view["incidents"][0]["acknowledged_by"].as_str().unwrap_or("somebody").to_owned();
                Did { words: format!("{number} is acknowledged by {by} already"), done: false }
            }
            Ok(_) => Did { words: format!("{what} {number}"), done: true },
            Err(refusal) => Did { words: refusal.message, done: false },
        }
    }

    /// `{known, channel, say, text}`: what is said, and then the text with the menu, or nothing more.
    pub fn pressed(&mut self, pressed: Pressed) -> Answer {
        let Pressed { keyed, call, digits } = pressed;
        let id = keyed.delivery;
        let over = |known: bool, say: String| Ok(json!({ "known": known, "say": format!("{say} Goodbye.") }));
        let gone = || over(false, "This call is over.".to_owned());
        let ours = self.is_ours(&keyed);
        let Some(d) = self.state.deliveries.get(&id).filter(|_| ours) else { return gone() };
        let Some(attempt) = d.attempt(keyed.n) else { return gone() };
        let other = attempt.provider_id.as_ref().is_some_and(|known| *known != call);
        if other || self.wall - attempt.started_at > WINDOW {
            return gone();
        }
        if attempt.confirm.as_ref().is_some_and(|confirm| confirm.spent) {
            return over(true, "A key was pressed in this call already.".to_owned());
        }
        let channel = attempt.channel.clone();
        let Some((person, incident)) = self.asked(id).map(|(person, incident)| (person.to_owned(), incident)) else {
            return over(true, "This message asks for no answer.".to_owned());
        };
        let Some(i) = self.state.incidents.get(&incident).filter(|i| i.is_live()) else {
            return over(true, "This alarm is over.".to_owned());
        };
        let number = i.number;
        let said = |words: &str| capital(&words.replace(&format!("#{number}"), &format!("alarm {}", spelled(number))));
        // What does nothing uses up no key: they hear the menu again.
        let (verb, idle) = match (key(&digits), digits.as_str()) {
            (Some(Verb::Escalate), _) => {
                (Some(Verb::Escalate), self.next_step(incident).err().map(|no| format!("{}.", said(&no.message))))
            }
            (None, "" | "*") => (None, Some(String::new())),
            (None, _) => (None, Some("There is no such key.".to_owned())),
            (verb, _) => (verb, None),
        };
        let (Some(verb), None) = (verb, &idle) else {
            let text = self.spoken(id, &channel);
            return Ok(json!({ "known": true, "channel": channel, "say": idle, "text": text }));
        };
        self.emit(EventKind::DeliveryReported(DeliveryReported {
            id,
            provider_id: call,
            status: format!("{digits} was pressed"),
            late: self.state.deliveries.get(&id).is_some_and(|d| d.status.is_end()),
            n: keyed.n,
            what: None,
            key: Some(digits),
            found: false,
        }));
        let did = self.obey(&person, incident, verb, "call");
        // They are still on the line, and hear what came of it.
        self.effects.retain(|effect| !matches!(effect, Effect::HangUp(call) if call.delivery == id));
        Ok(json!({ "known": true, "channel": channel, "say": format!("{}. Goodbye.", said(&did.words)) }))
    }

    /// The words of a call, once more.
    fn spoken(&mut self, id: DeliveryId, channel: &str) -> String {
        let Some(channel) = self.config.channels.get(channel) else { return String::new() };
        let sent = self.state.deliveries.get(&id).and_then(|d| self.text_sent(d, channel));
        let ready = sent.map(|text| text.text.clone());
        ready.unwrap_or_else(|| self.render(id, channel).text)
    }
}

fn capital(words: &str) -> String {
    words.chars().take(1).flat_map(char::to_uppercase).chain(words.chars().skip(1)).collect()
}
