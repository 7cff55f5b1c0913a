//! `/api/v2/alerts` as Prometheus and amtool speak it: alerts come in, and can be looked at.
//!
//! Errors are JSON strings. The good alerts of a request are kept when others are refused; a thousand of them at
//! the most are one input to the engine, and the request is answered when all of it is durable. Everything else of
//! that API comes later.

mod check;
pub mod gate;
mod list;
mod parse;
mod room;
mod told;

pub use list::list;
pub use room::Room;

use super::Api;
use crate::domain::Labels;
use crate::engine::{AlertReport, Ask, Caller, Reports};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use told::Told;

/// Where all of it is.
pub const PATH: &str = "/api/v2/alerts";
/// Alerts that are one decision: whoever acknowledges meanwhile waits for no more of them.
const AT_ONCE: usize = 1_000;
/// Faults that one answer names.
const NAMED: usize = 20;

/// 200 when all of it is durable; 400 when some of it was refused, and then the rest is durable.
pub async fn post(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    request: Request,
) -> Result<Response, Told> {
    let (bytes, place) = room::read(&api.room, request.into_body()).await?;
    let (alerts, faults) = check::sort(parse::parse(&bytes).map_err(Told::wrong)?);
    drop(bytes);
    api.metrics.alerts_came(&alerts, faults.len());
    let rules = &api.handle.config().alertmanager;
    let is_urgent =
        |labels: &Labels| rules.level_of(labels).unwrap_or(rules.otherwise) == crate::domain::level::Level::Urgent;
    let urgent = alerts.iter().any(|alert| is_urgent(&alert.labels));
    if !urgent {
        api.room.leave_some_for_urgent()?;
    }
    let mut alerts = alerts;
    if alerts.len() > AT_ONCE {
        // What there is no room for is to be the least urgent.
        alerts.sort_by_key(|alert| !is_urgent(&alert.labels));
    }
    let (mut alerts, mut refused) = (alerts.into_iter().peekable(), None);
    while alerts.peek().is_some() {
        let alerts: Vec<AlertReport> = alerts.by_ref().take(AT_ONCE).collect();
        let urgent = alerts.iter().any(|alert| is_urgent(&alert.labels));
        if let Err(refusal) = api.handle.ask(by.clone(), Ask::Report(Reports { alerts, urgent })).await {
            refused = Some(refusal);
        }
    }
    drop(place);
    if let Some(refusal) = refused {
        return Err(Told::refused(refusal));
    }
    if faults.is_empty() { Ok(done()) } else { Err(Told::wrong(joined(&faults))) }
}

fn done() -> Response {
    (StatusCode::OK, [(CACHE_CONTROL, "no-store")]).into_response()
}

fn joined(faults: &[String]) -> String {
    let mut words = faults.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    if let Some(more) = faults.len().checked_sub(NAMED).filter(|more| *more > 0) {
        words.push_str(&format!("; and {more} more"));
    }
    words
}
