//! What the world has to do, once the events it follows from are durable.

use crate::channel::{Lost, Outgoing};
use crate::domain::event::Place;
use crate::domain::id::DeliveryId;
use crate::domain::time::Span;

/// One thing to do.
#[derive(Debug)]
pub enum Effect {
    Attempt(AttemptOrder),
    Inquiry(Inquiry),
    /// Ask the provider how this is that it took.
    Question(Question),
    /// Ask the provider what this has cost; nothing waits for it.
    AskPrice(Question),
    /// End this call: nobody has to answer it any more.
    HangUp(Question),
    /// Run a channel's probe for this heartbeat.
    Probe {
        heartbeat: String,
        channel: String,
        timeout: Span,
    },
    /// Run the probe of a dead channel: does it work again?
    Look {
        channel: String,
        timeout: Span,
    },
    /// Place the real test call of a probe with `test_call = true`.
    TestCall {
        heartbeat: String,
        channel: String,
        timeout: Span,
        out: Box<Outgoing>,
    },
    /// A delivery waits for the text at this place.
    ReadText(Place),
    /// What should sound has changed.
    Sound,
    /// Everybody who is logged in on this host is to read this.
    Wall(String),
}

/// One attempt to run.
#[derive(Debug)]
pub struct AttemptOrder {
    pub delivery: DeliveryId,
    pub n: u32,
    pub channel: String,
    pub timeout: Span,
    pub simulate: bool,
    pub out: Box<Outgoing>,
}

/// One question to a provider: does it have this?
#[derive(Debug)]
pub struct Inquiry {
    pub delivery: DeliveryId,
    pub n: u32,
    pub channel: String,
    pub timeout: Span,
    pub lost: Box<Lost>,
}

/// What a provider has, by its own name for it.
#[derive(Debug)]
pub struct Question {
    pub delivery: DeliveryId,
    pub n: u32,
    pub channel: String,
    pub timeout: Span,
    pub provider_id: String,
    /// Somebody, or something, has picked up.
    pub picked_up: bool,
}
