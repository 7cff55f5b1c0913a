//! The event stream: server-sent events.
//!
//! A reader that does not keep up is cut, and so is every reader when the daemon stops; it comes back
//! with `Last-Event-ID`.

use super::Api;
use super::fault::Fault;
use super::params::Params;
use super::stream::Reader;
use crate::config::Kinds;
use crate::engine::{Caller, Refusal};
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// A line without meaning now and then, so that a reader that has gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

pub async fn stream(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Fault> {
    let since = params.number("since_seq")?;
    let follow = params.flag("follow")?.unwrap_or(true);
    let wanted = Kinds::parse(&params.all("kind")).map_err(|words| Refusal::field("kind", words))?;
    params.done()?;
    let after = last_event_id(&headers)?.or(since).or((!follow).then_some(0));
    let last = api.history.facts().durable_seq;
    if let Some(after) = after.filter(|after| *after > last) {
        // Whoever waits there would hear nothing until the ledger has grown so far again.
        let words = format!("the ledger ends at event {last}: {after} is of another one, or of one before a restore");
        return Err(Refusal::field("since_seq", words).into());
    }
    let reader = Reader::open(api, by, wanted, after, follow).await?;
    let events = stream::unfold(reader, |mut reader| async {
        let told = reader.next().await?;
        // Who comes back after the first of two that one thing told gets the other one, too.
        let place = if told.last { Event::default().id(told.seq.to_string()) } else { Event::default() };
        Some((Ok::<_, Infallible>(place.data(told.document)), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let wrong = || Refusal::field("Last-Event-ID", "Last-Event-ID is the sequence number of the last event seen");
    id.to_str().ok().and_then(|id| id.trim().parse().ok()).map(Some).ok_or_else(wrong)
}
