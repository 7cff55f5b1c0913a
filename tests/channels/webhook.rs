use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::support::{KEY, about, channel, failure, is, out, told};
use std::sync::Arc;
use stentor::channel::{Channel, Occasion};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

fn hook(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    channel("webhook", &format!("url = \"{}?token=t0ps3cret\"\n{more}", standins.addresses().hook))
}

#[tokio::test]
async fn sends_the_finished_document_under_its_key() {
    let standins = Standins::start().await;
    let hook = hook(&standins, "headers = { X-Team = \"ops\" }\nauth = { bearer = \"b34rer-t0ken\" }");
    let result = hook.send(&out(None, "", "{\"subject\":\"Größe\"}")).await;
    assert_eq!(result, AttemptResult::Delivered { provider_id: None, detail: "answered 200".into() });
    let got = &standins.recorded("hook")[0];
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/hook?token=t0ps3cret"));
    assert_eq!(got.body, "{\"subject\":\"Größe\"}");
    for (name, value) in [
        ("content-type", "application/json"),
        ("idempotency-key", KEY),
        ("x-team", "ops"),
        ("authorization", "Bearer b34rer-t0ken"),
        ("user-agent", concat!("stentor/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(got.headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn signs_the_time_and_the_body() {
    let standins = Standins::start().await;
    let hook = hook(&standins, "signing_secret = \"s1gning\"");
    hook.send(&out(None, "", "{\"x\":1}")).await;
    let got = &standins.recorded("hook")[0];
    let (time, signature) = got.headers["x-stentor-signature"].split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let at = time.parse::<i64>().unwrap();
    assert!((stentor::domain::clock::wall().0 / 1_000_000 - at).abs() < 600, "{at} is not now");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"s1gning");
    let right = ring::hmac::sign(&key, format!("{time}.{{\"x\":1}}").as_bytes());
    assert_eq!(signature, right.as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>());
    assert!(hook.describe(&out(None, "", "{}")).contains("X-Stentor-Signature: t=...,v1=..."));
}

#[tokio::test]
async fn uses_the_method_the_type_and_basic_auth_of_its_settings() {
    let standins = Standins::start().await;
    let settings = "method = \"PUT\"\ncontent_type = \"text/plain\"\nauth = { username = \"u\", password = \"p\" }";
    hook(&standins, settings).send(&out(None, "", "disk full")).await;
    hook(&standins, "method = \"GET\"").send(&out(None, "", "disk full")).await;
    let got = standins.recorded("hook");
    assert_eq!((got[0].method.as_str(), got[0].headers["content-type"].as_str()), ("PUT", "text/plain"));
    assert_eq!(got[0].headers["authorization"], "Basic dTpw");
    assert_eq!((got[1].method.as_str(), got[1].body.as_str()), ("GET", ""));
    assert_eq!(got[1].headers["idempotency-key"], KEY);
}

#[tokio::test]
async fn the_url_can_hold_what_the_message_says() {
    let standins = Standins::start().await;
    let url =
        format!("{}?token=t0ps3cret&s={{subject}}&n={{number}}&l={{level}}&t={{text}}", standins.addresses().hook);
    let hook = channel("webhook", &format!("url = \"{url}\"\nmethod = \"GET\""));
    let mut message = about(Occasion::Opened, "a&b={level}");
    message.matter.subject = "disk 98%\r\nX: y&l=low".into();
    hook.send(&message).await;
    let got = &standins.recorded("hook")[0];
    let filled = "s=disk%2098%25%0D%0AX%3A%20y%26l%3Dlow&n=417&l=urgent&t=a%26b%3D%7Blevel%7D";
    // As the receiver reads it, in the order of the names.
    let read = "/hook?l=urgent&n=417&s=disk 98%\r\nX: y&l=low&t=a&b={level}&token=t0ps3cret";
    assert_eq!((got.method.as_str(), got.path.as_str()), ("GET", read));
    let shown = hook.describe(&message);
    assert!(shown.contains(&format!("/[secret]?{filled}\n")) && !shown.contains("t0ps3cret"), "{shown}");
    let told = told("webhook", "url = \"https://{from}.example.org/\"");
    assert!(told.contains("the host of the URL cannot come from a message"), "{told}");
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let hook = hook(&standins, "");
    for (status, class, blame, unknown) in [
        (302, ProviderError, Channel, false),
        (400, ValidationError, Message, false),
        (401, AuthError, Account, false),
        (403, AuthError, Account, false),
        (404, ProviderError, Provider, false),
        (408, Timeout, Channel, true),
        (422, ValidationError, Message, false),
        (429, RateLimited, Channel, false),
        (500, ProviderError, Channel, true),
        (503, ProviderError, Channel, true),
    ] {
        standins.set("hook", Fault::status(status));
        let failure = is(hook.send(&out(None, "", "{}")).await, class, blame, unknown);
        assert_eq!(failure.code, Some(status.to_string()));
    }
    assert_eq!(standins.recorded("hook").len(), 10, "exactly one attempt each, and no redirect followed");
}

#[tokio::test]
async fn f38_honours_retry_after_in_its_three_forms() {
    let standins = Standins::start().await;
    let hook = hook(&standins, "");
    for (status, header, wait) in [
        (429, "7", Some(Span::secs(7))),
        (503, "1.5", Some(Span::millis(1500))),
        (429, "Fri, 20 Nov 2020 07:00:00 GMT", Some(Span::ZERO)),
        (429, "soon", None),
    ] {
        standins.set("hook", Fault::Status { status, retry_after: Some(header.into()), body: None });
        assert_eq!(failure(hook.send(&out(None, "", "{}")).await).retry_after, wait, "{header}");
    }
}

#[tokio::test]
async fn f32_tells_a_request_that_never_left_from_one_whose_answer_was_lost() {
    let standins = Standins::start().await;
    let nobody = channel("webhook", "url = \"http://127.0.0.1:9/\"");
    let failure = is(nobody.send(&out(None, "", "{}")).await, ProviderError, Channel, false);
    assert_eq!(failure.words, "cannot connect: Connection refused (os error 111)");
    let hasty = hook(&standins, "timeout = \"300ms\"");
    let hook = hook(&standins, "");
    standins.set_times("hook", Fault::CutAfter, 1);
    let failure = is(hook.send(&out(None, "", "{}")).await, ProviderError, Channel, true);
    assert!(failure.words.starts_with("the connection broke before the answer"), "{failure}");
    standins.set_times("hook", Fault::Hang, 1);
    is(hasty.send(&out(None, "", "{}")).await, Timeout, Channel, true);
    standins.set_times("hook", Fault::Slow { millis: 20_000 }, 1);
    is(hasty.send(&out(None, "", "{}")).await, Timeout, Channel, true);
    standins.set_times("hook", Fault::CutBefore, 1);
    is(hook.send(&out(None, "", "{}")).await, ProviderError, Channel, true);
    // A status is an answer, whatever becomes of the body.
    standins.set_times("hook", Fault::CutAnswer, 1);
    assert!(matches!(hook.send(&out(None, "", "{}")).await, AttemptResult::Delivered { .. }));
    standins.set_times("hook", Fault::Huge { bytes: 3_000_000 }, 1);
    assert!(matches!(hook.send(&out(None, "", "{}")).await, AttemptResult::Delivered { .. }));
}

#[tokio::test]
async fn its_probe_connects_and_sends_nothing() {
    let standins = Standins::start().await;
    let words = hook(&standins, "").probe().await.unwrap();
    assert!(words.starts_with("connected to 127.0.0.1:"), "{words}");
    assert_eq!(standins.recorded("hook").len(), 0);
    let nobody = channel("webhook", "url = \"http://127.0.0.1:9/\"").probe().await.unwrap_err();
    assert_eq!((nobody.class, nobody.unknown), (ProviderError, false));
    let unknown = channel("webhook", "url = \"https://nowhere.invalid/\"").probe().await.unwrap_err();
    assert!(unknown.words.starts_with("cannot connect"), "{unknown}");
}

#[tokio::test]
async fn a_long_body_goes_whole() {
    let standins = Standins::start().await;
    let body = format!("{{\"body\":\"{}\"}}", "0123456789".repeat(100_000));
    hook(&standins, "").send(&out(None, "", &body)).await;
    assert_eq!(standins.recorded("hook")[0].body, body);
}

#[tokio::test]
async fn works_in_another_program() {
    let standins = Standins::start().await;
    let result = crate::one_channel::tell(&standins.addresses().hook, "disk full").await.unwrap();
    assert!(result.success().is_some(), "{result:?}");
    assert_eq!(standins.recorded("hook")[0].body, "disk full");
    let mistakes = crate::one_channel::tell("nonsense", "x").await.unwrap_err();
    assert_eq!(
        mistakes,
        "settings:1:7: url: this is not a URL (relative URL without a base) (write url = \"https://example.org/hook\")"
    );
}
