use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::standins::twilio::{API_KEY, API_SECRET};
use crate::support::{channel, failure, is, out};
use serde_json::json;
use std::sync::Arc;
use stentor::channel::{Channel, Found, Lost, Outgoing};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};

fn settings(standins: &Standins) -> String {
    let at = standins.addresses();
    format!(
        "base_url = \"{}\"\naccount_sid = \"{}\"\nauth_token = \"{}\"\nfrom = \"+15005550006\"\n",
        at.twilio, at.twilio_account_sid, at.twilio_auth_token
    )
}

fn sms(standins: &Standins) -> Arc<dyn Channel> {
    channel("twilio-sms", &settings(standins))
}

/// With a deadline that only a hanging stand-in is to miss.
fn hasty(standins: &Standins) -> Arc<dyn Channel> {
    channel("twilio-sms", &(settings(standins) + "timeout = \"300ms\""))
}

fn call(standins: &Standins) -> Arc<dyn Channel> {
    channel("twilio-voice", &settings(standins))
}

#[tokio::test]
async fn an_sms_is_a_form_that_twilio_takes() {
    let standins = Standins::start().await;
    let result = sms(&standins).send(&out(Some("+15550100"), "", "URGENT #417 ümlaut & more")).await;
    let provider_id = Some("SM00000000000000000000000000000001".into());
    assert_eq!(result, AttemptResult::Sent { provider_id, detail: "Twilio says queued".into() });
    let got = &standins.recorded("twilio")[0];
    assert_eq!(got.path, format!("/2010-04-01/Accounts/{}/Messages.json", standins.addresses().twilio_account_sid));
    let fields: Vec<_> = got.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        fields,
        [
            ("Body", "URGENT #417 ümlaut & more"),
            ("From", "+15005550006"),
            ("To", "+15550100"),
            ("ValidityPeriod", "3600")
        ]
    );
}

#[tokio::test]
async fn an_sms_takes_its_ttl_and_its_limit() {
    let standins = Standins::start().await;
    let mut message = out(Some("+15550100"), "", &"x".repeat(2000));
    for (ttl, period) in [(1, "5"), (86_400, "36000")] {
        message.ttl = stentor::domain::time::Span::secs(ttl);
        assert!(sms(&standins).send(&message).await.success().is_some());
        assert_eq!(standins.recorded("twilio").last().unwrap().form["ValidityPeriod"], period);
    }
    assert_eq!(standins.recorded("twilio")[0].form["Body"].chars().count(), 1600);
}

#[tokio::test]
async fn a_messaging_service_replaces_the_number() {
    let standins = Standins::start().await;
    let service = "MG00000000000000000000000000000017";
    let toml =
        settings(&standins).replace("from = \"+15005550006\"", &format!("messaging_service_sid = \"{service}\""));
    let result = channel("twilio-sms", &toml).send(&out(Some("+15550100"), "", "x")).await;
    assert!(matches!(result, AttemptResult::Sent { detail, .. } if detail == "Twilio says accepted"));
    assert_eq!(standins.recorded("twilio")[0].form["MessagingServiceSid"], service);
}

#[tokio::test]
async fn f51_a_call_reads_the_escaped_text_twice() {
    let standins = Standins::start().await;
    let toml = settings(&standins) + "voice = \"alice\"\nlanguage = \"en-GB\"\nring = \"25s\"";
    let text = "Disk <90% & \"full\" on db'1\u{7}\nnow";
    let result = channel("twilio-voice", &toml).send(&out(Some("+15550100"), "", text)).await;
    assert!(matches!(&result, AttemptResult::Sent { provider_id: Some(id), .. } if id.starts_with("CA")), "{result:?}");
    let got = &standins.recorded("twilio")[0];
    let say = "<Say voice=\"alice\" language=\"en-GB\">Disk &lt;90% &amp; &quot;full&quot; on db&apos;1 now</Say>";
    assert_eq!(got.form["Twiml"], format!("<Response>{say}<Pause length=\"1\"/>{say}</Response>"));
    assert_eq!((got.form["Timeout"].as_str(), got.form["From"].as_str()), ("25", "+15005550006"));
}

#[tokio::test]
async fn a_machine_is_looked_for_while_the_call_runs_and_only_when_asked_to() {
    let standins = Standins::start().await;
    let detects = channel("twilio-voice", &(settings(&standins) + "machine_detection = true"));
    for (channel, expected) in [(call(&standins), [None, None]), (detects, [Some("Enable"), Some("true")])] {
        assert!(channel.send(&out(Some("+15550100"), "", "x")).await.success().is_some());
        let form = &standins.recorded("twilio").pop().unwrap().form;
        assert_eq!(["MachineDetection", "AsyncAmd"].map(|name| form.get(name).map(String::as_str)), expected);
    }
}

