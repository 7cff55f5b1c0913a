//! A world for stories: an engine, a simulated clock, stand-in channels that answer as told, and
//! a log of everything that was attempted. Whatever a story does not tell must not happen.

mod answers;
pub mod asks;
mod effects;
mod log;
mod looks;

pub use answers::{Fate, Says, account, provider, refused, timeout};
pub use log::Happening;

use crate::channel::{Enclosed, Found, Lost};
use crate::config::Config;
use crate::config::testing::from_toml;
use crate::domain::event::{Blob, Frame, Origin, Place};
use crate::domain::level::Level;
use crate::domain::time::{Span, Timestamp};
use crate::engine::{Answer, Ask, Caller, Decision, Effect, Engine, Input, Question, State};
use answers::Script;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The project's own example, word for word.
pub const EXAMPLE: &str = include_str!("../../../../etc/stentor.example.toml");

/// A Tuesday noon in Alice's first week on call.
pub const NOON: &str = "2026-01-06T12:00:00+01:00";

pub struct World {
    pub engine: Engine,
    pub frames: Vec<Frame>,
    start: Timestamp,
    /// Since the story began; never set.
    pub elapsed: Span,
    /// By how much the wall clock was set.
    stepped: Span,
    /// When the machine booted, as [`World::elapsed`] counts.
    booted: Span,
    scripts: BTreeMap<String, Script>,
    probes: BTreeMap<String, Script>,
    /// Answers under way, by when they come.
    answers: BTreeMap<(Span, u64), Ask>,
    count: u64,
    happened: Vec<Happening>,
    /// Heartbeats whose probe was asked for.
    pub probed: Vec<(Span, String)>,
    pub sound_changes: usize,
    /// What was said to everybody who is logged in.
    pub walls: Vec<(Span, String)>,
    /// What a provider says when it is asked for a lost message; `None`: nothing.
    pub found: BTreeMap<String, Option<Found>>,
    pub inquiries: Vec<(Span, String, Lost)>,
    /// Messages whose provider was asked how they are, and calls that were ended.
    pub questions: Vec<(Span, Question)>,
    /// Those for a price.
    pub bills: Vec<(Span, Question)>,
    pub hung_up: Vec<String>,
    /// Draws answers that no story tells.
    pub fate: Option<Fate>,
    /// The same engine by way of a snapshot, which must decide the same from then on.
    pub twin: Option<Engine>,
    /// What was to be kept in files of its own.
    pub blobs: Vec<Blob>,
    /// Places that were read, and whether the disk gives nothing back.
    pub reads: Vec<Place>,
    pub unreadable: bool,
    /// The disk gives no answer.
    pub slow_disk: bool,
    /// Each attempt's text.
    pub texts: Vec<String>,
    /// And the files that go with it.
    pub enclosed: Vec<Vec<Enclosed>>,
}

/// The same without its heartbeats, for stories of days.
pub fn calm() -> String {
    let calm = |line: &str| {
        if line.starts_with("[heartbeats.") { format!("{line}\nenabled = false") } else { line.to_owned() }
    };
    EXAMPLE.lines().map(calm).collect::<Vec<_>>().join("\n")
}

/// `5m`, `1h30m`.
pub fn span(text: &str) -> Span {
    Span::parse(text).unwrap()
}

impl World {
    /// With the example config, Tuesday noon.
    pub fn example() -> World {
        World::at_time(EXAMPLE, NOON)
    }

    /// The example without its heartbeats.
    pub fn calm() -> World {
        World::at_time(&calm(), NOON)
    }

    pub fn with(toml: &str) -> World {
        World::at_time(toml, NOON)
    }

    pub fn at_time(toml: &str, start: &str) -> World {
        World::of(Arc::new(from_toml(toml)), start)
    }

    pub fn of(config: Arc<Config>, start: &str) -> World {
        let mut world = World {
            engine: Engine::new(State::default(), config, "0.1.0"),
            frames: Vec::new(),
            start: Timestamp::parse(start).unwrap(),
            elapsed: Span::ZERO,
            stepped: Span::ZERO,
            scripts: BTreeMap::new(),
            probes: BTreeMap::new(),
            answers: BTreeMap::new(),
            count: 0,
            happened: Vec::new(),
            probed: Vec::new(),
            sound_changes: 0,
            walls: Vec::new(),
            found: BTreeMap::new(),
            inquiries: Vec::new(),
            questions: Vec::new(),
            bills: Vec::new(),
            hung_up: Vec::new(),
            fate: None,
            twin: None,
            blobs: Vec::new(),
            reads: Vec::new(),
            unreadable: false,
            slow_disk: false,
            texts: Vec::new(),
            enclosed: Vec::new(),
            booted: Span(-3_600_000_000),
        };
        world.start("b".into());
        world
    }

