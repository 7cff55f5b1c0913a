//! Whether a call is the provider's: the published vectors, what must be refused, and any bytes at all.

use crate::standins::callbacks::{SendGrid, TELNYX_PUBLIC_KEY, twilio_by};
use crate::support::channel;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use std::sync::Arc;
use stentor::channel::{Channel, Incoming, sendgrid, telnyx, twilio};
use stentor::domain::time::Timestamp;

const TOKEN: &str = "12345678901234567890123456789012";
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const GATHER: &str = "https://alarm.example.org/cb/twilio/gather?alarm=A-17";
const FORM: &str = "AccountSid=AC00000000000000000000000000000001&CallSid=CA00000000000000000000000000000002&\
    CallStatus=in-progress&Digits=1&FinishedOnKey=&From=%2B15005550006&To=%2B14155552345";

fn by_twilio(more: &str) -> Arc<dyn Channel> {
    channel(
        "twilio-sms",
        &format!("account_sid = \"{ACCOUNT}\"\nauth_token = \"{TOKEN}\"\nfrom = \"+15550099\"\n{more}"),
    )
}

struct Case<'a> {
    get: bool,
    url: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
    now: i64,
}

fn check(channel: &Arc<dyn Channel>, case: &Case<'_>) -> Result<(), String> {
    let mut headers = HeaderMap::new();
    for (name, value) in case.headers {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let now = Timestamp(case.now * 1_000_000);
    let call = Incoming { get: case.get, url: case.url, headers: &headers, body: case.body, now };
    channel.confirmer().unwrap().verify(&call)
}

fn form<'a>(url: &'a str, signature: &'a str, body: &'a str) -> Result<(), String> {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-twilio-signature", signature)];
    check(&by_twilio(""), &Case { get: false, url, headers: &headers, body: body.as_bytes(), now: 0 })
}

#[test]
fn twilios_vector_of_a_form() {
    let signature = "+AB1JJHQstyHN9VITPvh85+IeQQ=";
    assert_eq!(form(GATHER, signature, FORM), Ok(()));
    // The order of the fields does not count, and an equal one twice counts once.
    let turned: Vec<&str> = FORM.split('&').rev().collect();
    assert_eq!(form(GATHER, signature, &turned.join("&")), Ok(()));
    assert_eq!(form(GATHER, signature, &format!("{FORM}&Digits=1")), Ok(()));
    // An empty one counts, a further value counts.
    assert!(form(GATHER, signature, &FORM.replace("&FinishedOnKey=", "")).is_err());
    assert!(form(GATHER, signature, &format!("{FORM}&Digits=2")).is_err());
    assert!(form(&GATHER.replace("A-17", "A-18"), signature, FORM).is_err());
    assert!(form(&GATHER.replace("https", "http"), signature, FORM).is_err());
    assert!(form(GATHER, "", FORM).is_err());
    assert!(form(GATHER, "AAAA", FORM).is_err());
}

#[test]
fn twilio_signs_with_the_port_or_without() {
    let with_port = GATHER.replace("example.org", "example.org:443");
    for (signed, called) in [(GATHER, with_port.as_str()), (&with_port, GATHER)] {
        let call = twilio_by(TOKEN, ACCOUNT, signed, &[("Digits", "1")]);
        let signature = call.headers.iter().find(|(n, _)| n == "x-twilio-signature").unwrap().1.clone();
        assert_eq!(form(called, &signature, &call.body), Ok(()), "{signed} {called}");
    }
    let odd = GATHER.replace("example.org", "example.org:8443");
    let call = twilio_by(TOKEN, ACCOUNT, GATHER, &[("Digits", "1")]);
    let signature = call.headers.iter().find(|(n, _)| n == "x-twilio-signature").unwrap().1.clone();
    assert_eq!(form(&odd, &signature, &call.body), Ok(()), "signed without the port that is called");
}