#[tokio::test]
async fn a_long_text_is_cut_so_that_twilio_takes_the_call() {
    let standins = Standins::start().await;
    for text in ["long words ".repeat(1000), "&\"<".repeat(5000), "ü".repeat(9000)] {
        let result = call(&standins).send(&out(Some("+15550100"), "", &text)).await;
        assert!(result.success().is_some(), "{result:?}");
        let twiml = standins.recorded("twilio").last().unwrap().form["Twiml"].clone();
        assert!((3900..4000).contains(&twiml.chars().count()), "{}", twiml.chars().count());
    }
}

#[tokio::test]
async fn twilios_test_numbers_fail_as_documented() {
    let standins = Standins::start().await;
    for (to, class, blame, code) in [
        ("+15005550001", ValidationError, Message, "21211"),
        ("+15005550002", ProviderError, Provider, "21612"),
        ("+15005550003", ProviderError, Provider, "21408"),
        ("+15005550004", ValidationError, Message, "21610"),
        ("+15005550009", ValidationError, Message, "21614"),
        ("+1555", ValidationError, Message, "21211"),
    ] {
        let failure = is(sms(&standins).send(&out(Some(to), "", "x")).await, class, blame, false);
        assert_eq!(failure.code.as_deref(), Some(code));
    }
    for (to, class, blame, code) in [
        ("+15005550001", ValidationError, Message, "21217"),
        ("+15005550002", ValidationError, Message, "21214"),
        ("+15005550003", ProviderError, Provider, "21215"),
        ("+15005550004", ProviderError, Provider, "21216"),
    ] {
        let failure = is(call(&standins).send(&out(Some(to), "", "x")).await, class, blame, false);
        assert_eq!(failure.code.as_deref(), Some(code));
    }
    for (from, class, blame, code) in [
        ("+15005550001", ProviderError, Provider, "21212"),
        ("+15005550007", ProviderError, Provider, "21606"),
        ("+15005550008", RateLimited, Channel, "21611"),
    ] {
        let sms = channel("twilio-sms", &settings(&standins).replace("+15005550006", from));
        let failure = is(sms.send(&out(Some("+15550100"), "", "x")).await, class, blame, false);
        assert_eq!(failure.code.as_deref(), Some(code));
    }
    is(sms(&standins).send(&out(None, "", "x")).await, ValidationError, Message, false);
    is(sms(&standins).send(&out(Some("+15550100"), "", "")).await, ValidationError, Message, false);
}

#[tokio::test]
async fn f36_f37_f38_f39_every_misbehaviour_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let sms = sms(&standins);
    let message = out(Some("+15550100"), "", "x");
    for (fault, class, blame, unknown, code) in [
        (Fault::status(401), AuthError, Account, false, Some("20003")),
        (Fault::status(403), AuthError, Account, false, Some("70051")),
        (Fault::status(429), RateLimited, Channel, false, Some("20429")),
        (Fault::status(500), ProviderError, Channel, true, Some("20500")),
        (Fault::status(503), ProviderError, Channel, true, Some("20503")),
        (Fault::status(400), ProviderError, Provider, false, Some("400")),
        (
            Fault::Status { status: 502, retry_after: None, body: Some("<html>bad gateway".into()) },
            ProviderError,
            Channel,
            true,
            Some("502"),
        ),
        (Fault::ErrorInside, ProviderError, Provider, false, Some("30007")),
        (Fault::Html, ProviderError, Channel, false, Some("200")),
        (
            Fault::Status { status: 201, retry_after: None, body: Some("{\"sid\":\"SM00".into()) },
            ProviderError,
            Channel,
            true,
            Some("201"),
        ),
        (Fault::CutAfter, ProviderError, Channel, true, None),
    ] {
        let name = format!("{fault:?}");
        standins.set_times("twilio", fault, 1);
        let result = sms.send(&message).await;
        let failure = is(result, class, blame, unknown);
        assert_eq!(failure.code.as_deref(), code, "{name}");
    }
    // The connection broke off after a whole document: that is an answer.
    standins.set_times("twilio", Fault::CutAnswer, 1);
    assert!(sms.send(&message).await.success().is_some());
    standins.set_times("twilio", Fault::Hang, 1);
    is(hasty(&standins).send(&message).await, Timeout, Channel, true);
    let body = "{\"code\":63038,\"message\":\"Account exceeded its daily messages limit\",\"status\":429}";
    standins.set_times(
        "twilio",
        Fault::Status { status: 429, retry_after: Some("3600".into()), body: Some(body.into()) },
        1,
    );
    let failure = is(sms.send(&message).await, RateLimited, Account, false);
    assert_eq!(failure.words, "Account exceeded its daily messages limit");
    assert_eq!(failure.retry_after, Some(stentor::domain::time::Span::hours(1)));
}