    pub fn config(&self) -> Arc<Config> {
        self.engine.config.clone()
    }

    /// What the wall clock shows now.
    pub fn wall(&self) -> Timestamp {
        self.start + self.elapsed + self.stepped
    }

    fn start(&mut self, boot: String) {
        let up = Some(self.elapsed - self.booted);
        self.engine_asks(Ask::Started { version: "0.1.0".into(), boot, up });
    }

    // ---- time

    /// Lets time run until so long after the beginning, and everything that is due happen.
    pub fn run_until(&mut self, until: Span) {
        loop {
            let due = self.engine.next_due().map(|t| (t - self.start) - self.stepped).map(|t| t.max(self.elapsed));
            let answer = self.answers.first_key_value().map(|((t, _), _)| *t);
            let Some(next) = due.into_iter().chain(answer).min().filter(|t| *t <= until) else { break };
            self.elapsed = next;
            match answer {
                Some(at) if at == next => {
                    let (_, ask) = self.answers.pop_first().unwrap();
                    self.engine_asks(ask);
                }
                _ => {
                    let wall = self.wall();
                    self.engine_asks(Ask::Wake);
                    let due = self.engine.next_due();
                    assert!(due.is_none_or(|t| t > wall), "woken at {next} it wants to be woken at once again");
                }
            }
        }
        self.elapsed = self.elapsed.max(until);
    }

    pub fn run_for(&mut self, text: &str) {
        self.run_until(self.elapsed + span(text));
    }

    /// The wall clock moves by less than the runtime notices: a smeared leap second.
    pub fn smear(&mut self, by: Span) {
        assert!(by.0.abs() < 1_000_000);
        self.stepped = self.stepped + by;
    }

    /// The wall clock is set by this much; the runtime notices at once.
    pub fn set_clock(&mut self, by: Span) {
        self.stepped = self.stepped + by;
        self.engine_asks(Ask::ClockStepped { by });
    }

    /// The machine is suspended: both clocks go on, and nothing else. What was under way is answered
    /// after it wakes.
    pub fn sleep_for(&mut self, text: &str) {
        self.elapsed = self.elapsed + span(text);
        let late = std::mem::take(&mut self.answers).into_iter();
        self.answers = late.map(|((at, n), ask)| ((at.max(self.elapsed), n), ask)).collect();
    }

    /// The daemon is killed: answers under way are lost, time passes, and it starts again from
    /// its journal.
    pub fn down_for(&mut self, text: &str) {
        let boot = self.engine.state.boot.clone();
        self.start_again(text, boot);
    }

    /// The same with the whole machine, whose clock then shows that much more or less than it
    /// should.
    pub fn reboot(&mut self, text: &str, wrong: Span) {
        let boot = format!("{}+", self.engine.state.boot);
        self.boot(text, wrong, boot);
    }

    pub fn boot(&mut self, text: &str, wrong: Span, boot: String) {
        self.stepped = self.stepped + wrong;
        // A minute before the daemon.
        self.booted = self.elapsed + span(text) - Span::mins(1).min(span(text));
        self.start_again(text, boot);
    }

    /// The daemon is down for so long, and meanwhile the wall clock is set.
    pub fn set_clock_while_down(&mut self, text: &str, by: Span) {
        self.stepped = self.stepped + by;
        self.down_for(text);
    }

    fn start_again(&mut self, text: &str, boot: String) {
        self.answers.clear();
        self.twin = None;
        self.elapsed = self.elapsed + span(text);
        self.engine = self.replayed();
        self.start(boot);
    }

    /// The daemon is down for so long, and meanwhile its config is changed.
    pub fn changed_while_down(&mut self, text: &str, toml: &str) {
        self.answers.clear();
        self.twin = None;
        self.elapsed = self.elapsed + span(text);
        let config = Arc::new(crate::config::testing::from_toml(toml));
        let boot = self.engine.state.boot.clone();
        self.engine = self.replayed();
        self.engine.config = config.clone();
        self.engine_asks(Ask::Begin { unrecorded: false, renewed: true });
        self.start(boot);
        self.engine_asks(Ask::Apply { config, changed: Vec::new(), kept: false });
    }

    /// The same from a snapshot.
    pub fn restart_from_snapshot(&mut self) {
        self.answers.clear();
        self.twin = None;
        let state = written_and_read(&self.engine.state);
        self.engine = Engine::new(state, self.config(), "0.1.0");
        let boot = self.engine.state.boot.clone();
        self.start(boot);
    }

