//! Labels: name to value, in order of name, packed into one text.
//!
//! There may be a hundred thousand incidents open, with a handful of labels each. As a tree of strings
//! these would be twenty allocations; here they are one. Looking one up reads from the beginning, which is as
//! quick for a handful, and a change writes the text anew.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Name to value, each name once. In the text name and value alternate, each behind its length in bytes: as one
/// character, or from 128 on as U+0080, the number, and a colon.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Box<str>);

impl Labels {
    pub fn new() -> Labels {
        Labels::default()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.iter().count()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// In order of name.
    pub fn iter(&self) -> Iter<'_> {
        Iter(&self.0)
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(_, value)| value)
    }

    /// Gives the value that was there.
    pub fn insert(&mut self, name: String, value: String) -> Option<String> {
        let before = self.get(&name).map(str::to_owned);
        self.extend([(name, value)]);
        before
    }

    /// These, and a few more in order of name that stand over them.
    pub fn with<'a>(&'a self, more: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Labels {
        debug_assert!(more.clone().is_sorted_by_key(|(name, _)| name));
        let room = more.clone().map(|(name, value)| packed_len(name) + packed_len(value));
        let mut text = String::with_capacity(self.0.len() + room.sum::<usize>());
        let mut own = self.iter();
        for (name, value) in more {
            let mut after = own.clone();
            while let Some((before, _)) = after.next().filter(|(before, _)| *before <= name) {
                if before < name {
                    text.push_str(&own.0[..own.0.len() - after.0.len()]);
                }
                own = after.clone();
            }
            put(&mut text, name);
            put(&mut text, value);
        }
        text.push_str(own.0);
        Labels(text.into())
    }

    /// Where the name is not there yet.
    pub fn fill(&mut self, name: &str, value: &str) {
        if !self.contains_key(name) {
            self.extend([(name.to_owned(), value.to_owned())]);
        }
    }

    /// Gives the value that was there.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let before = self.get(name)?.to_owned();
        self.retain(|known, _| known != name);
        Some(before)
    }

    /// Keeps those of which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        let kept = self.iter().filter(|(name, value)| keep(name, value)).collect::<Vec<_>>();
        *self = Labels::packed(kept.into_iter());
    }

    /// Bytes of names and values, and of what keeps them apart.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Of pairs in any order, mostly in that of their names; of a name that comes twice the last value stands.
    pub fn of<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> Labels {
        let pairs = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        if pairs.clone().is_sorted_by(|(one, _), (next, _)| one < next) {
            return Labels::packed(pairs);
        }
        Labels::sorted(pairs.collect())
    }

    /// Of pairs in any order; of a name that comes twice the last value stands, as in any map.
    fn sorted(mut pairs: Vec<(&str, &str)>) -> Labels {
        // What comes in order, as most does, costs one look.
        pairs.sort_by_key(|(name, _)| *name);
        pairs.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1;
            }
            same
        });
        Labels::packed(pairs.into_iter())
    }

    /// Of pairs in order of name.
    fn packed<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Labels {
        let mut text = String::with_capacity(pairs.clone().map(|(n, v)| packed_len(n) + packed_len(v)).sum());
        for (name, value) in pairs {
            put(&mut text, name);
            put(&mut text, value);
        }
        Labels(text.into())
    }
}

/// Before a part that is so long that no single byte can be its length.
const LONG: char = '\u{80}';

fn put(text: &mut String, part: &str) {
    match u8::try_from(part.len()) {
        Ok(short @ ..0x80) => text.push(char::from(short)),
        _ => {
            text.push(LONG);
            write_number(text, part.len());
            text.push(':');
        }
    }
    text.push_str(part);
}

