//! What must hold of a ledger, whatever the daemon went through: by the callers' own record, the
//! receiver's, and the export.

use super::callers::{Call, What};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An exported ledger, oldest entry first.
pub struct Record {
    entries: Vec<Value>,
}

/// What happened, for the test that wants to know whether it tested something.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub accepted: usize,
    pub unanswered: usize,
    pub deliveries: usize,
    /// Attempts whose answer was lost in a crash.
    pub lost: usize,
    /// Arrivals beyond the first of each delivery.
    pub twice: usize,
    pub acknowledged: usize,
}

impl Record {
    pub fn of_export(jsonl: &str) -> Record {
        let entries = jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let record = Record { entries };
        for (place, entry) in record.entries.iter().enumerate() {
            assert_eq!(entry["seq"], place as u64 + 1, "no gap and no repetition: {entry}");
        }
        record
    }

    pub fn of(&self, kind: &str) -> Vec<&Value> {
        self.entries.iter().filter(|e| e["kind"] == kind).collect()
    }

    /// All of it. `arrivals` is how often each delivery came to a receiver that always answers well.
    pub fn check(&self, calls: &[Call], arrivals: &BTreeMap<String, usize>) -> Summary {
        let (accepted, unanswered) = self.check_promises(calls);
        let deliveries = self.check_ends();
        self.check_lost();
        let (lost, twice) = self.check_arrivals(arrivals);
        let acknowledged = self.check_acknowledgements(calls);
        self.check_steps();
        Summary { accepted, unanswered, deliveries, lost, twice, acknowledged }
    }

    /// What was promised is there exactly once; what was refused is not there; what was not answered
    /// is there once or not at all.
    fn check_promises(&self, calls: &[Call]) -> (usize, usize) {
        let mut by_key: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for entry in self.of("notification_accepted") {
            let key = entry["idempotency"]["key"].as_str();
            key.into_iter().for_each(|key| by_key.entry(key).or_default().push(entry));
        }
        let mut by_subject: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for entry in self.of("incident_opened") {
            by_subject.entry(text(entry, "subject")).or_default().push(entry);
        }
        let mut promised: BTreeSet<&str> = BTreeSet::new();
        let mut refused: BTreeSet<&str> = BTreeSet::new();
        let mut unknown: BTreeSet<&str> = BTreeSet::new();
        for call in calls.iter().filter(|call| call.what != What::Ack) {
            let found = match call.what {
                What::Send => by_key.get(call.key.as_str()),
                _ => by_subject.get(call.key.as_str()),
            };
            let found = found.map_or(&[][..], Vec::as_slice);
            assert!(found.len() <= 1, "{call:?} is in the ledger more than once: {found:?}");
            match (&call.answer, call.accepted()) {
                (_, Some(answer)) => {
                    assert_eq!(found.len(), 1, "promised, and not in the ledger: {call:?}");
                    // The answer to an alert is empty.
                    assert!(call.what == What::Alert || found[0]["id"] == answer["id"], "another one: {call:?}");
                    promised.insert(&call.key);
                }
                (Some((503 | 429, _)), None) => drop(refused.insert(&call.key)),
                (Some(other), None) => panic!("an answer that nobody expects: {} {other:?}", call.key),
                (None, None) => drop(unknown.insert(&call.key)),
            }
        }
        for key in refused.iter().filter(|key| !promised.contains(*key) && !unknown.contains(*key)) {
            let there = by_key.contains_key(key) || by_subject.contains_key(key);
            assert!(!there, "refused, and in the ledger all the same: {key}");
        }
        (promised.len(), unknown.difference(&promised).count())
    }

    /// Each delivery ends once, by being delivered, or superseded with a reason.
    fn check_ends(&self) -> usize {
        let mut ends: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for entry in self.of("delivery_ended") {
            ends.entry(text(entry, "id")).or_default().push(entry);
        }
        let created = self.of("delivery_created");
        for delivery in &created {
            let ended = ends.remove(text(delivery, "id")).unwrap_or_default();
            assert_eq!(ended.len(), 1, "{delivery} ended so often: {ended:?}");
            let status = text(ended[0], "status");
            let reason = ended[0]["reason"].as_str().unwrap_or_default();
            let good = status == "delivered"
                || (status == "superseded" && !reason.is_empty())
                || (status == "dead" && reason.contains("poison"));
            assert!(good, "it ended as nobody expects: {}", ended[0]);
        }
        assert!(ends.is_empty(), "ended, and never created: {ends:?}");
        created.len()
    }

    /// What counts as lost was under way when a life ended: a new one began before it was said.
    fn check_lost(&self) {
        let starts: Vec<u64> = self.of("started").iter().map(|start| seq(start)).collect();
        let begun: BTreeMap<_, _> =
            self.of("attempt_started").into_iter().map(|a| ((text(a, "delivery"), a["n"].as_u64()), seq(a))).collect();
        for end in self.of("attempt_finished").into_iter().filter(|end| end["outcome"] == "lost") {
            let begun = begun[&(text(end, "delivery"), end["n"].as_u64())];
            let between = starts.iter().any(|start| (begun..seq(end)).contains(start));
            assert!(between, "given up by the life that began it: {end}");
        }
    }

