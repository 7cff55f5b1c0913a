use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::standins::sendgrid::{READ_ONLY_KEY, error};
use crate::support::{KEY, channel, is, json, out, told};
use std::sync::Arc;
use stentor::channel::{Channel, Enclosed, Outgoing};
use stentor::domain::clock;
use stentor::domain::event::{AttemptResult, Place};
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

fn settings(standins: &Standins) -> String {
    let at = standins.addresses();
    let from = "Stentor <stentor@example.org>";
    format!("base_url = \"{}\"\napi_key = \"{}\"\nfrom = \"{from}\"\n", at.sendgrid, at.sendgrid_api_key)
}

fn sendgrid(standins: &Standins) -> Arc<dyn Channel> {
    channel("sendgrid", &settings(standins))
}

#[tokio::test]
async fn a_mail_is_what_sendgrid_takes() {
    let standins = Standins::start().await;
    let result = sendgrid(&standins).send(&out(Some("alice@example.org"), "[URGENT #417]\r\nBcc: x", "Größe\n")).await;
    let provider_id = Some("standInMessageId000001".into());
    assert_eq!(result, AttemptResult::Sent { provider_id, detail: "SendGrid has taken it".into() });
    let got = &standins.recorded("sendgrid")[0];
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/v3/mail/send"));
    assert_eq!(
        json(got),
        serde_json::json!({
            "personalizations": [{ "to": [{ "email": "alice@example.org" }] }],
            "from": { "email": "stentor@example.org", "name": "Stentor" },
            "subject": "[URGENT #417]  Bcc: x",
            "content": [{ "type": "text/plain", "value": "Größe\n" }],
            "headers": { "Auto-Submitted": "auto-generated", "Message-ID": format!("<{KEY}@example.org>") },
            "custom_args": { "stentor_delivery": KEY },
        })
    );
}

#[tokio::test]
async fn an_html_part_goes_beside_the_plain_one_and_after_it() {
    let standins = Standins::start().await;
    let mut mail = out(Some("alice@example.org"), "s", "t");
    mail.text.html = "<p>t</p>".into();
    assert!(sendgrid(&standins).send(&mail).await.success().is_some());
    assert_eq!(
        json(&standins.recorded("sendgrid")[0])["content"],
        serde_json::json!([{ "type": "text/plain", "value": "t" }, { "type": "text/html", "value": "<p>t</p>" }])
    );
}

#[tokio::test]
async fn files_go_along_as_base64_and_what_is_too_large_goes_without() {
    let standins = Standins::start().await;
    let with = |bytes: Vec<u8>| {
        let place = Place { seq: 1, bytes: bytes.len() as u64, blob: None };
        let file = Enclosed { name: "a.pdf".into(), mime: "application/pdf".into(), place, bytes: Some(bytes.into()) };
        Outgoing { attachments: vec![file], ..out(Some("alice@example.org"), "s", "text") }
    };
    let result = sendgrid(&standins).send(&with(b"%PDF-1.7".to_vec())).await;
    assert!(result.success().is_some(), "{result:?}");
    let file = &json(&standins.recorded("sendgrid")[0])["attachments"][0];
    let expected = serde_json::json!({ "content": "JVBERi0xLjc=", "type": "application/pdf", "filename": "a.pdf",
        "disposition": "attachment" });
    assert_eq!(*file, expected);
    let shown = sendgrid(&standins).describe(&with(vec![0; 3_000]));
    assert!(shown.contains("[4000 letters of base64]"), "{shown}");

    let result = sendgrid(&standins).send(&with(vec![0; 24 << 20])).await;
    assert!(result.success().is_some(), "{result:?}");
    let got = standins.recorded("sendgrid");
    let last = json(got.last().unwrap());
    assert_eq!((got.len(), got[1].status, &last["attachments"]), (3, 413, &serde_json::Value::Null));
    assert_eq!(last["content"][0]["value"], "text\n[Not attached: a.pdf. SendGrid finds them too large.]\n");
}

