//! Keeping up with the journal, and being made again from it.

use super::*;
use crate::ledger::journal::segment;
use crate::ledger::report::Report;
use crate::ledger::snapshot;
use std::sync::atomic::{AtomicU64, Ordering};

async fn assert_whole(history: &History, ledger: &Ledger) {
    let all = everything(history, EntryQuery { newest_first: false, limit: 1000, ..EntryQuery::default() }).await;
    assert_eq!(numbers(&all), (1..=ledger.tip.seq).collect::<Vec<_>>());
    assert_eq!(all.last().unwrap().hash, ledger.tip.hash);
    let stats = history.stats(at(0), at(ledger.tip.seq)).await.unwrap();
    assert_eq!(stats.by_channel["sms"]["sent"].n as u64, ledger.tip.seq / 7);
}

#[tokio::test]
async fn it_follows_what_becomes_durable() {
    let mut ledger = Ledger::new();
    let history = ledger.start(Vec::new());
    for _ in 0..30 {
        ledger.write(3).into_iter().for_each(|group| history.feed(group));
        assert_eq!(history.entries(EntryQuery::default()).await.unwrap().entries[0].seq, ledger.tip.seq);
    }
    applied(&history, ledger.tip.seq);
    assert_whole(&history, &ledger).await;
    history.stop();
    assert_eq!(history.entries(EntryQuery::default()).await, Err(HistoryError::Stopped));
    assert_eq!(ledger.ear.heard(), [], "nothing was wrong");
}

#[tokio::test]
async fn what_it_missed_it_reads_from_the_journal() {
    let mut ledger = Ledger::new();
    ledger.write(40);
    let history = ledger.start(Vec::new());
    applied(&history, 280);
    history.stop();
    ledger.write(40);
    // A start that knows what belongs to the last frames only.
    let tail = ledger.write(5);
    let history = ledger.start(tail);
    applied(&history, ledger.tip.seq);
    assert_whole(&history, &ledger).await;
    history.stop();
    assert_eq!(damaged_dirs(ledger.state.path()), 0);
}

#[tokio::test]
async fn nothing_is_left_out_of_an_answer_where_groups_were_dropped() {
    let mut ledger = Ledger::new();
    let history = ledger.start(Vec::new());
    for _ in 0..5 {
        ledger.write(3).into_iter().for_each(|group| history.feed(group));
        // More waited than may.
        ledger.write(4);
        ledger.write(1).into_iter().for_each(|group| history.feed(group));
        assert_whole(&history, &ledger).await;
    }
    history.stop();
    assert_eq!(ledger.ear.heard(), [], "nothing was wrong");
}

#[tokio::test]
async fn groups_that_it_has_already_change_nothing() {
    let mut ledger = Ledger::new();
    let groups = ledger.write(10);
    let history = ledger.start(groups.clone());
    groups.iter().for_each(|group| history.feed(group.clone()));
    applied(&history, 70);
    history.stop();
    // As one group, of which the first half is in the store already.
    ledger.write(10);
    let bytes = crate::ledger::journal::repair::frames_of(&segment::path(&ledger.path("journal"), 1, 0), u64::MAX);
    let mut folding = Folding::default();
    let extracts = store::block::frames(&bytes).map(|f| (f.last_seq(), folding.extract(&f.decode()))).collect();
    let history = ledger.start(vec![Group { bytes, first: 1, tip: ledger.tip, extracts, blobs: Vec::new() }]);
    applied(&history, 140);
    assert_whole(&history, &ledger).await;
    history.stop();
}

