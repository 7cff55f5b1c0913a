//! Texts and whole segments go, from everywhere, and the chain holds; a kill at any step is made up for.

use super::copying::receive;
use super::upkeep::{killed, options, plain, until};
use super::*;
use crate::domain::event::{Event, EventKind, Payload};
use crate::domain::id::DeliveryId;
use crate::domain::time::Span;
use crate::ledger::fold::Fold;
use crate::ledger::history::Entry;
use crate::ledger::journal::segment;
use crate::ledger::retention::{Person, Retention};
use crate::ledger::verify::offline;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use ulid::Ulid;

mod lost;
mod retaining;

const ALICE: &str = "alice@example.org";
const OLD: &str = "alice@old.example";
const BOB: &str = "+15550101";

/// A message with its deliveries, and an attempt for each: (who, address, medium).
fn message(seq: u64, to: &[(&str, &str, &str)]) -> Frame {
    let head = |value: serde_json::Value| serde_json::from_value::<EventKind>(value).unwrap();
    let id = |n: u64| Ulid(u128::from(seq * 100 + n)).to_string();
    let says =
        |words: String| Payload { subject: words.clone(), body: format!("{words}, at length"), ..Payload::default() };
    let mut events: Vec<Event> = vec![
        head(json!({"kind": "notification_accepted", "id": id(0), "origin": "one_shot", "level": "normal",
            "type": "message", "labels": {}, "expires": 0}))
        .with(says(format!("secret {seq}"))),
    ];
    for (n, (who, address, medium)) in (1..).zip(to) {
        let created = head(json!({"kind": "delivery_created", "id": id(n), "notification": id(0), "chain": [medium],
            "medium": medium, "who": who, "status": "ready"}));
        events.push(created.with(Payload { address: Some((*address).to_owned()), ..Payload::default() }));
        let started =
            head(json!({"kind": "attempt_started", "delivery": id(n), "n": 1, "channel": medium, "medium": medium}));
        events.push(started.with(says(format!("text {seq} for {who}"))));
        let simulated = head(json!({"kind": "attempt_finished", "delivery": id(n), "n": 1, "channel": medium,
            "medium": medium, "outcome": "simulated", "detail": ""}));
        events.push(simulated.with(says(format!("simulated {seq} for {who}"))));
    }
    Frame { seq, at: at(seq), by: "tester".into(), recorded_late: false, events }
}

/// Everything is open that it was told of.
struct Open(BTreeSet<Ulid>);

impl Fold for Open {
    fn fold(&mut self, _: &Frame) {}
    fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"a state")
    }
    fn is_open(&self, id: Ulid) -> bool {
        self.0.contains(&id)
    }
    fn erase(&mut self, _: &[Ulid]) {}
    fn forget_texts(&mut self) {}
}

fn with_open(open: &[DeliveryId]) -> Options {
    let open: BTreeSet<Ulid> = open.iter().map(|id| id.0).collect();
    Options { fold: Arc::new(move |_| Ok(Box::new(Open(open.clone())) as Box<dyn Fold>)), ..options() }
}

impl Run {
    fn send(&mut self, to: &[(&str, &str, &str)]) -> u64 {
        let frame = message(self.next, to);
        let seq = self.next;
        self.next += frame.events.len() as u64;
        self.ledger.append(frame.into(), &SEED, Extract::default()).unwrap();
        self.ear.wait_durable(self.next - 1);
        seq
    }

    /// As the daemon does when it hears that texts were removed.
    fn record(&mut self, erased: &Erased) {
        let (from, to) = (erased.from_seq, erased.to_seq);
        let head = json!({"kind": "erased", "from_seq": from, "to_seq": to, "because": erased.because});
        let events = vec![serde_json::from_value::<EventKind>(head).unwrap().bare()];
        let frame = Frame { seq: self.next, at: at(self.next), by: "tester".into(), recorded_late: false, events };
        self.ledger.append(frame.into(), &SEED, Extract::default()).unwrap();
        self.ear.wait_durable(self.next);
        self.next += 1;
        self.ledger.recorded().unwrap();
    }