#[tokio::test]
async fn what_is_empty_is_filled() {
    let standins = Standins::start().await;
    let result = sendgrid(&standins).send(&out(Some("alice@example.org"), "", "")).await;
    assert!(result.success().is_some(), "{result:?}");
    assert_eq!(json(&standins.recorded("sendgrid")[0])["subject"], "(no subject)");
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let sendgrid = sendgrid(&standins);
    let message = out(Some("alice@example.org"), "s", "t");
    for (status, class, blame, unknown) in [
        (400, ValidationError, Message, false),
        (401, AuthError, Account, false),
        (403, AuthError, Account, false),
        (404, ProviderError, Provider, false),
        (405, ProviderError, Provider, false),
        (413, ValidationError, Message, false),
        (429, RateLimited, Channel, false),
        (500, ProviderError, Channel, true),
        (503, ProviderError, Channel, true),
        (200, ProviderError, Channel, false),
    ] {
        standins.set_times("sendgrid", Fault::status(status), 1);
        let failure = is(sendgrid.send(&message).await, class, blame, unknown);
        assert_eq!(failure.code, Some(status.to_string()));
    }
    let bad = error(400, "Does not contain a valid address.", Some("personalizations.0.to.0.email")).body;
    standins.set_times("sendgrid", Fault::refusal(400, bad), 1);
    let failure = is(sendgrid.send(&message).await, ValidationError, Message, false);
    assert_eq!(failure.words, "Does not contain a valid address. (personalizations.0.to.0.email)");
    let ours = error(400, "The from email does not contain a valid address.", Some("from.email")).body;
    standins.set_times("sendgrid", Fault::refusal(400, ours), 1);
    is(sendgrid.send(&message).await, ProviderError, Provider, false);
    for fault in [Fault::Html, Fault::ErrorInside] {
        standins.set_times("sendgrid", fault, 1);
        is(sendgrid.send(&message).await, ProviderError, Channel, false);
    }
    standins.set_times("sendgrid", Fault::CutAfter, 1);
    is(sendgrid.send(&message).await, ProviderError, Channel, true);
    is(sendgrid.send(&out(Some("nonsense"), "s", "t")).await, ValidationError, Message, false);
    let other = settings(&standins).replace("stentor@example.org", "nobody@example.org");
    is(channel("sendgrid", &other).send(&message).await, AuthError, Account, false);
}

#[tokio::test]
async fn its_limit_is_told_as_a_time_of_day() {
    let standins = Standins::start().await;
    let sendgrid = sendgrid(&standins);
    let message = out(Some("alice@example.org"), "s", "t");
    standins.set_times("sendgrid", Fault::status(429), 1);
    assert_eq!(is(sendgrid.send(&message).await, RateLimited, Channel, false).retry_after, Some(Span::ZERO));
    // A header beside another status says nothing.
    let soon = (clock::wall().0 / 1_000_000 + 30).to_string();
    standins.set_times("sendgrid", Fault::header("X-RateLimit-Reset", &soon), 1);
    assert!(sendgrid.send(&message).await.success().is_some());
}

#[tokio::test]
async fn its_probe_asks_for_the_rights_of_the_key_and_sends_nothing() {
    let standins = Standins::start().await;
    assert_eq!(sendgrid(&standins).probe().await.unwrap(), "API key accepted");
    let key = standins.addresses().sendgrid_api_key;
    for (other, words) in [
        (READ_ONLY_KEY, "the API key has no right to send (scope mail.send)"),
        ("SG.another", "The provided authorization grant is invalid, expired, or revoked"),
    ] {
        let refused = channel("sendgrid", &settings(&standins).replace(key, other)).probe().await.unwrap_err();
        assert_eq!((refused.class, refused.blame, refused.words.as_str()), (AuthError, Account, words));
    }
    standins.set_times("sendgrid", Fault::Html, 1);
    assert_eq!(sendgrid(&standins).probe().await.unwrap_err().class, ProviderError);
    assert!(standins.recorded("sendgrid").iter().all(|r| r.method == "GET" && r.path == "/v3/scopes"));
}

#[tokio::test]
async fn its_settings_and_its_description() {
    assert!(
        told("sendgrid", "api_key = 'k'").contains("from is missing (write from = \"Stentor <stentor@example.org>\")")
    );
    assert!(told("sendgrid", "api_key = 'k'\nfrom = 'x'").contains("\"x\" is not an address"));
    let described = channel("sendgrid", "api_key = 'SG.17'\nfrom = 's@example.org'").describe(&out(
        Some("a@example.org"),
        "s",
        "t",
    ));
    assert!(described.starts_with("POST https://api.sendgrid.com/v3/mail/send\nAuthorization: Bearer [secret]\nContent-Type: application/json\n\n{"));
}
