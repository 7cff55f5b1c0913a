//! Lists and single things; what has left the state comes from the history.

use super::Api;
use super::fault::Fault;
use super::history::Thing;
use super::params::{Named, Params, ROWS};
use super::past::{self, Rows};
use crate::domain::clock;
use crate::domain::delivery::Status;
use crate::domain::id::DeliveryId;
use crate::domain::time::Timestamp;
use crate::engine::{Caller, Code, DeliveryFilter, Read, Refusal};
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;
use std::sync::Arc;
use ulid::Ulid;

type Listed = Result<Json<Value>, Fault>;

/// What the engine answers to a question without parameters.
async fn plain(api: &Api, by: &Caller, params: Params, read: Read) -> Listed {
    params.done()?;
    Ok(Json(api.read(by, read).await?))
}

pub async fn watches(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, params: Params) -> Listed {
    plain(&api, &by, params, Read::Watches).await
}

pub async fn fomo(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, params: Params) -> Listed {
    plain(&api, &by, params, Read::Fomo).await
}

pub async fn channels(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, params: Params) -> Listed {
    plain(&api, &by, params, Read::Channels).await
}

pub async fn silences(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, params: Params) -> Listed {
    plain(&api, &by, params, Read::Silences).await
}

pub async fn metric(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(name): Named,
    params: Params,
) -> Listed {
    plain(&api, &by, params, Read::Metric(name)).await
}

pub async fn delivery(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
) -> Listed {
    params.done()?;
    Ok(Json(past::delivery(&api, &by, &id).await?))
}

pub async fn deliveries(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, mut params: Params) -> Listed {
    let limit = params.limit()?;
    let wanted = Wanted::read(&api, &by, &mut params).await?;
    let before = cursor(&mut params)?;
    params.done()?;
    let live = match api.read(&by, Read::Deliveries(wanted.filter(before, limit))).await {
        Ok(page) => Rows::of_page(page, "deliveries"),
        // The incident has left the state, and its deliveries with it.
        Err(refusal) if refusal.code == Code::NotFound => Rows::default(),
        Err(refusal) => return Err(refusal.into()),
    };
    let ended = past::ended(&api, Thing::Delivery, before, limit, |d| wanted.fits(d)).await;
    let page = live.merge(ended).page("deliveries", limit);
    // One that has been taken out of the config may still have deliveries; a slip of the fingers has none.
    let unknown = wanted.channel.filter(|c| !api.handle.config().channels.contains_key(c));
    match unknown.filter(|_| page["deliveries"].as_array().is_some_and(Vec::is_empty)) {
        Some(name) => Err(no_channel(&api, &name).into()),
        None => Ok(Json(page)),
    }
}

fn no_channel(api: &Api, name: &str) -> Refusal {
    let config = api.handle.config();
    let known: Vec<&str> = config.channels.keys().map(String::as_str).collect();
    let message = format!("there is no channel {name:?}; there are {}", known.join(", "));
    Refusal { field: Some("channel".into()), ..Refusal::new(Code::NotFound, message) }
}

/// The id of the last row of the page before.
pub fn cursor(params: &mut Params) -> Result<Option<Ulid>, Refusal> {
    params.read("cursor", |text| Ulid::from_string(text).map_err(|_| "this is not a cursor of this list".to_owned()))
}

/// Which deliveries.
struct Wanted {
    status: Option<Status>,
    channel: Option<String>,
    /// By number.
    incident: Option<u64>,
    since: Option<Timestamp>,
}

impl Wanted {
    async fn read(api: &Api, by: &Caller, params: &mut Params) -> Result<Wanted, Refusal> {
        let incident = match params.take("incident")? {
            Some(text) => past::incident(api, by, &text)
                .await
                .map_err(|r| Refusal { field: Some("incident".into()), ..r })?["number"]
                .as_u64(),
            None => None,
        };
        Ok(Wanted {
            status: params.read("status", status)?,
            channel: params.take("channel")?,
            incident,
            since: params.moment("since")?,
        })
    }

    fn filter(&self, before: Option<Ulid>, limit: usize) -> DeliveryFilter {
        DeliveryFilter {
            status: self.status.map(|s| s.to_string()),
            channel: self.channel.clone(),
            incident: self.incident.map(|n| n.to_string()),
            since: self.since.map(|t| clock::wall() - t),
            limit: Some(limit.min(ROWS)),
            cursor: before.map(|id| id.to_string()),
        }
    }

    /// The same for a document.
    fn fits(&self, delivery: &Value) -> bool {
        let is = |key: &str, wanted: &str| delivery[key] == *wanted;
        let created = || delivery["created_at"].as_str().and_then(|t| Timestamp::parse(t).ok());
        self.status.is_none_or(|s| is("status", s.as_str()))
            && self.channel.as_ref().is_none_or(|c| is("channel", c) || is("via", c))
            && self.incident.is_none_or(|n| delivery["incident"] == n)
            && self.since.is_none_or(|t| created().is_some_and(|at| at >= t))
    }
}

fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| {
        let all: Vec<&str> = Status::ALL.iter().map(|s| s.as_str()).collect();
        format!("{text:?} is not a status; there are {}", all.join(", "))
    })
}

pub async fn dead_letters(State(api): State<Arc<Api>>, Extension(by): Extension<Caller>, mut params: Params) -> Listed {
    let limit = params.limit()?;
    let after = cursor(&mut params)?.map(DeliveryId);
    params.done()?;
    Ok(Json(api.read(&by, Read::DeadLetters { limit, after }).await?))
}
