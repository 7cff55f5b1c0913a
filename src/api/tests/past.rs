//! What the history adds, and what goes on without it.

use super::world::*;
use crate::api::history::*;
use crate::api::past;
use crate::domain::id::Ending;
use crate::domain::time::Timestamp;
use crate::engine::{Code, Refusal};
use crate::ledger::Tip;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::io::Write;
use std::ops::RangeInclusive;
use std::sync::Arc;
use ulid::Ulid;

/// A history that is being made again.
struct Away;

fn away<T: Send + 'static>() -> BoxFuture<'static, Result<T, Refusal>> {
    Box::pin(async { Err(Refusal::new(Code::Rebuilding, "3 of 9 events are in").retry_after(5)) })
}

impl History for Away {
    fn entries(&self, _: EntryQuery) -> BoxFuture<'_, Result<Page, Refusal>> {
        away()
    }
    fn stats(&self, _: Option<Timestamp>, _: Option<Timestamp>) -> BoxFuture<'_, Result<Counted, Refusal>> {
        away()
    }
    fn charges(&self, _: RangeInclusive<String>) -> BoxFuture<'_, Result<Charges, Refusal>> {
        away()
    }
    fn verify(&self, _: Vec<Tip>) -> BoxFuture<'_, Result<Verified, Refusal>> {
        away()
    }
    fn backup(&self, _: Box<dyn Write + Send>) -> BoxFuture<'_, Result<(), Refusal>> {
        away()
    }
    fn export(&self, _: Format, _: Box<dyn Write + Send>) -> BoxFuture<'_, Result<(), Refusal>> {
        away()
    }
    fn erase(&self, _: Person, _: String) -> BoxFuture<'_, Result<(Option<Erased>, u64), Refusal>> {
        away()
    }
    fn recorded(&self) -> BoxFuture<'_, Result<(), Refusal>> {
        away()
    }
    fn find(&self, _: Thing, _: Key) -> BoxFuture<'_, Result<Option<Value>, Refusal>> {
        away()
    }
    fn older(&self, _: Thing, _: Option<Ulid>) -> BoxFuture<'_, Result<Older, Refusal>> {
        away()
    }
    fn facts(&self) -> Facts {
        Facts { unavailable: Some("it is being rebuilt, 3 of 9 events are in".into()), ..Facts::default() }
    }
}

#[tokio::test]
async fn without_the_history_the_past_is_503_and_alarms_go_on() {
    let world = World::with(|_| Arc::new(Away)).await;
    for path in ["ledger", "ledger/stats", "ledger/verify", "ledger/export", "events?follow=false", "incidents/417"] {
        let answer = world.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, answer.code()), (503, "REBUILDING"), "{path}: {answer:?}");
        assert_eq!(answer.json["error"]["retry_after_seconds"], 5);
    }
    let number = world.incident("disk full").await;
    let shown = world.get(&format!("/api/v1/incidents/{number}")).await;
    assert_eq!((shown.status, &shown.json["events"]), (200, &json!(null)));
    assert_eq!(world.get("/api/v1/incidents?all=true").await.json["incidents"][0]["number"], number);
    assert_eq!(world.get("/api/v1/deliveries").await.status, 200);
    world.post(&format!("/api/v1/incidents/{number}/resolve"), json!({})).await;
    let status = world.get("/api/v1/status").await;
    assert_eq!((&status.json["state"], &status.json["ready"]), (&json!("degraded"), &json!(true)));
    assert!(status.json["reasons"][0].as_str().unwrap().contains("being rebuilt"));
}

/// A real history, as if the engine had forgotten this and that.
struct Remembering {
    real: Arc<dyn History>,
    incident: Value,
    delivery: Value,
}

impl History for Remembering {
    fn entries(&self, query: EntryQuery) -> BoxFuture<'_, Result<Page, Refusal>> {
        self.real.entries(query)
    }
    fn stats(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> BoxFuture<'_, Result<Counted, Refusal>> {
        self.real.stats(since, until)
    }
    fn charges(&self, days: RangeInclusive<String>) -> BoxFuture<'_, Result<Charges, Refusal>> {
        self.real.charges(days)
    }
    fn verify(&self, anchors: Vec<Tip>) -> BoxFuture<'_, Result<Verified, Refusal>> {
        self.real.verify(anchors)
    }
    fn backup(&self, out: Box<dyn Write + Send>) -> BoxFuture<'_, Result<(), Refusal>> {
        self.real.backup(out)
    }
    fn export(&self, format: Format, out: Box<dyn Write + Send>) -> BoxFuture<'_, Result<(), Refusal>> {
        self.real.export(format, out)
    }
    fn erase(&self, person: Person, because: String) -> BoxFuture<'_, Result<(Option<Erased>, u64), Refusal>> {
        self.real.erase(person, because)
    }
    fn recorded(&self) -> BoxFuture<'_, Result<(), Refusal>> {
        self.real.recorded()
    }
    fn find(&self, thing: Thing, by: Key) -> BoxFuture<'_, Result<Option<Value>, Refusal>> {
        let is = |document: &Value| match &by {
            Key::Id(id) => document["id"] == id.to_string(),
            Key::Number(number) => document["number"] == *number,
            Key::Ending(ending) => past::id_of(document).is_some_and(|id| ending.fits(id)),
        };
        let document = if thing == Thing::Incident { &self.incident } else { &self.delivery };
        let found = is(document).then(|| document.clone());
        Box::pin(async { Ok(found) })
    }
    fn older(&self, thing: Thing, before: Option<Ulid>) -> BoxFuture<'_, Result<Older, Refusal>> {
        let document = if thing == Thing::Incident { &self.incident } else { &self.delivery };
        let id = Ulid::from_string(document["id"].as_str().unwrap()).unwrap();
        let documents = if before.is_none_or(|b| id < b) { vec![document.clone()] } else { vec![] };
        Box::pin(async { Ok(Older { documents, next: None }) })
    }
    fn facts(&self) -> Facts {
        self.real.facts()
    }
}

