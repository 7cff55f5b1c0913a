//! Removing a person's texts from the ledger, for good.

use super::Api;
use super::body::Sent;
use super::fault::Fault;
use super::ledger::turn;
use super::params::Params;
use crate::domain::delivery::Medium;
use crate::domain::who::Who;
use crate::engine::{Ask, Caller, Code, Refusal};
use crate::ledger::retention::Person;
use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    who: Who,
    #[serde(default)]
    because: Option<String>,
}

/// Goes on to its end, also when the caller does not wait for it.
pub async fn erase(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    params: Params,
    Sent(Erasure { who, because }): Sent<Erasure>,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    let unknown = match &who {
        Who::Person(name) if !api.handle.config().people.contains_key(name) => Some(name.clone()),
        _ => None,
    };
    let person = person(&api, who)?;
    let because = because.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "on request".to_owned());
    let turn = turn(&api)?;
    let erasing = tokio::spawn(async move {
        let answer = carry_out(&api, by, person, unknown, because).await;
        drop(turn);
        answer
    });
    match erasing.await {
        Ok(answer) => Ok(Json(answer?)),
        Err(_) => Err(Refusal::new(Code::FinalFailure, "erasing failed inside (a bug in stentor)").into()),
    }
}

/// By name with the addresses of today; those of former times the ledger knows itself.
fn person(api: &Api, who: Who) -> Result<Person, Refusal> {
    match who {
        Who::Email(address) | Who::Phone(address) => Ok(Person::new(None, [address])),
        Who::Person(name) => {
            let config = api.handle.config();
            let addresses = config.people.get(&name).into_iter().flat_map(|person| {
                [Medium::Mail, Medium::Sms].into_iter().filter_map(|medium| person.address(medium).map(str::to_owned))
            });
            let addresses: Vec<String> = addresses.collect();
            Ok(Person::new(Some(name), addresses))
        }
        Who::Group(_) | Who::Schedule(_) | Who::Tier(_) => {
            Err(Refusal::field("who", "the texts of one person or address are erased at a time; name one"))
        }
    }
}

/// `unknown` is a name that the config does not have.
async fn carry_out(
    api: &Api,
    by: Caller,
    person: Person,
    unknown: Option<String>,
    because: String,
) -> Result<Value, Refusal> {
    let (erased, left) = api.history.erase(person, because.clone()).await?;
    if let Some(name) = unknown.filter(|_| erased.is_none() && left == 0) {
        let message = format!("nobody is called {name:?} in the config, and nobody was told anything by that name");
        return Err(Refusal { field: Some("who".into()), ..Refusal::new(Code::NotFound, message) });
    }
    let mut answer = json!({ "ok": true, "events": 0, "left": left, "because": because });
    let Some(erased) = erased else { return Ok(answer) };
    answer["events"] = erased.found.seqs.len().into();
    answer["from_seq"] = erased.from_seq.into();
    answer["to_seq"] = erased.to_seq.into();
    let ids = erased.found.ids.into_iter().collect();
    let (from_seq, to_seq) = (erased.from_seq, erased.to_seq);
    api.handle.ask(by, Ask::Erased { from_seq, to_seq, because, ids }).await?;
    api.history.recorded().await?;
    Ok(answer)
}
