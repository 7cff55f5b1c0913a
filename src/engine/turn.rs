//! One decision under way: it reads the state, decides on events, and folds each at once.

use super::Agenda;
use super::effect::Effect;
use super::input::{Ask, Caller, Input, Outcome};
use super::refusal::{Answer, Refusal};
use super::state::State;
use crate::config::Config;
use crate::domain::event::{Blob, Event, EventKind, Payload};
use crate::domain::id::IdSource;
use crate::domain::time::{EngineTime, Timestamp};

/// Events of most decisions, at the most.
const USUAL: usize = 8;

pub(crate) struct Turn<'e> {
    pub state: &'e mut State,
    pub config: &'e Config,
    pub agenda: &'e mut Agenda,
    pub version: &'e str,
    pub by: Caller,
    pub wall: Timestamp,
    pub now: EngineTime,
    pub ids: IdSource,
    pub effects: Vec<Effect>,
    pub blobs: Vec<Blob>,
    events: Vec<Event>,
}

impl<'e> Turn<'e> {
    pub fn new(
        state: &'e mut State,
        config: &'e Config,
        agenda: &'e mut Agenda,
        version: &'e str,
        input: &Input,
    ) -> Turn<'e> {
        let now = state.engine_time(input.now);
        Turn {
            state,
            config,
            agenda,
            version,
            by: input.by.clone(),
            wall: input.now,
            now,
            ids: IdSource::new(input.now.millis(), input.seed),
            effects: Vec::new(),
            blobs: Vec::new(),
            events: Vec::with_capacity(USUAL),
        }
    }

    /// Decides on an event and folds it.
    pub fn emit(&mut self, head: EventKind) {
        self.record(head.bare());
    }

    /// The same with a payload.
    pub fn emit_with(&mut self, head: EventKind, payload: Payload) {
        self.record(head.with(payload));
    }

    fn record(&mut self, mut event: Event) {
        self.set_apart(&mut event, self.state.last_seq + 1);
        self.state.evolve(self.wall, &event);
        self.events.push(event);
    }

    /// How many events this turn has decided on so far.
    pub fn decided(&self) -> usize {
        self.events.len()
    }

    pub fn finish(self) -> (Vec<Event>, Vec<Blob>, Vec<Effect>) {
        (self.events, self.blobs, self.effects)
    }

    /// The table of what can be asked.
    pub fn decide(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Send(request) => self.send(request),
            Ask::Open(request) => self.open_by_hand(request),
            Ask::Report(reports) => self.report(reports),
            Ask::Acknowledge { id, note, by, via } => self.acknowledge(id.as_deref(), note, by, via),
            Ask::Unacknowledge { id } => self.unacknowledge(&id),
            Ask::Resolve { id, note } => self.resolve_by_hand(&id, note),
            Ask::Escalate { id } => self.escalate(&id),
            Ask::Snooze { id, span } => self.snooze(&id, span),
            Ask::AddSilence { matchers, span, comment, author } => self.add_silence(matchers, span, comment, author),
            Ask::ExpireSilence { id } => self.expire_silence(&id),
            Ask::Requeue { id } => self.requeue(id.as_deref()),
            Ask::Drop { id } => self.drop_letter(&id),
            Ask::StopSound => self.stop_sound(),
            Ask::RunHeartbeat { name } => self.run_heartbeat_now(&name),
            Ask::Ping { name, fail } => self.ping(&name, fail),
            Ask::SetMetric { name, value } => self.set_metric(&name, value),
            Ask::PushFomo { deal, remaining, tiers } => self.push_fomo(&deal, remaining, tiers),
            Ask::Test { channels, to, force } => self.test_channels(channels, to, force),
            Ask::Denied { action } => {
                self.emit(EventKind::AuthDenied { role: self.by.role.as_str().into(), action });
                done()
            }
            Ask::Finished(outcomes) => {
                for Outcome { delivery, n, result } in outcomes {
                    self.attempt_finished(delivery, n, result);
                }
                done()
            }
            Ask::Inquired { delivery, n, found } => {
                self.inquired(delivery, n, found);
                done()
            }
            Ask::TextRead { place, text } => self.text_read(&place, text),
            Ask::Called(called) => self.called(called),
            Ask::HeartbeatDone { name, result } => {
                self.heartbeat_done(&name, result);
                done()
            }
            Ask::Looked { channel, result } => {
                self.looked(&channel, result);
                done()
            }
            Ask::Trigger { name } => {
                self.trigger(&name);
                done()
            }
            Ask::SoundEnded { channel, delivery } => {
                self.silence_sound(&channel, delivery, "it has ended");
                done()
            }
            Ask::Wake => {
                self.wake();
                done()
            }
            Ask::ClockStepped { by } => {
                self.emit(EventKind::ClockStepped { by });
                self.now = self.state.engine_time(self.wall);
                self.plan_agenda();
                self.wake();
                done()
            }
            Ask::Begin { unrecorded, renewed } => {
                (self.agenda.unrecorded, self.agenda.renewed) = (unrecorded, renewed);
                done()
            }
            Ask::Started { version, boot, up } => {
                self.started(version, boot, up);
                done()
            }
            Ask::Stopping { why } => {
                self.write_down_metrics();
                self.emit(EventKind::Stopping { why });
                done()
            }
            Ask::Apply { config: _, changed, kept } => self.apply_config(changed, kept),
            Ask::ConfigRefused { hash, errors } => {
                self.config_refused(hash, errors);
                done()
            }
            Ask::Broken { words } => {
                self.broken(words);
                done()
            }
            Ask::StorageTroubled { part, words, well } => {
                self.storage_troubled(part, words, well);
                done()
            }
            Ask::HookMoved(moved) => {
                self.hook_moved(moved);
                done()
            }
            Ask::Checkpoint { seq, hash } => {
                self.emit(EventKind::Checkpoint { seq, hash });
                done()
            }
            Ask::Erased { from_seq, to_seq, because, ids } => {
                self.agenda.at_hand.forget();
                self.erased(from_seq, to_seq, because, &ids);
                done()
            }
            Ask::Forgotten { to_seq, because } => {
                self.forgotten(to_seq, because);
                done()
            }
            Ask::Read(read) => self.read(read),
        }
    }
}

/// An answer with nothing to say.
pub(crate) fn done() -> Answer {
    Ok(serde_json::Value::Object(Default::default()))
}

/// A refusal that an answer can be made of.
pub(crate) fn refuse<T>(refusal: Refusal) -> Result<T, Refusal> {
    Err(refusal)
}
