//! Telnyx: events as JSON. Whatever is not answered with 200 comes again.

use super::Received;
use super::receive::{channel_of, keyed as key_of};
use crate::api::Api;
use crate::channel::telnyx::{Event, read_event};
use crate::engine::{Called, Wrote};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const LONGEST: usize = 64 << 10;
const PROVIDER: &str = "telnyx";

/// About one of our messages.
pub async fn keyed(State(api): State<Arc<Api>>, Path(key): Path<String>, request: Request) -> Response {
    take(&api, Some(&key), request).await
}

/// What the account or its profile sends us: somebody wrote.
pub async fn event(State(api): State<Arc<Api>>, request: Request) -> Response {
    take(&api, None, request).await
}

async fn take(api: &Api, key: Option<&str>, request: Request) -> Response {
    let received = match Received::read(api, PROVIDER, LONGEST, request).await {
        Ok(received) => received,
        Err(answer) => return answer,
    };
    let called = match read_event(&received.body) {
        None => return received.malformed(api).await,
        Some(Event::Received { provider_id, from, to, text }) => {
            let channel = channel_of(api, PROVIDER, &to, &received.channel);
            Some(Called::Wrote(Wrote { channel, provider_id, from, text, opted_out: None }))
        }
        Some(Event::Heard(heard)) => key.and_then(key_of).map(|keyed| Called::Reported { keyed, heard }),
        Some(Event::Other) => None,
    };
    let Some(called) = called else {
        received.unknown(api);
        return StatusCode::OK.into_response();
    };
    match received.tell(api, called).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
