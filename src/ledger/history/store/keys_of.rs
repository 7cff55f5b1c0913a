//! What an event can be looked up by: its kind and the ids in its head.
//!
//! The history asks this of every event. A head as stentor writes it is walked through once without
//! being read; whatever else it is, is read as JSON.

use crate::ledger::codec::kind_of;
use serde::Deserialize;
use std::borrow::Cow;
use ulid::Ulid;

/// The fields of a head by which it can be looked up.
#[derive(Debug, Default, PartialEq)]
pub struct Keys<'a> {
    pub kind: Cow<'a, str>,
    /// Of [`FIELDS`].
    found: [Option<Ulid>; 4],
}

const FIELDS: [&[u8]; 4] = [b"id", b"incident", b"delivery", b"notification"];

/// The same as JSON has it.
#[derive(Default, Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    incident: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delivery: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    notification: Option<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    /// Of an event whose head is unreadable nothing is known.
    pub fn of(head: &'a [u8]) -> Keys<'a> {
        walk(head).unwrap_or_else(|| read(head))
    }

    /// What the event itself is about.
    pub fn id(&self) -> Option<Ulid> {
        self.found[0]
    }

    /// What that belongs to.
    pub fn owners(&self) -> impl Iterator<Item = Ulid> {
        [self.found[1], self.found[3]].into_iter().flatten()
    }

    pub fn ids(&self) -> impl Iterator<Item = Ulid> {
        self.found.into_iter().flatten()
    }
}

fn read(head: &[u8]) -> Keys<'_> {
    let written = serde_json::from_slice(head)
        .unwrap_or_else(|_| Written { kind: kind_of(head).unwrap_or_default(), ..Written::default() });
    let Written { kind, id, incident, delivery, notification } = written;
    Keys { kind, found: [id, incident, delivery, notification].map(|text| ulid(text.as_deref()?)) }
}

fn ulid(text: &str) -> Option<Ulid> {
    if text.len() == ulid::ULID_LEN { Ulid::from_string(text).ok() } else { None }
}

/// `None` for what has to be read: it has spaces, escapes in what is looked for, or is no head.
fn walk(head: &[u8]) -> Option<Keys<'_>> {
    let mut kind = None;
    let mut found = [None; 4];
    let mut seen = [false; 4];
    let mut rest = head.strip_prefix(b"{")?;
    loop {
        let (name, behind) = plain_text(rest)?;
        rest = behind.strip_prefix(b":")?;
        if name == b"kind" {
            let (value, behind) = plain_text(rest)?;
            let value = std::str::from_utf8(value).ok()?;
            if kind.replace(value).is_some() {
                return None;
            }
            rest = behind;
        } else if let Some(place) = FIELDS.iter().position(|field| *field == name) {
            if std::mem::replace(&mut seen[place], true) {
                return None;
            }
            let Some((value, behind)) = plain_text(rest) else {
                rest = rest.strip_prefix(b"null")?;
                rest = next(rest)?;
                if rest.is_empty() {
                    break;
                }
                continue;
            };
            found[place] = std::str::from_utf8(value).ok().and_then(ulid);
            rest = behind;
        } else {
            rest = passed(rest)?;
        }
        rest = next(rest)?;
        if rest.is_empty() {
            break;
        }
    }
    Some(Keys { kind: Cow::Borrowed(kind?), found })
}

/// Behind the comma; empty behind the bracket that ends it all.
fn next(rest: &[u8]) -> Option<&[u8]> {
    match rest.split_first()? {
        (b',', more) if !more.is_empty() => Some(more),
        (b'}', []) => Some(&[]),
        _ => None,
    }
}

/// A text without escapes, and what is behind it.
fn plain_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = bytes.strip_prefix(b"\"")?;
    let end = inside.iter().position(|b| *b == b'"' || *b == b'\\')?;
    if inside[end] == b'"' { Some((&inside[..end], &inside[end + 1..])) } else { None }
}

/// What is behind a value of any sort.
fn passed(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.first()? {
        b'"' => behind_text(bytes),
        b'{' | b'[' => {
            let mut depth = 0usize;
            let mut rest = bytes;
            loop {
                match rest.first()? {
                    b'"' => {
                        rest = behind_text(rest)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                rest = &rest[1..];
                if depth == 0 {
                    return Some(rest);
                }
            }
        }
        _ => {
            let end = bytes.iter().position(|b| matches!(b, b',' | b'}'))?;
            Some(&bytes[end..])
        }
    }
}

fn behind_text(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(&bytes[at + 1..]),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_the_fields_that_have_them() {
        let (a, b) = (Ulid(1 << 100 | 7), Ulid(2 << 100 | 9));
        let head = format!(r#"{{"kind":"delivery_created","id":"{a}","incident":"{b}","chain":["sms"]}}"#);
        let keys = Keys::of(head.as_bytes());
        assert_eq!((keys.kind.as_ref(), keys.id()), ("delivery_created", Some(a)));
        assert_eq!(keys.ids().collect::<Vec<_>>(), [a, b]);
        assert_eq!(keys.owners().collect::<Vec<_>>(), [b]);
        let keys = Keys::of(br#"{"kind":"silence_added","id":"6f1c-uuid"}"#);
        assert_eq!(keys.ids().count(), 0);
        assert_eq!(Keys::of(br#"{"kind":"later","id":7}"#).kind, "later");
        assert_eq!(Keys::of(b"rubbish"), Keys::default());
    }

    #[test]
    fn every_event_that_was_ever_written_is_walked_through_and_gives_what_reading_gives() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/events-1.jsonl");
        let corpus = std::fs::read_to_string(corpus).unwrap();
        let mut count = 0;
        for line in corpus.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let head = line["head"].to_string();
            assert_eq!(walk(head.as_bytes()).as_ref(), Some(&read(head.as_bytes())), "{head}");
            count += 1;
        }
        assert!(count > 50, "{count}");
    }

    #[test]
    fn what_is_written_otherwise_is_read() {
        let id = Ulid(3 << 100 | 1);
        for head in [
            format!(r#"{{ "kind":"x","id":"{id}"}}"#),
            format!(r#"{{"kind":"\u0078","id":"{id}"}}"#),
            format!(r#"{{"a":{{"id":"no","b":["\"}}"]}},"kind":"x","n":null,"id":"{id}","z":-1.5e3}}"#),
            format!(r#"{{"delivery":null,"kind":"x","id":"{id}"}}"#),
        ] {
            let keys = Keys::of(head.as_bytes());
            assert_eq!((keys.kind.as_ref(), keys.id(), keys.ids().count()), ("x", Some(id), 1), "{head}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in "[\\{\\}\\[\\]\",:\\\\kind0 ]{0,40}") {
            Keys::of(bytes.as_bytes());
        }

        #[test]
        fn walking_and_reading_agree(subject in ".{0,20}", n in proptest::num::i64::ANY) {
            let id = Ulid(u128::from(n.unsigned_abs()));
            let inner = serde_json::json!({ subject.clone(): [subject.clone(), n, { "id": subject }] });
            let head = serde_json::json!({ "a": inner, "kind": "x", "id": id.to_string(), "delivery": n.to_string() });
            let head = head.to_string();
            proptest::prop_assert_eq!(walk(head.as_bytes()), Some(read(head.as_bytes())));
        }
    }
}
