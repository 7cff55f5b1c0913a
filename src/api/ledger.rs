//! The record: entries, statistics, whether the chain holds, and why something did what it did.

use super::Api;
use super::costs;
use super::entry::document;
use super::fault::Fault;
use super::history::{EntryQuery, Happened, Tally, Verified};
use super::incidents::about;
use super::numbers::Numbers;
use super::params::{Named, Params};
use super::past::{self, About};
use crate::domain::clock;
use crate::domain::delivery::Status;
use crate::domain::event::EventKind;
use crate::domain::id::{DeliveryId, IncidentId};
use crate::domain::time::Timestamp;
use crate::engine::{Ask, Caller, Code, Read, Refusal, Story};
use crate::ledger::Tip;
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use strum::VariantNames;
use tokio::sync::OwnedSemaphorePermit;

pub async fn query(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    mut params: Params,
) -> Result<Json<Value>, Fault> {
    let wanted = wanted(&api, &by, &mut params).await?;
    params.done()?;
    let page = api.history.entries(wanted).await?;
    let numbers = Numbers::of(&api, &by, &page.entries).await;
    let zone = api.handle.config().daemon.timezone.clone();
    let entries: Vec<Value> = page.entries.iter().map(|e| document(e, numbers.number(e), &zone)).collect();
    Ok(Json(json!({ "entries": entries, "next_cursor": page.next_cursor.map(|n| n.to_string()) })))
}

/// Oldest first.
async fn wanted(api: &Api, by: &Caller, params: &mut Params) -> Result<EntryQuery, Refusal> {
    let kinds = params.all("kind");
    if let Some(unknown) = kinds.iter().find(|k| !EventKind::VARIANTS.contains(&k.as_str())) {
        let message = format!("there is no kind {unknown:?}; there are {}", EventKind::VARIANTS.join(", "));
        return Err(Refusal::field("kind", message));
    }
    let field = |name: &str| {
        let name = name.to_owned();
        move |r: Refusal| Refusal { field: Some(name), ..r }
    };
    let incident = match params.take("incident")? {
        Some(text) => past::id_of(&past::incident(api, by, &text).await.map_err(field("incident"))?),
        None => None,
    };
    let delivery = match params.take("delivery")? {
        Some(text) => past::id_of(&past::delivery(api, by, &text).await.map_err(field("delivery"))?),
        None => None,
    };
    let cursor = params
        .read("cursor", |text| text.parse::<u64>().map_err(|_| "this is not a cursor of this list".to_owned()))?;
    let after_seq = params.number("after_seq")?.unwrap_or(0);
    let (since, until) = params.period()?;
    Ok(EntryQuery {
        from_seq: after_seq.saturating_add(1),
        since,
        until,
        kinds,
        incident: incident.map(IncidentId),
        delivery: delivery.map(DeliveryId),
        limit: params.limit()?,
        cursor,
        newest_first: false,
        ..EntryQuery::default()
    })
}

/// Deliveries that ended in this time, by how they ended, and those that have not ended now.
pub async fn stats(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    mut params: Params,
) -> Result<Json<Value>, Fault> {
    let (since, until) = params.period()?;
    let parts = costs::parts(&params.all("by"))?;
    params.done()?;
    let counted = api.history.stats(since, until).await?;
    let gauges = api.read(&by, Read::Gauges).await?;
    let mut stats = statistics(&counted.by_channel, gauges["queue"]["pending"].as_u64().unwrap_or(0));
    add_pending(&mut stats["by_channel"], &gauges["by_channel"]);
    if !parts.is_empty() {
        let zone = api.handle.config().daemon.timezone.clone();
        let day = |at: Timestamp| at.zoned(&zone).date().to_string();
        let until = until.unwrap_or_else(clock::wall);
        let charges = api.history.charges(since.map_or_else(String::new, day)..=day(until)).await?;
        stats["costs"] = costs::rows(&charges, &parts).into();
    }
    stats["since"] = json!(counted.from.map(|from| from.rfc3339(&api.handle.config().daemon.timezone)));
    Ok(Json(stats))
}

fn statistics(tallies: &BTreeMap<String, Tally>, pending: u64) -> Value {
    let of = |wanted: &[Status]| -> u64 {
        let ended = tallies.values().flat_map(|t| &t.ended);
        ended.filter(|(status, _)| wanted.iter().any(|w| w.as_str() == *status)).map(|(_, n)| n).sum()
    };
    let ended: u64 = tallies.values().flat_map(|t| t.ended.values()).sum();
    let timed: u64 = tallies.values().map(|t| t.timed).sum();
    let seconds: f64 = tallies.values().map(|t| t.seconds).sum();
    let mut cost: BTreeMap<String, i64> = BTreeMap::new();
    for (currency, millionths) in tallies.values().flat_map(|t| &t.cost) {
        *cost.entry(currency.clone()).or_default() += millionths;
    }
    let by_channel: Map<String, Value> =
        tallies.iter().map(|(channel, tally)| (channel.clone(), json!(tally.ended))).collect();
    json!({
        "total": ended + pending,
        "delivered": of(&[Status::Delivered, Status::Sent]),
        "failed": of(&[Status::Dead, Status::Expired]),
        "pending": pending,
        "avg_delivery_seconds": (timed > 0).then(|| seconds / timed as f64),
        "cost": costs::by_currency(&cost),
        "by_channel": by_channel,
    })
}

/// What has not ended, by the channel that it goes by now.
fn add_pending(by_channel: &mut Value, pending: &Value) {
    for (channel, statuses) in pending.as_object().into_iter().flatten() {
        for (status, count) in statuses.as_object().into_iter().flatten() {
            by_channel[channel][status] = count.clone();
        }
    }
}

