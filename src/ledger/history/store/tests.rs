#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::codec::RawFrame;
use crate::ledger::extract::{Count, Document, Extract, Group};
use crate::ledger::testing::*;

/// Groups of one frame each, after `tip`.
fn groups(tip: Tip, counts: &[u64]) -> Vec<Group> {
    chain(tip, &[counts])
        .into_iter()
        .map(|bytes| {
            let raw = RawFrame::read(&bytes).unwrap();
            Group { first: raw.seq, tip: raw.tip(), extracts: Vec::new(), bytes: bytes.clone(), blobs: Vec::new() }
        })
        .collect()
}

fn seqs(store: &Store, from: u64, newest_first: bool) -> Vec<u64> {
    let mut out = Vec::new();
    for entry in store.metas(from, newest_first) {
        let (first, meta) = entry.unwrap();
        let bytes = store.block(first, &meta).unwrap();
        out.extend(block::frames(&bytes).map(|f| f.seq));
    }
    out
}

#[test]
fn frames_come_back_in_order_whatever_the_groups() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let mut expected = Vec::new();
    for round in 0..260u64 {
        let counts: Vec<u64> = (0..1 + round % 7).map(|n| 1 + n % 3).collect();
        let groups = groups(store.applied(), &counts);
        expected.extend(groups.iter().map(|g| g.first));
        store.apply(&groups).unwrap();
        if round % 90 == 40 {
            store.close();
            store = Store::open(dir.path()).unwrap();
        }
    }
    assert_eq!(seqs(&store, 0, false), expected);
    assert_eq!(store.applied().seq, store.metas(u64::MAX, true).next().unwrap().unwrap().1.last);
    let blocks: Vec<(u64, Meta)> = store.metas(0, false).map(|m| m.unwrap()).collect();
    assert!(blocks.len() < 120, "small blocks are merged: {}", blocks.len());
    assert!(blocks[0].1.is_full());
    assert!(blocks.windows(2).all(|w| w[0].1.last + 1 == w[1].0), "no gap, no overlap");
}

#[test]
fn blocks_are_found_from_either_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    for _ in 0..5 {
        let groups = groups(store.applied(), &[2, 2]);
        store.apply(&groups).unwrap();
    }
    // Blocks begin at 1, 5, 9, 13, 17.
    let firsts = |seq, newest| store.metas(seq, newest).map(|m| m.unwrap().0).collect::<Vec<_>>();
    assert_eq!(firsts(9, false), [9, 13, 17]);
    assert_eq!(firsts(12, false), [9, 13, 17]);
    assert_eq!(firsts(0, false), [1, 5, 9, 13, 17]);
    assert_eq!(firsts(8, true), [5, 1]);
    assert_eq!(firsts(u64::MAX, true), [17, 13, 9, 5, 1]);
}

#[test]
fn large_groups_make_full_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let groups = groups(Tip::default(), &[30; 200]);
    store.apply(&groups).unwrap();
    let blocks: Vec<(u64, Meta)> = store.metas(0, false).map(|m| m.unwrap()).collect();
    assert!(blocks.len() > 5);
    assert!(blocks[..blocks.len() - 1].iter().all(|(_, m)| m.is_full()));
    assert_eq!(seqs(&store, 0, false).len(), 200);
}

fn count(hour: i64, channel: &str, status: &str, n: i64, took: Option<i64>) -> Count {
    Count {
        at: Timestamp(Span::hours(hour).0 + 5),
        channel: channel.into(),
        status: status.into(),
        n,
        took: took.map(Span::secs),
        cost: Some(crate::ledger::extract::Cost { currency: "USD".into(), millionths: 7_500 }),
    }
}

#[test]
fn documents_and_counters_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let mut groups = groups(Tip::default(), &[1]);
    let document = Document {
        kind: DocumentKind::Incident,
        id: Ulid(77),
        number: Some(417),
        parts: vec![Ulid(78)],
        json: r#"{"number":417}"#.to_owned().into(),
    };
    let counts = vec![
        count(3, "sms", "delivered", 1, Some(4)),
        count(3, "sms", "sent", 1, None),
        count(4, "sms", "delivered", 2, Some(2)),
        count(4, "sms", "sent", -1, None),
    ];
    groups[0].extracts.push((1, Extract { documents: vec![document], counts, charges: Vec::new() }));
    store.apply(&groups).unwrap();
    store.close();

    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.document(DocumentKind::Incident, Ulid(77)).unwrap().unwrap(), r#"{"number":417}"#);
    assert_eq!(store.document(DocumentKind::Notification, Ulid(77)).unwrap(), None);
    assert_eq!(store.incident_numbered(417).unwrap(), Some(Ulid(77)));
    assert_eq!(store.incident_numbered(418).unwrap(), None);
    assert_eq!(store.owner_of(Ulid(78)).unwrap(), Some(Ulid(77)));
    let third = &store.tallies(3..=3).unwrap()["sms"];
    assert_eq!((third["delivered"].n, third["delivered"].took, third["sent"].n), (1, Span::secs(4), 1));
    let both = &store.tallies(0..=100).unwrap()["sms"];
    assert_eq!((both["delivered"].n, both["delivered"].took, both["delivered"].timed), (3, Span::secs(6), 2));
    assert_eq!((both["sent"].n, both["sent"].cost["USD"]), (0, 0));
    assert!(store.tallies(5..=100).unwrap().is_empty());
}

#[test]
fn documents_that_came_together_are_each_read_and_the_latest_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let document = |id: u128, json: String| Document {
        kind: DocumentKind::Notification,
        id: Ulid(id),
        number: None,
        parts: vec![Ulid(id + 1_000)],
        json: json.into(),
    };
    let text =
        |id: u128, round: u64| format!(r#"{{"id":{id},"round":{round},"body":"{}"}}"#, "long ".repeat(id as usize));
    // Several bundles, then some of them again, then one alone.
    let rounds = [(1, 1..200), (2, 150..160), (3, 7..8)];
    for (round, ids) in rounds.clone() {
        let mut groups = groups(store.applied(), &[1]);
        let documents = ids.map(|id| document(id, text(id, round))).collect();
        groups[0].extracts.push((round, Extract { documents, counts: Vec::new(), charges: Vec::new() }));
        store.apply(&groups).unwrap();
    }
    store.close();

    let store = Store::open(dir.path()).unwrap();
    for id in 1..200 {
        let (round, _) = rounds.iter().rev().find(|(_, ids)| ids.contains(&id)).unwrap();
        let found = store.document(DocumentKind::Notification, Ulid(id)).unwrap().unwrap();
        assert_eq!(found, text(id, *round));
        assert_eq!(store.owner_of(Ulid(id + 1_000)).unwrap(), Some(Ulid(id)));
    }
    assert_eq!(store.document_ids(DocumentKind::Notification, Ulid(u128::MAX)).count(), 199);
}

#[test]
fn rubbish_is_damage_and_a_second_opener_has_to_wait() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let second = Store::open(dir.path()).unwrap_err();
    assert!(matches!(second, StoreError::Unavailable(_)), "{second}");
    store.close();
    std::fs::write(dir.path().join("db"), vec![0xa5; 300_000]).unwrap();
    std::fs::write(dir.path().join("conf"), b"nonsense, nonsense").unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
}

#[test]
fn a_panic_is_damage() {
    let result: Result<(), StoreError> = guarded(|| panic!("assertion of {}", "sled"));
    assert_eq!(result, Err(StoreError::Damaged("it panicked: assertion of sled".into())));
}
