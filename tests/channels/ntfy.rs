use crate::standins::Standins;
use crate::standins::ntfy::{TOPIC, error};
use crate::standins::script::Fault;
use crate::support::{about, channel, is, json, out, told};
use std::sync::Arc;
use stentor::channel::{Channel, Occasion};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::level::Level;
use stentor::domain::time::Span;

fn settings(standins: &Standins) -> String {
    let at = standins.addresses();
    format!("base_url = \"{}\"\ntopic = \"{TOPIC}\"\ntoken = \"{}\"\n", at.ntfy, at.ntfy_token)
}

fn ntfy(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    channel("ntfy", &(settings(standins) + more))
}

#[tokio::test]
async fn a_message_has_a_title_and_breaks_through_by_its_level() {
    let standins = Standins::start().await;
    let result = ntfy(&standins, "").send(&about(Occasion::Opened, "URGENT #417 Größe\n/var is full")).await;
    let provider_id = Some("standIn00001".into());
    assert_eq!(result, AttemptResult::Delivered { provider_id, detail: "ntfy has it".into() });
    let got = &standins.recorded("ntfy")[0];
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/"));
    assert_eq!(
        json(got),
        serde_json::json!({
            "topic": TOPIC, "title": "URGENT #417 Größe", "message": "/var is full", "priority": 5,
            "tags": ["rotating_light"],
        })
    );
    for (level, priority) in [(Level::High, 4), (Level::Normal, 3), (Level::Low, 2)] {
        let mut message = out(None, "", "x");
        message.level = level;
        assert!(ntfy(&standins, "").send(&message).await.success().is_some());
        assert_eq!(json(standins.recorded("ntfy").last().unwrap())["priority"], priority);
    }
    ntfy(&standins, "").send(&about(Occasion::Resolved, "RESOLVED")).await;
    assert_eq!(json(standins.recorded("ntfy").last().unwrap())["priority"], 2, "the end wakes nobody");
}

#[tokio::test]
async fn a_long_text_is_cut_between_letters() {
    let standins = Standins::start().await;
    for text in ["ü".repeat(9000), format!("x\n{}", "🔥".repeat(3000))] {
        let result = ntfy(&standins, "").send(&out(None, "", &text)).await;
        assert!(result.success().is_some(), "{result:?}");
    }
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let ntfy = ntfy(&standins, "timeout = \"300ms\"");
    let message = out(None, "", "x");
    for (fault, class, blame, unknown, code) in [
        (Fault::status(400), ValidationError, Message, false, Some("40024")),
        (Fault::status(401), AuthError, Account, false, Some("40101")),
        (Fault::status(403), AuthError, Account, false, Some("40301")),
        (Fault::status(404), ProviderError, Account, false, Some("40024")),
        (Fault::status(413), ValidationError, Message, false, Some("40024")),
        (Fault::status(429), RateLimited, Channel, false, Some("42901")),
        (
            Fault::refusal(429, error(429, 42908, "daily message quota reached").body),
            RateLimited,
            Account,
            false,
            Some("42908"),
        ),
        (Fault::status(500), ProviderError, Channel, true, Some("50001")),
        (Fault::status(507), ProviderError, Channel, true, Some("50701")),
        (Fault::Html, ProviderError, Channel, false, Some("200")),
        (Fault::ErrorInside, ProviderError, Channel, false, Some("200")),
        (Fault::CutAfter, ProviderError, Channel, true, None),
        (Fault::Hang, Timeout, Channel, true, None),
    ] {
        standins.set_times("ntfy", fault, 1);
        let failure = is(ntfy.send(&message).await, class, blame, unknown);
        assert_eq!(failure.code.as_deref(), code);
    }
    standins.set_times("ntfy", Fault::Status { status: 429, retry_after: Some("60".into()), body: None }, 1);
    assert_eq!(is(ntfy.send(&message).await, RateLimited, Channel, false).retry_after, Some(Span::mins(1)));
}

#[tokio::test]
async fn its_probe_asks_how_the_server_is_and_posts_nothing() {
    let standins = Standins::start().await;
    assert!(ntfy(&standins, "").probe().await.unwrap().starts_with("the server is well"));
    standins.set_times("ntfy", Fault::refusal(200, "{\"healthy\":false}"), 1);
    assert_eq!(ntfy(&standins, "").probe().await.unwrap_err().class, ProviderError);
    assert!(standins.recorded("ntfy").iter().all(|r| r.path == "/v1/health"));
}

#[test]
fn its_settings() {
    assert!(told("ntfy", "topic = 'a b'").contains("error 1:9 topic: this is not a topic"));
    assert!(
        told("ntfy", "topic = 'a'\ntoken = 't'\nusername = 'u'")
            .contains("either a token, or a username and a password")
    );
    let basic = channel("ntfy", "topic = 'secretTopic'\nusername = 'u'\npassword = 'p'").describe(&out(None, "", "t"));
    assert!(
        basic.starts_with("POST https://ntfy.sh/\nAuthorization: Basic [secret]\nContent-Type: application/json\n\n{")
            && !basic.contains("secretTopic")
    );
}
