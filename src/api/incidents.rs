//! Incidents: the list, and one with what happened to it.

use super::Api;
use super::entry::document;
use super::fault::Fault;
use super::history::{Entry, EntryQuery, Thing};
use super::lists::cursor;
use super::params::{Named, Params};
use super::past::{self, Rows};
use crate::domain::event::Place;
use crate::domain::id::IncidentId;
use crate::engine::{Caller, Read, Refusal};
use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Entries of one incident that are shown; of more, the last ones.
const EVENTS: usize = 1_000;

pub async fn list(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    mut params: Params,
) -> Result<Json<Value>, Fault> {
    let all = params.flag("all")?.unwrap_or(false);
    let limit = params.limit()?;
    let before = cursor(&mut params)?;
    params.done()?;
    let read = match before {
        Some(id) => Read::IncidentsBefore { all, id: IncidentId(id) },
        None => Read::Incidents { all },
    };
    let live = Rows::of_page(api.read(&by, read).await?, "incidents");
    let ended = if all { past::ended(&api, Thing::Incident, before, limit, |_| true).await } else { Rows::default() };
    Ok(Json(live.merge(ended).page("incidents", limit)))
}

/// With `events[]`; they are null when the history cannot be asked.
pub async fn show(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    let mut incident = past::incident(&api, &by, &id).await?;
    let entries = match past::id_of(&incident) {
        Some(id) => about(&api, EntryQuery { incident: Some(IncidentId(id)), ..EntryQuery::default() }).await.ok(),
        None => None,
    };
    whole_body(&api, &mut incident).await;
    let number = incident["number"].as_u64();
    let zone = api.handle.config().daemon.timezone.clone();
    incident["events"] = entries.map(|e| e.iter().map(|e| document(e, number, &zone)).collect()).unwrap_or(Value::Null);
    Ok(Json(incident))
}

/// A long body is fetched from where it is; if it cannot be, its beginning and why.
async fn whole_body(api: &Api, incident: &mut Value) {
    let Some(place) = incident.get("more").and_then(|more| Place::deserialize(more).ok()) else { return };
    incident["body"] = match api.history.text(place).await {
        Ok(text) => text.into(),
        Err(refusal) => {
            let beginning = incident["body"].as_str().unwrap_or_default();
            format!("{beginning}\n\n[The rest cannot be shown: {}]", refusal.message).into()
        }
    };
    if let Some(fields) = incident.as_object_mut() {
        fields.remove("more");
    }
}

/// The entries that fit, oldest first; of very many the last ones.
///
/// # Errors
/// The history cannot be asked.
pub async fn about(api: &Api, mut query: EntryQuery) -> Result<Vec<Entry>, Refusal> {
    let mut entries: Vec<Entry> = Vec::new();
    query.newest_first = true;
    while entries.len() < EVENTS {
        query.limit = EVENTS - entries.len();
        let page = api.history.entries(query.clone()).await?;
        entries.extend(page.entries);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    entries.reverse();
    Ok(entries)
}