/// `against`: heads (`SEQ:HASH`) that were noted elsewhere.
/// A ledger that is found whole ends the incident about its damage; one that is not opens it.
pub async fn verify(State(api): State<Arc<Api>>, mut params: Params) -> Result<Json<Value>, Fault> {
    let anchors = params.all("against").iter().map(|text| text.parse::<Tip>()).collect::<Result<Vec<Tip>, _>>();
    let anchors = anchors.map_err(|words| Refusal::field("against", words))?;
    params.done()?;
    let _turn = turn(&api)?;
    let noted = !anchors.is_empty();
    let verified = api.history.verify(anchors).await?;
    if let Some((well, words)) = news(&verified, noted) {
        api.handle.tell(Caller::engine(), Ask::StorageTroubled { part: "ledger".into(), words, well });
    }
    Ok(Json(json!(verified)))
}

/// Whether the ledger is whole, where that is news: a head that is not in it may be one of another ledger, or a slip
/// of the pen.
fn news(verified: &Verified, noted: bool) -> Option<(bool, String)> {
    match verified.ok {
        true => Some((true, "the whole ledger was verified".to_owned())),
        false => verified.damage().filter(|_| !noted).map(|words| (false, words)),
    }
}

/// A whole reading of the ledger is work; only so many go on at a time.
///
/// # Errors
/// RATE_LIMITED.
pub fn turn(api: &Api) -> Result<OwnedSemaphorePermit, Refusal> {
    let message = "the whole ledger is being read for others already";
    api.heavy.clone().try_acquire_owned().map_err(|_| Refusal::new(Code::RateLimited, message).retry_after(5))
}

/// Each event about it in a sentence, with the rule behind it.
pub async fn explain(
    State(api): State<Arc<Api>>,
    Extension(by): Extension<Caller>,
    Named(id): Named,
    params: Params,
) -> Result<Json<Value>, Fault> {
    params.done()?;
    let (wanted, document) = past::any(&api, &by, &id).await?;
    let wanted = match wanted {
        About::Incident(id) => vec![EntryQuery { incident: Some(IncidentId(id)), ..EntryQuery::default() }],
        About::Deliveries(ids) => {
            let of = |id| EntryQuery { delivery: Some(DeliveryId(id)), ..EntryQuery::default() };
            ids.into_iter().map(of).collect()
        }
    };
    let mut entries = BTreeMap::new();
    for query in wanted {
        entries.extend(about(&api, query).await?.into_iter().map(|entry| (entry.seq, entry)));
    }
    let zone = api.handle.config().daemon.timezone.clone();
    let mut story = Story::of(&document);
    let mut steps: Vec<Value> = Vec::new();
    for entry in entries.into_values() {
        if let Some((what, because)) = story.explain(&Happened::of(&entry).head) {
            let at = entry.at.rfc3339(&zone);
            told(&mut steps, json!({ "at": at, "what": what, "because": because, "times": 1, "until": null }));
        }
    }
    Ok(Json(json!({ "steps": steps })))
}

/// The same again is counted: what is reported every few seconds would hide the rest.
fn told(steps: &mut Vec<Value>, step: Value) {
    match steps.last_mut().filter(|last| last["what"] == step["what"] && last["because"] == step["because"]) {
        Some(last) => {
            last["times"] = (last["times"].as_u64().unwrap_or(1) + 1).into();
            last["until"] = step["at"].clone();
        }
        None => steps.push(step),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_again_is_counted() {
        let step = |at: &str, what: &str| json!({ "at": at, "what": what, "because": "x", "times": 1, "until": null });
        let mut steps = Vec::new();
        for (at, what) in [
            ("1", "reported again"),
            ("2", "reported again"),
            ("3", "reported again"),
            ("4", "step 2"),
            ("5", "reported again"),
        ] {
            told(&mut steps, step(at, what));
        }
        let seen: Vec<(&Value, &Value, &Value)> =
            steps.iter().map(|s| (&s["what"], &s["times"], &s["until"])).collect();
        let (again, one, three) = (json!("reported again"), json!(1), json!(3));
        assert_eq!(
            seen,
            [(&again, &three, &json!("3")), (&json!("step 2"), &one, &Value::Null), (&again, &one, &Value::Null)]
        );
    }

    #[test]
    fn statistics_count_what_ended_and_what_has_not() {
        let tally = |ended: &[(&str, u64)], seconds, timed| Tally {
            ended: ended.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect(),
            seconds,
            timed,
            cost: BTreeMap::from([("USD".to_owned(), 7_500)]),
        };
        let tallies = BTreeMap::from([
            ("mail".to_owned(), tally(&[("sent", 3), ("skipped", 2)], 1.5, 3)),
            ("sms".to_owned(), tally(&[("delivered", 1), ("dead", 2), ("expired", 1)], 2.5, 1)),
        ]);
        let stats = statistics(&tallies, 4);
        assert_eq!(stats["total"], 13);
        assert_eq!((&stats["delivered"], &stats["failed"], &stats["pending"]), (&4.into(), &3.into(), &4.into()));
        assert_eq!(stats["avg_delivery_seconds"], 1.0);
        assert_eq!(stats["cost"], json!({ "USD": "0.015" }));
        assert_eq!(stats["by_channel"]["sms"], json!({ "delivered": 1, "dead": 2, "expired": 1 }));
        assert_eq!(statistics(&BTreeMap::new(), 0)["avg_delivery_seconds"], Value::Null);
    }
}
