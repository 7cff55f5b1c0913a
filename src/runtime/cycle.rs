//! The loop: wait, take what has come, decide, hand the frame to the journal, let go what is durable.
//!
//! It ends when it is told to stop (running attempts get ten seconds) or when the journal can hold
//! no more.

use super::dispatch::Dispatcher;
use super::handle::{Handle, Lanes, Released, is_urgent, overloaded};
use super::held::{Held, Queue};
use super::log::{Log, LogFull, LogNews};
use super::note::{self, AT_ONCE, Note};
use super::record;
use super::seeds::Seeds;
use super::sounds::Sounds;
use crate::domain::clock::{Clock, Reading};
use crate::domain::event::{Blob, Event, Frame};
use crate::domain::failpoint::{self, Point};
use crate::domain::time::Span;
use crate::engine::{Ask, Caller, Decision, Effect, Engine, Input};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};

/// A step of the wall clock smaller than this is no step.
const STEP: Span = Span::secs(1);
/// The clock is read at least this often, so that a suspend is noticed soon after.
const LOOK: Span = Span::secs(5);
/// With so many bytes waiting for the disk no request is taken: the log holds 64 MiB, and what is decided has to be
/// written. The doors let large requests in as there is room for them.
const LADEN: usize = 36 << 20;
const LADEN_FOR_URGENT: usize = 42 << 20;
/// What running attempts get when the daemon stops.
const LAST_ATTEMPTS: Span = Span::secs(10);

/// What the loop is made of.
pub struct Setup {
    pub engine: Engine,
    pub handle: Handle,
    pub lanes: Lanes,
    pub log: Arc<dyn Log>,
    pub news: mpsc::UnboundedReceiver<LogNews>,
    pub clock: Arc<dyn Clock>,
    /// Sequence number of the last event in the journal.
    pub last_seq: u64,
    /// What is taken before all else: that this life has begun. What is due is looked at by it, the clock is believed
    /// by it, and what the last life had under way is taken up.
    pub first: Vec<Ask>,
    /// Why the daemon stops, when it is to stop.
    pub stop: oneshot::Receiver<String>,
}

/// How the loop ended.
#[derive(Debug)]
pub enum Ended {
    Stopped,
    /// The journal cannot take what was decided.
    LogFull(String),
}

pub struct Cycle {
    pub(super) engine: Engine,
    pub(super) lanes: Lanes,
    pub(super) log: Arc<dyn Log>,
    news: mpsc::UnboundedReceiver<LogNews>,
    pub(super) clock: Arc<dyn Clock>,
    stop: oneshot::Receiver<String>,
    first: Vec<Ask>,
    dispatcher: Dispatcher,
    sounds: Sounds,
    pub(super) held: Queue,
    seeds: Seeds,
    pub(super) seq: u64,
    pub(super) durable: u64,
    /// What `seq` was at first.
    began_at: u64,
    pub(super) reading: Reading,
    pub(super) emergency: bool,
    /// The last event when a flush was last seen to be slow, and the time since boot.
    pub(super) slow_at: (u64, Span),
    /// An incident says that the journal has trouble.
    pub(super) ailing: bool,
    /// The ledger has a mark that alarms leave without a record, or may have left.
    pub(super) marked: bool,
    /// Until when running attempts are waited for.
    closing: Option<Reading>,
}

impl Cycle {
    pub fn new(setup: Setup) -> Cycle {
        let reading = setup.clock.read();
        let mut engine = setup.engine;
        // Of a snapshot alone the state does not know it.
        engine.state.last_seq = setup.last_seq;
        let reader = setup.log.reader();
        Cycle {
            engine,
            lanes: setup.lanes,
            log: setup.log,
            news: setup.news,
            clock: setup.clock,
            stop: setup.stop,
            marked: matches!(setup.first.first(), Some(Ask::Begin { unrecorded: true, .. })),
            first: setup.first,
            dispatcher: Dispatcher { handle: setup.handle, reader },
            sounds: Sounds::default(),
            held: Queue::default(),
            seeds: Seeds::default(),
            seq: setup.last_seq,
            durable: setup.last_seq,
            began_at: setup.last_seq,
            reading,
            emergency: false,
            slow_at: (0, Span::ZERO),
            ailing: false,
            closing: None,
        }
    }

    /// Runs until it is told to stop.
    pub async fn run(mut self) -> Ended {
        self.sounds.listen(&self.engine.config, &self.dispatcher.handle);
        for ask in std::mem::take(&mut self.first) {
            if let Err(LogFull(words)) = self.ask(ask) {
                return Ended::LogFull(words);
            }
        }
        loop {
            let stepped = match self.once().await {
                Ok(going) => going,
                Err(LogFull(words)) => return Ended::LogFull(words),
            };
            self.lanes.progress.turns.fetch_add(1, Ordering::Relaxed);
            if !stepped {
                return self.end().await;
            }
        }
    }