    /// From now on a second engine, made from a snapshot of this one, decides beside it.
    pub fn begin_twin(&mut self) {
        let state = written_and_read(&self.engine.state);
        let mut twin = Engine::new(state, self.config(), "0.1.0");
        twin.agenda = self.engine.agenda.clone();
        self.twin = Some(twin);
    }

    pub fn replayed(&self) -> Engine {
        let mut engine = Engine::new(State::default(), self.config(), "0.1.0");
        self.frames.iter().for_each(|f| engine.replay(f));
        engine
    }

    // ---- the loop

    fn engine_asks(&mut self, ask: Ask) {
        self.ask(Caller::engine(), ask).ok();
    }

    /// One input, its frame, and its effects.
    pub fn ask(&mut self, by: Caller, ask: Ask) -> Answer {
        let (answer, effects) = self.decide(by, ask);
        for effect in effects {
            self.act(effect);
        }
        answer
    }

    fn decide(&mut self, by: Caller, ask: Ask) -> (Answer, Vec<Effect>) {
        self.count += 1;
        let mut seed = [7u8; 16];
        seed[..8].copy_from_slice(&self.count.to_le_bytes());
        let (at, by_name) = (self.wall(), by.name.clone());
        let twins = self
            .twin
            .as_mut()
            .map(|twin| twin.handle(Input { now: at, seed, by: by.clone(), ask: ask.clone() }).events);
        let Decision { events, blobs, answer, effects } = self.engine.handle(Input { now: at, seed, by, ask });
        self.blobs.extend(blobs);
        if let Some(twins) = twins {
            assert_eq!(twins, events, "after a snapshot it decides otherwise");
        }
        if !events.is_empty() {
            let seq = self.frames.last().map_or(1, |f| f.seq + f.events.len() as u64);
            assert_eq!(self.engine.state.last_seq + 1, seq + events.len() as u64, "events are counted");
            self.frames.push(Frame { seq, at, by: by_name, recorded_late: false, events });
        }
        self.check_queues();
        (answer, effects)
    }

    /// Nothing waits in a queue for which there is a slot.
    fn check_queues(&self) {
        let state = &self.engine.state;
        let now = state.engine_time(self.wall());
        // One that may end the daemon waits for a quiet moment, and what has time waits for it. And before a changed config
        // is applied nothing begins.
        if state.suspects().next().is_some() || self.engine.agenda.renewed {
            return;
        }
        for name in state.queued_channels() {
            let slots = self.engine.config.channels.get(name).map_or(1, |c| c.slots);
            let width = crate::engine::queue::width(state.channel(name), slots, now);
            let paced = self
                .engine
                .config
                .channels
                .get(name)
                .is_some_and(|c| crate::engine::pace::paced_until(&self.engine.agenda, c, now).is_some());
            let at_hand = &self.engine.agenda.at_hand;
            let all_behind = paced || state.queue(name).all(|id| state.is_behind(id) || at_hand.is_awaited(id));
            assert!(
                state.in_flight(name) + at_hand.awaited(name, Level::Low) >= width || all_behind,
                "{name} has a free slot and a message that waits for it"
            );
        }
    }

    /// What must be true of every history.
    pub fn check_history(&self) {
        let again = self.replayed();
        assert_eq!(json(&again.state), json(&self.engine.state), "a replay gives another state");
        assert_eq!(self.engine.state.index, self.engine.state.derived(), "what is derived has drifted");
        let back = written_and_read(&self.engine.state);
        assert_eq!(json(&back), json(&self.engine.state), "a snapshot loses something");
        let old = State::read(&mut serde_json::to_vec(&self.engine.state).unwrap().as_slice()).unwrap();
        assert_eq!(json(&old), json(&back), "one of version 1, a single document, is read as well");
        assert_eq!(back.skipped_events, 0, "the engine decided on something impossible");
    }
}

/// The state as a start finds it in a snapshot.
pub fn written_and_read(state: &State) -> State {
    let mut body = Vec::new();
    state.clone().frozen().write(&mut body).unwrap();
    State::read(&mut body.as_slice()).unwrap()
}

pub fn json(state: &State) -> serde_json::Value {
    serde_json::to_value(state).unwrap()
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.check_history();
        self.nothing_untold();
    }
}

/// How a happening is called in stories.
pub fn kind(origin: &Origin) -> &'static str {
    match origin {
        Origin::Acknowledged { .. } => "acknowledged",
        Origin::Resolved { .. } => "resolved",
        Origin::Reminder { .. } => "reminder",
        Origin::Test => "test",
        _ => "alarm",
    }
}