    /// Nothing comes twice but what was under way at a crash, and that is marked.
    fn check_arrivals(&self, arrivals: &BTreeMap<String, usize>) -> (usize, usize) {
        let mut attempts: BTreeMap<(&str, u64), Attempt<'_>> = BTreeMap::new();
        for start in self.of("attempt_started") {
            let id = (text(start, "delivery"), start["n"].as_u64().unwrap());
            assert!(attempts.insert(id, Attempt { start, outcome: None }).is_none(), "begun twice: {start}");
        }
        for end in self.of("attempt_finished") {
            let id = (text(end, "delivery"), end["n"].as_u64().unwrap());
            let attempt = attempts.get_mut(&id).unwrap_or_else(|| panic!("never begun: {end}"));
            let before = attempt.outcome.replace(text(end, "outcome"));
            assert!(before.is_none(), "ended twice: {end}");
        }
        let mut lost: BTreeMap<&str, usize> = BTreeMap::new();
        let mut begun: BTreeMap<&str, usize> = BTreeMap::new();
        let mut sent: BTreeSet<&str> = BTreeSet::new();
        for ((delivery, n), attempt) in &attempts {
            let marked = attempt.start["possibly_duplicate"] == true;
            assert_eq!(marked, lost.contains_key(delivery), "attempt {n} of {delivery}: {}", attempt.start);
            *begun.entry(*delivery).or_default() += 1;
            match attempt.outcome {
                Some("delivered") => drop(sent.insert(*delivery)),
                Some("lost") => *lost.entry(*delivery).or_default() += 1,
                other => panic!("attempt {n} of {delivery} ended as nobody expects: {other:?}"),
            }
        }
        for delivery in &sent {
            assert!(arrivals.contains_key(*delivery), "{delivery} is said to be delivered, and never came");
        }
        for (delivery, times) in arrivals {
            let may = usize::from(sent.contains(delivery.as_str())) + lost.get(delivery.as_str()).unwrap_or(&0);
            assert!(*times <= may, "{delivery} came {times} times, and the ledger allows {may}");
        }
        (lost.values().sum(), arrivals.values().map(|times| times - 1).sum())
    }

    /// Each acknowledgement that was answered is there, and no attempt of that incident begins after it.
    fn check_acknowledgements(&self, calls: &[Call]) -> usize {
        let mut quiet: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in self.of("incident_acknowledged") {
            quiet.entry(text(entry, "id")).or_insert(entry["seq"].as_u64().unwrap());
        }
        let opened = self.of("incident_opened");
        for call in calls.iter().filter(|call| call.what == What::Ack && call.accepted().is_some()) {
            let incident = opened.iter().find(|i| i["number"].as_u64() == call.key.parse().ok()).unwrap();
            assert!(quiet.contains_key(text(incident, "id")), "acknowledged, and not in the ledger: {call:?}");
        }
        let notices = self.of("notification_accepted").into_iter();
        let notices: BTreeSet<&str> =
            notices.filter(|n| n["origin"] == "acknowledged").map(|n| text(n, "id")).collect();
        let alarms: BTreeMap<&str, &str> = (self.of("delivery_created").into_iter())
            .filter(|d| d["incident"].is_string() && !notices.contains(text(d, "notification")))
            .map(|d| (text(d, "id"), text(d, "incident")))
            .collect();
        for start in self.of("attempt_started") {
            let incident = alarms.get(text(start, "delivery"));
            let Some(since) = incident.and_then(|incident| quiet.get(incident)) else { continue };
            assert!(start["seq"].as_u64().unwrap() < *since, "begun after event {since} acknowledged it: {start}");
        }
        quiet.len()
    }

    /// Each step fires once, and none before its time.
    fn check_steps(&self) {
        let opened: BTreeMap<&str, &Value> =
            self.of("incident_opened").into_iter().map(|i| (text(i, "id"), i)).collect();
        let mut fired = BTreeSet::new();
        for step in self.of("incident_stepped") {
            let id = text(step, "id");
            let place = (id, step["round"].as_u64().unwrap(), step["step"].as_u64().unwrap());
            assert!(fired.insert(place), "it fired twice: {step}");
            let after = at(step).duration_since(at(opened[id]));
            let due = jiff::SignedDuration::from_secs(place.2 as i64);
            assert!(after >= due || step["saved"] != 0, "{after} after the opening, {due} were said: {step}");
        }
    }
}

