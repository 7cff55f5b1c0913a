//! The event stream: what happened since, then what happens, each once and in order.
//!
//! A reader that does not keep up is cut, and so is every reader when the daemon stops; it comes back
//! with `Last-Event-ID`.

use super::Api;
use super::fault::Fault;
use super::history::{EntryQuery, Happened};
use super::lore::Lore;
use super::outcomes::outcome;
use super::params::{Params, ROWS};
use crate::engine::{Caller, Refusal};
use crate::runtime::Released;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// A line without meaning now and then, so that a reader that has gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// The history gets what was released at once; for a moment it may be behind.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSES: u32 = 100;

pub async fn stream(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Fault> {
    let since = params.number("since_seq")?;
    let follow = params.flag("follow")?.unwrap_or(true);
    params.done()?;
    let after = last_event_id(&headers)?.or(since).or((!follow).then_some(0));
    let mut reader = Reader {
        // Before the history is asked, so that there is no gap between the two.
        frames: api.handle.subscribe(),
        lore: Lore::new(api.clone(), by),
        api,
        next: after.map(|seq| seq.saturating_add(1)),
        held: None,
        ready: VecDeque::new(),
        mode: if after.is_some() { Mode::Past } else { Mode::Now },
        follow,
        pauses: 0,
        fresh: true,
    };
    // A history that cannot be asked is an error document, not an empty stream.
    if reader.mode == Mode::Past {
        reader.past().await?;
    }
    let events = stream::unfold(reader, |mut reader| async {
        let event = reader.event().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let wrong = || Refusal::field("Last-Event-ID", "Last-Event-ID is the sequence number of the last event seen");
    id.to_str().ok().and_then(|id| id.trim().parse().ok()).map(Some).ok_or_else(wrong)
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

struct Reader {
    api: Arc<Api>,
    frames: Receiver<Released>,
    lore: Lore,
    /// The first event that has not been looked at; `None`: whatever comes first.
    next: Option<u64>,
    /// A frame that came before the history had what stands before it.
    held: Option<Released>,
    ready: VecDeque<Event>,
    mode: Mode,
    follow: bool,
    pauses: u32,
    /// Nothing live was read since the history was.
    fresh: bool,
}

impl Reader {
    /// The next one; `None` ends the stream.
    async fn event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            match self.mode {
                Mode::Past => self.past().await.ok()?,
                Mode::Now => self.now().await?,
                Mode::End => return None,
            }
        }
    }

    /// One page of the history.
    async fn past(&mut self) -> Result<(), Refusal> {
        let from_seq = self.next.unwrap_or(1);
        let query = EntryQuery { from_seq, newest_first: false, limit: ROWS, ..EntryQuery::default() };
        let page = self.api.history.entries(query).await?;
        for entry in &page.entries {
            self.look_at(Happened::of(entry)).await;
        }
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
        for (seq, event) in (frame.seq..).zip(&frame.events) {
            let payload = event.payload.as_deref().cloned();
            self.look_at(Happened { seq, at: frame.at, head: event.head.clone(), payload }).await;
        }
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

    async fn look_at(&mut self, happened: Happened) {
        if self.next.is_some_and(|next| happened.seq < next) {
            return;
        }
        self.next = Some(happened.seq + 1);
        if let Some(outcome) = outcome(&mut self.lore, &happened).await {
            // A struct of texts and numbers always serialises, in one line.
            let data = serde_json::to_string(&outcome).unwrap_or_default();
            self.ready.push_back(Event::default().id(outcome.seq.to_string()).data(data));
        }
    }
}
