//! The link by which a person acknowledges an incident: who, which, until when, signed.
//!
//! `<number>.<person>.<expiry>.<signature>`. The signature covers what the link is for as well, so that it
//! serves nothing else; whoever changes a letter of it has no link. The key is the daemon's own, and is in no
//! ledger.

use crate::domain::time::{Span, Timestamp};
use crate::message::links::{Links, equal};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use std::fmt;

/// Bytes of a key.
pub const KEY: usize = 32;
/// A link is good for so long; the incident's end ends it sooner.
pub const GOOD_FOR: Span = Span::hours(24);
/// Bytes of a signature that a link carries: it has to fit into a text message.
const SIGNATURE: usize = 12;
/// What the links are for.
const PURPOSE: &str = "acknowledge";
/// No link of ours is longer.
const LONGEST: usize = 400;

/// What links are signed with.
#[derive(Clone)]
pub struct LinkKey(hmac::Key);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What a link says that is ours and still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Of the incident.
    pub number: u64,
    pub person: String,
}

impl LinkKey {
    pub fn new(key: &[u8; KEY]) -> LinkKey {
        LinkKey(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Links to attachments, which are signed with the same key for another purpose.
    pub fn attachments(&self) -> Links {
        Links::of(self.0.clone())
    }

    /// The last part of the URL.
    pub fn token(&self, number: u64, person: &str, now: Timestamp) -> String {
        let until = (now + GOOD_FOR).0.div_euclid(1_000_000);
        let said = format!("{number}.{}.{until:x}", URL_SAFE_NO_PAD.encode(person));
        let signature = hmac::sign(&self.0, &signed(&said));
        format!("{said}.{}", URL_SAFE_NO_PAD.encode(&signature.as_ref()[..SIGNATURE]))
    }

    /// `None` for what is not ours, was changed, or is too old: the same for all of it.
    pub fn read(&self, token: &str, now: Timestamp) -> Option<Link> {
        let (said, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST)?;
        let given = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let whole = hmac::sign(&self.0, &signed(said));
        if !equal(&whole.as_ref()[..SIGNATURE], &given) {
            return None;
        }
        let mut parts = said.split('.');
        let (number, person, until) = (parts.next()?, parts.next()?, parts.next()?);
        let until = i64::from_str_radix(until, 16).ok()?;
        let person = String::from_utf8(URL_SAFE_NO_PAD.decode(person).ok()?).ok()?;
        let good = now.0.div_euclid(1_000_000) <= until;
        Some(Link { number: number.parse().ok()?, person }).filter(|_| good)
    }
}

fn signed(said: &str) -> Vec<u8> {
    format!("{PURPOSE}\n{said}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_795_138_023_000_000);

    #[test]
    fn f77_a_link_is_good_for_a_day_and_for_whom_it_was_made() {
        let key = LinkKey::new(&[7; KEY]);
        let token = key.token(417, "alice.b", NOW);
        let link = Some(Link { number: 417, person: "alice.b".into() });
        assert_eq!(key.read(&token, NOW), link);
        assert_eq!(key.read(&token, NOW + GOOD_FOR), link);
        assert_eq!(key.read(&token, NOW + GOOD_FOR + Span::secs(1)), None);
        assert_eq!(LinkKey::new(&[8; KEY]).read(&token, NOW), None, "another daemon's");
        assert_eq!(key.read(&token.replacen("417", "418", 1), NOW), None, "another incident");
        assert_eq!(key.read(token.rsplit_once('.').unwrap().0, NOW), None);
        assert!(token.len() < 50, "{token}");
        assert_eq!(format!("{key:?}"), "[secret]");
    }

    proptest! {
        #[test]
        fn f77_no_other_text_is_a_link(text in "\\PC{0,80}|[0-9]{1,3}\\.[A-Za-z0-9_-]{0,8}\\.[0-9a-f]{1,9}\\.[A-Za-z0-9_-]{16}") {
            prop_assert_eq!(LinkKey::new(&[7; KEY]).read(&text, NOW), None);
        }

        #[test]
        fn f77_no_changed_letter_leaves_it_one(at in 0usize..40, to in "[A-Za-z0-9._-]") {
            let key = LinkKey::new(&[7; KEY]);
            let token = key.token(417, "alice", NOW);
            let mut changed = token.clone();
            let at = at % token.len();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != token);
            prop_assert_eq!(key.read(&changed, NOW), None);
        }
    }
}
