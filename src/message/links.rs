//! Links to attachments, for channels that carry text alone: signed, so that nobody can guess one or make
//! it last longer, and good for a while.
//!
//! `PUBLIC_URL/attachments/417-9f86d081884c7d65/report.pdf?e=1767225600&s=...`: the event, the beginning of the
//! content's hash, the name, when it expires (seconds since 1970), and the first half of an HMAC-SHA256 over
//! all of that.

use crate::domain::event::Attachment;
use crate::net::percent;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

/// Bytes of the signature; of the hash so many letters are said.
const SIGNATURE: usize = 16;
const HASH: usize = 16;

/// The key that links are signed with.
#[derive(Clone)]
pub struct Links(hmac::Key);

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links([redacted])")
    }
}

/// What a good link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub seq: u64,
    /// The beginning of its hash.
    pub hash: String,
}

impl Links {
    pub fn new(key: &[u8]) -> Links {
        Links::of(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn of(key: hmac::Key) -> Links {
        Links(key)
    }

    /// A link that is good until `expires`, seconds since 1970.
    pub fn to(&self, public_url: &str, file: &Attachment, expires: i64) -> String {
        let hash: String = file.place.blob.iter().flat_map(|hash| hash.chars()).take(HASH).collect();
        let id = format!("{}-{hash}", file.place.seq);
        let signature = self.sign(&id, &file.name, expires);
        format!("{public_url}/attachments/{id}/{}?e={expires}&s={signature}", percent::encoded(&file.name))
    }

    /// Whether this is one of ours and still good at `now`; the name as it was decoded.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self, id: &str, name: &str, expires: i64, signature: &str, now: i64) -> Result<Target, &'static str> {
        let wrong = "this link was not made here, or is not whole";
        let given = URL_SAFE_NO_PAD.decode(signature).map_err(|_| wrong)?;
        let ours = hmac::sign(&self.0, signed(id, name, expires).as_bytes());
        let same = equal(&ours.as_ref()[..SIGNATURE], &given);
        let target = || {
            let (seq, hash) = id.split_once('-')?;
            let is_hash = hash.len() == HASH && hash.bytes().all(|b| b.is_ascii_hexdigit());
            is_hash.then_some(Target { seq: seq.parse().ok()?, hash: hash.to_owned() })
        };
        let target = target().filter(|_| same).ok_or(wrong)?;
        if expires <= now { Err("this link has expired") } else { Ok(target) }
    }

    fn sign(&self, id: &str, name: &str, expires: i64) -> String {
        let tag = hmac::sign(&self.0, signed(id, name, expires).as_bytes());
        URL_SAFE_NO_PAD.encode(&tag.as_ref()[..SIGNATURE])
    }
}

fn signed(id: &str, name: &str, expires: i64) -> String {
    format!("attachment {id} {expires} {name}")
}

/// In a time that does not depend on where they differ.
pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Place;

    #[test]
    fn a_link_leads_to_what_it_was_made_for_until_it_expires_and_nowhere_else() {
        let links = Links::new(&[7; 32]);
        let place = Place { seq: 417, bytes: 3, blob: Some("9f86d081884c7d659a2f".into()) };
        let file = Attachment { name: "a bü.pdf".into(), mime: "application/pdf".into(), place };
        let link = links.to("https://alarm.example.org", &file, 1_000);
        let rest =
            link.strip_prefix("https://alarm.example.org/attachments/417-9f86d081884c7d65/a%20b%C3%BC.pdf?e=1000&s=");
        let signature = rest.unwrap();
        let id = "417-9f86d081884c7d65";
        let target = Target { seq: 417, hash: "9f86d081884c7d65".into() };
        assert_eq!(links.check(id, &file.name, 1_000, signature, 999), Ok(target));
        assert_eq!(links.check(id, &file.name, 1_000, signature, 1_000), Err("this link has expired"));
        let wrong = Err("this link was not made here, or is not whole");
        assert_eq!(links.check(id, &file.name, 2_000, signature, 999), wrong);
        assert_eq!(links.check(id, "other.pdf", 1_000, signature, 999), wrong);
        assert_eq!(links.check("418-9f86d081884c7d65", &file.name, 1_000, signature, 999), wrong);
        assert_eq!(links.check(id, &file.name, 1_000, &signature[..21], 999), wrong);
        assert_eq!(links.check(id, &file.name, 1_000, "", 999), wrong);
        assert_eq!(Links::new(&[8; 32]).check(id, &file.name, 1_000, signature, 999), wrong);
        assert!(!format!("{links:?}").contains('7'));
    }
}
