//! Identifiers: the same input gives the same ids, in order.

use crate::domain::id::{DeliveryId, Ending, IdSource, IncidentId};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn the_same_seed_gives_the_same_ids_and_another_gives_others() {
    let draw = |seed| {
        let mut ids = IdSource::new(1_700_000_000_000, [seed; 16]);
        (ids.ulid(), ids.uuid(), ids.fraction(), ids.bits())
    };
    assert_eq!(draw(7), draw(7));
    let (a, b) = (draw(7), draw(8));
    assert_ne!(a.0, b.0);
    assert_ne!(a.1, b.1);
}

#[test]
fn ulids_of_one_decision_rise_however_many_there_are() {
    let mut ids = IdSource::new(1_700_000_000_000, [3; 16]);
    let drawn: Vec<_> = (0..70_000)
        .map(|i| {
            if i % 3 == 0 {
                ids.fraction();
            }
            ids.ulid()
        })
        .collect();
    assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(drawn.iter().all(|id| id.timestamp_ms() == 1_700_000_000_000));
}

#[test]
fn silences_get_random_uuids_of_version_4() {
    let mut ids = IdSource::new(0, [0; 16]);
    let mut seen = BTreeSet::new();
    for _ in 0..500 {
        let id = ids.uuid();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert!(id.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
        assert_eq!(id.as_bytes()[14], b'4', "{id}");
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        assert!(seen.insert(id));
    }
}

#[test]
fn jitter_is_spread_over_the_whole_range() {
    let mut ids = IdSource::new(0, [9; 16]);
    let drawn: Vec<f64> = (0..4_000).map(|_| ids.fraction()).collect();
    assert!(drawn.iter().all(|f| (0.0..1.0).contains(f)));
    for tenth in 0..10 {
        let n = drawn.iter().filter(|f| (**f * 10.0) as usize == tenth).count();
        assert!((300..500).contains(&n), "{n} of 4000 in tenth {tenth}");
    }
}

#[test]
fn an_id_is_26_letters_and_reads_back() {
    let id = IncidentId(IdSource::new(1_700_000_000_000, [1; 16]).ulid());
    assert_eq!(id.to_string().len(), 26);
    assert_eq!(id.to_string().parse::<IncidentId>().unwrap(), id);
    assert_eq!(serde_json::from_str::<IncidentId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    assert!("not an id".parse::<DeliveryId>().is_err());
}

proptest! {
    #[test]
    fn no_two_decisions_share_an_id(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
        prop_assume!(a != b);
        prop_assert_ne!(IdSource::new(5, a).ulid(), IdSource::new(5, b).ulid());
    }
}

#[test]
fn an_ending_fits_what_ends_with_it_in_either_case() {
    let mut ids = IdSource::new(1_700_000_000_000, [3; 16]);
    let drawn: Vec<ulid::Ulid> = (0..50).map(|_| ids.ulid()).collect();
    for id in &drawn {
        let whole = id.to_string();
        for length in 4..=26 {
            let text = &whole[26 - length..];
            for text in [text.to_owned(), text.to_lowercase()] {
                let ending = Ending::parse(&text).unwrap();
                for other in &drawn {
                    let by_text = other.to_string().ends_with(&text.to_uppercase());
                    assert_eq!(ending.fits(*other), by_text, "{text} of {other}");
                }
            }
        }
    }
    for text in ["", "abc", "no-end", "ABCD EFGH", "ÄÄÄÄ", "01ARZ3NDEKTSV4RRFFQ69G5FAV0"] {
        assert!(Ending::parse(text).is_none(), "{text:?}");
    }
}
