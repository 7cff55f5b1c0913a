//! SendGrid: many events in one call. Whatever is not answered with 2xx comes again, whole.

use super::Received;
use super::receive::keyed;
use crate::api::Api;
use crate::channel::sendgrid::read_events;
use crate::engine::Called;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const LONGEST: usize = 1 << 20;

pub async fn events(State(api): State<Arc<Api>>, request: Request) -> Response {
    let received = match Received::read(&api, "sendgrid", LONGEST, request).await {
        Ok(received) => received,
        Err(answer) => return answer,
    };
    let Some(events) = read_events(&received.body) else { return received.malformed(&api).await };
    for (key, heard) in events {
        let Some(keyed) = keyed(&key) else {
            received.unknown(&api);
            continue;
        };
        if received.tell(&api, Called::Reported { keyed, heard }).await.is_err() {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    StatusCode::NO_CONTENT.into_response()
}
