//! Matchers of silences and filters, and WHO.

use crate::harness::{fuzz, text};
use stentor::domain::Labels;
use stentor::domain::matcher::Matcher;
use stentor::domain::who::Who;

#[test]
fn matchers() {
    let seeds: [&[u8]; 6] = [
        b"alertname=\"DiskFull\"",
        b"{severity=~\"critical|high\", instance!=\"db-1\"}",
        b"name!~\"^(a|b)+$\"",
        b"a=b",
        b"{}",
        b"x=\"\\\"\\n\\\\\"",
    ];
    let labels =
        Labels::from([("alertname".to_owned(), "DiskFull".to_owned()), ("name".to_owned(), "a".repeat(5_000))]);
    fuzz("matcher", &seeds, |bytes| {
        let text = text(bytes);
        let _ = Matcher::parse(&text).map(|matcher| matcher.matches(&labels));
        for matcher in Matcher::parse_list(&text).into_iter().flatten() {
            let _ = matcher.matches(&labels);
        }
    });
}

#[test]
fn who() {
    let seeds: [&[u8]; 6] =
        [b"alice", b"person:alice", b"group:ops", b"+1 (415) 555-2345", b"ops@example.org", b"tier:TIER_1"];
    fuzz("who", &seeds, |bytes| {
        let _ = Who::parse(&text(bytes));
    });
}
