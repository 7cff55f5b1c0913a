use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::standins::telnyx::error;
use crate::support::{KEY, channel, is, json, out, told};
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

fn settings(standins: &Standins) -> String {
    let at = standins.addresses();
    format!("base_url = \"{}\"\napi_key = \"{}\"\nfrom = \"+15550199\"\n", at.telnyx, at.telnyx_api_key)
}

fn telnyx(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    channel("telnyx-sms", &(settings(standins) + more))
}

#[tokio::test]
async fn an_sms_is_what_telnyx_takes_and_a_retry_is_the_same_message() {
    let standins = Standins::start().await;
    let telnyx = telnyx(&standins, "messaging_profile_id = \"profile-17\"");
    for _ in 0..2 {
        let result = telnyx.send(&out(Some("+15550100"), "", "URGENT #417 ümlaut")).await;
        let provider_id = Some("40385f64-5717-4562-b3fc-000000000001".into());
        assert_eq!(result, AttemptResult::Sent { provider_id, detail: "Telnyx says queued".into() });
    }
    let got = &standins.recorded("telnyx")[0];
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/v2/messages"));
    assert_eq!(got.headers["idempotency-key"], KEY);
    assert_eq!(
        json(got),
        serde_json::json!({
            "to": "+15550100", "from": "+15550199", "text": "URGENT #417 ümlaut", "type": "SMS",
            "messaging_profile_id": "profile-17",
        })
    );
}

#[tokio::test]
async fn a_profile_replaces_the_number_and_a_long_text_is_cut() {
    let standins = Standins::start().await;
    let toml = settings(&standins).replace("from = \"+15550199\"", "messaging_profile_id = \"profile-17\"");
    let result = channel("telnyx-sms", &toml).send(&out(Some("+15550100"), "", &"x".repeat(5000))).await;
    assert!(result.success().is_some(), "{result:?}");
    let body = json(&standins.recorded("telnyx")[0]);
    assert!(body["from"].is_null());
    assert_eq!(body["text"].as_str().unwrap().chars().count(), 1600);
}

#[tokio::test]
async fn every_code_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let telnyx = telnyx(&standins, "");
    let message = out(Some("+15550100"), "", "x");
    for (status, code, class, blame, unknown) in [
        (401, "10009", AuthError, Account, false),
        (403, "10010", AuthError, Account, false),
        (429, "10011", RateLimited, Channel, false),
        (500, "10007", ProviderError, Channel, true),
        (504, "10008", Timeout, Channel, true),
        (400, "10002", ValidationError, Message, false),
        (400, "10016", ValidationError, Message, false),
        (400, "40310", ValidationError, Message, false),
        (400, "40012", ValidationError, Message, false),
        (400, "40001", ValidationError, Message, false),
        (400, "40300", ValidationError, Message, false),
        (400, "10001", ProviderError, Provider, false),
        (422, "10004", ProviderError, Provider, false),
        (404, "10005", ProviderError, Provider, false),
        (404, "10006", ProviderError, Provider, false),
        (400, "10015", ProviderError, Provider, false),
        (400, "40305", ProviderError, Provider, false),
        (400, "40013", ProviderError, Provider, false),
        (400, "40002", ProviderError, Provider, false),
        (400, "40004", ProviderError, Provider, false),
        (400, "40005", ProviderError, Provider, false),
        (400, "40014", ProviderError, Provider, false),
        (400, "40006", ProviderError, Provider, false),
        (400, "40008", ProviderError, Provider, false),
        (400, "40011", RateLimited, Channel, false),
        (400, "40003", ProviderError, Provider, false),
        (400, "40015", ProviderError, Provider, false),
        (400, "40010", ProviderError, Provider, false),
        (403, "20100", ProviderError, Account, false),
        (403, "20012", ProviderError, Account, false),
        (400, "99999", ProviderError, Provider, false),
    ] {
        standins.set_times("telnyx", Fault::refusal(status, error(status, code, "title", "detail").body), 1);
        let failure = is(telnyx.send(&message).await, class, blame, unknown);
        assert_eq!((failure.code.as_deref(), failure.words.as_str()), (Some(code), "title: detail"));
    }
    // Of several the first that is known decides.
    let several = "{\"errors\":[{\"code\":\"77777\",\"title\":\"?\"},{\"code\":\"40300\",\"title\":\"Opted out\"}]}";
    standins.set_times("telnyx", Fault::refusal(400, several), 1);
    assert_eq!(is(telnyx.send(&message).await, ValidationError, Message, false).words, "Opted out");
}