    /// Some of each, to alice alone, to bob alone, and to both.
    fn fill(&mut self) {
        for _ in 0..8 {
            self.send(&[("alice", ALICE, "mail")]);
            self.send(&[("bob", BOB, "sms")]);
            self.send(&[("alice", ALICE, "mail"), ("bob", BOB, "sms")]);
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let query = EntryQuery { newest_first: false, limit: 1000, ..EntryQuery::default() };
        runtime.block_on(self.ledger.history().entries(query)).unwrap().entries
    }
}

/// All that the journal says, as JSON.
fn journal(dir: &Path) -> String {
    let (frames, found) = walked(&dir.join("journal"), journal::walk::Walk::default());
    assert_eq!(found.faults, vec![]);
    frames.iter().flat_map(|f| &f.events).map(|e| serde_json::to_string(&e.payload).unwrap()).collect()
}

fn alice() -> Person {
    Person::new(Some("alice".into()), [])
}

#[test]
fn a_persons_texts_go_from_everywhere_and_the_chain_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), with_open(&[]));
    run.send(&[("alice", OLD, "mail")]);
    run.fill();
    let unnamed = run.send(&[("", OLD, "mail")]);
    run.settle();
    let head = run.ledger.durable();
    let erased = run.ledger.erase(&mut alice(), "asked for".into()).unwrap().unwrap();
    assert_eq!((erased.from_seq, erased.to_seq), (1, unnamed + 3), "an address of former times is known");
    let said = journal(dir.path());
    assert!(!said.contains("alice") && !said.contains(OLD), "{said}");
    assert!(said.contains(BOB) && said.contains("secret 9,"), "what bob got is his, too");
    assert!(!said.contains("secret 1\""), "what only alice got is hers");
    let entries = run.entries();
    assert_eq!(entries.len() as u64, head.seq, "what happened is still there");
    let shown: String = entries.iter().map(|e| format!("{:?}", e.to_json(&jiff::tz::TimeZone::UTC))).collect();
    assert!(!shown.contains("alice@") && shown.contains(BOB) && shown.contains("\"erased\": Bool(true)"));
    let verified = run.ledger.verify(&[head]).unwrap();
    assert!(verified.ok && verified.history_events == Some(head.seq), "{:?}", verified.faults);
    assert_eq!(run.ledger.erase(&mut alice(), "again".into()).unwrap_err(), "another erasure is not finished yet");
    // A copy of this moment goes on with it.
    let (home, mut stream) = (tempfile::tempdir().unwrap(), Vec::new());
    let copy = home.path().join("copy");
    run.ledger.backup(&mut stream).unwrap();
    receive(&stream, &copy, usize::MAX).unwrap();
    assert!(offline(&copy, &[head]).unwrap().ok);
    let again = start_with(&copy, with_open(&[]));
    again.ear.wait(|r| matches!(r, Report::Erased(erased) if erased.because == "asked for"));
    again.stop();
    // As if somebody had replaced the files by such without the texts.
    run.ledger.recorded().unwrap();
    let verified = run.ledger.verify(&[head]).unwrap();
    let found: Vec<_> = verified.faults.iter().map(|f| (f.kind, f.seq)).collect();
    assert_eq!(found, [(FaultKind::UnrecordedErasure, Some(1))], "{:?}", verified.faults);
    run.record(&erased);
    assert!(run.ledger.verify(&[head]).unwrap().ok);
    assert_eq!(run.ledger.erase(&mut alice(), "again".into()).unwrap(), None, "nothing is left");
    run.send(&[("bob", BOB, "sms")]);
    run.stop();
    assert!(offline(dir.path(), &[head]).unwrap().ok);
    assert!(!dir.path().join("history.new").exists() && !dir.path().join("erasing").exists());
}

#[test]
fn what_is_still_needed_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), with_open(&[DeliveryId(Ulid(101))]));
    run.send(&[("alice", ALICE, "mail")]);
    run.send(&[("alice", ALICE, "mail")]);
    let mut person = alice();
    let erased = run.ledger.erase(&mut person, "asked for".into()).unwrap().unwrap();
    assert_eq!((erased.from_seq, person.left), (5, 1));
    assert!(journal(dir.path()).contains(ALICE));
    run.stop();
}

