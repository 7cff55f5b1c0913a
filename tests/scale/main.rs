//! The ledger when it is large: what an append, a start, a question and an event on the disk cost.
//!
//! Nothing here asserts on the clock; what is asserted (bytes, memory, events read, processor time as a ratio) noise
//! does not touch. `make test` runs these with some ten thousand events, `make torture` with a million.
// It measures: the one kind of test that reads the machine's own clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::disallowed_methods)]

mod crowd;
mod filled;

use filled::{Filled, files, resident, size, thread_time, until};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use stentor::domain::time::Timestamp;
use stentor::ledger::history::{EntryQuery, History};

/// What a ledger begins with that is small.
const SMALL: u64 = 1_000;
/// Events in a million that a start may have to fold: so many are written before a snapshot is.
const FOLDED: u64 = 40_000;

#[test]
fn f22_a_large_ledger_is_quick_small_and_bounded() {
    alone("f22_a_large_ledger_is_quick_small_and_bounded", || large(40_000));
}

#[test]
#[ignore = "minutes: make torture"]
fn torture_f22_a_million_events() {
    alone("torture_f22_a_million_events", || large(1_000_000));
}

/// What is measured is the process's own memory and time: each test has a process, which begins with nothing,
/// and one at a time.
fn alone(test: &str, measure: impl FnOnce()) {
    static ONE: Mutex<()> = Mutex::new(());
    if std::env::var_os("STENTOR_SCALE_ALONE").is_some() {
        return measure();
    }
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args([test, "--exact", "--include-ignored", "--nocapture"]).env("STENTOR_SCALE_ALONE", "1");
    let ran = again.output().unwrap();
    let said = [String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr)].concat();
    assert!(said.contains("1 passed"), "{said}");
    eprint!("{said}");
}

fn large(events: u64) {
    let (young, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut small, mut filled) = (Filled::open(young.path()), Filled::open(home.path()));
    for each in [&mut small, &mut filled] {
        each.fill(SMALL);
        each.settle();
    }
    let (memory, counted) = (resident(), filled.events());
    while filled.events() < events {
        filled.fill((filled.events() + 10_000).min(events));
        // The history may trail, but in this test it is not what is measured.
        until("the history has caught up", || filled.ledger.history().applied_seq() + 5_000 > filled.events());
    }
    filled.settle();
    // Between two looks at the files: what one of them takes for a moment is no growth.
    let rest = (0..20).map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        resident()
    });
    let grown = rest.min().unwrap().saturating_sub(memory);
    let (early, late) = cost_of_an_append(&mut small, &mut filled);
    let ratio = late.as_secs_f64() / early.as_secs_f64();
    eprintln!("{counted} events, then {}: {grown} KiB more", filled.events());
    eprintln!("an append with up to {} events {early:?}, here {late:?}: {ratio:.2}", small.events());
    assert!(ratio < 1.25, "an append costs what it did: {early:?}, then {late:?}");
    assert!(grown < 64 << 10, "{grown} KiB more memory");

    after_a_kill(home.path(), filled.events(), 0);
    filled.settle();
    disk(home.path(), &filled);
    questions(&filled);
    all_of_it(&filled);
}

/// Processor time of the thread that decides and appends, for an event of a small ledger and of a large one. In short
/// turns, so that what else the machine does falls on both; of each the least, as that can only disturb.
fn cost_of_an_append(small: &mut Filled, large: &mut Filled) -> (Duration, Duration) {
    let turn = |filled: &mut Filled| {
        let (began, before) = (thread_time(), filled.events());
        filled.fill(before + 200);
        (thread_time() - began) / u32::try_from(filled.events() - before).unwrap()
    };
    let turns: Vec<_> = (0..40).map(|_| (turn(small), turn(large))).collect();
    (turns.iter().map(|t| t.0).min().unwrap(), turns.iter().map(|t| t.1).min().unwrap())
}

