//! What waits until the frame it follows from is durable; it leaves in order.

use super::handle::Released;
use super::note::Reply;
use crate::engine::{Answer, Effect};
use serde_json::Value;
use std::collections::VecDeque;

/// The outcome of one turn.
pub(super) struct Held {
    /// The last event that it depends on.
    pub seq: u64,
    pub replies: Vec<Reply>,
    pub answer: Answer,
    pub effects: Vec<Effect>,
    /// The frame itself, for the event stream.
    pub released: Option<Released>,
    /// A new request: in emergency mode its answer still waits.
    pub intake: bool,
}

impl Held {
    /// Answers whoever asked and still waits.
    pub fn reply(&mut self) {
        let mut replies = std::mem::take(&mut self.replies);
        let last = replies.pop();
        for reply in replies {
            let _ = reply.send(self.answer.clone());
        }
        if let Some(last) = last {
            let answer = std::mem::replace(&mut self.answer, Ok(Value::Null));
            let _ = last.send(answer);
        }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Held>,
}

impl Queue {
    pub fn push(&mut self, held: Held) {
        self.waiting.push_back(held);
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next one whose ground is durable.
    pub fn pop_durable(&mut self, durable: u64) -> Option<Held> {
        if self.waiting.front()?.seq <= durable { self.waiting.pop_front() } else { None }
    }

    /// Emergency mode: effects leave, and so do all answers but those to new requests. One that something was decided
    /// for says that it is not on the disk yet (`recorded`).
    pub fn hurry(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for held in &mut self.waiting {
            effects.append(&mut held.effects);
            if !held.intake {
                if let (Some(_), Ok(Value::Object(answer))) = (&held.released, &mut held.answer) {
                    answer.insert("recorded".to_owned(), false.into());
                }
                held.reply();
            }
        }
        effects
    }
}
