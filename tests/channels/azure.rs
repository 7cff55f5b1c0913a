use crate::standins::Standins;
use crate::standins::azure::{ACCESS_KEY, FROM, error};
use crate::standins::script::Fault;
use crate::support::{KEY, channel, is, json, out, told};
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

fn settings(standins: &Standins) -> String {
    format!("endpoint = \"{}\"\naccess_key = \"{ACCESS_KEY}\"\nfrom = \"{FROM}\"\n", standins.addresses().azure)
}

fn azure(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    channel("azure-sms", &(settings(standins) + more))
}

#[tokio::test]
async fn an_sms_is_signed_and_the_same_at_every_attempt() {
    let standins = Standins::start().await;
    let azure = azure(&standins, "");
    for _ in 0..2 {
        let result = azure.send(&out(Some("+14255550100"), "", "URGENT #417 ümlaut")).await;
        assert!(
            matches!(&result, AttemptResult::Sent { provider_id: Some(id), .. } if id.starts_with("Outgoing_")),
            "{result:?}"
        );
    }
    let got = standins.recorded("azure");
    assert_eq!((got[0].method.as_str(), got[0].path.as_str()), ("POST", "/sms?api-version=2021-03-07"));
    let body = json(&got[0]);
    assert_eq!((body["from"].as_str(), body["message"].as_str()), (Some(FROM), Some("URGENT #417 ümlaut")));
    assert_eq!(body["smsSendOptions"], serde_json::json!({ "enableDeliveryReport": true, "tag": KEY }));
    let recipient = &body["smsRecipients"][0];
    assert_eq!(recipient["to"], "+14255550100");
    assert_eq!(recipient["repeatabilityRequestId"], json(&got[1])["smsRecipients"][0]["repeatabilityRequestId"]);
}

#[tokio::test]
async fn what_counts_is_the_recipient_inside_of_the_success() {
    let standins = Standins::start().await;
    let azure = azure(&standins, "");
    for (status, class, blame, unknown) in [
        (400, ValidationError, Message, false),
        (401, AuthError, Account, false),
        (404, ProviderError, Provider, false),
        (429, RateLimited, Channel, false),
        (500, ProviderError, Channel, true),
    ] {
        let failure = is(azure.send(&out(Some(&format!("+1425555{status}0")), "", "x")).await, class, blame, unknown);
        assert_eq!((failure.code, failure.words.as_str()), (Some(status.to_string()), "as told"));
    }
    let other = channel("azure-sms", &settings(&standins).replace(FROM, "+18005550198"));
    is(other.send(&out(Some("+14255550100"), "", "x")).await, ProviderError, Provider, false);
    is(azure.send(&out(None, "", "x")).await, ValidationError, Message, false);
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let azure = azure(&standins, "timeout = \"300ms\"");
    let message = out(Some("+14255550100"), "", "x");
    for (fault, class, blame, unknown) in [
        (Fault::refusal(400, error(400, "BadRequest", "no").body), ValidationError, Message, false),
        (Fault::status(401), AuthError, Account, false),
        (Fault::status(403), AuthError, Account, false),
        (Fault::status(404), ProviderError, Account, false),
        (Fault::status(500), ProviderError, Channel, true),
        (Fault::status(503), ProviderError, Channel, true),
        (Fault::ErrorInside, ProviderError, Provider, false),
        (Fault::Html, ProviderError, Channel, false),
        (Fault::CutAfter, ProviderError, Channel, true),
        (Fault::Hang, Timeout, Channel, true),
    ] {
        standins.set_times("azure", fault, 1);
        is(azure.send(&message).await, class, blame, unknown);
    }
    standins.set_times("azure", Fault::Status { status: 429, retry_after: Some("11".into()), body: None }, 1);
    let failure = is(azure.send(&message).await, RateLimited, Channel, false);
    assert_eq!((failure.retry_after, failure.code.as_deref()), (Some(Span::secs(11)), Some("TooManyRequests")));
    let wrong = settings(&standins).replace(ACCESS_KEY, "d3Jvbmcga2V5");
    is(channel("azure-sms", &wrong).send(&message).await, AuthError, Account, false);
}

#[tokio::test]
async fn a_connection_string_does_as_well_and_the_probe_sends_nothing() {
    let standins = Standins::start().await;
    let at = &standins.addresses().azure;
    let azure = channel(
        "azure-sms",
        &format!("connection_string = \"endpoint={at}/;accesskey={ACCESS_KEY}\"\nfrom = \"{FROM}\""),
    );
    assert!(azure.probe().await.unwrap().contains("only when a message is sent"));
    assert_eq!(standins.recorded("azure").len(), 0);
    assert!(azure.send(&out(Some("+14255550100"), "", &"x".repeat(9000))).await.success().is_some());
    assert!(!azure.describe(&out(Some("+14255550100"), "", "x")).contains(ACCESS_KEY));
}

#[test]
fn its_settings() {
    assert!(told("azure-sms", "from = '+1'").contains("connection_string is missing"));
    assert!(told("azure-sms", "connection_string = 'x'\nfrom = '+1'").contains("this is not a connection string"));
    let key = "endpoint = 'https://x.example'\nfrom = '+1'\naccess_key = '!'";
    assert!(told("azure-sms", key).contains("error 3:14 access_key: the access key is not base64"));
}
