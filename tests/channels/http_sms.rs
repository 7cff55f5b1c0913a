use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::support::{KEY, channel, is, json, out, told};
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

fn sms(standins: &Standins, query: &str, more: &str) -> Arc<dyn Channel> {
    channel("http-sms", &format!("url = \"{}{query}\"\nfrom = \"+15550199\"\n{more}", standins.addresses().hook))
}

fn sent(id: Option<&str>) -> AttemptResult {
    AttemptResult::Sent { provider_id: id.map(str::to_owned), detail: "answered 200".into() }
}

#[tokio::test]
async fn a_body_of_json_by_default() {
    let standins = Standins::start().await;
    let result = sms(&standins, "?key=k3y-of-mine", "").send(&out(Some("+15550100"), "", "say \"{to}\"\nü")).await;
    assert_eq!(result, sent(None));
    let got = &standins.recorded("hook")[0];
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/hook?key=k3y-of-mine"));
    assert_eq!(
        (got.headers["content-type"].as_str(), got.headers["idempotency-key"].as_str()),
        ("application/json", KEY)
    );
    assert_eq!(json(got), serde_json::json!({ "to": "+15550100", "from": "+15550199", "text": "say \"{to}\"\nü" }));
}

#[tokio::test]
async fn a_form_a_query_and_a_body_of_ones_own() {
    let standins = Standins::start().await;
    let message = out(Some("+15550100"), "", "a&b=c d");
    sms(&standins, "", "content_type = \"application/x-www-form-urlencoded\"").send(&message).await;
    sms(&standins, "/{to}?text={text}&id={id}", "method = \"GET\"\nauth = { bearer = \"b34rer\" }")
        .send(&message)
        .await;
    sms(&standins, "", "method = \"PUT\"\nbody = '{\"m\": [{\"t\": \"{text}\"}], \"x\": \"{unknown}\"}'")
        .send(&message)
        .await;
    let got = standins.recorded("hook");
    assert_eq!(got[0].body, "to=%2B15550100&from=%2B15550199&text=a%26b%3Dc%20d");
    assert_eq!((got[1].method.as_str(), got[1].body.as_str()), ("GET", ""));
    assert_eq!(got[1].path, format!("/hook/%2B15550100?id={KEY}&text=a&b=c d"), "decoded by the stand-in");
    assert_eq!(got[1].headers["authorization"], "Bearer b34rer");
    assert_eq!((got[2].method.as_str(), json(&got[2])["m"][0]["t"].as_str()), ("PUT", Some("a&b=c d")));
    assert_eq!(json(&got[2])["x"], "{unknown}");
}

#[tokio::test]
async fn the_answer_says_the_id_and_whether_it_failed_inside() {
    let standins = Standins::start().await;
    let more = "id_path = \"messages.0.id\"\nfailure = { path = \"messages.0.status\", values = [\"failed\", \"4\"] }";
    let sms = sms(&standins, "", more);
    let message = out(Some("+15550100"), "", "x");
    standins.set_times("hook", Fault::refusal(200, "{\"messages\":[{\"id\":17,\"status\":0}]}"), 1);
    assert_eq!(sms.send(&message).await, sent(Some("17")));
    for said in ["\"failed\"", "4"] {
        standins.set_times(
            "hook",
            Fault::refusal(200, format!("{{\"messages\":[{{\"id\":\"x\",\"status\":{said}}}]}}")),
            1,
        );
        let failure = is(sms.send(&message).await, ProviderError, Provider, false);
        assert_eq!(failure.code, Some(said.trim_matches('"').to_owned()));
    }
    standins.set_times("hook", Fault::Html, 1);
    is(sms.send(&message).await, ProviderError, Channel, false);
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let hasty = sms(&standins, "", "timeout = \"300ms\"");
    let message = out(Some("+15550100"), "", "x");
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
        standins.set_times("hook", Fault::Status { status, retry_after: Some("5".into()), body: None }, 1);
        let failure = is(hasty.send(&message).await, class, blame, unknown);
        assert!(!matches!(status, 429 | 503) || failure.retry_after == Some(Span::secs(5)));
    }
    standins.set_times("hook", Fault::CutAfter, 1);
    is(hasty.send(&message).await, ProviderError, Channel, true);
    standins.set_times("hook", Fault::Hang, 1);
    is(hasty.send(&message).await, Timeout, Channel, true);
    is(hasty.send(&out(None, "", "x")).await, ValidationError, Message, false);
    // Only these are a success.
    let narrow = sms(&standins, "", "success = [\"201\"]");
    is(narrow.send(&message).await, ProviderError, Provider, false);
    standins.set_times("hook", Fault::status(201), 1);
    assert!(narrow.send(&message).await.success().is_some());
}

#[tokio::test]
async fn its_probe_connects_and_sends_nothing() {
    let standins = Standins::start().await;
    assert!(sms(&standins, "?to={to}", "").probe().await.unwrap().contains("only when a message is sent"));
    assert_eq!(standins.recorded("hook").len(), 0);
}

#[test]
fn its_settings_and_its_description() {
    let url = "url = 'https://sms.example.org/send?key=k3y-of-mine&to={to}'\n";
    assert!(
        told("http-sms", "url = 'https://{to}.example.org/'")
            .contains("the host of the URL cannot come from a message")
    );
    assert!(told("http-sms", "url = 'http://sms.example.org/{to}'").contains("plain http goes to loopback only"));
    assert!(
        told("http-sms", &format!("{url}body = '{{\"t\": {{text}}}}'"))
            .contains("error 2:8 body: the body is not JSON")
    );
    assert!(told("http-sms", &format!("{url}success = ['ok']")).contains("\"ok\" is not a status"));
    assert!(told("http-sms", &format!("{url}failure = {{ path = 'x' }}")).contains("no value means a failure"));
    let described = channel("http-sms", url).describe(&out(Some("+15550100"), "", "t"));
    assert!(
        described.starts_with("POST https://sms.example.org/[secret]?to=%2B15550100\nIdempotency-Key: "),
        "{described}"
    );
    assert!(!described.contains("k3y-of-mine"));
}
