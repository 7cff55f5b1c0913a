//! When a server's certificate ends, read from its DER form (RFC 5280, 4.1).
//!
//! Whether it is valid is rustls' business; this is only so that a probe can say in time that it
//! soon will not be. What it says is a sentence in its words, which [`days_left`] reads again.

use crate::domain::time::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of an X.509 certificate; `None` for anything that is not one.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = take(der, SEQUENCE)?;
    let (mut body, _) = take(certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        body = skip(body)?;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        body = skip(body)?;
    }
    let (validity, _) = take(body, SEQUENCE)?;
    let end = skip(validity)?;
    let (tag, value, _) = element(end)?;
    let digits = std::str::from_utf8(value).ok()?;
    match tag {
        // Two digits of the year: 50 and later is the last century.
        UTC_TIME => time(&format!("{}{digits}", if digits.get(..2)? < "50" { "20" } else { "19" })),
        GENERALIZED_TIME => time(digits),
        _ => None,
    }
}

/// Before the days that a certificate has left, in a probe's words.
pub const ENDS: &str = "certificate ends in ";

/// The days left that a probe's words tell: `connected to 203.0.113.7:443, certificate ends in 63d`.
pub fn days_left(words: &str) -> Option<i64> {
    let (_, after) = words.rsplit_once(ENDS)?;
    after.split_once('d')?.0.parse().ok()
}

/// `20261120070000Z`.
fn time(digits: &str) -> Option<Timestamp> {
    let part = |range: std::ops::Range<usize>| digits.get(range);
    let iso = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(8..10)?,
        part(10..12)?,
        part(12..14)?
    );
    Timestamp::parse(&iso).ok()
}

/// One element of DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let wide = bytes.iter().try_fold(0usize, |n, b| n.checked_mul(256)?.checked_add(usize::from(*b)))?;
        (wide, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn take(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

fn skip(der: &[u8]) -> Option<&[u8]> {
    element(der).map(|(_, _, rest)| rest)
}
