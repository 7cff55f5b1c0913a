use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::support::{channel, is, out};
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

fn slack(standins: &Standins) -> Arc<dyn Channel> {
    slack_within(standins, "15s")
}

fn slack_within(standins: &Standins, timeout: &str) -> Arc<dyn Channel> {
    let url = &standins.addresses().slack_webhook_url;
    channel("slack", &format!("webhook_url = \"{url}\"\ntimeout = \"{timeout}\""))
}

#[tokio::test]
async fn f51_sends_text_that_cannot_ping_or_link() {
    let standins = Standins::start().await;
    let result = slack(&standins).send(&out(None, "", "<!channel> a & b\n<http://x|y> ü")).await;
    assert_eq!(result, AttemptResult::Delivered { provider_id: None, detail: "Slack says ok".into() });
    let got = &standins.recorded("slack")[0];
    assert_eq!(got.headers["content-type"], "application/json; charset=utf-8");
    let body: serde_json::Value = serde_json::from_str(&got.body).unwrap();
    assert_eq!(body, serde_json::json!({ "text": "&lt;!channel&gt; a &amp; b\n&lt;http://x|y&gt; ü" }));
}

#[tokio::test]
async fn shortens_what_slack_would_cut() {
    let standins = Standins::start().await;
    slack(&standins).send(&out(None, "", &"ä".repeat(50_000))).await;
    let body: serde_json::Value = serde_json::from_str(&standins.recorded("slack")[0].body).unwrap();
    let text = body["text"].as_str().unwrap();
    assert_eq!((text.chars().count(), text.chars().last()), (4000, Some('…')));
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let slack = slack(&standins);
    is(slack.send(&out(None, "", "")).await, ValidationError, Message, false);
    for (status, class, blame, unknown, code) in [
        (400, ValidationError, Message, false, "answer 400 without words"),
        (403, AuthError, Account, false, "403"),
        (404, ProviderError, Account, false, "no_service"),
        (410, ProviderError, Account, false, "channel_is_archived"),
        (429, RateLimited, Channel, false, "429"),
        (500, ProviderError, Channel, true, "500"),
        (503, ProviderError, Channel, true, "503"),
    ] {
        let retry_after = Some("30".into());
        standins.set("slack", Fault::Status { status, retry_after, body: None });
        let failure = is(slack.send(&out(None, "", "x")).await, class, blame, unknown);
        assert_eq!(failure.code.as_deref(), Some(code));
        assert!(status != 429 || failure.retry_after == Some(Span::secs(30)));
    }
}

/// Every word of contracts, with its status.
#[tokio::test]
async fn every_word_of_the_webhook_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let slack = slack(&standins);
    for (status, word, class, blame, unknown) in [
        (400, "invalid_payload", ValidationError, Message, false),
        (400, "no_text", ValidationError, Message, false),
        (400, "invalid_blocks", ValidationError, Message, false),
        (400, "too_many_attachments", ValidationError, Message, false),
        (400, "user_not_found", ValidationError, Message, false),
        (403, "action_prohibited", AuthError, Account, false),
        (403, "invalid_token", AuthError, Account, false),
        (404, "channel_not_found", ProviderError, Account, false),
        (404, "no_service", ProviderError, Account, false),
        (404, "no_team", ProviderError, Account, false),
        (404, "no_active_hooks", ProviderError, Account, false),
        (410, "channel_is_archived", ProviderError, Account, false),
        (500, "rollup_error", ProviderError, Channel, true),
    ] {
        standins.set_times("slack", Fault::refusal(status, word), 1);
        let failure = is(slack.send(&out(None, "", "x")).await, class, blame, unknown);
        assert_eq!(failure.words, word);
    }
}

#[tokio::test]
async fn f36_only_ok_is_a_success() {
    let standins = Standins::start().await;
    let slack = slack(&standins);
    for fault in [Fault::Html, Fault::ErrorInside, Fault::Status { status: 204, retry_after: None, body: None }] {
        standins.set_times("slack", fault, 1);
        is(slack.send(&out(None, "", "x")).await, ProviderError, Channel, false);
    }
    for fault in [Fault::CutAfter, Fault::Huge { bytes: 100_000 }] {
        standins.set_times("slack", fault, 1);
        is(slack.send(&out(None, "", "x")).await, ProviderError, Channel, true);
    }
    // `ok` came, whatever else was promised.
    standins.set_times("slack", Fault::CutAnswer, 1);
    assert!(slack.send(&out(None, "", "x")).await.success().is_some());
    standins.set_times("slack", Fault::Hang, 1);
    is(slack_within(&standins, "300ms").send(&out(None, "", "x")).await, Timeout, Channel, true);
}

#[tokio::test]
async fn its_probe_posts_nothing() {
    let standins = Standins::start().await;
    let words = slack(&standins).probe().await.unwrap();
    assert!(words.contains("only when a message is sent"), "{words}");
    assert_eq!(standins.recorded("slack").len(), 0);
}
