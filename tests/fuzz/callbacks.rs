//! What calls itself a provider: nothing of it panics, and what Telnyx and SendGrid did not sign as it stands is
//! not let in.

use crate::answers::channel;
use crate::harness::{fuzz, text};
use crate::standins::callbacks::{Call, SendGrid, TELNYX_PUBLIC_KEY, message_status, telnyx};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use stentor::channel::sendgrid::read_events;
use stentor::channel::telnyx::read_event;
use stentor::channel::twilio::{call_in, message_in};
use stentor::channel::{Channel, Incoming, apprise};
use stentor::domain::time::Timestamp;

const URL: &str = "https://alarm.example.org/cb/x/K1";
/// When everything was signed.
const AT: i64 = 1_795_138_023;

fn headers(call: &Call) -> HeaderMap {
    let pair = |(name, value): &(String, String)| {
        (HeaderName::try_from(name.as_str()).unwrap(), HeaderValue::try_from(value.as_str()).unwrap())
    };
    call.headers.iter().map(pair).collect()
}

/// A body under the headers of another.
fn verify(channel: &dyn Channel, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let call = Incoming { get: false, url: URL, headers, body, now: Timestamp(AT * 1_000_000) };
    channel.confirmer().unwrap().verify(&call)
}

/// Only what was signed is let in, and everything can be read.
fn judge(name: &str, channel: &dyn Channel, call: &Call, read: impl Fn(&[u8])) {
    let headers = headers(call);
    assert_eq!(verify(channel, &headers, call.body.as_bytes()), Ok(()), "{name}");
    fuzz(name, &[call.body.as_bytes()], |bytes| {
        assert_eq!(verify(channel, &headers, bytes).is_ok(), bytes == call.body.as_bytes());
        read(bytes);
    });
}

#[test]
fn of_telnyx() {
    let toml = format!("api_key = \"key17\"\nfrom = \"+15550199\"\npublic_key = \"{TELNYX_PUBLIC_KEY}\"");
    let payload = json!({ "id": "m1", "from": { "phone_number": "+15550100" }, "text": "417a", "parts": 2,
        "to": [{ "phone_number": "+15550199", "status": "delivery_failed" }],
        "cost": { "amount": "0.0080", "currency": "USD" }, "errors": [{ "code": "40300", "title": "Opted out" }] });
    for event in ["message.finalized", "message.received"] {
        let call = telnyx(URL, event, &payload, AT);
        let name = format!("telnyx-{event}").replace('.', "-");
        judge(&name, channel("telnyx-sms", &toml).as_ref(), &call, |bytes| drop(read_event(bytes)));
    }
}

#[test]
fn of_sendgrid() {
    let keys = SendGrid::new();
    let toml = format!("api_key = \"SG.x\"\nfrom = \"stentor@example.org\"\npublic_key = \"{}\"", keys.public_key());
    let bounced = json!({ "event": "bounce", "type": "bounce", "reason": "550 5.1.1 no such user", "status": "5.1.1",
        "sg_message_id": "abc.filter0001", "stentor_callback": "01M8N33ED600004458S4W8NBP9.1.0123456789abcdef" });
    let call = keys.events(URL, &json!([bounced, { "event": "delivered", "sg_message_id": "" }]));
    judge("sendgrid-events", channel("sendgrid", &toml).as_ref(), &call, |bytes| drop(read_events(bytes)));
}

#[test]
fn of_twilio() {
    let toml = "account_sid = \"AC00000000000000000000000000000017\"\nauth_token = \"token\"\nfrom = \"+15005550006\"\n\
                callback_key_id = \"k1\"\ncallback_key_secret = \"shared\"";
    let channel = channel("twilio-sms", toml);
    let call = message_status(URL, "SM1", "undelivered", Some("30003"));
    let spoken = b"CallSid=CA1&CallStatus=completed&AnsweredBy=machine_start&Digits=4&FinishedOnKey=";
    fuzz("twilio-form", &[call.body.as_bytes(), spoken], |bytes| {
        let fields = Incoming { get: false, url: URL, headers: &headers(&call), body: bytes, now: Timestamp(0) }.form();
        for heard in [message_in(&fields), call_in(&fields)].into_iter().flatten() {
            assert!(!heard.provider_id.is_empty() && !heard.status.is_empty(), "{heard:?}");
        }
        assert!(verify(channel.as_ref(), &headers(&call), bytes).is_err(), "it was signed with another token");
    });
    let settings: [&[u8]; 3] = [b"key=k1,algorithm=HMAC_SHA256", b"key=,algorithm=", b"algorithm=HMAC_SHA1,key=k1"];
    fuzz("twilio-signature-settings", &settings, |bytes| {
        let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
        let mut headers = headers(&call);
        headers.insert("x-twilio-webhooks-signature-settings", value);
        assert!(verify(channel.as_ref(), &headers, call.body.as_bytes()).is_err());
    });
}

#[test]
fn apprise_urls() {
    let seeds: [&[u8]; 5] = [
        b"mailtos://user:p%40ss@smtp.example.org:587/ops@example.org?from=a@b.example&mode=ssl",
        b"twilio://AC00000000000000000000000000000017:token@15005550006/15550100",
        b"slack://xoxb-1-2/#alarms",
        b"workflows://host.example:443/workflow/sig%2Fx",
        b"ntfys://u:p@ntfy.example.org/topic?rto=5",
    ];
    fuzz("apprise", &seeds, |bytes| {
        if let Err(words) = apprise::settings(&text(bytes)) {
            assert!(!words.is_empty() && !words.contains("p%40ss"), "{words}");
        }
    });
}