#[test]
fn twilios_vector_of_a_document() {
    let hash = "ebc2c4ea03938ee05e18c1a712d9fa02de923d6f2db34b68fe1f8dcf651e479d";
    let url = format!("https://alarm.example.org/cb/twilio/json?bodySHA256={hash}");
    let headers = [("content-type", "application/json"), ("x-twilio-signature", "xzsOMKeTSby9Lxo00RODG410xzQ=")];
    let case = |body: &'static [u8], url: &str| {
        check(&by_twilio(""), &Case { get: false, url, headers: &headers, body, now: 0 })
    };
    assert_eq!(case(b"{\"event\":\"x\"}", &url), Ok(()));
    assert!(case(b"{\"event\":\"y\"}", &url).is_err(), "another body");
    assert!(case(b"{\"event\":\"x\"}", "https://alarm.example.org/cb/twilio/json").is_err(), "nothing vouches for it");
}

#[test]
fn two_tokens_while_they_are_changed_and_a_token_beside_an_api_key() {
    let changing = by_twilio("callback_token_2 = \"nextTokenOfTheAccount00000000017\"");
    let key = channel(
        "twilio-sms",
        &format!(
            "account_sid = \"{ACCOUNT}\"\napi_key = \"SK1\"\napi_secret = \"s3cr3t\"\ncallback_token = \"{TOKEN}\"\nfrom = \"+15550099\""
        ),
    );
    let signed = |token: &str| twilio_by(token, ACCOUNT, GATHER, &[("Digits", "1")]);
    let fits = |channel: &Arc<dyn Channel>, token: &str| {
        let call = signed(token);
        let headers: Vec<(&str, &str)> = call.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let case = Case { get: false, url: GATHER, headers: &headers, body: call.body.as_bytes(), now: 0 };
        check(channel, &case).is_ok()
    };
    assert!(fits(&changing, TOKEN) && fits(&changing, "nextTokenOfTheAccount00000000017"));
    assert!(!fits(&changing, "aThirdTokenOfSomebody00000000017"));
    assert!(fits(&key, TOKEN) && !fits(&key, "s3cr3t"));
    let none = channel(
        "twilio-sms",
        &format!("account_sid = \"{ACCOUNT}\"\napi_key = \"SK1\"\napi_secret = \"s3cr3t\"\nfrom = \"+15550099\""),
    );
    assert!(none.confirmer().is_none(), "nothing could be checked");
}

