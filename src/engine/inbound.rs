//! Somebody writes to us: kept, and where it is an answer to an alarm, done.
//!
//! A number is a person's when the config says so. Strangers are kept and get no answer. Each message counts
//! once, however often the provider brings it.

use super::asked::SendRequest;
use super::called::Wrote;
use super::refusal::Answer;
use super::reply::{Reply, Verb, opts_out, parse};
use super::state::Incident;
use super::turn::Turn;
use crate::domain::delivery::Medium;
use crate::domain::event::{EventKind, InboundReceived, Payload, Rendered};
use crate::domain::failure::cut;
use crate::domain::id::{InboundId, IncidentId};
use crate::domain::time::Span;
use crate::domain::who::{self, Who};
use serde_json::json;

/// One hint in this time to each number.
const HINTS: Span = Span::hours(1);
const HINT: &str = "hint";
/// Characters of a text that are kept.
const LONGEST: usize = 4_096;

impl Turn<'_> {
    pub fn wrote(&mut self, wrote: Wrote) -> Answer {
        let Wrote { channel, provider_id, from, text, opted_out } = wrote;
        if self.state.inbox.has(&channel, &provider_id) {
            return Ok(json!({ "known": false }));
        }
        let number = who::phone(&from).unwrap_or_else(|_| cut(&from, 40));
        let person = self.config.people.values().find(|p| p.phone.as_ref() == Some(&number)).map(|p| p.name.clone());
        let opted_out = opted_out.or_else(|| opts_out(&text));
        let (did, back) = match (opted_out, &person) {
            (Some(true), _) => ("wants no more texts".to_owned(), None),
            (Some(false), _) => ("wants texts again".to_owned(), None),
            (None, None) => ("a stranger: no answer".to_owned(), None),
            (None, Some(person)) => self.understood(person, &number, &text),
        };
        let received = InboundReceived {
            channel: channel.clone(),
            provider_id,
            id: Some(InboundId(self.ids.ulid())),
            who: person,
            did: Some(did.clone()),
            opted_out,
        };
        let text = text.chars().take(LONGEST).collect();
        let payload = Payload {
            address: Some(number.clone()),
            text: Some(Rendered { text, ..Rendered::default() }),
            ..Payload::default()
        };
        self.emit_with(EventKind::InboundReceived(received), payload);
        if let Some(back) = back {
            self.text_back(channel, number, back);
        }
        self.pump();
        Ok(json!({ "known": true, "did": did }))
    }

    /// What a person's message does, and what they are answered.
    fn understood(&mut self, person: &str, number: &str, text: &str) -> (String, Option<String>) {
        let (verb, which) = match parse(text) {
            Reply::Do(verb, which) => (verb, which),
            Reply::Unknown => return self.hint(person, number),
        };
        let found = match which {
            Some(number) => self.state.incident_by_number(number).filter(|i| i.is_live()).map(|i| i.id),
            None => self.latest_told(person, verb),
        };
        match (found, which) {
            (Some(incident), _) => {
                let did = self.obey(person, incident, verb, "sms");
                let subject = self.state.incidents.get(&incident).map_or("", |i| &i.content.subject);
                let back = if did.done { format!("{}: {}", did.words, cut(subject, 60)) } else { did.words.clone() };
                (did.words, Some(back))
            }
            (None, Some(which)) => {
                (format!("there is no open #{which}"), Some(format!("There is no open alarm #{which}")))
            }
            (None, None) => {
                ("nothing is open".to_owned(), Some("No alarm that you were told of by SMS is open".to_owned()))
            }
        }
    }

    /// The latest one that they were told of by SMS; to be acknowledged, one that nobody has acknowledged.
    fn latest_told(&self, person: &str, verb: Verb) -> Option<IncidentId> {
        let by_sms = |i: &&Incident| {
            i.told.iter().any(|told| told.who.as_deref() == Some(person) && told.medium == Some(Medium::Sms))
        };
        let told: Vec<&Incident> = self.state.live_incidents().filter(by_sms).collect();
        let open = told.iter().rev().find(|i| verb == Verb::Resolve || i.acknowledged_by.is_none());
        open.or(told.last()).map(|i| i.id)
    }

    fn hint(&self, person: &str, number: &str) -> (String, Option<String>) {
        let lately = self.wall - HINTS;
        if self.state.inbox.of(number).take_while(|w| w.at > lately).any(|w| w.did.as_deref() == Some(HINT)) {
            return ("not understood".to_owned(), None);
        }
        let latest = self.latest_told(person, Verb::Acknowledge).and_then(|id| self.state.incidents.get(&id));
        let n = latest.map_or_else(|| "NUMBER".to_owned(), |i| i.number.to_string());
        (HINT.to_owned(), Some(format!("Reply {n}a to acknowledge, {n}e to escalate, {n}r to resolve")))
    }

    /// One short message to the number that wrote. What keeps it from being sent keeps nothing else.
    fn text_back(&mut self, channel: String, number: String, subject: String) {
        let request = SendRequest {
            subject,
            to: Some(vec![Who::Phone(number)]),
            channels: Some(vec![channel]),
            kind_of: Some("reply".to_owned()),
            ..SendRequest::default()
        };
        // A number that we cannot write to gets no answer.
        let _ = self.accept(request);
    }
}
