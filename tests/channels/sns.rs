use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::standins::sns::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, error};
use crate::support::{channel, is, out, told};
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};

fn settings(standins: &Standins) -> String {
    format!(
        "base_url = \"{}\"\nregion = \"{REGION}\"\naccess_key_id = \"{ACCESS_KEY_ID}\"\nsecret_access_key = \"{SECRET_ACCESS_KEY}\"\n",
        standins.addresses().sns
    )
}

fn sns(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    channel("aws-sns", &(settings(standins) + more))
}

#[tokio::test]
async fn an_sms_is_a_signed_form() {
    let standins = Standins::start().await;
    let more = "sender_id = \"stentor\"\nmax_price = \"0.50\"\nsession_token = \"session/17+=\"";
    let result = sns(&standins, more).send(&out(Some("+15550100"), "", "URGENT #417 a+b&c=ü")).await;
    let provider_id = Some("94f20ce6-13c5-43a0-9a9e-000000000001".into());
    assert_eq!(result, AttemptResult::Sent { provider_id, detail: "SNS has accepted it".into() });
    let got = &standins.recorded("sns")[0];
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/"));
    assert_eq!(got.headers["content-type"], "application/x-www-form-urlencoded; charset=utf-8");
    assert_eq!(got.headers["x-amz-security-token"], "session/17+=");
    for (name, value) in [
        ("Action", "Publish"),
        ("PhoneNumber", "+15550100"),
        ("Message", "URGENT #417 a+b&c=ü"),
        ("MessageAttributes.entry.1.Name", "AWS.SNS.SMS.SMSType"),
        ("MessageAttributes.entry.1.Value.StringValue", "Transactional"),
        ("MessageAttributes.entry.2.Name", "AWS.SNS.SMS.SenderID"),
        ("MessageAttributes.entry.3.Name", "AWS.SNS.SMS.MaxPrice"),
        ("MessageAttributes.entry.3.Value.DataType", "Number"),
    ] {
        assert_eq!(got.form[name], value, "{name}");
    }
}

#[tokio::test]
async fn every_code_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let sns = sns(&standins, "timeout = \"300ms\"");
    let message = out(Some("+15550100"), "", "x");
    let number = "Invalid parameter: PhoneNumber Reason: +1 is not valid to publish to";
    for (status, code, words, class, blame, unknown) in [
        (400, "InvalidParameter", number, ValidationError, Message, false),
        (400, "InvalidParameterValue", "Invalid parameter: SenderID", ProviderError, Provider, false),
        (400, "ParameterValueInvalid", "Invalid parameter: SenderID", ProviderError, Provider, false),
        (400, "ValidationException", number, ValidationError, Message, false),
        (400, "OptedOut", "The number is opted out", ValidationError, Message, false),
        (403, "AuthorizationError", "not authorized", AuthError, Account, false),
        (403, "InvalidClientTokenId", "invalid", AuthError, Account, false),
        (403, "SignatureDoesNotMatch", "no match", AuthError, Account, false),
        (403, "ExpiredToken", "expired", AuthError, Account, false),
        (400, "RequestExpired", "the clock", AuthError, Account, false),
        (403, "InvalidSecurity", "no", AuthError, Account, false),
        (403, "OptInRequired", "subscribe", AuthError, Account, false),
        (400, "Throttling", "Rate exceeded", RateLimited, Channel, false),
        (400, "ThrottlingException", "Rate exceeded", RateLimited, Channel, false),
        (429, "Throttled", "Rate exceeded", RateLimited, Channel, false),
        (500, "InternalError", "oops", ProviderError, Channel, true),
        (503, "ServiceUnavailable", "busy", ProviderError, Channel, true),
        (400, "UserError", "something", ProviderError, Provider, false),
        (400, "UserError", "the monthly spending limit is reached", RateLimited, Account, false),
        (400, "SomethingNew", "?", ProviderError, Provider, false),
    ] {
        standins.set_times("sns", Fault::refusal(status, error(status, code, words).body), 1);
        let failure = is(sns.send(&message).await, class, blame, unknown);
        assert_eq!((failure.code.as_deref(), failure.words.as_str()), (Some(code), words));
    }
    let literal = error(400, "Throttling", "<![CDATA[a <b> & c]]>").body;
    standins.set_times("sns", Fault::refusal(400, literal), 1);
    assert_eq!(is(sns.send(&message).await, RateLimited, Channel, false).words, "a <b> & c");
    for (fault, class, unknown) in [
        (Fault::Html, ProviderError, false),
        (Fault::refusal(502, "<html>"), ProviderError, true),
        (Fault::CutAfter, ProviderError, true),
        (Fault::Hang, Timeout, true),
    ] {
        standins.set_times("sns", fault, 1);
        is(sns.send(&message).await, class, Channel, unknown);
    }
    is(sns.send(&out(Some("+1"), "", "x")).await, ValidationError, Message, false);
    is(sns.send(&out(None, "", "x")).await, ValidationError, Message, false);
}

#[tokio::test]
async fn its_probe_asks_for_the_attributes_and_sends_nothing() {
    let standins = Standins::start().await;
    assert_eq!(sns(&standins, "").probe().await.unwrap(), "credentials accepted");
    let wrong = settings(&standins).replace(SECRET_ACCESS_KEY, "another");
    let refused = channel("aws-sns", &wrong).probe().await.unwrap_err();
    assert_eq!((refused.class, refused.code.as_deref()), (AuthError, Some("SignatureDoesNotMatch")));
    assert!(standins.recorded("sns").iter().all(|r| r.form["Action"] == "GetSMSAttributes"));
}

#[tokio::test]
async fn a_long_text_is_cut() {
    let standins = Standins::start().await;
    assert!(sns(&standins, "").send(&out(Some("+15550100"), "", &"x".repeat(9000))).await.success().is_some());
    assert_eq!(standins.recorded("sns")[0].form["Message"].chars().count(), 1600);
}

#[test]
fn its_settings() {
    let all = "region = 'eu-west-1'\naccess_key_id = 'A'\nsecret_access_key = 'S'\n";
    assert!(told("aws-sns", "region = 'Europe'").contains("\"Europe\" is not a region (write \"eu-west-1\")"));
    assert!(told("aws-sns", &format!("{all}sender_id = 'too long a name'")).contains("is not a sender"));
    assert!(told("aws-sns", &format!("{all}max_price = 'cheap'")).contains("is not a price"));
    let china = channel("aws-sns", &all.replace("eu-west-1", "cn-north-1")).describe(&out(Some("+15550100"), "", "x"));
    assert!(china.starts_with(
        "POST https://sns.cn-north-1.amazonaws.com.cn/\nAuthorization: AWS4-HMAC-SHA256 [secret]\nx-amz-date: ...\n"
    ));
}
