//! Text messages as conversations.

use super::ROWS;
use crate::domain::delivery::Medium;
use crate::domain::time::Timestamp;
use crate::domain::who;
use crate::engine::refusal::{Answer, Code, Refusal};
use crate::engine::state::{Delivery, Written};
use crate::engine::turn::{Turn, refuse};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Turn<'_> {
    /// A row for each number that wrote, the latest first.
    pub(super) fn inbox_view(&self, limit: usize) -> Value {
        let mut latest: BTreeMap<&str, (&Written, usize)> = BTreeMap::new();
        for written in &self.state.inbox.written {
            let (last, count) = latest.entry(&written.number).or_insert((written, 0));
            (*last, *count) = (written, *count + 1);
        }
        let mut all: Vec<_> = latest.into_values().collect();
        all.sort_by_key(|(last, _)| std::cmp::Reverse(last.at));
        let rows = all.into_iter().take(limit.clamp(1, ROWS)).map(|(last, count)| {
            json!({
                "number": last.number,
                "who": last.who,
                "last_at": self.time(last.at),
                "messages": count,
                "text": last.text,
                "did": last.did,
                "channel": last.channel,
                "opted_out": self.state.inbox.opted_out.contains_key(&last.number),
            })
        });
        json!({ "conversations": rows.collect::<Vec<_>>(), "next_cursor": null })
    }

    /// Both sides, oldest first; the latest ones that are at hand.
    pub(super) fn conversation_view(&self, with: &str) -> Answer {
        let person = self.config.people.get(with.strip_prefix("person:").unwrap_or(with));
        let number = match person {
            Some(person) => person
                .phone
                .clone()
                .ok_or_else(|| Refusal::new(Code::NotFound, format!("{with} has no number in the config")))?,
            None => match who::phone(with) {
                Ok(number) => number,
                Err(words) => return refuse(Refusal::field("number", words)),
            },
        };
        let who = self.config.people.values().find(|p| p.phone.as_ref() == Some(&number)).map(|p| p.name.as_str());
        let theirs = self.state.inbox.of(&number).map(|w| (w.at, self.theirs(w)));
        let to_them =
            |d: &&Delivery| d.address_for(Medium::Sms) == Some(&number) && !d.attempts.is_empty() && self.is_text(d);
        let ours =
            self.state.deliveries.values().filter(to_them).map(|d| (d.sent_at.unwrap_or(d.created_at), self.ours(d)));
        let mut all: Vec<(Timestamp, Value)> = theirs.chain(ours).collect();
        all.sort_by_key(|(at, _)| *at);
        let messages: Vec<Value> = all.split_off(all.len().saturating_sub(ROWS)).into_iter().map(|(_, v)| v).collect();
        let opted_out = self.state.inbox.opted_out.contains_key(&number);
        Ok(json!({ "number": number, "who": who, "opted_out": opted_out, "messages": messages, "next_cursor": null }))
    }

    fn is_text(&self, d: &Delivery) -> bool {
        self.config.channels.get(d.channel()).is_some_and(|c| c.medium() == Some(Medium::Sms))
    }

    fn theirs(&self, w: &Written) -> Value {
        json!({ "at": self.time(w.at), "direction": "in", "text": w.text, "channel": w.channel, "did": w.did })
    }

    fn ours(&self, d: &Delivery) -> Value {
        let n = self.state.notifications.get(&d.notification);
        json!({
            "at": self.time(d.sent_at.unwrap_or(d.created_at)),
            "direction": "out",
            "text": n.map_or("", |n| n.content.subject.as_str()),
            "channel": d.channel(),
            "status": self.shown_status(d),
            "delivery": d.id,
            "incident": d.incident.and_then(|i| self.state.incidents.get(&i)).map(|i| i.number),
        })
    }
}
