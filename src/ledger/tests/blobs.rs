//! What is too long for an event: kept before it, gone with it, missed when it is missing.

use super::upkeep::{killed, options, plain, until};
use super::*;
use crate::domain::event::{Blob, EventKind, Payload, Place};
use crate::domain::id::NotificationId;
use crate::domain::time::Span;
use crate::ledger::blobs::{self, Kept};
use crate::ledger::journal::Sealed;
use crate::ledger::restore::Receiving;
use crate::ledger::retention::{Person, Retention};
use crate::ledger::verify::offline;
use serde_json::json;
use ulid::Ulid;

fn kept(dir: &Path) -> Vec<Kept> {
    blobs::list(&dir.join("blobs")).unwrap()
}

impl Run {
    /// A message to alice whose body is this long; its place.
    fn long(&mut self, bytes: usize) -> Place {
        let seq = self.next;
        let blob = Blob::new(seq, format!("{seq} ").repeat(bytes).into_bytes()[..bytes].to_vec());
        let place = Place { seq: 0, bytes: bytes as u64, blob: Some(blob.hash.clone()) };
        let head = |value| serde_json::from_value::<EventKind>(value).unwrap();
        let id = NotificationId(Ulid(u128::from(seq)));
        let accepted = head(json!({"kind": "notification_accepted", "id": id, "origin": "one_shot", "level": "normal",
            "type": "message", "labels": {}, "expires": 0}));
        let created =
            head(json!({"kind": "delivery_created", "id": Ulid(u128::from(seq) + 1).to_string(), "notification": id,
            "chain": ["mail"], "medium": "mail", "who": "alice", "status": "ready"}));
        let says = Payload { subject: "secret".into(), body: "its beginning".into(), ..Payload::default() };
        let to = Payload { address: Some("alice@example.org".into()), ..Payload::default() };
        let events = vec![accepted.with(Payload { more: Some(place.clone()), ..says }), created.with(to)];
        let frame = Frame { seq, at: at(seq), by: "tester".into(), recorded_late: false, events };
        self.ledger.keep_blobs(vec![blob]);
        self.next += frame.events.len() as u64;
        self.ledger.append(frame.into(), &SEED, Extract::default()).unwrap();
        self.ear.wait_durable(self.next - 1);
        place.from(seq)
    }

    /// Every text of `frame` can be read, wherever it is.
    fn check_texts(&self) {
        for seq in (3..self.next).step_by(3) {
            let place = Place { seq, bytes: 0, blob: None };
            assert_eq!(self.ledger.text(&place).unwrap(), format!("body of event {seq}"));
        }
    }
}

#[test]
fn a_text_is_read_from_the_segment_that_is_written_from_a_plain_and_from_a_packed_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(60);
    run.check_texts();
    run.ledger.look_after_files();
    until("all is packed", || plain(dir.path()) <= 1);
    run.check_texts();
    let gone = |seq| run.ledger.text(&Place { seq, bytes: 0, blob: None }).unwrap_err();
    assert!(gone(500).ends_with("is damaged, or ends before it"), "{}", gone(500));
    assert_eq!(gone(1), "it was erased", "it has none");
    for segment in journal::segment::list(&dir.path().join("journal")).unwrap() {
        let bytes = std::fs::read(&segment.path).unwrap();
        std::fs::write(&segment.path, [&bytes[..140], &[0x55; 40], &bytes[180..]].concat()).unwrap();
    }
    assert!(gone(3).starts_with("journal/00000000000000000001-0.journal is damaged"), "{}", gone(3));
    run.stop();
}

#[test]
fn a_text_is_found_in_each_chunk_of_a_large_packed_segment() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start(dir.path());
    let body = |seq: u64| format!("{seq} ").repeat(6_000);
    for _ in 0..150 {
        let head = EventKind::HeartbeatPinged { name: "x".into(), ok: true };
        let says = Payload { body: body(run.next), ..Payload::default() };
        let events = vec![head.clone().with(says), head.bare()];
        let frame = Frame { seq: run.next, at: at(run.next), by: "tester".into(), recorded_late: false, events };
        run.ledger.append(frame.into(), &SEED, Extract::default()).unwrap();
        run.next += 2;
    }
    run.ear.wait_durable(run.next - 1);
    run.stop();
    let segment = only_segment(dir.path());
    let header = journal::segment::list(&dir.path().join("journal")).unwrap().remove(0);
    let sealed = Sealed { segment: header, limit: 300 };
    sealed.pack().unwrap();
    assert!(std::fs::metadata(&segment).unwrap().len() < 1 << 20);
    let places = crate::ledger::places::Places::of(dir.path());
    for seq in (1..300).step_by(2) {
        let text = texts::read(&places, &Place { seq, bytes: 0, blob: None }).unwrap();
        assert!(text == body(seq), "{seq}");
    }
}

