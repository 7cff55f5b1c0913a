//! The engine: a pure function from an input, the state, the config and the time to events.
//!
//! It does no I/O, reads no clock and draws no randomness. [`Engine::handle`] decides; each event
//! it decides on is folded into the state at once, so that the next decision of the same turn
//! sees it. The caller makes the events durable and only then answers and acts.

mod acknowledge;
mod alert;
mod answer;
mod asked;
mod attached;
mod bill;
mod budget;
mod by_hand;
mod callback;
mod called;
mod confirm;
mod delivery;
mod due;
mod effect;
mod fomo;
mod health;
mod heartbeat;
mod hook;
mod inbound;
mod incident;
mod input;
mod labels;
mod letter;
mod limit;
mod lost;
mod nobody;
mod oncall;
mod outcome;
mod pace;
mod particulars;
mod plan;
mod poison;
mod policy;
mod price;
mod progress;
mod proof;
mod queue;
mod reader;
mod refusal;
mod reload;
mod reply;
mod report;
mod request;
mod revival;
mod room;
mod scheduled;
mod sending;
mod silence;
mod state;
mod templated;
mod text;
mod turn;
mod unheard;
mod verdict;
mod view;
mod watch;
mod ways;
mod whole;

#[cfg(test)]
mod tests;

pub use asked::*;
pub use called::{Called, Keyed, Pressed, Wrote};
pub use effect::*;
pub use heartbeat::spread_of;
pub use input::*;
pub use oncall::on_call;
pub use refusal::{Answer, Code, Refusal};
pub use report::{AlertReport, Reports};
pub use state::*;
pub use view::{Story, asked_into};

use crate::config::Config;
use crate::domain::event::{Blob, Event, Frame};
use crate::domain::id::NotificationId;
use crate::domain::time::{EngineTime, Timestamp};
use crate::message::LinkKey;
use crate::message::links::Links;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use turn::Turn;

/// The state, the config in force and what follows from both.
#[derive(Debug)]
pub struct Engine {
    pub state: State,
    pub config: Arc<Config>,
    agenda: Agenda,
    version: String,
}

/// When a heartbeat runs next: planned, and when the engine starts it without its trigger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextRun {
    pub at: Timestamp,
    pub latest: Timestamp,
}

/// The message of a heartbeat of kind `notification`, and until when it is to be out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof {
    pub until: EngineTime,
    pub notification: NotificationId,
}

/// What the calendar and the built-in rules want next; derived from config and state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agenda {
    /// Heartbeats that run on a schedule: when next, wall clock.
    pub heartbeats: BTreeMap<String, NextRun>,
    /// Passive ones: when they will be late.
    pub passive: BTreeMap<String, EngineTime>,
    /// Dead channels that nobody else looks after: when they are asked.
    pub revivals: BTreeMap<String, revival::Revival>,
    /// Heartbeats of kind `notification` under way.
    pub proofs: BTreeMap<String, Proof>,
    /// When the built-in rules are looked at again.
    pub rates: Option<EngineTime>,
    /// Metrics that changed nothing since the last `metrics_seen`.
    pub unseen: BTreeMap<String, Metric>,
    pub unseen_due: Option<EngineTime>,
    /// Work waited at the last look, for the processing rate.
    pub waited: bool,
    pub started_at: Timestamp,
    /// The last look at what is due and who may start.
    pub seen: EngineTime,
    /// Urgent messages, by when it is looked at whether anybody heard of them.
    pub urgent: BTreeSet<(EngineTime, NotificationId)>,
    /// Until when a suspect waits for a quiet moment; and whether that time is over.
    pub patience: Option<EngineTime>,
    /// When the attempts of channels with `per_minute` began, as many as may begin in a minute.
    pub paces: BTreeMap<String, VecDeque<EngineTime>>,
    /// Prices that providers are asked for.
    pub bills: bill::Bills,
    /// When a day ends of whose budget something was said.
    pub midnight: Option<EngineTime>,
    pub impatient: bool,
    /// Until the start has marked what may have been sent, nothing begins.
    pub unrecorded: bool,
    /// Until another config than the last life's has been applied, nothing begins either.
    pub renewed: bool,
    pub emergency: bool,
    /// What links to attachments are signed with.
    pub links: Option<Links>,
    /// Long texts that can be used now.
    pub at_hand: whole::AtHand,
    /// The daemon stops: no new attempt begins.
    pub closing: bool,
    /// What links are signed with; without it there are none.
    pub link_key: Option<LinkKey>,
}

/// What one turn came to.
#[derive(Debug)]
pub struct Decision {
    pub events: Vec<Event>,
    /// What of them is in files of its own, to be kept before they are.
    pub blobs: Vec<Blob>,
    pub answer: Answer,
    pub effects: Vec<Effect>,
}

impl Engine {
    /// A state as folded so far, under this config. [`Ask::Started`] is its first input.
    pub fn new(mut state: State, config: Arc<Config>, version: &str) -> Engine {
        state.reindex();
        Engine { state, config, agenda: Agenda::default(), version: version.to_owned() }
    }

    /// Folds a frame of the journal; before the first input.
    pub fn replay(&mut self, frame: &Frame) {
        self.state.fold(frame);
    }

    /// Decides about one input.
    pub fn handle(&mut self, input: Input) -> Decision {
        if let Ask::Apply { config, .. } = &input.ask {
            self.config = config.clone();
        }
        let config = self.config.clone();
        let mut turn = Turn::new(&mut self.state, &config, &mut self.agenda, &self.version, &input);
        let answer = turn.decide(input.ask);
        turn.pump();
        turn.unheard_over();
        turn.agenda.seen = turn.now;
        let (events, blobs, effects) = turn.finish();
        Decision { events, blobs, answer, effects }
    }

    /// Whether so many alerts more can be taken, whatever their level.
    pub fn has_room_for_alerts(&self, count: usize) -> bool {
        let (open, pending) = (self.state.open_alerts() + count, self.state.pending() + count);
        open < alert::OPEN / 10 * 9 && pending < room::PENDING / 10 * 9
    }

    /// When [`Ask::Wake`] is wanted next, as the wall clock will show it.
    pub fn next_due(&self) -> Option<Timestamp> {
        due::next_due(&self.state, &self.config, &self.agenda)
    }

    /// From now on messages carry links that are signed with this.
    pub fn set_link_key(&mut self, key: Option<LinkKey>) {
        self.agenda.links = key.as_ref().map(LinkKey::attachments);
        self.agenda.link_key = key;
    }

    /// The daemon stops: what runs may end, nothing new begins.
    pub fn set_closing(&mut self) {
        self.agenda.closing = true;
    }

    /// Tells `status` that the journal cannot be made durable (or can again).
    pub fn set_emergency(&mut self, on: bool) {
        self.agenda.emergency = on;
    }
}