    /// Waits for what comes next and does it; `false` when it is time to end.
    async fn once(&mut self) -> Result<bool, LogFull> {
        let wait = self.wait();
        if wait == Span::ZERO {
            // A lane that is never empty keeps nothing waiting that is due.
            self.wake()?;
        } else {
            self.look_at_the_flush()?;
        }
        let (mut outcomes, mut intake) = (Vec::new(), Vec::new());
        tokio::select! {
            biased;
            Some(news) = self.news.recv() => self.heard(news)?,
            1.. = self.lanes.outcomes.recv_many(&mut outcomes, AT_ONCE) => self.take_all(outcomes)?,
            Some(note) = self.lanes.control.recv() => self.take(note)?,
            why = &mut self.stop, if self.closing.is_none() => self.close(why.unwrap_or_default())?,
            1.. = self.lanes.intake.recv_many(&mut intake, AT_ONCE), if self.closing.is_none() => self.take_all(intake)?,
            () = tokio::time::sleep(wait.to_std()) => self.wake()?,
        }
        Ok(!self.is_through())
    }

    fn wait(&self) -> Span {
        let longest = if self.held.is_empty() && self.closing.is_none() { LOOK } else { Span::millis(250) };
        let now = self.clock.read().wall;
        self.engine.next_due().map_or(longest, |due| (due - now).max(Span::ZERO).min(longest))
    }

    fn take_all(&mut self, notes: Vec<Note>) -> Result<(), LogFull> {
        let room = self.engine.has_room_for_alerts(note::alerts(&notes));
        for note in note::joined(notes, room) {
            self.take(note)?;
            // Whoever acknowledges waits for one decision and not for all of them, and what is durable leaves meanwhile.
            while let Ok(steers) = self.lanes.control.try_recv() {
                self.take(steers)?;
            }
            while let Ok(news) = self.news.try_recv() {
                self.heard(news)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, note: Note) -> Result<(), LogFull> {
        self.look_at_the_clock()?;
        let intake = note.is_intake();
        let Note { by, ask, replies } = note;
        if let Some(why) = self.takes_nothing(intake, &ask) {
            for reply in replies {
                let _ = reply.send(Err(overloaded(why)));
            }
            return Ok(());
        }
        let applied = matches!(ask, Ask::Apply { .. });
        let outcome = matches!(ask, Ask::Finished(_));
        failpoint::reached_if(intake, Point::Taken);
        failpoint::reached_if(outcome, Point::OutcomeTaken);
        let sounds = outcome && !self.engine.state.sounding.is_empty();
        let (seed, decision) = self.decide(by.clone(), ask);
        if applied {
            self.lanes.config.send_replace(self.engine.config.clone());
            self.sounds.listen(&self.engine.config, &self.dispatcher.handle);
        }
        let Decision { events, blobs, answer, mut effects } = decision;
        if sounds {
            effects.push(Effect::Sound);
        }
        failpoint::reached_if(intake, Point::Decided);
        let released = self.write(by, events, blobs, &seed)?;
        failpoint::reached_if(intake, Point::Appended);
        failpoint::reached_if(outcome, Point::OutcomeAppended);
        self.held.push(Held { seq: self.seq, replies, answer, effects, released, intake });
        self.let_go();
        Ok(())
    }

    /// Why no request is taken now.
    fn takes_nothing(&self, intake: bool, ask: &Ask) -> Option<&'static str> {
        let most = if is_urgent(ask) { LADEN_FOR_URGENT } else { LADEN };
        match intake {
            false => None,
            true if self.emergency => Some("emergency mode: nothing new can be made durable"),
            // Their door holds no more than fits.
            true if matches!(ask, Ask::Report(_)) => None,
            true => (self.log.waiting() > most).then_some("too much waits for the disk"),
        }
    }

    /// A question of the loop's own.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<(), LogFull> {
        let (seed, Decision { events, blobs, answer, effects }) = self.decide(Caller::engine(), ask);
        let released = self.write(Caller::engine(), events, blobs, &seed)?;
        self.held.push(Held { seq: self.seq, replies: Vec::new(), answer, effects, released, intake: false });
        self.let_go();
        Ok(())
    }

    fn decide(&mut self, by: Caller, ask: Ask) -> ([u8; 16], Decision) {
        let seed = self.seeds.next();
        let decision = self.engine.handle(Input { now: self.reading.wall, seed, by, ask });
        self.lanes.progress.unheard.store(!self.engine.state.unheard.is_empty(), Ordering::Relaxed);
        (seed, decision)
    }

