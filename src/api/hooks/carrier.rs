//! The carrier of one receiver's events.

use crate::api::Api;
use crate::api::stream::{Reader, Told};
use crate::channel::{Matter, Outgoing};
use crate::config::HookConfig;
use crate::domain::clock;
use crate::domain::event::{AttemptResult, HookFailing, HookMoved, Rendered};
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::level::Level;
use crate::domain::time::Span;
use crate::engine::{Ask, Caller, Read};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How far it has come is recorded at most this often.
const RECORD: Duration = Duration::from_secs(10);
/// Or after so many events that it does not want, so that a start need not read them all again.
const READ_IN_VAIN: u64 = 10_000;
/// Between two tries of one event, doubled each time.
const FIRST: Span = Span::secs(1);
const LONGEST: Span = Span::mins(5);
/// A receiver may ask for a longer pause.
const ASKED_FOR: Span = Span::hours(1);
/// What it refuses as malformed is tried so often, then passed over: it would hold up all that follows.
const REFUSALS: u32 = 3;
/// The stream was cut, or the history cannot be asked.
const CUT: Duration = Duration::from_secs(1);

pub struct Carrier {
    api: Arc<Api>,
    hook: HookConfig,
    moved: HookMoved,
    recorded: u64,
    recorded_at: Instant,
}

impl Carrier {
    pub fn new(api: Arc<Api>, name: String, hook: HookConfig) -> Carrier {
        let moved = HookMoved { hook: name, ..HookMoved::default() };
        Carrier { api, hook, moved, recorded: 0, recorded_at: Instant::now() }
    }

    /// Until the daemon stops.
    pub async fn run(mut self) {
        while self.begin().await.is_none() {
            tokio::time::sleep(CUT).await;
        }
        loop {
            let (kinds, after) = (self.hook.kinds.clone(), Some(self.moved.seq));
            if let Ok(reader) = Reader::open(self.api.clone(), Caller::engine(), kinds, after, true).await {
                self.carry(reader).await;
            }
            tokio::select! {
                () = tokio::time::sleep(CUT) => {}
                () = self.api.stopped() => return self.record().await,
            }
        }
    }

    /// Where it was; one that is new begins now. `None`: the engine has no ear.
    async fn begin(&mut self) -> Option<()> {
        let all = self.api.read(&Caller::engine(), Read::Hooks).await.ok()?;
        let known = all.as_array()?.iter().find(|row| row["name"] == *self.moved.hook)?;
        self.moved.refused = known["refused"].as_u64().unwrap_or_default();
        match known["seq"].as_u64() {
            Some(seq) => (self.moved.seq, self.recorded) = (seq, seq),
            None => {
                self.moved.seq = self.api.history.facts().durable_seq;
                self.record().await;
            }
        }
        // That it failed before the start is known, and that it is well is news then.
        if known["status"] == "failing" {
            let words = known["detail"].as_str().unwrap_or_default().to_owned();
            self.moved.failing = Some(HookFailing { since: clock::wall(), words, long: false });
        }
        Some(())
    }

    /// Until the stream is cut.
    async fn carry(&mut self, mut reader: Reader) {
        while let Some(told) = self.next(&mut reader).await {
            if !self.deliver(&told).await {
                return;
            }
            if told.last {
                self.moved.seq = told.seq;
                let mut carried = self.api.carried.lock().unwrap_or_else(PoisonError::into_inner);
                carried.insert(self.moved.hook.clone(), self.moved.clone());
            }
        }
        // All before this is none of what it wants.
        self.moved.seq = self.moved.seq.max(reader.seen().unwrap_or_default());
        if self.moved.seq > self.recorded + READ_IN_VAIN {
            self.record().await;
        }
    }

    /// The next one; what was done meanwhile is recorded when its time has come.
    async fn next(&mut self, reader: &mut Reader) -> Option<Told> {
        if self.moved.seq + READ_IN_VAIN < reader.seen().unwrap_or_default() {
            self.moved.seq = reader.seen().unwrap_or_default();
        }
        let next = reader.next();
        tokio::pin!(next);
        loop {
            let due = self.recorded_at + RECORD;
            // Reading is not broken off: an event would be lost.
            tokio::select! {
                told = &mut next => return told,
                () = tokio::time::sleep_until(due), if self.moved.seq != self.recorded => self.record().await,
            }
        }
    }

    /// Tries until the receiver has it, or it is passed over; false when the daemon stops.
    async fn deliver(&mut self, told: &Told) -> bool {
        let mut pause = FIRST;
        for n in 1_u32.. {
            let failure = match self.attempt(told, n).await {
                AttemptResult::Failed(failure) => failure,
                AttemptResult::Lost { words } => Failure::new(FailureClass::Timeout, Blame::Channel, words),
                _ => {
                    self.answers().await;
                    return true;
                }
            };
            if !is_refusal(&failure) {
                self.failed(&failure).await;
            } else if n >= REFUSALS {
                self.moved.refused += 1;
                self.answers().await;
                let (hook, reason) = (&self.moved.hook, failure.said());
                tracing::warn!(%hook, event = %told.event_id, %reason, "a receiver refuses an event; it is passed over");
                return true;
            }
            let wait = failure.retry_after.map_or(pause, |asked| asked.min(ASKED_FOR).max(pause));
            pause = pause.times(2).min(LONGEST);
            tokio::select! {
                () = tokio::time::sleep(wait.to_std()) => {}
                () = self.api.stopped() => return false,
            }
        }
        false
    }

    async fn attempt(&self, told: &Told, n: u32) -> AttemptResult {
        let out = Outgoing {
            key: told.event_id.clone(),
            attempt: n,
            address: None,
            text: Rendered { text: told.document.clone(), ..Rendered::default() },
            level: Level::Low,
            ttl: self.hook.timeout,
            matter: Matter::default(),
            sound: None,
            attachments: Vec::new(),
            callback: None,
        };
        let sent = tokio::time::timeout(self.hook.timeout.to_std(), self.hook.adapter.send(&out));
        sent.await.unwrap_or_else(|_| AttemptResult::Lost { words: "no answer in time".into() })
    }

    /// It has taken or refused an event, so it is there.
    async fn answers(&mut self) {
        if self.moved.failing.take().is_some() {
            self.record().await;
        }
    }

    /// Recorded when it begins, and when it has gone on for long.
    async fn failed(&mut self, failure: &Failure) {
        let since = self.moved.failing.as_ref().map_or_else(clock::wall, |f| f.since);
        let long = clock::wall() - since >= self.hook.alarm_after;
        let news = self.moved.failing.as_ref().is_none_or(|f| f.long != long);
        self.moved.failing = Some(HookFailing { since, words: failure.said(), long });
        if news {
            self.record().await;
        }
    }

    async fn record(&mut self) {
        (self.recorded, self.recorded_at) = (self.moved.seq, Instant::now());
        // Not to be heard is no loss: it is sent again after a restart.
        let _ = self.api.handle.ask(Caller::engine(), Ask::HookMoved(self.moved.clone())).await;
    }
}

/// About this one document, not about the receiver.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.code.as_deref(), Some("400" | "413" | "415" | "422"))
}
