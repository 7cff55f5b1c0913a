//! Texts go by their kind when they are old enough.

use super::*;

#[test]
fn texts_go_by_kind_when_they_are_old_enough() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), with_open(&[]));
    run.fill();
    run.settle();
    run.ledger.retain(Retention { sms: Some(Span::millis(1)), ..Retention::default() });
    std::thread::sleep(Duration::from_millis(5));
    // It says that the last look was in 1970.
    let looked = dir.path().join("looked");
    std::fs::write(&looked, r#"{"believed":1,"doubted":null}"#).unwrap();
    run.ledger.look_after_files();
    let doubts = || std::fs::read_to_string(&looked).is_ok_and(|text| text.starts_with(r#"{"believed":1,"doubted":1"#));
    assert!((0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        doubts()
    }));
    assert!(!run.ear.heard().iter().any(|r| matches!(r, Report::Erased(_))));
    std::fs::write(&looked, r#"{"believed":1,"doubted":1}"#).unwrap();
    run.ledger.look_after_files();
    let Report::Erased(erased) = run.ear.wait(|r| matches!(r, Report::Erased(_))) else { unreachable!() };
    assert_eq!(erased.because, "retention: sms 1ms");
    let sealed = segment::list(&dir.path().join("journal")).unwrap().pop().unwrap().after_seq();
    let (frames, _) = walked(&dir.path().join("journal"), journal::walk::Walk::default());
    for event in frames.iter().take_while(|f| f.seq <= sealed).flat_map(|f| &f.events) {
        let erased = event.payload.as_ref().is_some_and(|p| p.erased);
        match &event.head {
            EventKind::DeliveryCreated { chain, .. } => assert_eq!(erased, chain == &["sms"], "{event:?}"),
            EventKind::AttemptStarted { channel, .. } => assert_eq!(erased, channel == "sms", "{event:?}"),
            // What also went as a mail is kept as long as that.
            _ => {}
        }
    }
    let said = journal(dir.path());
    assert!(said.contains(ALICE) && said.contains("secret 9,"));
    run.record(&erased);
    // The next day nothing is left to do.
    run.ledger.look_after_files();
    run.settle();
    assert!(run.ledger.verify(&[]).unwrap().ok);
    run.stop();
    let times = |r: &Report| matches!(r, Report::Erased(_));
    let run = start_with(dir.path(), with_open(&[]));
    assert!(!run.ear.heard().iter().any(times));
    run.stop();
}

/// One kind was due long before the other.
#[test]
fn a_text_that_went_by_two_ways_goes_when_the_later_one_is_due() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), with_open(&[]));
    run.fill();
    run.settle();
    let both = Retention { sms: Some(Span::millis(1)), mail: Some(Span::millis(1)), ..Retention::default() };
    for (kind, retention) in [("sms", Retention { mail: None, ..both }), ("mail", both)] {
        std::thread::sleep(Duration::from_millis(5));
        run.ledger.retain(retention);
        run.ledger.look_after_files();
        run.ear.wait(|r| matches!(r, Report::Erased(erased) if erased.because.contains(kind)));
        run.ledger.recorded().unwrap();
    }
    let sealed = segment::list(&dir.path().join("journal")).unwrap().pop().unwrap().after_seq();
    let (frames, _) = walked(&dir.path().join("journal"), journal::walk::Walk::default());
    let old = frames.iter().take_while(|f| f.seq <= sealed).flat_map(|f| &f.events);
    let texts = old.filter_map(|event| event.payload.as_ref());
    assert_eq!((texts.clone().count() > 10, texts.filter(|p| !p.erased).count()), (true, 0));
    run.stop();
}

/// What is open keeps its texts; when it has ended they go like all others.
#[test]
fn what_was_open_at_the_first_look_is_looked_at_again() {
    let dir = tempfile::tempdir().unwrap();
    let first = DeliveryId(Ulid(101));
    let sms = Retention { sms: Some(Span::millis(1)), ..Retention::default() };
    let erased = |dir: &Path| {
        let (frames, _) = walked(&dir.join("journal"), journal::walk::Walk::default());
        let texts = frames[0].events.iter().filter_map(|event| event.payload.as_ref());
        texts.filter(|payload| payload.erased).count()
    };
    for (open, expected) in [(vec![first], 0), (vec![], 3)] {
        let mut run = start_with(dir.path(), with_open(&open));
        run.send(&[("bob", BOB, "sms")]);
        run.fill();
        run.settle();
        std::thread::sleep(Duration::from_millis(5));
        run.ledger.retain(sms);
        run.ledger.look_after_files();
        run.ear.wait(|r| matches!(r, Report::Erased(_)));
        run.ledger.recorded().unwrap();
        assert!((expected..=expected + 1).contains(&erased(dir.path())), "{open:?}: {}", erased(dir.path()));
        run.stop();
    }
}

/// The disk spoiled a segment that nobody reads otherwise.
#[test]
fn texts_that_cannot_be_read_to_be_removed_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = start_with(dir.path(), Options { without_history: true, ..with_open(&[]) });
    run.fill();
    let first = segment::list(&dir.path().join("journal")).unwrap().remove(0).path;
    let mut bytes = std::fs::read(&first).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&first, bytes).unwrap();
    run.ledger.retain(Retention { sms: Some(Span::millis(1)), ..Retention::default() });
    std::thread::sleep(Duration::from_millis(5));
    run.ledger.look_after_files();
    let told = run.ear.wait(|r| matches!(r, Report::Files { words } if words.contains("kept for now")));
    let Report::Files { words } = told else { unreachable!() };
    assert!(words.contains("journal/00000000000000000001"), "{words}");
    run.stop();
}