#[test]
fn f02_a_kill_at_any_step_of_it_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), with_open(&[]));
    run.fill();
    run.settle();
    run.ledger.look_after_files();
    until("all is packed", || plain(dir.path()) <= 1);
    let before = killed(dir.path());
    let head = run.ledger.durable();
    run.ledger.erase(&mut alice(), "asked for".into()).unwrap().unwrap();
    let plan = std::fs::read(dir.path().join("erasing")).unwrap();
    let after = killed(dir.path());
    // Written down and nothing done yet; half of the segments done; all done and not recorded.
    let segments = segment::list(&before.path().join("journal")).unwrap();
    for done in [0, segments.len() / 2, segments.len()] {
        let left = killed(before.path());
        std::fs::write(left.path().join("erasing"), &plan).unwrap();
        std::fs::write(left.path().join("erasing.new"), "half").unwrap();
        for segment in &segments[..done] {
            let name = segment.path.file_name().unwrap();
            std::fs::copy(after.path().join("journal").join(name), left.path().join("journal").join(name)).unwrap();
        }
        if done == segments.len() {
            // And in the middle of the exchange of the history.
            std::fs::rename(left.path().join("history"), left.path().join("history.new")).unwrap();
        }
        let mut again = start_with(left.path(), with_open(&[]));
        again.next = run.next;
        let Report::Erased(erased) = again.ear.wait(|r| matches!(r, Report::Erased(_))) else { unreachable!() };
        assert_eq!((erased.from_seq, erased.because.as_str()), (1, "asked for"));
        again.settle();
        assert!(!journal(left.path()).contains("alice"), "{done} segments were done");
        assert!(left.path().join("erasing").exists(), "until it is recorded");
        again.record(&erased);
        let shown: String =
            again.entries().iter().map(|e| format!("{:?}", e.to_json(&jiff::tz::TimeZone::UTC))).collect();
        assert!(!shown.contains("alice@"), "{done} segments were done");
        again.stop();
        let verified = offline(left.path(), &[head]).unwrap();
        assert!(verified.ok, "{:?}", verified.faults);
    }
    run.stop();
}

#[test]
fn copies_that_repairs_set_aside_go_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), with_open(&[]));
    run.fill();
    let damaged = dir.path().join("journal").join("00000000000000000001-0.journal.damaged");
    std::fs::write(&damaged, ALICE).unwrap();
    std::fs::create_dir(dir.path().join("history.damaged-1")).unwrap();
    run.ledger.erase(&mut alice(), "asked for".into()).unwrap().unwrap();
    assert!(!damaged.exists() && !dir.path().join("history.damaged-1").exists());
    run.stop();
}

#[test]
fn an_erasure_that_failed_on_the_way_is_gone_on_with_at_the_next_look() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), with_open(&[]));
    run.fill();
    let in_the_way = dir.path().join("history.new");
    std::fs::write(&in_the_way, "no directory").unwrap();
    run.ledger.erase(&mut alice(), "asked for".into()).unwrap_err();
    assert_eq!(run.ledger.erase(&mut alice(), "again".into()).unwrap_err(), "another erasure is not finished yet");
    std::fs::remove_file(&in_the_way).unwrap();
    run.ledger.look_after_files();
    run.ear.wait(|r| matches!(r, Report::Erased(erased) if erased.because == "asked for"));
    run.ledger.recorded().unwrap();
    assert!(!journal(dir.path()).contains(ALICE));
    assert_eq!(run.ledger.erase(&mut alice(), "again".into()), Ok(None), "nothing is left");
    run.stop();
}

#[test]
fn whole_segments_go_and_the_state_after_them_is_the_base() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(60);
    run.settle();
    run.ledger.retain(Retention { audit: Some(Span::millis(1)), ..Retention::default() });
    std::thread::sleep(Duration::from_millis(5));
    run.ledger.look_after_files();
    let forgotten = run.ear.wait(|r| matches!(r, Report::Forgotten { .. }));
    let Report::Forgotten { to_seq, because } = forgotten else { unreachable!() };
    assert_eq!((run.ledger.forgotten(), because.as_str()), (Some(to_seq), "retention: audit 1ms"));
    run.ledger.retain(Retention::default());
    let segments = segment::list(&dir.path().join("journal")).unwrap();
    assert_eq!((segments.len(), segments[0].after_seq()), (1, to_seq));
    let base = snapshot::load_base(&dir.path().join("snapshots"), &mut Vec::new()).unwrap().unwrap();
    assert_eq!(base.body(), upkeep::names(to_seq).as_bytes());
    run.append(3);
    run.settle();
    assert_eq!(run.entries().first().unwrap().seq, to_seq + 1);
    let verified = run.ledger.verify(&[]).unwrap();
    assert!(verified.ok && verified.events == 126 - to_seq, "{:?}", verified.faults);
    run.stop();
    // All that begins at the beginning begins there.
    assert!(offline(dir.path(), &[]).unwrap().ok);
    rebuild::offline(dir.path(), extract::events_only()).unwrap();
    assert!(offline(dir.path(), &[]).unwrap().ok);
    for (_, path) in snapshot::list(&dir.path().join("snapshots")).unwrap() {
        std::fs::remove_file(path).unwrap();
    }
    std::fs::remove_dir_all(dir.path().join("history")).unwrap();
    let run = start_with(dir.path(), options());
    assert_eq!((run.replayed.first().unwrap().seq, run.recovery.faults.len()), (to_seq + 1, 0));
    run.settle();
    run.stop();
    // Without the base the loss shows.
    std::fs::remove_file(snapshot::base(&dir.path().join("snapshots")).unwrap().unwrap().1).unwrap();
    let verified = offline(dir.path(), &[]).unwrap();
    assert_eq!(verified.faults.iter().map(|f| (f.kind, f.seq)).collect::<Vec<_>>(), [(FaultKind::Gap, Some(1))]);
}