/// The files as they are at this moment, elsewhere.
fn after_a_kill(dir: &Path, events: u64, open: u64) {
    let copy = tempfile::tempdir().unwrap();
    let mut from = files(dir);
    // The journal last: what was durable when the copy began is in it.
    from.sort_by_key(|path| path.starts_with(dir.join("journal")));
    for path in from {
        let to = copy.path().join(path.strip_prefix(dir).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        // Some are replaced meanwhile.
        let _ = std::fs::copy(path, to);
    }
    let again = Filled::open(copy.path());
    eprintln!("open after {:?}, {} events folded", again.opened_in, again.recovery.events);
    assert!(again.recovery.tip.seq >= events && again.recovery.faults.is_empty(), "{:?}", again.recovery);
    let from = again.recovery.snapshot.map_or(0, |tip| tip.seq);
    assert_eq!(from + again.recovery.events, again.recovery.tip.seq, "what came after the snapshot, and no more");
    assert!(again.recovery.events < FOLDED, "{} events were folded", again.recovery.events);
    assert_eq!(again.engine.state.open_alerts() as u64, open);
}

/// Against the events as JSON. What is not sealed yet is not packed.
fn disk(dir: &Path, filled: &Filled) {
    let plain =
        files(&dir.join("journal")).into_iter().filter(|f| std::fs::read(f).is_ok_and(|b| b.get(10) == Some(&0)));
    let plain: u64 = plain.map(|f| std::fs::metadata(f).unwrap().len()).sum();
    let journal = size(&dir.join("journal")) - plain.min(size(&dir.join("journal")));
    let history = size(&dir.join("history"));
    let ratio = (journal + history) as f64 / filled.json as f64;
    eprintln!("{} bytes of JSON; sealed {journal}, history {history}: {ratio:.2}", filled.json);
    assert!(ratio < 2.5, "{ratio}");
}

fn questions(filled: &Filled) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let history = filled.ledger.history();
    let ask = |what: &str, query: EntryQuery| {
        let began = Instant::now();
        let page = runtime.block_on(history.entries(query)).unwrap();
        eprintln!("{what}: {} entries in {:?}", page.entries.len(), began.elapsed());
        page
    };
    for (id, seq) in
        [filled.incidents[1], filled.incidents[filled.incidents.len() / 2], *filled.incidents.last().unwrap()]
    {
        let page = ask("by incident", EntryQuery { incident: Some(id), newest_first: false, ..EntryQuery::default() });
        assert_eq!(page.entries.first().unwrap().seq, seq);
        assert_eq!(page.entries.last().unwrap().kind, "delivery_ended");
    }
    let kinds = vec!["incident_resolved".to_owned()];
    assert_eq!(ask("by kind", EntryQuery { kinds, ..EntryQuery::default() }).entries.len(), 100);
    let middle = Timestamp(filled::BEGIN + (filled.engine.state.last_at.0 - filled::BEGIN) / 2);
    let (since, until) = (Some(middle), None);
    let page = ask("by time", EntryQuery { since, until, newest_first: false, ..EntryQuery::default() });
    assert!(page.entries.len() == 100 && page.entries[0].at >= middle);
    let began = Instant::now();
    let stats = runtime.block_on(history.stats(Timestamp(0), filled.engine.state.last_at)).unwrap();
    eprintln!("statistics of all times in {:?}", began.elapsed());
    assert!(stats.by_channel["hook"]["delivered"].n > 0);
    pages(history, filled.events(), &runtime);
}

/// All of it page by page, and memory does not follow.
fn pages(history: &History, events: u64, runtime: &tokio::runtime::Runtime) {
    let (mut cursor, mut seen, memory) = (None, 0, resident());
    loop {
        let query = EntryQuery { newest_first: false, limit: 1_000, cursor, ..EntryQuery::default() };
        let page = runtime.block_on(history.entries(query)).unwrap();
        seen += page.entries.len() as u64;
        cursor = page.next_cursor;
        if cursor.is_none() || seen > 100_000 {
            break;
        }
    }
    assert!(seen == events || seen > 100_000, "{seen} of {events}");
    assert!(resident() < memory + (48 << 10), "{} KiB before, {} after", memory, resident());
}

/// Verified and exported as a stream: memory does not follow either.
fn all_of_it(filled: &Filled) {
    use stentor::ledger::export::{Export, Format};
    let memory = resident();
    let verified = filled.ledger.verify(&[]).unwrap();
    assert!(verified.ok && verified.events == filled.events(), "{:?}", verified.faults);
    assert_eq!(verified.history_events, Some(filled.events()));
    let what = Export { format: Format::Jsonl, zone: jiff::tz::TimeZone::UTC, since: None, until: None, through: None };
    let done = filled.ledger.export(&what, &mut std::io::sink()).unwrap();
    assert_eq!(done.events, filled.events());
    assert!(resident() < memory + (48 << 10), "{} KiB before, {} after", memory, resident());
}
