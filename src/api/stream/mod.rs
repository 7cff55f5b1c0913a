//! What happened since, then what happens, each once and in order: read by the event stream, and by what
//! carries events to other programs.
//!
//! It reads the history first and goes on with what becomes durable; a reader that is too slow for that is cut
//! and begins anew where it was.

mod contract;
mod lore;
mod outcomes;
mod words;

use super::Api;
use super::history::{EntryQuery, Happened};
use super::params::ROWS;
use crate::config::Kinds;
use crate::engine::{Caller, Refusal};
use crate::runtime::Released;
use contract::contract;
use lore::Lore;
use outcomes::outcome;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// The history gets what was released at once; for a moment it may be behind.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSES: u32 = 100;

/// One document.
#[derive(Clone, Debug)]
pub struct Told {
    pub seq: u64,
    pub event_id: String,
    /// JSON in one line.
    pub document: String,
    /// No other document comes from the same event of the ledger.
    pub last: bool,
}

/// An event's name: of what it is about, and where it stands in the ledger.
fn event_id(about: &str, seq: u64) -> String {
    format!("{about}-{seq}")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// From the history.
    Past,
    /// As it comes.
    Now,
    /// What is ready is the last.
    End,
}

pub struct Reader {
    api: Arc<Api>,
    frames: Receiver<Released>,
    lore: Lore,
    wanted: Kinds,
    /// The first event that has not been looked at; `None`: whatever comes first.
    next: Option<u64>,
    /// A frame that came before the history had what stands before it.
    held: Option<Released>,
    ready: VecDeque<Told>,
    mode: Mode,
    follow: bool,
    pauses: u32,
    /// Nothing live was read since the history was.
    fresh: bool,
}

impl Reader {
    /// From behind this event on; `None`: from now on. Not to `follow` is to end after what has happened.
    ///
    /// # Errors
    /// When the history cannot be asked.
    pub async fn open(
        api: Arc<Api>,
        by: Caller,
        wanted: Kinds,
        after: Option<u64>,
        follow: bool,
    ) -> Result<Reader, Refusal> {
        let mut reader = Reader {
            // Before the history is asked, so that there is no gap between the two.
            frames: api.handle.subscribe(),
            lore: Lore::new(api.clone(), by),
            wanted,
            api,
            next: after.map(|seq| seq.saturating_add(1)),
            held: None,
            ready: VecDeque::new(),
            mode: if after.is_some() { Mode::Past } else { Mode::Now },
            follow,
            pauses: 0,
            fresh: true,
        };
        // A history that cannot be asked is an error, not an empty stream.
        if reader.mode == Mode::Past {
            reader.past().await?;
        }
        Ok(reader)
    }

    /// The next one; `None` ends the stream.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Some(told);
            }
            match self.mode {
                Mode::Past => self.past().await.ok()?,
                Mode::Now => self.now().await?,
                Mode::End => return None,
            }
        }
    }

    /// What is up to here was told, or is none of what is wanted.
    pub fn seen(&self) -> Option<u64> {
        let waiting = self.ready.front().map(|told| told.seq);
        waiting.or(self.next).map(|next| next - 1)
    }

    /// One page of the history.
    async fn past(&mut self) -> Result<(), Refusal> {
        let from_seq = self.next.unwrap_or(1);
        let query = EntryQuery { from_seq, newest_first: false, limit: ROWS, ..EntryQuery::default() };
        let page = self.api.history.entries(query).await?;
        self.look_at_all(page.entries.iter().map(Happened::of).collect()).await;
        match page.next_cursor {
            // A page can be short, or empty, and yet not the last.
            Some(last) if last >= from_seq => self.next = self.next.max(Some(last + 1)),
            _ if self.follow => {
                self.mode = Mode::Now;
                self.fresh = true;
            }
            _ => self.mode = Mode::End,
        }
        Ok(())
    }

    /// The next frame; `None` when the reader is to be cut.
    async fn now(&mut self) -> Option<()> {
        let released = match self.held.take() {
            Some(released) => released,
            None => tokio::select! {
                released = self.frames.recv() => match released {
                    Ok(released) => released,
                    // It was busy with the history, not slow.
                    Err(RecvError::Lagged(_)) if self.fresh && self.next.is_some() => {
                        self.mode = Mode::Past;
                        return Some(());
                    }
                    Err(_) => return None,
                },
                () = self.api.stopped() => return None,
            },
        };
        let frame = released.frame.clone();
        if self.next.is_some_and(|next| frame.seq > next) {
            return self.fill(released).await;
        }
        (self.pauses, self.fresh) = (0, false);
        let all = (frame.seq..).zip(&frame.events).map(|(seq, event)| {
            let payload = event.payload.as_deref().cloned();
            Happened { seq, at: frame.at, head: event.head.clone(), payload }
        });
        self.look_at_all(all.collect()).await;
        Some(())
    }

    /// What stands before this frame has to come from the history.
    async fn fill(&mut self, released: Released) -> Option<()> {
        self.held = Some(released);
        self.pauses += 1;
        if self.pauses > PAUSES {
            return None;
        }
        if self.pauses > 1 {
            tokio::time::sleep(PAUSE).await;
        }
        self.mode = Mode::Past;
        Some(())
    }

    async fn look_at_all(&mut self, all: Vec<Happened>) {
        // A price stands in the frame of what it is the price of.
        all.iter().for_each(|happened| self.lore.learn_price(&happened.head));
        for happened in all {
            self.look_at(&happened).await;
        }
    }

    async fn look_at(&mut self, happened: &Happened) {
        if self.next.is_some_and(|next| happened.seq < next) {
            return;
        }
        self.next = Some(happened.seq + 1);
        self.lore.learn(happened);
        let before = self.ready.len();
        if let Some(told) = outcome(&mut self.lore, happened).await
            && self.wanted.want(told.kind)
        {
            self.tell(happened.seq, told.event_id.clone(), &told);
        }
        if self.wanted.want_contract()
            && let Some(told) = contract(&mut self.lore, happened).await
            && self.wanted.want(&told.kind)
        {
            self.tell(happened.seq, told.event_id.clone(), &told);
        }
        if self.ready.len() > before
            && let Some(last) = self.ready.back_mut()
        {
            last.last = true;
        }
    }

    fn tell(&mut self, seq: u64, event_id: String, document: &impl Serialize) {
        // A struct of texts and numbers always serialises, in one line.
        let document = serde_json::to_string(document).unwrap_or_default();
        self.ready.push_back(Told { seq, event_id, document, last: false });
    }
}