#[test]
fn a_shared_key_is_taken_with_sha256_and_nothing_else_in_its_place() {
    let channel = by_twilio("callback_key_id = \"CK17\"\ncallback_key_secret = \"sharedSecret\"");
    let data = GATHER.to_owned() + "AccountSid" + ACCOUNT;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"sharedSecret");
    let signature = base64(ring::hmac::sign(&key, data.as_bytes()).as_ref());
    let body = format!("AccountSid={ACCOUNT}");
    let by_sha1 = twilio_by(TOKEN, ACCOUNT, GATHER, &[]);
    let sha1 = by_sha1.headers.iter().find(|(n, _)| n == "x-twilio-signature").unwrap().1.clone();
    let case = |settings: &str, signature: &str, body: &str| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-twilio-signature", signature),
            ("x-twilio-webhooks-signature-settings", settings),
        ];
        check(&channel, &Case { get: false, url: GATHER, headers: &headers, body: body.as_bytes(), now: 0 })
    };
    assert_eq!(case("key=CK17,algorithm=HMAC_SHA256", &signature, &body), Ok(()));
    for settings in
        ["key=CK18,algorithm=HMAC_SHA256", "key=CK17,algorithm=HMAC_SHA512", "key=CK17", "", "algorithm=HMAC_SHA256"]
    {
        assert!(case(settings, &signature, &body).is_err(), "{settings}");
        assert!(case(settings, &sha1, &by_sha1.body).is_err(), "never a fallback to SHA-1: {settings}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn by_telnyx() -> Arc<dyn Channel> {
    channel("telnyx-sms", &format!("api_key = \"KEY17\"\nfrom = \"+15550199\"\npublic_key = \"{TELNYX_PUBLIC_KEY}\""))
}

#[test]
fn telnyxs_vector_and_its_five_minutes() {
    let signature = "h3JEwHWf76kkR0KdCQ6zAbnk5Qy7JBmXcpa5FtGf5cNJfJvnDvUtD5WcHCOzvr3Gef8UYbtNhcljFBX1YhAvAg==";
    let body = br#"{"data":{"event_type":"message.finalized","id":"e1"}}"#;
    let case = |now: i64, timestamp: &str, body: &[u8]| {
        let headers = [("telnyx-signature-ed25519", signature), ("telnyx-timestamp", timestamp)];
        check(&by_telnyx(), &Case { get: false, url: "https://x/cb/telnyx", headers: &headers, body, now })
    };
    let at = 1_763_640_000;
    for off in [0, 300, -300] {
        assert_eq!(case(at + off, "1763640000", body), Ok(()), "{off}");
    }
    for off in [301, -301, i64::from(i32::MAX)] {
        assert!(case(at + off, "1763640000", body).is_err(), "{off}");
    }
    assert!(case(at, "1763640001", body).is_err());
    assert!(case(at, "", body).is_err());
    assert!(case(at, "99999999999999999999", body).is_err());
    assert!(
        case(at, "1763640000", br#"{"data":{"event_type":"message.finalized","id": "e1"}}"#).is_err(),
        "as it came"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_break_a_reader(body in prop::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,60}", json in wild_json()) {
        let headers = HeaderMap::new();
        let url = format!("https://alarm.example.org/cb/x?{text}");
        for get in [true, false] {
            for body in [body.as_slice(), json.as_bytes()] {
                let call = Incoming { get, url: &url, headers: &headers, body, now: Timestamp(0) };
                let form = call.form();
                let _ = (twilio::message_in(&form), twilio::call_in(&form), telnyx::read_event(body), sendgrid::read_events(body));
                prop_assert!(by_twilio("").confirmer().unwrap().verify(&call).is_err());
                prop_assert!(by_telnyx().confirmer().unwrap().verify(&call).is_err());
            }
        }
    }

    /// Nothing but the one signature is taken: any change of it, of the URL or of the body is refused.
    #[test]
    fn whatever_is_changed_is_refused(at in 0usize..28, to in "[A-Za-z0-9+/]", field in "[a-zA-Z]{1,8}", value in "\\PC{0,8}") {
        let mut signature = "+AB1JJHQstyHN9VITPvh85+IeQQ=".to_owned();
        signature.replace_range(at..at + 1, &to);
        prop_assume!(signature != "+AB1JJHQstyHN9VITPvh85+IeQQ=");
        prop_assert!(form(GATHER, &signature, FORM).is_err());
        let mut pairs = url::Url::parse("http://x/").unwrap();
        pairs.query_pairs_mut().append_pair(&field, &value);
        let body = format!("{FORM}&{}", pairs.query().unwrap());
        prop_assert!(form(GATHER, "+AB1JJHQstyHN9VITPvh85+IeQQ=", &body).is_err());
    }
}

/// Documents near those that providers send.
fn wild_json() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("null".to_owned()),
        Just("{}".to_owned()),
        Just("[]".to_owned()),
        Just("[null]".to_owned()),
        Just("-1e400".to_owned()),
        "[a-z._]{0,18}".prop_map(|w| format!("\"{w}\"")),
        Just("\"message.received\"".to_owned()),
        Just("\"delivered\"".to_owned()),
        Just("[{\"status\":\"delivered\",\"phone_number\":\"+1\"}]".to_owned()),
    ];
    (word.clone(), word.clone(), word.clone(), word).prop_map(|(a, b, c, d)| {
        format!("[{{\"event\":{a},\"stentor_callback\":{b},\"sg_message_id\":{c},\"data\":{{\"event_type\":{d},\"payload\":{{\"id\":{a},\"to\":{b},\"from\":{c},\"errors\":{d},\"cost\":{{\"amount\":{a}}}}}}}}}]")
    })
}

#[test]
fn a_sendgrid_key_is_read_as_it_is_shown() {
    let webhook = SendGrid::new();
    let settings = |key: &str| format!("api_key = \"SG.1\"\nfrom = \"s@example.org\"\npublic_key = \"{key}\"");
    let channel = channel("sendgrid", &settings(&webhook.public_key()));
    let call = webhook.events("https://x/cb/sendgrid", &serde_json::json!([]));
    let headers: Vec<(&str, &str)> = call.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let good = Case { get: false, url: "https://x", headers: &headers, body: call.body.as_bytes(), now: 0 };
    assert_eq!(check(&channel, &good), Ok(()));
    assert!(check(&channel, &Case { body: b"[ ]", ..good }).is_err());
}