    /// One decision, one frame.
    fn write(
        &mut self,
        by: Caller,
        events: Vec<Event>,
        blobs: Vec<Blob>,
        seed: &[u8; 16],
    ) -> Result<Option<Released>, LogFull> {
        if events.is_empty() {
            return Ok(None);
        }
        if !blobs.is_empty() {
            self.log.keep_blobs(blobs);
        }
        let count = events.len() as u64;
        let (seq, at) = (self.seq + 1, self.reading.wall);
        let frame = Arc::new(Frame { seq, at, by: by.name, recorded_late: self.emergency, events });
        let extract = record::extract(&mut self.engine, &frame);
        self.log.append(frame.clone(), seed, extract)?;
        self.seq += count;
        self.lanes.progress.decided_seq.store(self.seq, Ordering::Relaxed);
        Ok(Some(Released { frame }))
    }

    /// Answers, stream lines and effects leave in order, once their ground is durable.
    fn let_go(&mut self) {
        while let Some(mut held) = self.held.pop_durable(self.durable) {
            if let Some(released) = held.released.take() {
                // Nobody may be listening.
                let _ = self.lanes.released.send(released);
            }
            failpoint::reached_if(held.intake && !held.replies.is_empty(), Point::Released);
            held.reply();
            self.act(held.effects);
        }
        if self.emergency {
            let effects = self.held.hurry();
            self.act(effects);
        }
    }

    fn act(&mut self, effects: Vec<Effect>) {
        let mut sound = false;
        for effect in effects {
            sound |= matches!(effect, Effect::Sound);
            self.dispatcher.run(&self.engine.config, effect);
        }
        if sound {
            let now = self.engine.state.engine_time(self.reading.wall);
            self.sounds.reconcile(&self.engine.config, &self.engine.state, now);
        }
    }

    fn heard(&mut self, news: LogNews) -> Result<(), LogFull> {
        match news {
            LogNews::Durable(seq) => {
                self.durable = self.durable.max(seq);
                self.lanes.progress.durable_seq.store(self.durable, Ordering::Relaxed);
                self.let_go();
                self.flushed()
            }
            LogNews::Trouble(words) => self.troubled(words),
            LogNews::Well => self.recovered(),
            LogNews::StateWanted => {
                self.keep_state();
                Ok(())
            }
            LogNews::Files(words) => {
                self.look_at_the_clock()?;
                self.ask(Ask::StorageTroubled { part: "ledger".into(), words, well: false })
            }
            LogNews::History { words, well } => {
                self.look_at_the_clock()?;
                self.ask(Ask::StorageTroubled { part: "history".into(), words, well })
            }
        }
    }

    fn wake(&mut self) -> Result<(), LogFull> {
        self.look_at_the_clock()?;
        self.look_at_the_flush()?;
        self.try_again();
        if self.engine.next_due().is_some_and(|due| due <= self.reading.wall) {
            self.ask(Ask::Wake)?;
        }
        Ok(())
    }

    /// A wall clock that moved against the time since boot is an input of its own.
    pub(super) fn look_at_the_clock(&mut self) -> Result<(), LogFull> {
        let now = self.clock.read();
        let by = (now.wall - self.reading.wall) - (now.boot - self.reading.boot);
        self.reading = now;
        if by.0.abs() < STEP.0 {
            return Ok(());
        }
        tracing::warn!(by_seconds = by.as_secs_f64(), "the wall clock was set");
        self.ask(Ask::ClockStepped { by })
    }

    /// No new requests and no new attempts; what runs may end.
    fn close(&mut self, why: String) -> Result<(), LogFull> {
        self.lanes.progress.closing.store(true, Ordering::Relaxed);
        self.look_at_the_clock()?;
        self.engine.set_closing();
        self.closing = Some(self.reading);
        self.lanes.intake.close();
        self.ask(Ask::Stopping { why })?;
        failpoint::reached(Point::StopClosed);
        Ok(())
    }

    fn is_through(&self) -> bool {
        let Some(since) = self.closing else { return false };
        let in_flight = self.engine.state.all_in_flight().len();
        let over = self.clock.read().boot - since.boot > LAST_ATTEMPTS;
        (in_flight == 0 && self.held.is_empty()) || over
    }

    /// The state as it is, for a quick next start.
    async fn end(mut self) -> Ended {
        self.let_go();
        if self.seq == self.durable {
            self.keep_state();
        }
        Ended::Stopped
    }

    /// Hands the state after the last frame over; it is written elsewhere.
    pub(super) fn keep_state(&mut self) {
        if self.seq > self.began_at && !self.emergency {
            let state = self.engine.state.frozen();
            self.log.keep(Box::new(move |out| state.write(out)));
        }
    }
}