impl Record {
    /// Each step of the policy fires soon after it is due, or, where nobody ran then, after the next start. The bound
    /// is far beyond what a busy machine needs, and far below what forgets a step.
    pub fn check_lateness(&self) {
        let starts: Vec<jiff::Timestamp> = self.of("started").into_iter().map(at).collect();
        let opened: BTreeMap<&str, jiff::Timestamp> =
            self.of("incident_opened").into_iter().map(|i| (text(i, "id"), at(i))).collect();
        for step in self.of("incident_stepped") {
            let due = opened[text(step, "id")] + jiff::SignedDuration::from_secs(step["step"].as_i64().unwrap());
            let ran = starts.iter().rev().find(|start| **start <= at(step)).expect("somebody ran");
            let late = at(step).duration_since(due.max(*ran));
            assert!(late <= jiff::SignedDuration::from_secs(10), "{late} late: {step}");
        }
    }
}

struct Attempt<'a> {
    start: &'a Value,
    outcome: Option<&'a str>,
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or_else(|| panic!("no {field}: {entry}"))
}

fn seq(entry: &Value) -> u64 {
    entry["seq"].as_u64().unwrap_or_else(|| panic!("no seq: {entry}"))
}

fn at(entry: &Value) -> jiff::Timestamp {
    text(entry, "at").parse().unwrap()
}

/// It must be able to fail.
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DELIVERY: &str = "01M7V90VPG0000000000000003";

    fn good() -> Vec<Value> {
        let rows = [
            json!({"kind": "notification_accepted", "id": "n", "origin": "one_shot", "idempotency": {"key": "k"}}),
            json!({"kind": "delivery_created", "id": DELIVERY, "notification": "n"}),
            json!({"kind": "attempt_started", "delivery": DELIVERY, "n": 1}),
            json!({"kind": "started"}),
            json!({"kind": "attempt_finished", "delivery": DELIVERY, "n": 1, "outcome": "lost"}),
            json!({"kind": "attempt_started", "delivery": DELIVERY, "n": 2, "possibly_duplicate": true}),
            json!({"kind": "attempt_finished", "delivery": DELIVERY, "n": 2, "outcome": "delivered"}),
            json!({"kind": "delivery_ended", "id": DELIVERY, "status": "delivered"}),
        ];
        rows.into()
    }

    fn call(answer: Option<(u16, Value)>) -> Vec<Call> {
        vec![Call { key: "k".into(), what: What::Send, answer }]
    }

    /// Whether it finds something.
    fn objects(entries: Vec<Value>, calls: &[Call], arrivals: usize) -> bool {
        let arrivals = (arrivals > 0).then(|| (DELIVERY.to_owned(), arrivals)).into_iter().collect();
        let entries = entries.into_iter().zip(1..).map(|(mut entry, seq)| {
            entry["seq"] = json!(seq);
            entry
        });
        let record = Record { entries: entries.collect() };
        std::panic::catch_unwind(|| record.check(calls, &arrivals)).is_err()
    }

    #[test]
    fn the_checker_finds_a_step_that_comes_late() {
        let record = |at: &str| {
            let rows = [
                json!({"kind": "started", "at": "2026-11-20T10:00:00Z"}),
                json!({"kind": "incident_opened", "id": "i", "at": "2026-11-20T10:00:05Z"}),
                json!({"kind": "started", "at": "2026-11-20T10:01:00Z"}),
                json!({"kind": "incident_stepped", "id": "i", "step": 1, "at": at}),
            ];
            Record { entries: rows.into() }
        };
        record("2026-11-20T10:01:09Z").check_lateness();
        let late = record("2026-11-20T10:01:11Z");
        assert!(std::panic::catch_unwind(|| late.check_lateness()).is_err());
    }

    #[test]
    fn the_checker_finds_what_is_wrong() {
        let accepted = call(Some((202, json!({"id": "n"}))));
        let without = |place: usize| {
            let mut entries = good();
            entries.remove(place);
            entries
        };
        let doubled = |place: usize| {
            let mut entries = good();
            entries.push(entries[place].clone());
            entries
        };
        assert!(!objects(good(), &accepted, 1) && !objects(good(), &accepted, 2) && !objects(good(), &call(None), 2));
        assert!(!objects(Vec::new(), &call(None), 0));
        assert!(objects(Vec::new(), &accepted, 0), "promised, and lost");
        assert!(objects(good(), &call(Some((202, json!({"id": "other"})))), 1), "another one");
        assert!(objects(good(), &call(Some((503, json!({})))), 1), "refused, and there");
        assert!(objects(good(), &accepted, 0), "delivered, and never came");
        assert!(objects(good(), &accepted, 3), "more often than it was sent");
        for place in 2..8 {
            assert!(objects(without(place), &accepted, 1), "without {place}");
        }
        for place in [0, 2, 4, 7] {
            assert!(objects(doubled(place), &accepted, 1), "{place} twice");
        }
        let mut unmarked = good();
        unmarked[5]["possibly_duplicate"] = json!(false);
        assert!(objects(unmarked, &accepted, 1), "a duplicate that is not marked");
    }
}
