//! What answers say beside their body: Retry-After; and certificates.

use crate::harness::{fuzz, text};
use stentor::domain::time::{Span, Timestamp};
use stentor::net::answer::retry_after;
use stentor::net::certificate::{days_left, not_after};

#[test]
fn retry_afters() {
    let seeds: [&[u8]; 6] =
        [b"120", b"0.5", b"Fri, 20 Nov 2026 07:01:30 GMT", b"1e300", b"-5", b"Fri, 31 Dec 9999 23:59:59 GMT"];
    let now = Timestamp::parse("2026-11-20T07:00:00Z").unwrap();
    fuzz("retry-after", &seeds, |bytes| {
        if let Some(wait) = retry_after(&text(bytes), now) {
            assert!(wait >= Span::ZERO, "{wait:?}");
        }
    });
}

#[test]
fn certificates() {
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    assert!(not_after(leaf.der()).is_some());
    fuzz("certificate", &[leaf.der(), b"0\x84\xff\xff\xff\xff"], |bytes| {
        let _ = not_after(bytes);
        let _ = days_left(&text(bytes));
    });
}
