use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::standins::slack::error;
use crate::support::{about, channel, is, json, out, told};
use std::sync::Arc;
use stentor::channel::{Channel, Occasion, Outgoing};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

const FIRST: &str = "C00000017/1503435956.000001";

fn slack(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    let at = standins.addresses();
    let own = format!("base_url = \"{}\"\ntoken = \"{}\"\nchannel = \"#alarms\"\n", at.slack_api, at.slack_token);
    channel("slack", &(own + more))
}

/// A later message about the incident that `FIRST` began.
fn later(occasion: Occasion, text: &str) -> Outgoing {
    let mut message = about(occasion, text);
    message.matter.incident.as_mut().unwrap().first = Some(FIRST.into());
    message
}

fn delivered(n: usize) -> AttemptResult {
    AttemptResult::Delivered {
        provider_id: Some(format!("C00000017/1503435956.{n:06}")),
        detail: "Slack says ok".into(),
    }
}

#[tokio::test]
async fn an_incident_is_a_thread_that_its_notices_change() {
    let standins = Standins::start().await;
    let slack = slack(&standins, "username = \"stentor\"\nicon_emoji = \":siren:\"");
    let opened = slack.send(&about(Occasion::Opened, "URGENT #417 <!channel> a & b\n/var is full")).await;
    assert_eq!(opened, delivered(1));
    assert_eq!(slack.send(&later(Occasion::Step, "URGENT #417 again")).await, delivered(2));
    assert_eq!(slack.send(&later(Occasion::Resolved, "RESOLVED #417 after 12m")).await, delivered(3));
    let got = standins.recorded("slack-web");
    let paths: Vec<_> = got.iter().map(|r| r.path.as_str()).collect();
    let post = "/api/chat.postMessage";
    assert_eq!(paths, [post, post, post, "/api/chat.update"]);
    assert_eq!(got[0].headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(
        json(&got[0]),
        serde_json::json!({
            "channel": "#alarms", "text": "URGENT #417 &lt;!channel&gt; a &amp; b", "unfurl_links": false,
            "attachments": [{
                "color": "#d12828",
                "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": "/var is full", "verbatim": true } }],
            }],
            "username": "stentor", "icon_emoji": ":siren:",
        })
    );
    let step = json(&got[1]);
    assert_eq!((step["channel"].as_str(), step["thread_ts"].as_str()), (Some("C00000017"), Some("1503435956.000001")));
    assert_eq!(step["reply_broadcast"], true, "a further step is seen in the channel");
    assert_eq!(json(&got[2])["reply_broadcast"], false, "a notice disturbs nobody");
    let changed = json(&got[3]);
    assert_eq!(
        (changed["ts"].as_str(), changed["text"].as_str()),
        (Some("1503435956.000001"), Some("RESOLVED #417 after 12m"))
    );
    assert_eq!(changed["attachments"][0]["color"], "#2e9e5b");
    assert_eq!(changed["attachments"][0]["blocks"][0]["text"]["text"], "401 Authenticate");
}

#[tokio::test]
async fn without_threads_each_message_stands_by_itself() {
    let standins = Standins::start().await;
    assert_eq!(slack(&standins, "thread = false").send(&later(Occasion::Resolved, "x")).await, delivered(1));
    let got = standins.recorded("slack-web");
    assert_eq!((got.len(), json(&got[0])["thread_ts"].is_null()), (1, true));
}

#[tokio::test]
async fn a_first_message_that_was_deleted_is_made_up_for() {
    let standins = Standins::start().await;
    assert_eq!(slack(&standins, "").send(&later(Occasion::Step, "URGENT")).await, delivered(2));
    assert!(json(&standins.recorded("slack-web")[1])["thread_ts"].is_null());
}

#[tokio::test]
async fn what_was_said_is_delivered_though_the_first_message_cannot_be_changed() {
    let standins = Standins::start().await;
    let slack = slack(&standins, "");
    slack.send(&about(Occasion::Opened, "x")).await;
    let mut strange = later(Occasion::Acknowledged, "ACK #417");
    // The thread is there by chance, the message in another channel.
    strange.matter.incident.as_mut().unwrap().first = Some("#alarms/1503435956.000001".into());
    let AttemptResult::Delivered { detail, .. } = slack.send(&strange).await else { panic!("not delivered") };
    assert_eq!(detail, "Slack says ok; the first message could not be changed: channel_not_found");
}

