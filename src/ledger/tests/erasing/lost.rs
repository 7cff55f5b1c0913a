//! The history is made anew without the texts, from a journal that may have lost what only the history has.

use super::*;

#[test]
fn f16_an_erasure_takes_nothing_that_the_journal_has_lost() {
    for whole in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut run = start_with(dir.path(), with_open(&[]));
        run.fill();
        run.settle();
        let events = run.ledger.durable().seq;
        let lost = segment::list(&dir.path().join("journal")).unwrap().remove(1).path;
        match whole {
            true => std::fs::remove_file(&lost).unwrap(),
            false => std::fs::write(&lost, [0; 100]).unwrap(),
        }
        let erased = run.ledger.erase(&mut alice(), "asked for".into()).unwrap().unwrap();
        run.record(&erased);
        let verified = run.ledger.verify(&[]).unwrap();
        assert!(verified.ok, "{:?}", verified.faults);
        assert!(run.entries().len() as u64 >= events, "{} of {events}", run.entries().len());
        assert!(!journal(dir.path()).contains("alice"));
        run.stop();
    }
}
