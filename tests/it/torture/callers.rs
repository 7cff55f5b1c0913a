//! Callers who send, page and acknowledge over the socket and report alerts over TCP. They write down
//! what they were answered, and come again with the same key when they were not.

use super::random::Random;
use crate::harness::{Door, door_post};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// What became of one request, as its caller knows it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The idempotency key of a message, the subject of an incident or of an alert's, the number of an
    /// acknowledged one.
    pub key: String,
    pub what: What,
    /// `None`: no answer came, so it may have been accepted or not.
    pub answer: Option<(u16, Value)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Send,
    Page,
    Alert,
    Ack,
}

impl Call {
    /// It was promised.
    pub fn accepted(&self) -> Option<&Value> {
        self.answer.as_ref().filter(|(status, _)| (200..300).contains(status)).map(|(_, answer)| answer)
    }
}

/// All of them, at one daemon that comes and goes.
pub struct Callers<'a> {
    door: &'a Door,
    /// Where alerts are taken.
    alerts: Option<&'a str>,
    over: &'a Cell<bool>,
    calls: RefCell<Vec<Call>>,
    /// Of incidents that may be open.
    numbers: RefCell<Vec<u64>>,
    next: Cell<u64>,
}

impl<'a> Callers<'a> {
    /// They call until it is `over`.
    pub fn of(door: &'a Door, over: &'a Cell<bool>) -> Callers<'a> {
        Callers { door, alerts: None, over, calls: RefCell::default(), numbers: RefCell::default(), next: Cell::new(0) }
    }

    /// They report alerts, too, there.
    #[must_use]
    pub fn alerting(self, address: &'a str) -> Callers<'a> {
        Callers { alerts: Some(address), ..self }
    }

    pub async fn run(self, many: u64, random: Random) -> Vec<Call> {
        let all = (0..many).map(|caller| self.one(random.fork(caller)));
        futures_util::future::join_all(all).await;
        self.calls.into_inner()
    }

    async fn one(&self, mut random: Random) {
        // Unanswered: asked again, under the same key.
        let mut again: Option<(What, String, String)> = None;
        while !self.over.get() {
            let answered = match (random.below(20), &again) {
                (_, Some((what, key, body))) => self.ask(*what, key.clone(), body.clone()).await,
                (0, _) => self.acknowledge(&mut random).await,
                (1, _) => self.page().await,
                (chance, _) => {
                    let key = format!("key {}", self.count());
                    let (what, body) = match self.alerts {
                        Some(_) if chance < 6 => (What::Alert, alert(&key, &mut random)),
                        _ => (What::Send, message(&key, &mut random)),
                    };
                    let answered = self.ask(what, key.clone(), body.clone()).await;
                    again = Some((what, key, body));
                    answered
                }
            };
            if answered || random.one_in(3) {
                again = None;
            }
            tokio::time::sleep(if answered { random.millis(60) } else { Duration::from_millis(20) }).await;
        }
    }

    fn count(&self) -> u64 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    async fn ask(&self, what: What, key: String, body: String) -> bool {
        let answer = match self.alerts {
            Some(address) if what == What::Alert => {
                let answer = door_post(address, "/api/v2/alerts", "", &body).await;
                answer.map(|(status, text)| (status, Value::String(text)))
            }
            _ => self.door.try_request("POST", "/api/v1/notifications", &body).await,
        };
        self.note(key, what, answer)
    }

    async fn page(&self) -> bool {
        let key = format!("incident {}", self.count());
        let body = json!({ "subject": key, "level": "urgent", "fingerprint": key }).to_string();
        let answer = self.door.try_request("POST", "/api/v1/incidents", &body).await;
        let number = answer.as_ref().and_then(|(_, incident)| incident["number"].as_u64());
        self.numbers.borrow_mut().extend(number);
        self.note(key, What::Page, answer)
    }

    async fn acknowledge(&self, random: &mut Random) -> bool {
        let number = {
            let mut numbers = self.numbers.borrow_mut();
            let count = numbers.len();
            if count == 0 {
                return true;
            }
            numbers.swap_remove(random.below(count as u64) as usize)
        };
        let path = format!("/api/v1/incidents/{number}/acknowledge");
        let answer = self.door.try_request("POST", &path, "{}").await;
        self.note(number.to_string(), What::Ack, answer)
    }

    /// Whether there was an answer.
    fn note(&self, key: String, what: What, answer: Option<(u16, Value)>) -> bool {
        let answered = answer.is_some();
        self.calls.borrow_mut().push(Call { key, what, answer });
        answered
    }
}

fn message(key: &str, random: &mut Random) -> String {
    let level = ["low", "normal", "high"][random.below(3) as usize];
    // Now and then one that is too long for its event.
    let body = if random.below(4) == 0 { "words ".repeat(4_000) } else { String::new() };
    json!({ "subject": key, "level": level, "idempotency_key": key, "body": body }).to_string()
}

/// As Prometheus reports one, for a while: its labels are its key.
fn alert(key: &str, random: &mut Random) -> String {
    let severity = ["info", "warning", "critical"][random.below(3) as usize];
    let labels = json!({ "alertname": "DiskFull", "instance": key, "severity": severity });
    let ends = "2999-01-01T00:00:00Z";
    json!([{ "labels": labels, "annotations": { "summary": key }, "endsAt": ends }]).to_string()
}