#[test]
fn what_belongs_to_no_event_goes_at_the_next_start_and_damage_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    let place = run.long(20_000);
    let other = run.long(30_000);
    assert_eq!(run.ledger.text(&other).unwrap().len(), 30_000);
    assert!(run.ledger.verify(&[]).unwrap().ok);
    // Killed between a blob and its frame, and in the middle of a blob.
    let stray = Blob::new(run.next, b"stray".to_vec());
    blobs::keep(&dir.path().join("blobs"), &[stray]).unwrap();
    let left = killed(dir.path());
    std::fs::write(left.path().join("blobs/half.new"), "half").unwrap();
    assert_eq!(kept(left.path()).len(), 3);
    assert!(offline(left.path(), &[]).unwrap().ok, "what is not durable yet is no fault");
    let again = start_with(left.path(), options());
    assert_eq!(kept(left.path()).iter().map(|k| k.seq).collect::<Vec<_>>(), [1, 3]);
    assert!(!left.path().join("blobs/half.new").exists());
    assert_eq!(again.ledger.text(&place).unwrap(), run.ledger.text(&place).unwrap());
    flip(&kept(left.path())[0].path, 7);
    std::fs::remove_file(&kept(left.path())[1].path).unwrap();
    blobs::keep(&left.path().join("blobs"), &[Blob::new(2, b"beside".to_vec())]).unwrap();
    let verified = again.ledger.verify(&[]).unwrap();
    let found: Vec<_> = verified.faults.iter().map(|f| (f.kind, f.seq)).collect();
    assert_eq!(found, [1, 3, 2].map(|seq| (FaultKind::DamagedBlob, Some(seq))));
    let words: String = verified.faults.iter().map(|f| format!("{f}\n")).collect();
    assert!(words.contains("is damaged") && words.contains("No such file") && words.contains("to no event"), "{words}");
    assert!(again.ledger.text(&place).unwrap_err().contains("is damaged"));
    again.stop();
    run.stop();
}

#[test]
fn they_go_with_what_is_erased_and_with_whole_segments() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.long(20_000);
    run.append(3);
    assert_eq!(kept(dir.path()).len(), 1);
    run.ledger.erase(&mut Person::new(Some("alice".into()), []), "asked for".into()).unwrap().unwrap();
    assert_eq!(kept(dir.path()), []);
    assert!(run.ledger.verify(&[]).unwrap().ok);
    run.ledger.recorded().unwrap();
    run.long(20_000);
    run.append(60);
    run.settle();
    assert_eq!(kept(dir.path()).len(), 1);
    run.ledger.retain(Retention { audit: Some(Span::millis(1)), ..Retention::default() });
    std::thread::sleep(Duration::from_millis(5));
    run.ledger.look_after_files();
    run.ear.wait(|r| matches!(r, Report::Forgotten { .. }));
    assert_eq!(kept(dir.path()), []);
    assert!(run.ledger.verify(&[]).unwrap().ok);
    run.stop();
}

#[test]
fn a_backup_has_them_and_a_restored_one_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    let place = run.long(20_000);
    run.append(5);
    let mut stream = Vec::new();
    run.ledger.backup(&mut stream).unwrap();
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("copy");
    let mut receiving = Receiving::into(&copy).unwrap();
    stream.chunks(777).for_each(|piece| receiving.take(piece).unwrap());
    receiving.finish().unwrap();
    assert!(offline(&copy, &[]).unwrap().ok);
    let again = start_with(&copy, options());
    assert_eq!(again.ledger.text(&place).unwrap(), run.ledger.text(&place).unwrap());
    again.stop();
    run.stop();
    // What is exported is whole, or says why not.
    let what = export::Export {
        format: export::Format::Jsonl,
        zone: jiff::tz::TimeZone::UTC,
        since: None,
        until: None,
        through: None,
    };
    let exported = || {
        let mut out = Vec::new();
        export::export(&copy, &what, &mut out).unwrap();
        serde_json::from_slice::<serde_json::Value>(out.split(|b| *b == b'\n').next().unwrap()).unwrap()
    };
    let whole = exported();
    assert_eq!((whole["body"].as_str().unwrap().len(), whole.get("more")), (20_000, None));
    std::fs::remove_file(&kept(&copy)[0].path).unwrap();
    let without = exported();
    assert_eq!(without["body"], "its beginning");
    assert!(without["missing"].as_str().unwrap().contains("No such file"), "{without}");
}

#[test]
fn a_disk_that_takes_no_blob_takes_no_event_until_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), options());
    run.append(1);
    // A file where the directory should be.
    std::fs::write(dir.path().join("blobs"), "in the way").unwrap();
    let next = run.next;
    let ear = run.ear.clone();
    std::thread::scope(|scope| {
        let dir = dir.path();
        scope.spawn(move || {
            ear.wait(|r| matches!(r, Report::Trouble { .. }));
            assert!(!ear.heard().iter().any(|r| matches!(r, Report::Durable(tip) if tip.seq >= next)));
            std::fs::remove_file(dir.join("blobs")).unwrap();
        });
        let place = run.long(20_000);
        assert_eq!(run.ledger.text(&place).unwrap().len(), 20_000);
    });
    run.ear.wait(|r| matches!(r, Report::Well));
    run.stop();
}
