//! For monitoring: is the process there, does it do its work, how much of it.

use super::Api;
use super::fault::Fault;
use crate::engine::{Ask, Caller, Code, Read};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// An engine that needs longer for a question that is none does not go round.
const A_ROUND: Duration = Duration::from_secs(1);

/// The process answers; nothing more is meant.
pub async fn healthz() -> Response {
    plain(StatusCode::OK, "ok\n".to_owned())
}

/// The engine goes round and the journal is durable; else 503, naming what is missing.
pub async fn readyz(State(api): State<Arc<Api>>) -> Response {
    match readiness(&api).await {
        Ok(()) => plain(StatusCode::OK, "ok\n".to_owned()),
        Err(missing) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", missing.join("; "))),
    }
}

/// What keeps stentor from doing its work.
///
/// # Errors
/// A sentence for each.
pub async fn readiness(api: &Api) -> Result<(), Vec<&'static str>> {
    let progress = api.handle.progress();
    let mut missing = Vec::new();
    if progress.closing.load(Ordering::Relaxed) {
        // Then nothing is asked any more.
        return Err(vec!["stentor is stopping"]);
    }
    if progress.emergency.load(Ordering::Relaxed) {
        missing.push("emergency mode: the journal cannot be made durable");
    }
    // The answer leaves when what was decided before it is durable.
    let pulse = api.handle.ask(Caller::engine(), Ask::Read(Read::Pulse));
    match tokio::time::timeout(A_ROUND, pulse).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) => missing.push("the engine takes no questions"),
        Err(_) if progress.decided_seq.load(Ordering::Relaxed) > progress.durable_seq.load(Ordering::Relaxed) => {
            missing.push("the journal does not become durable");
        }
        Err(_) => missing.push("the engine does not go round"),
    }
    if missing.is_empty() { Ok(()) } else { Err(missing) }
}

/// Prometheus' text format.
pub async fn metrics(State(api): State<Arc<Api>>) -> Response {
    let text = api.metrics.render(&api).await;
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response()
}

/// TCP serves nothing else.
pub async fn nothing_else(uri: Uri) -> Fault {
    let message = format!("there is no {} here: the API is on the control socket", uri.path());
    Fault::new(StatusCode::NOT_FOUND, Code::NotFound, message)
}

fn plain(status: StatusCode, text: String) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response()
}
