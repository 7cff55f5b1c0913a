//! It is what serde_json writes, to the byte.

use super::{append, text};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

fn same<T: Serialize + ?Sized>(value: &T) {
    assert_eq!(text(value, 1).unwrap(), serde_json::to_string(value).unwrap());
}

#[derive(Serialize)]
struct Unit;
#[derive(Serialize)]
struct Newtype(u8);
#[derive(Serialize)]
struct Pair(i64, Option<&'static str>);
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Word {
    OneWord,
}
#[derive(Serialize)]
enum Kinds {
    Unit,
    Newtype(Box<Kinds>),
    Tuple(u8, Unit),
    Struct { a: Newtype, b: Option<Pair> },
}
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged {
    Bare,
    Fields { a: f64 },
    Inner(Flat),
}
#[derive(Serialize)]
struct Flat {
    #[serde(flatten)]
    more: BTreeMap<String, u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<u8>,
    last: char,
}

#[test]
fn all_that_serde_knows_is_the_same() {
    let pair = || Some(Pair(i64::MIN, None));
    same(&(Unit, Newtype(7), pair(), (), [0_u8; 0], "a".to_owned(), 'ü', true));
    same(&[Kinds::Unit, Kinds::Newtype(Box::new(Kinds::Tuple(1, Unit))), Kinds::Struct { a: Newtype(0), b: pair() }]);
    let more = BTreeMap::from([("x\"".to_owned(), 1), ("y".to_owned(), 2)]);
    same(&[Tagged::Bare, Tagged::Fields { a: 0.1 }, Tagged::Inner(Flat { more, gone: None, last: '\n' })]);
    same(&(u64::MAX, i128::MIN, u128::MAX, -1_i8, 1.0_f32, f64::MIN_POSITIVE, 1e300, f64::NAN, -0.0));
    same(&BTreeMap::from([(1_u16, 'a')]));
    same(&(BTreeMap::from([(true, ())]), BTreeMap::from([(Word::OneWord, ())]), BTreeMap::from([('"', ())])));
}

#[test]
fn what_is_json_already_stands_as_it_is() {
    let raw: Box<RawValue> = serde_json::from_str(r#"{"a": [1.50, "\u00e4"]}"#).unwrap();
    same(&raw);
    same(&(1, Some(&raw), BTreeMap::from([("raw", &raw)])));
    same(&(super::Raw(raw.get()), [super::Raw("{}")]));
    assert_eq!(text(&super::Raw(raw.get()), 1).unwrap(), raw.get());
}

#[test]
fn a_key_that_is_no_text_is_refused() {
    for json in [text(&BTreeMap::from([((), 1)]), 1), text(&BTreeMap::from([(vec![1], 1)]), 1)] {
        assert!(json.unwrap_err().to_string().contains("key must be a string"));
    }
}

#[test]
fn what_is_there_stays() {
    let mut out = b"before ".to_vec();
    append(&mut out, &[1]).unwrap();
    assert_eq!(out, b"before [1]");
}

#[test]
fn every_character_is_escaped_alike_wherever_it_stands() {
    for byte in 0..=0x7f_u8 {
        for before in [0, 1, 15, 16, 17, 40] {
            same(&format!("{}{}{}", "ä".repeat(before), char::from(byte), "b".repeat(20)));
        }
        // Each length that is looked at in another way, and each place in it.
        for length in 1..18_usize {
            for at in 0..length {
                let mut text = ["!", "~", "\u{7f}"][at % 3].repeat(length);
                text.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
                same(&text);
            }
        }
        let shown = format!("a{}b", char::from(byte));
        let mut out = Vec::new();
        super::strings::displayed(&mut out, &shown).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&shown).unwrap());
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_the_same(value in value()) {
        prop_assert_eq!(text(&value, 1).unwrap(), value.to_string());
    }
}