#[tokio::test]
async fn what_the_engine_has_forgotten_is_still_found() {
    let (incident, delivery) = ("01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), "01ARZ3NDEKTSV4RRFFQ69G5FAW".to_owned());
    let old = json!({ "id": incident, "number": 7, "status": "resolved", "subject": "long ago" });
    let sent = json!({ "id": delivery, "incident": 7, "channel": "mail", "via": "mail", "status": "sent",
        "created_at": "2020-01-01T00:00:00Z" });
    let (i, d) = (old.clone(), sent.clone());
    let world = World::with(|real| Arc::new(Remembering { real, incident: i, delivery: d })).await;
    for id in ["7", "%237", &incident, &incident[20..]] {
        let shown = world.get(&format!("/api/v1/incidents/{id}")).await;
        assert_eq!((shown.status, &shown.json["subject"]), (200, &json!("long ago")), "{id}");
    }
    assert_eq!(world.get(&format!("/api/v1/deliveries/{delivery}")).await.json["channel"], "mail");
    assert_eq!(world.get("/api/v1/explain/7").await.json, json!({ "steps": [] }));

    let number = world.incident("disk full").await;
    let numbers = |list: &Answer| {
        list.json["incidents"].as_array().unwrap().iter().map(|i| i["number"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&world.get("/api/v1/incidents?all=true").await), [json!(number), json!(7)]);
    assert_eq!(numbers(&world.get("/api/v1/incidents").await), [json!(number)]);
    let page = world.get("/api/v1/incidents?all=true&limit=1").await;
    let cursor = page.json["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("/api/v1/incidents?all=true&limit=1&cursor={cursor}")).await;
    assert_eq!((numbers(&rest), &rest.json["next_cursor"]), (vec![json!(7)], &json!(null)));

    assert_eq!(world.get("/api/v1/deliveries?incident=7").await.json["deliveries"], json!([sent]));
    assert_eq!(world.get("/api/v1/deliveries?channel=mail&status=sent").await.json["deliveries"], json!([sent]));
    assert_eq!(world.get("/api/v1/deliveries?status=dead").await.json["deliveries"], json!([]));
    assert_eq!(world.get("/api/v1/deliveries?since=24h&channel=mail").await.json["deliveries"], json!([]));
}

#[tokio::test]
async fn the_first_answer_to_a_key_is_whole_also_when_its_message_is_long_gone() {
    let world = World::new().await;
    let body = json!({ "subject": "x", "channels": ["hook"], "idempotency_key": "k", "tenant_id": "acme", "ttl": 90,
        "metadata": { "campaign": "autumn" } });
    let first = world.post("/api/v1/notifications", body.clone()).await;
    for n in 0..1_005 {
        world.post("/api/v1/notifications", json!({ "subject": n.to_string(), "channels": ["hook"] })).await;
    }
    let last = world.post("/api/v1/notifications?wait=30s", json!({ "subject": "last", "channels": ["hook"] })).await;
    assert_eq!(last.json["status"], "delivered");
    let again = world.post("/api/v1/notifications", body).await;
    assert_eq!((again.status, &again.json["id"]), (202, &first.json["id"]));
    assert_eq!(again.json["deliveries"][0]["id"], first.json["deliveries"][0]["id"]);
    assert_eq!((&again.json["status"], &again.json["tenant"]), (&json!("delivered"), &json!("acme")));
    let delivery = again.json["deliveries"][0]["id"].as_str().unwrap();
    let shown = world.get(&format!("/api/v1/deliveries/{delivery}")).await;
    assert_eq!(shown.json["metadata"], json!({ "campaign": "autumn" }));
}

#[tokio::test]
async fn what_ended_is_a_document_of_the_real_history() {
    let world = World::new().await;
    let number = world.incident("disk full").await;
    world.until("delivery_ended", 1).await;
    world.post(&format!("/api/v1/incidents/{number}/resolve"), json!({})).await;
    let history = &world.api.history;
    let incident = history.find(Thing::Incident, Key::Number(number)).await.unwrap().unwrap();
    assert_eq!((&incident["subject"], &incident["status"]), (&json!("disk full"), &json!("resolved")));
    let id = incident["id"].as_str().unwrap();
    assert_eq!(
        history.find(Thing::Incident, Key::Ending(Ending::parse(&id[20..]).unwrap())).await.unwrap().unwrap()["id"],
        id
    );
    let deliveries = history.older(Thing::Delivery, None).await.unwrap().documents;
    let first = Ulid::from_string(deliveries[0]["id"].as_str().unwrap()).unwrap();
    assert_eq!(history.find(Thing::Delivery, Key::Id(first)).await.unwrap().unwrap(), deliveries[0]);
    assert_eq!(history.find(Thing::Delivery, Key::Id(Ulid(1))).await.unwrap(), None);
    let ending = Ending::parse(&first.to_string()[20..]).unwrap();
    assert_eq!(history.find(Thing::Delivery, Key::Ending(ending)).await.unwrap().unwrap(), deliveries[0]);
    let older = history.older(Thing::Delivery, Some(first)).await.unwrap().documents;
    assert!(!older.contains(&deliveries[0]));
}