#[tokio::test]
async fn a_message_refused_for_its_form_goes_once_more_as_plain_text() {
    let standins = Standins::start().await;
    let slack = slack(&standins, "");
    let content = [
        "msg_too_long",
        "no_text",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_arguments",
        "too_many_attachments",
    ];
    for code in content {
        standins.set_times("slack-web", Fault::refusal(200, error(code).body), 1);
        assert!(slack.send(&out(None, "", "head\nbody")).await.success().is_some(), "{code}");
        let got = standins.recorded("slack-web");
        let plain = serde_json::json!({ "channel": "#alarms", "text": "head\nbody" });
        assert_eq!(json(got.last().unwrap()), plain, "{code}");
        standins.set_times("slack-web", Fault::refusal(200, error(code).body), 2);
        let failure = is(slack.send(&out(None, "", "head\nbody")).await, ValidationError, Message, false);
        assert_eq!(failure.code.as_deref(), Some(code));
    }
}

#[tokio::test]
async fn every_code_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let slack = slack(&standins, "timeout = \"300ms\"");
    let message = out(None, "", "x");
    let auth = ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission"];
    let mut table: Vec<_> = auth.map(|code| (code, AuthError, Account, false)).into();
    table.extend(["missing_scope", "ekm_access_denied"].map(|code| (code, AuthError, Account, false)));
    let config = ["channel_not_found", "not_in_channel", "is_archived", "restricted_action"];
    table.extend(config.map(|code| (code, ProviderError, Account, false)));
    table.extend(
        ["ratelimited", "rate_limited", "message_limit_exceeded"].map(|code| (code, RateLimited, Channel, false)),
    );
    table.extend(
        ["fatal_error", "internal_error", "service_unavailable"].map(|code| (code, ProviderError, Channel, true)),
    );
    table.push(("request_timeout", Timeout, Channel, true));
    table.push(("something_new", ProviderError, Provider, false));
    for (code, class, blame, unknown) in table {
        standins.set_times("slack-web", Fault::refusal(200, error(code).body), 1);
        let failure = is(slack.send(&message).await, class, blame, unknown);
        assert_eq!(failure.code.as_deref(), Some(code));
    }
    for (fault, class, unknown) in [
        (Fault::Html, ProviderError, false),
        (Fault::status(503), ProviderError, true),
        (Fault::CutAfter, ProviderError, true),
        (Fault::Hang, Timeout, true),
    ] {
        standins.set_times("slack-web", fault, 1);
        is(slack.send(&message).await, class, Channel, unknown);
    }
    standins.set_times("slack-web", Fault::status(429), 1);
    assert_eq!(is(slack.send(&message).await, RateLimited, Channel, false).retry_after, Some(Span::secs(30)));
    is(slack.send(&out(None, "", "")).await, ValidationError, Message, false);
}

#[tokio::test]
async fn its_probe_tests_the_token_and_posts_nothing() {
    let standins = Standins::start().await;
    assert_eq!(slack(&standins, "").probe().await.unwrap(), "token accepted, stentor in stand-ins");
    standins.set_times("slack-web", Fault::refusal(200, error("token_revoked").body), 1);
    let refused = slack(&standins, "").probe().await.unwrap_err();
    assert_eq!((refused.class, refused.blame), (AuthError, Account));
    assert!(standins.recorded("slack-web").iter().all(|r| r.path == "/api/auth.test"));
}

#[tokio::test]
async fn a_long_text_is_cut_and_split_so_that_slack_takes_it() {
    let standins = Standins::start().await;
    for text in ["x".repeat(50_000), format!("x\n{}", "&".repeat(50_000))] {
        let result = slack(&standins, "").send(&out(None, "", &text)).await;
        assert!(result.success().is_some(), "{result:?}");
    }
}

#[test]
fn its_settings_are_a_webhook_or_a_token_and_a_channel() {
    let both = "webhook_url = 'https://hooks.example.org/x'\ntoken = 'xoxb-1'\nchannel = '#a'";
    assert!(
        told("slack", both).contains("error 1:15 webhook_url: either an incoming webhook, or a token and a channel")
    );
    assert!(told("slack", "token = 'xoxb-1'").contains("channel is missing (write channel = \"#alarms\")"));
    assert!(told("slack", "channel = '#a'").contains("token is missing"));
    let icons = "token = 'xoxb-1'\nchannel = '#a'\nicon_emoji = ':x:'\nicon_url = 'https://x/'";
    assert!(told("slack", icons).contains("error 4:12 icon_url: either icon_emoji or icon_url"));
    let described = channel("slack", "token = 'xoxb-17'\nchannel = '#a'").describe(&out(None, "", "t"));
    assert!(described.starts_with("POST https://slack.com/api/chat.postMessage\nAuthorization: Bearer [secret]\nContent-Type: application/json; charset=utf-8\n\n{"));
}