fn packed_len(part: &str) -> usize {
    let length = part.len();
    let before = if length < 0x80 { 1 } else { LONG.len_utf8() + digits(length) + 1 };
    before + length
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn write_number(text: &mut String, number: usize) {
    if number >= 10 {
        write_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// Name and value, in order of name.
#[derive(Clone)]
pub struct Iter<'a>(&'a str);

impl<'a> Iter<'a> {
    #[inline]
    fn part(&mut self) -> Option<&'a str> {
        let (length, after) = match *self.0.as_bytes().first()? {
            short @ ..0x80 => (usize::from(short), self.0.get(1..)?),
            _ => {
                let (number, after) = self.0.strip_prefix(LONG)?.split_once(':')?;
                (number.parse().ok()?, after)
            }
        };
        let (part, rest) = after.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.part()?, self.part()?))
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a str, &'a str);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Extend<(String, String)> for Labels {
    fn extend<T: IntoIterator<Item = (String, String)>>(&mut self, new: T) {
        let new: Vec<(String, String)> = new.into_iter().collect();
        let new = new.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        *self = Labels::sorted(self.iter().chain(new).collect());
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Labels {
        Labels::of(&pairs.into_iter().collect::<Vec<(N, V)>>())
    }
}

impl<N: AsRef<str>, V: AsRef<str>, const COUNT: usize> From<[(N, V); COUNT]> for Labels {
    fn from(pairs: [(N, V); COUNT]) -> Labels {
        pairs.into_iter().collect()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Labels, D::Error> {
        d.deserialize_map(Pairs)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Labels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut pairs: Vec<(Text<'de>, Text<'de>)> = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs.into_iter().collect())
    }
}

/// Borrowed where what is read allows it.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Text<'de>, D::Error> {
        d.deserialize_str(Words)
    }
}

struct Words;

impl<'de> Visitor<'de> for Words {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text)))
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn they_are_a_map_in_order_of_name() {
        let mut labels = Labels::from([("b", "2"), ("a", "1"), ("b", "3"), ("", "")]);
        assert_eq!(serde_json::to_string(&labels).unwrap(), r#"{"":"","a":"1","b":"3"}"#);
        assert_eq!((labels.len(), labels.get("b"), labels.get("c")), (3, Some("3"), None));
        assert_eq!(labels.insert("a".into(), "4:x".into()), Some("1".to_owned()));
        assert_eq!(labels.remove(""), Some(String::new()));
        assert_eq!(labels.remove(""), None);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "4:x"), ("b", "3")]);
    }

    proptest! {
        #[test]
        fn whatever_goes_in_comes_out(pairs: Vec<(String, String)>, gone: Option<prop::sample::Index>) {
            let mut map: BTreeMap<String, String> = pairs.iter().cloned().collect();
            let mut labels: Labels = pairs.iter().map(|(n, v)| (n, v)).collect();
            let mut grown = Labels::new();
            for (name, value) in &pairs {
                grown.insert(name.clone(), value.clone());
            }
            prop_assert_eq!(&labels, &grown);
            if let Some(gone) = gone.filter(|_| !map.is_empty()) {
                let name = map.keys().nth(gone.index(map.len())).unwrap().clone();
                prop_assert_eq!(labels.remove(&name), map.remove(&name));
            }
            let json = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(serde_json::to_string(&labels).unwrap(), json.clone());
            prop_assert_eq!(&serde_json::from_str::<Labels>(&json).unwrap(), &labels);
            prop_assert_eq!(&serde_json::from_value::<Labels>(serde_json::to_value(&map).unwrap()).unwrap(), &labels);
            prop_assert!(labels.iter().eq(map.iter().map(|(n, v)| (n.as_str(), v.as_str()))));
        }

        #[test]
        fn so_do_long_ones(lengths in prop::collection::btree_map(0..300_usize, 0..300_usize, 0..5)) {
            let map: BTreeMap<String, String> = lengths.iter().map(|(n, v)| ("ä".repeat(*n), "v".repeat(*v))).collect();
            let labels: Labels = map.iter().collect();
            prop_assert!(labels.iter().eq(map.iter().map(|(n, v)| (n.as_str(), v.as_str()))));
            let room = map.iter().map(|(n, v)| packed_len(n) + packed_len(v));
            prop_assert_eq!(labels.bytes(), room.sum::<usize>());
        }

        #[test]
        fn more_stand_over_them(map: BTreeMap<String, String>, more: BTreeMap<String, String>) {
            let both: Labels = map.iter().chain(&more).collect();
            let labels: Labels = map.iter().collect();
            prop_assert_eq!(labels.with(more.iter().map(|(n, v)| (n.as_str(), v.as_str()))), both.clone());
            prop_assert_eq!(both.with(more.iter().map(|(n, v)| (n.as_str(), v.as_str()))), both);
        }
    }
}