#[test]
fn f02_a_kill_between_the_base_and_the_removal_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(60);
    run.settle();
    let before = killed(dir.path());
    run.ledger.retain(Retention { audit: Some(Span::millis(1)), ..Retention::default() });
    std::thread::sleep(Duration::from_millis(5));
    run.ledger.look_after_files();
    run.ear.wait(|r| matches!(r, Report::Forgotten { .. }));
    run.stop();
    let base = snapshot::base(&dir.path().join("snapshots")).unwrap().unwrap().1;
    std::fs::copy(&base, before.path().join("snapshots").join(base.file_name().unwrap())).unwrap();
    let again = start_with(before.path(), options());
    again.settle();
    let verified = again.ledger.verify(&[]).unwrap();
    assert!(verified.ok && verified.events == 120, "{:?}", verified.faults);
    again.ledger.retain(Retention { audit: Some(Span::millis(1)), ..Retention::default() });
    again.ledger.look_after_files();
    again.ear.wait(|r| matches!(r, Report::Forgotten { .. }));
    assert_eq!(segment::list(&before.path().join("journal")).unwrap().len(), 1);
    again.stop();
    assert!(offline(before.path(), &[]).unwrap().ok);
}

#[test]
fn f02_a_kill_while_segments_are_removed_is_gone_on_with_before_anything_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(60);
    run.settle();
    let whole = killed(dir.path());
    run.ledger.retain(Retention { audit: Some(Span::millis(1)), ..Retention::default() });
    std::thread::sleep(Duration::from_millis(5));
    run.ledger.look_after_files();
    run.ear.wait(|r| matches!(r, Report::Forgotten { .. }));
    let to_seq = run.ledger.forgotten().unwrap();
    run.stop();
    // All segments are gone, and the history has everything still.
    let half = killed(dir.path());
    std::fs::remove_dir_all(half.path().join("history")).unwrap();
    std::fs::rename(whole.path().join("history"), half.path().join("history")).unwrap();
    std::fs::write(half.path().join("forgetting"), to_seq.to_string()).unwrap();
    let again = start_with(half.path(), options());
    again.ear.wait(|r| matches!(r, Report::Forgotten { .. }));
    assert_eq!((again.ledger.forgotten(), again.entries().first().unwrap().seq), (Some(to_seq), to_seq + 1));
    again.stop();
    assert!(!half.path().join("forgetting").exists() && offline(half.path(), &[]).unwrap().ok);
}

#[test]
fn a_state_that_may_have_what_was_erased_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), Options { handed: true, ..with_open(&[]) });
    run.fill();
    run.settle();
    run.ledger.erase(&mut alice(), "asked for".into()).unwrap().unwrap();
    let hers = |ledger: &Ledger| ledger.keep(Box::new(|out| out.write_all(ALICE.as_bytes())));
    hers(&run.ledger);
    std::thread::sleep(std::time::Duration::from_millis(50));
    hers(&run.ledger);
    run.ledger.recorded().unwrap();
    run.send(&[("bob", BOB, "sms")]);
    let tip = run.ledger.durable();
    run.ledger.keep(Box::new(|out| out.write_all(b"without")));
    upkeep::until("the next one is written", || upkeep::newest(dir.path()).is_some_and(|s| s.tip == tip));
    for (_, path) in snapshot::list(&dir.path().join("snapshots")).unwrap() {
        assert_ne!(snapshot::load(&path).unwrap().unwrap().body(), ALICE.as_bytes());
    }
    run.stop();
}

/// What is behind it could not be read: the header is written anew first.
#[test]
fn a_damaged_header_hides_no_text_from_an_erasure() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), with_open(&[]));
    run.fill();
    run.settle();
    // It leaves a snapshot, from which the state is folded then.
    let erased = run.ledger.erase(&mut Person::new(Some("bob".into()), []), "before".into()).unwrap().unwrap();
    run.record(&erased);
    let first = segment::list(&dir.path().join("journal")).unwrap().remove(0).path;
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[..segment::HEADER].fill(0);
    std::fs::write(&first, bytes).unwrap();
    let erased = run.ledger.erase(&mut alice(), "asked for".into()).unwrap().unwrap();
    run.record(&erased);
    assert!(!journal(dir.path()).contains("alice"));
    assert!(run.ledger.verify(&[]).unwrap().ok);
    run.stop();
}