#[tokio::test]
async fn every_misbehaviour_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let telnyx = telnyx(&standins, "timeout = \"300ms\"");
    let message = out(Some("+15550100"), "", "x");
    for (fault, class, blame, unknown) in [
        (Fault::ErrorInside, ProviderError, Provider, false),
        (Fault::Html, ProviderError, Channel, false),
        (Fault::refusal(502, "<html>bad gateway"), ProviderError, Channel, true),
        (Fault::CutAfter, ProviderError, Channel, true),
        (Fault::Hang, Timeout, Channel, true),
    ] {
        standins.set_times("telnyx", fault, 1);
        is(telnyx.send(&message).await, class, blame, unknown);
    }
    standins.set_times("telnyx", Fault::status(429), 1);
    let failure = is(telnyx.send(&message).await, RateLimited, Channel, false);
    assert_eq!(failure.retry_after, Some(Span::secs(13)), "Telnyx' own header");
    standins.set_times("telnyx", Fault::Status { status: 429, retry_after: Some("7".into()), body: None }, 1);
    assert_eq!(is(telnyx.send(&message).await, RateLimited, Channel, false).retry_after, Some(Span::secs(7)));
    is(telnyx.send(&out(None, "", "x")).await, ValidationError, Message, false);
    is(telnyx.send(&out(Some("+1555"), "", "x")).await, ValidationError, Message, false);
    // Some answers have a text as `to`.
    standins.set_times("telnyx", Fault::refusal(200, "{\"data\":{\"id\":\"m1\",\"to\":\"+15550100\"}}"), 1);
    assert!(telnyx.send(&message).await.success().is_some());
}

#[tokio::test]
async fn its_probe_asks_for_the_balance_and_sends_nothing() {
    let standins = Standins::start().await;
    let telnyx = telnyx(&standins, "");
    assert_eq!(telnyx.probe().await.unwrap(), "API key accepted, balance 300.00 USD");
    let wrong = settings(&standins).replace("KEYstandIn", "KEYanother");
    let refused = channel("telnyx-sms", &wrong).probe().await.unwrap_err();
    assert_eq!((refused.class, refused.blame, refused.unknown), (AuthError, Account, false));
    standins.set_times("telnyx", Fault::Html, 1);
    assert_eq!(telnyx.probe().await.unwrap_err().class, ProviderError);
    assert!(standins.recorded("telnyx").iter().all(|r| r.method == "GET" && r.path == "/v2/balance"));
}

#[tokio::test]
async fn its_settings_and_its_description() {
    assert!(told("telnyx-sms", "api_key = 'k'").contains("from is missing (write from = \"${TELNYX_PHONE_NUMBER}\")"));
    assert!(told("telnyx-sms", "from = '+15550199'").contains("api_key is missing"));
    let described =
        channel("telnyx-sms", "api_key = 'KEY17'\nfrom = '+15550199'").describe(&out(Some("+15550100"), "", "x"));
    assert!(
        described
            .starts_with("POST https://api.telnyx.com/v2/messages\nAuthorization: Bearer [secret]\nIdempotency-Key: ")
    );
}

#[tokio::test]
async fn the_price_of_the_answer_comes_along() {
    let standins = Standins::start().await;
    let result = telnyx(&standins, "").send(&out(Some("+15550042"), "", "x")).await;
    let AttemptResult::Priced { price, result } = result else { panic!("no price: {result:?}") };
    assert_eq!((price.money.to_string().as_str(), price.segments), ("0.005 USD", Some(1)));
    assert!(matches!(*result, AttemptResult::Sent { .. }), "{result:?}");
}
