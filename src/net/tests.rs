#![allow(clippy::unwrap_used)]

use crate::domain::time::{Span, Timestamp};
use crate::net::answer::retry_after;
use crate::net::certificate::{days_left, not_after};
use crate::net::resolve::forbidden;
use crate::net::{Endpoint, Reach};
use proptest::prelude::*;

fn endpoint(text: &str) -> Result<Endpoint, String> {
    Endpoint::parse(text, Reach::default())
}

#[test]
fn retry_after_takes_seconds_fractions_and_dates() {
    let now = Timestamp::parse("2026-11-20T07:00:00Z").unwrap();
    for (header, wait) in [
        ("120", Some(Span::secs(120))),
        (" 0.5 ", Some(Span::millis(500))),
        ("Fri, 20 Nov 2026 07:01:30 GMT", Some(Span::secs(90))),
        ("Fri, 20 Nov 2026 06:00:00 GMT", Some(Span::ZERO)),
        ("Friday, 20-Nov-26 07:01:30 GMT", Some(Span::secs(90))),
        ("Fri Nov 20 07:01:30 2026", Some(Span::secs(90))),
        ("1e300", Some(Span::days(365))),
        ("-5", None),
        ("NaN", None),
        ("", None),
        ("tomorrow", None),
    ] {
        assert_eq!(retry_after(header, now), wait, "{header:?}");
    }
}

#[test]
fn plain_http_goes_to_loopback_only() {
    for url in
        ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:1/", "http://127.9.9.9", "http://0x7f.1/"]
    {
        assert!(endpoint(url).is_ok(), "{url}");
    }
    for url in ["http://example.org", "http://127.0.0.1.example.org", "http://10.0.0.1", "http://localhost.example.org"]
    {
        assert!(endpoint(url).unwrap_err().contains("loopback"), "{url}");
        assert!(Endpoint::parse(url, Reach { plain: true, ..Reach::default() }).is_ok());
    }
}

#[test]
fn f75_link_local_addresses_are_refused_however_they_are_written() {
    for host in
        ["169.254.169.254", "[::ffff:169.254.169.254]", "0xa9fea9fe", "2852039166", "[fe80::1]", "[fd00:ec2::254]"]
    {
        assert!(endpoint(&format!("https://{host}/")).unwrap_err().contains("link-local"), "{host}");
    }
    assert!(forbidden("169.254.1.1".parse().unwrap()));
    assert!(!forbidden("10.0.0.1".parse().unwrap()) && !forbidden("2001:db8::1".parse().unwrap()));
}

#[tokio::test]
async fn f75_a_name_that_leads_to_a_link_local_address_is_refused() {
    use crate::net::resolve::lookup;
    assert!(lookup("169.254.169.254", 80, false).await.is_err());
    assert_eq!(lookup("169.254.169.254", 80, true).await.unwrap().len(), 1);
    assert!(lookup("[::1]", 80, false).await.unwrap()[0].ip().is_loopback());
}

#[test]
fn an_endpoint_shows_its_place_and_nothing_more() {
    let url = endpoint("https://Hooks.example.org:8443/services/T0/tokentokentoken?sig=abc#frag").unwrap();
    assert_eq!(format!("{url:?}"), "https://hooks.example.org:8443/[secret]");
    assert_eq!(url.place(), "https://hooks.example.org:8443");
    assert_eq!(url.hidden(), ["/services/T0/tokentokentoken", "sig=abc", "tokentokentoken", "abc", "abc"]);
    let twilio = endpoint("https://x.example/prefix/").unwrap().join(&["a/b", "c?d"]).with("q", "1 2");
    assert_eq!(twilio.hidden(), ["/prefix/a%2Fb/c%3Fd", "q=1+2", "1+2", "1 2"]);
}

#[test]
fn a_wrong_url_is_not_quoted() {
    for url in ["secret", "https://", "secret://secret/secret", "https://secret:secret@x/secret", "http://x.org/secret"]
    {
        assert!(!endpoint(url).unwrap_err().contains("secret"), "{}", endpoint(url).unwrap_err());
    }
}

#[test]
fn a_certificate_tells_when_it_ends() {
    for (year, expected) in [(2031, "2031-05-04T00:00:00Z"), (2099, "2099-05-04T00:00:00Z")] {
        let mut params = rcgen::CertificateParams::new(vec!["x.example".into()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 5, 4);
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        assert_eq!(not_after(certificate.der()), Some(Timestamp::parse(expected).unwrap()));
        for end in 0..certificate.der().len().min(200) {
            assert!(not_after(&certificate.der()[..end]).is_none());
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_upset_the_certificate_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = not_after(&bytes);
    }

    #[test]
    fn no_header_upsets_retry_after(header in ".{0,60}") {
        let wait = retry_after(&header, Timestamp(0));
        prop_assert!(wait.is_none_or(|w| w >= Span::ZERO));
    }

    #[test]
    fn no_text_upsets_the_endpoint(text in ".{0,60}") {
        let _ = endpoint(&text);
    }
}

#[test]
fn the_days_of_a_certificate_are_read_from_a_probes_words() {
    assert_eq!(days_left("connected to 203.0.113.7:443, certificate ends in 63d"), Some(63));
    assert_eq!(days_left("connected to a:1, credentials accepted, certificate ends in -2d; more"), Some(-2));
    for words in ["", "connected", "certificate ends in ", "certificate ends in soon", "certificate ends in 5"] {
        assert_eq!(days_left(words), None, "{words}");
    }
}