/// Every code of contracts, as a refusal and, of those that come later, as a failure inside of a 201.
#[tokio::test]
async fn every_code_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let (sms, call) = (sms(&standins), call(&standins));
    let message = out(Some("+15550100"), "", "x");
    for (status, code, class, blame, unknown) in [
        (401, 20003, AuthError, Account, false),
        (401, 70051, AuthError, Account, false),
        (403, 70051, AuthError, Account, false),
        (404, 20404, ProviderError, Account, false),
        (429, 20429, RateLimited, Channel, false),
        (500, 20500, ProviderError, Channel, true),
        (503, 20503, ProviderError, Channel, true),
        (502, 99999, ProviderError, Channel, true),
        (400, 21211, ValidationError, Message, false),
        (400, 21214, ValidationError, Message, false),
        (400, 21217, ValidationError, Message, false),
        (400, 21408, ProviderError, Provider, false),
        (403, 21408, ProviderError, Provider, false),
        (400, 21606, ProviderError, Provider, false),
        (400, 21212, ProviderError, Provider, false),
        (400, 21210, ProviderError, Provider, false),
        (400, 21601, ProviderError, Provider, false),
        (400, 21660, ProviderError, Provider, false),
        (400, 21608, ProviderError, Provider, false),
        (403, 21608, ProviderError, Provider, false),
        (400, 21610, ValidationError, Message, false),
        (429, 21611, RateLimited, Channel, false),
        (400, 21611, RateLimited, Channel, false),
        (400, 21612, ProviderError, Provider, false),
        (400, 21614, ValidationError, Message, false),
        (400, 21635, ValidationError, Message, false),
        (400, 21602, ValidationError, Message, false),
        (400, 21617, ValidationError, Message, false),
        (400, 21619, ValidationError, Message, false),
        (400, 21609, ValidationError, Message, false),
        (400, 21624, ValidationError, Message, false),
        (429, 63038, RateLimited, Account, false),
        // Of calls.
        (400, 21201, ValidationError, Message, false),
        (400, 21205, ValidationError, Message, false),
        (400, 21215, ProviderError, Provider, false),
        (400, 21216, ProviderError, Provider, false),
        (400, 13224, ValidationError, Message, false),
        (400, 12100, ValidationError, Message, false),
        // What nobody knows yet, by its status: rather another provider than a lost alarm.
        (400, 29999, ProviderError, Provider, false),
        (401, 29999, AuthError, Account, false),
        (403, 29999, AuthError, Account, false),
        (404, 29999, ProviderError, Provider, false),
        (429, 29999, RateLimited, Channel, false),
    ] {
        let body = json!({ "code": code, "message": "words", "more_info": "https://x/", "status": status });
        for channel in [&sms, &call] {
            standins.set_times("twilio", Fault::refusal(status, &body), 1);
            let failure = is(channel.send(&message).await, class, blame, unknown);
            assert_eq!((failure.code, failure.words.as_str()), (Some(code.to_string()), "words"));
        }
    }
    for (code, class, blame) in [
        (30001, RateLimited, Channel),
        (30002, AuthError, Account),
        (30003, ProviderError, Provider),
        (30004, ValidationError, Message),
        (30005, ValidationError, Message),
        (30006, ValidationError, Message),
        (30007, ProviderError, Provider),
        (30008, ProviderError, Channel),
        (30009, ProviderError, Channel),
        (30010, ProviderError, Provider),
        (30022, RateLimited, Channel),
        (30023, RateLimited, Provider),
        (30034, ProviderError, Provider),
        (30410, ProviderError, Channel),
        (30450, ProviderError, Provider),
        (39999, ProviderError, Provider),
    ] {
        for status in ["failed", "undelivered"] {
            let body = json!({ "sid": "SM00", "status": status, "error_code": code, "error_message": null });
            standins.set_times("twilio", Fault::refusal(201, body), 1);
            let failure = is(sms.send(&message).await, class, blame, false);
            assert_eq!(failure.code, Some(code.to_string()));
        }
    }
}

#[tokio::test]
async fn the_probe_asks_for_the_account_and_sends_nothing() {
    let standins = Standins::start().await;
    let sms = sms(&standins);
    assert_eq!(sms.probe().await.unwrap(), "credentials accepted, account active");
    standins.twilio_account("suspended");
    let suspended = sms.probe().await.unwrap_err();
    assert_eq!(
        (suspended.class, suspended.blame, suspended.words.as_str()),
        (AuthError, Account, "the account is suspended")
    );
    standins.revoke_twilio(true);
    let refused = sms.probe().await.unwrap_err();
    assert_eq!((refused.class, refused.blame), (AuthError, Account));
    assert_eq!(refused.to_string(), "AUTH_ERROR (20003 Authenticate)");
    standins.set_times("twilio", Fault::Html, 1);
    assert_eq!(call(&standins).probe().await.unwrap_err().class, ProviderError);
    standins.set_times("twilio", Fault::Hang, 1);
    let hung = hasty(&standins).probe().await.unwrap_err();
    assert_eq!((hung.class, hung.unknown), (Timeout, false), "a probe that got no answer has sent nothing");
    assert!(standins.recorded("twilio").iter().all(|r| r.method == "GET"));
}

