//! Telephone numbers, and URLs that alarms may be sent to.

use crate::harness::{fuzz, text};
use std::net::IpAddr;
use stentor::domain::phone::{Region, e164, formatted, is_impossible, is_like_one, masked};
use stentor::net::{Endpoint, Reach};

#[test]
fn phone_numbers() {
    let seeds: [&[u8]; 8] = [
        b"+1 (415) 555-2345",
        b"+44 (0)20 7946 0958",
        b"00420601123456",
        b"011 44 20 7946 0958",
        b"tel:+3906123456",
        b"601 123 456",
        b"+1415555;ext=12",
        "+1\u{a0}415\u{2011}555\u{2013}2345".as_bytes(),
    ];
    let regions = [None, Region::parse("CZ").ok(), Region::parse("US").ok(), Region::parse("IT").ok()];
    fuzz("phone", &seeds, |bytes| {
        let text = text(bytes);
        let _ = is_like_one(&text);
        for number in regions.iter().filter_map(|region| e164(&text, *region).ok()) {
            let digits = number.strip_prefix('+').unwrap();
            assert!((7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()), "{number}");
            assert!(!digits.starts_with('0'), "{number}");
            assert_eq!(e164(&number, None).as_deref(), Ok(number.as_str()), "read again it is the same");
            let hidden = digits.len() - masked(&number).bytes().filter(u8::is_ascii_digit).count();
            assert!(hidden >= 3, "{number} is masked as {}", masked(&number));
            let _ = (formatted(&number), is_impossible(&number));
        }
    });
}

#[test]
fn urls() {
    let seeds: [&[u8]; 8] = [
        b"https://example.org:8443/a?b=%2F#c",
        b"http://127.0.0.1:8080/x",
        b"http://[::1]:1/",
        b"http://0x7f.1/",
        b"https://169.254.169.254/latest",
        b"https://[fe80::1]/",
        b"http://user:pass@localhost/",
        "https://b\u{fc}cher.example/".as_bytes(),
    ];
    fuzz("url", &seeds, |bytes| {
        let Ok(endpoint) = Endpoint::parse(&text(bytes), Reach::default()) else { return };
        let host = endpoint.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let literal = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        if !endpoint.is_tls() {
            assert!(host == "localhost" || literal.is_some_and(|ip| ip.is_loopback()), "plain to {host}");
        }
        let metadata = literal.is_some_and(|ip| match ip {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        });
        assert!(!metadata, "{host} is link-local");
        assert!(!endpoint.place().contains('@') && !endpoint.path_and_query().contains('#'));
    });
}