#[tokio::test]
async fn f17_rubbish_in_its_place_is_set_aside_and_made_again() {
    let mut ledger = Ledger::new();
    ledger.write(50);
    let history = ledger.start(Vec::new());
    applied(&history, 350);
    history.stop();
    for file in ["db", "conf"] {
        std::fs::write(ledger.path("history").join(file), vec![0x5a; 100_000]).unwrap();
    }
    let history = ledger.start(Vec::new());
    applied(&history, 350);
    assert_whole(&history, &ledger).await;
    history.stop();
    assert_eq!(damaged_dirs(ledger.state.path()), 1);
    let told: Vec<bool> = ledger.ear.heard().iter().map(|r| matches!(r, Report::History { well: true, .. })).collect();
    assert_eq!(told, [false, true]);
}

#[tokio::test]
async fn f17_a_directory_that_is_gone_is_made_again() {
    let mut ledger = Ledger::new();
    ledger.write(20);
    let history = ledger.start(Vec::new());
    applied(&history, 140);
    history.stop();
    std::fs::remove_dir_all(ledger.path("history")).unwrap();
    let history = ledger.start(Vec::new());
    applied(&history, 140);
    assert_whole(&history, &ledger).await;
    history.stop();
}

#[tokio::test]
async fn a_history_of_another_journal_is_not_used() {
    let mut other = Ledger::new();
    other.write(20);
    let history = other.start(Vec::new());
    applied(&history, 140);
    history.stop();
    // Ahead of a shorter journal; then as long, but with another past.
    for stories in [10, 20, 30] {
        let mut ledger = Ledger::new();
        ledger.tip.hash.0[0] = 1;
        ledger.write(stories);
        let journal = ledger.path("journal");
        let first = segment::path(&journal, 1, 0);
        let mut bytes = std::fs::read(&first).unwrap();
        let mut after = Tip::default();
        after.hash.0[0] = 1;
        let header = segment::Header { after, created: at(0), packed: None }.encode();
        bytes[..segment::HEADER].copy_from_slice(&header);
        std::fs::write(&first, bytes).unwrap();
        copy_dir(&other.path("history"), &ledger.path("history"));
        let history = ledger.start(Vec::new());
        applied(&history, ledger.tip.seq);
        assert_whole(&history, &ledger).await;
        history.stop();
        assert_eq!(damaged_dirs(ledger.state.path()), 1, "{stories}");
    }
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn while_it_is_made_again_it_says_so() {
    let mut ledger = Ledger::new();
    ledger.write(30);
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let start = Start {
        dir: ledger.path("history"),
        journal: ledger.path("journal"),
        snapshots: ledger.path("snapshots"),
        clock: Arc::new(SystemClock),
        extractor: Arc::new(move |_| {
            gate.lock().unwrap().recv().unwrap();
            Ok(Box::new(Folding::default()))
        }),
        report: ledger.ear.reporter(),
    };
    let history = History::start(start, ledger.tip, Vec::new()).unwrap();
    until("rebuilding", || matches!(history.phase(), Phase::Rebuilding { .. }));
    let answer = history.entries(EntryQuery::default()).await;
    assert_eq!(answer, Err(HistoryError::Rebuilding { applied: 0, of: 210 }));
    // What becomes durable meanwhile is not lost.
    ledger.write(3).into_iter().for_each(|group| history.feed(group));
    release.send(()).unwrap();
    applied(&history, ledger.tip.seq);
    assert_whole(&history, &ledger).await;
    history.stop();
}

#[tokio::test]
async fn a_fold_begins_at_a_snapshot_that_is_old_enough() {
    let mut ledger = Ledger::new();
    ledger.write(10);
    let history = ledger.start(Vec::new());
    applied(&history, 70);
    history.stop();
    std::fs::create_dir(ledger.path("snapshots")).unwrap();
    snapshot::save(&ledger.path("snapshots"), ledger.tip, b"at 70").unwrap();
    ledger.write(10);
    snapshot::save(&ledger.path("snapshots"), ledger.tip, b"at 140").unwrap();
    ledger.write(1);
    let begun = Arc::new(AtomicU64::new(0));
    let seen = begun.clone();
    let start = Start {
        dir: ledger.path("history"),
        journal: ledger.path("journal"),
        snapshots: ledger.path("snapshots"),
        clock: Arc::new(SystemClock),
        extractor: Arc::new(move |snapshot| {
            seen.store(snapshot.map_or(0, |s| s.tip.seq), Ordering::SeqCst);
            Ok(Box::new(Folding::default()))
        }),
        report: ledger.ear.reporter(),
    };
    let history = History::start(start, ledger.tip, Vec::new()).unwrap();
    applied(&history, ledger.tip.seq);
    history.stop();
    assert_eq!(begun.load(Ordering::SeqCst), 70);
}

/// One flipped or cut place at a time: nothing panics out, and the answer is the model's.
#[tokio::test]
async fn f17_whatever_happens_to_its_files_the_answer_is_the_same() {
    harm(seeds(150)).await;
}

#[tokio::test]
#[ignore = "a minute: make torture"]
async fn torture_f17_whatever_happens_to_its_files_the_answer_is_the_same() {
    harm(seeds(1_000)).await;
}

async fn harm(seeds: std::ops::Range<u64>) {
    let mut ledger = Ledger::new();
    ledger.write(60);
    let history = ledger.start(Vec::new());
    applied(&history, 420);
    history.stop();
    let good = tempfile::tempdir().unwrap();
    copy_dir(&ledger.path("history"), &good.path().join("history"));
    for seed in seeds {
        std::fs::remove_dir_all(ledger.path("history")).unwrap();
        copy_dir(&good.path().join("history"), &ledger.path("history"));
        let random = blake3::hash(&seed.to_le_bytes());
        let number = u64::from_le_bytes(*random.as_bytes().first_chunk().unwrap());
        // Mostly the large file, sometimes one of the others.
        let files: Vec<_> = std::fs::read_dir(ledger.path("history")).unwrap().map(|e| e.unwrap().path()).collect();
        let small = files.iter().filter(|f| f.is_file() && !f.ends_with("db")).nth(number as usize >> 8 & 1);
        let db = small.filter(|_| seed % 4 == 3).cloned().unwrap_or(ledger.path("history").join("db"));
        let mut bytes = std::fs::read(&db).unwrap();
        let used = bytes.iter().rposition(|b| *b != 0).unwrap_or(0) + 1;
        let place = number as usize % used;
        if seed % 3 == 0 {
            bytes.truncate(place)
        } else {
            bytes[place] ^= 1 << (number >> 60 & 7)
        }
        std::fs::write(&db, bytes).unwrap();
        let history = ledger.start(Vec::new());
        applied(&history, 420);
        // A block that turns out to be damaged when it is read makes this answer fail, and the next one whole.
        let query = EntryQuery { newest_first: false, limit: 1000, ..EntryQuery::default() };
        if history.entries(query.clone()).await.is_err() {
            applied(&history, 420);
        }
        let all = everything(&history, query).await;
        assert_eq!(numbers(&all), (1..=420).collect::<Vec<_>>(), "seed {seed}, place {place}");
        history.stop();
    }
}

#[tokio::test]
async fn a_thread_that_dies_says_so() {
    struct Broken;
    impl Clock for Broken {
        fn read(&self) -> crate::domain::clock::Reading {
            panic!("no time")
        }
    }
    let ledger = Ledger::new();
    let start = Start {
        dir: ledger.path("history"),
        journal: ledger.path("journal"),
        snapshots: ledger.path("snapshots"),
        clock: Arc::new(Broken),
        extractor: crate::ledger::extract::events_only(),
        report: ledger.ear.reporter(),
    };
    let history = History::start(start, ledger.tip, Vec::new()).unwrap();
    ledger.ear.wait(|r| matches!(r, Report::History { well: false, words } if words.contains("panicked")));
    let answer = history.document(DocumentKind::Incident, Ulid(1)).await;
    assert!(matches!(answer, Err(HistoryError::Unavailable(words)) if words.contains("panicked")));
    history.stop();
}