#[tokio::test]
async fn an_api_key_sends_and_probes_without_reading_the_account() {
    let standins = Standins::start().await;
    let token = standins.addresses().twilio_auth_token;
    let toml = settings(&standins).replace(
        &format!("auth_token = \"{token}\""),
        &format!("api_key = \"{API_KEY}\"\napi_secret = \"{API_SECRET}\""),
    );
    let sms = channel("twilio-sms", &toml);
    assert_eq!(sms.probe().await.unwrap(), "API key accepted");
    assert!(sms.send(&out(Some("+15550100"), "", "x")).await.success().is_some());
    assert!(standins.recorded("twilio")[0].path.ends_with("/Messages.json?PageSize=1"));
    standins.revoke_twilio(true);
    assert_eq!(sms.probe().await.unwrap_err().class, AuthError);
    assert_eq!(failure(sms.send(&out(Some("+15550100"), "", "x")).await).class, AuthError);
}

#[tokio::test]
async fn a_wrong_account_is_the_channels_fault() {
    let standins = Standins::start().await;
    let toml = settings(&standins)
        .replace("/\"", "\"")
        .replace(&standins.addresses().twilio, &format!("{}/prefix", standins.addresses().twilio));
    let failure =
        is(channel("twilio-sms", &toml).send(&out(Some("+15550100"), "", "x")).await, ProviderError, Account, false);
    assert_eq!(failure.code.as_deref(), Some("20404"));
    assert!(standins.recorded("twilio")[0].path.starts_with("/prefix/2010-04-01/"));
}

/// What `inquire` is asked after `out` was sent.
fn lost(out: &Outgoing, known: &[&str]) -> Lost {
    Lost {
        address: out.address.clone(),
        text: out.text.clone(),
        since: stentor::domain::clock::wall(),
        known: known.iter().map(|id| (*id).to_owned()).collect(),
    }
}

async fn inquire(channel: &dyn Channel, lost: &Lost) -> Found {
    channel.inquirer().unwrap().inquire(lost).await
}

#[tokio::test]
async fn f32_after_a_lost_answer_the_list_says_whether_it_is_there() {
    let standins = Standins::start().await;
    let (sms, call) = (sms(&standins), call(&standins));
    let message = out(Some("+15550100"), "", "URGENT #1 here: x");
    let words = Found::No { words: "Twilio does not list it".into() };
    assert_eq!(inquire(&*sms, &lost(&message, &[])).await, words, "nothing was sent yet");
    standins.set_times("twilio", Fault::CutAfter, 1);
    is(sms.send(&message).await, ProviderError, Channel, true);
    let Found::Yes { provider_id, detail } = inquire(&*sms, &lost(&message, &[])).await else { panic!("not found") };
    assert_eq!((&provider_id[..2], detail.as_str()), ("SM", "Twilio has it: queued"));
    assert_eq!(inquire(&*sms, &lost(&message, &[&provider_id])).await, words, "that one is another message");
    let other = out(Some("+15550100"), "", "URGENT #2 here: y");
    assert_eq!(inquire(&*sms, &lost(&other, &[])).await, words, "another text");
    let elsewhere = out(Some("+15550101"), "", "URGENT #1 here: x");
    assert_eq!(inquire(&*sms, &lost(&elsewhere, &[])).await, words, "another number");
    let mut later = lost(&message, &[]);
    later.since = later.since + stentor::domain::time::Span::mins(10);
    assert_eq!(inquire(&*sms, &later).await, words, "it was there before");

    // A call has no text to compare, but its number, its sender and its time.
    assert_eq!(inquire(&*call, &lost(&message, &[])).await, words, "a message is no call");
    standins.set_times("twilio", Fault::CutAfter, 1);
    is(call.send(&message).await, ProviderError, Channel, true);
    let Found::Yes { provider_id, .. } = inquire(&*call, &lost(&message, &[])).await else { panic!("not found") };
    assert!(provider_id.starts_with("CA"));
    for fault in [Fault::status(500), Fault::CutAfter, Fault::Html, Fault::status(401)] {
        standins.set_times("twilio", fault.clone(), 1);
        let found = inquire(&*sms, &lost(&message, &[])).await;
        assert!(matches!(found, Found::Unclear { .. }), "{fault:?}: {found:?}");
    }
}
