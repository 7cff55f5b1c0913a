use crate::standins::Standins;
use crate::standins::discord::{GONE, MESSAGE, PATH};
use crate::standins::script::Fault;
use crate::support::{about, channel, is, json, out};
use std::sync::Arc;
use stentor::channel::{Channel, Occasion};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

fn discord(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    channel("discord", &format!("webhook_url = \"{}\"\n{more}", standins.addresses().discord_webhook_url))
}

#[tokio::test]
async fn sends_a_headline_and_an_embed_that_can_ping_nobody() {
    let standins = Standins::start().await;
    let settings = "username = \"stentor\"\navatar_url = \"https://x.example/a.png\"\nthread_id = \"17\"";
    let text = "URGENT #417 db_1: *full* @everyone <@17>\n/var is at 98 %\nhttps://x.example/a_b";
    let result = discord(&standins, settings).send(&about(Occasion::Opened, text)).await;
    let provider_id = Some(MESSAGE.into());
    assert_eq!(result, AttemptResult::Delivered { provider_id, detail: "Discord keeps it".into() });
    let got = &standins.recorded("discord")[0];
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", format!("{PATH}?thread_id=17&wait=true").as_str()));
    assert_eq!(
        json(got),
        serde_json::json!({
            "content": "URGENT \\#417 db\\_1: \\*full\\* @everyone \\<@17\\>",
            "embeds": [{ "description": "/var is at 98 %\nhttps://x.example/a_b", "color": 0xd12828 }],
            "allowed_mentions": { "parse": [] }, "username": "stentor", "avatar_url": "https://x.example/a.png",
        })
    );
}

#[tokio::test]
async fn in_a_forum_an_incident_is_a_post_and_what_follows_stands_under_it() {
    let standins = Standins::start().await;
    let forum = discord(&standins, "forum = true");
    let mut message = about(Occasion::Opened, &format!("URGENT #417 {}\n/var is at 98 %", "disk ".repeat(40)));
    let post = format!("{MESSAGE}/{MESSAGE}");
    let provider_id = Some(post.clone());
    assert_eq!(forum.send(&message).await, AttemptResult::Delivered { provider_id, detail: "Discord keeps it".into() });
    message.matter.occasion = Occasion::Resolved;
    message.matter.incident.as_mut().unwrap().first = Some(post);
    assert!(forum.send(&message).await.success().is_some());
    // Somebody has deleted the post: another one.
    message.matter.incident.as_mut().unwrap().first = Some(format!("{GONE}/{MESSAGE}"));
    assert!(forum.send(&message).await.success().is_some());
    let mut lone = about(Occasion::Message, "NORMAL: x");
    lone.matter.incident = None;
    assert!(forum.send(&lone).await.success().is_some());
    let got = standins.recorded("discord");
    let told: Vec<(Option<&str>, bool)> = got
        .iter()
        .map(|r| {
            (
                r.path.split_once("thread_id=").map(|(_, id)| id.split('&').next().unwrap()),
                json(r)["thread_name"].is_string(),
            )
        })
        .collect();
    assert_eq!(told, [(None, true), (Some(MESSAGE), false), (Some(GONE), false), (None, true), (None, true)]);
    let name = json(&got[0])["thread_name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("URGENT #417 disk") && name.chars().count() <= 100, "{name}");
    assert_eq!(json(&got[4])["thread_name"], "NORMAL: x");
}

#[tokio::test]
async fn one_line_needs_no_embed_and_a_notice_has_its_own_colour() {
    let standins = Standins::start().await;
    let discord = discord(&standins, "");
    discord.send(&about(Occasion::Opened, "URGENT")).await;
    discord.send(&about(Occasion::Resolved, "RESOLVED\nx")).await;
    let got = standins.recorded("discord");
    assert!(json(&got[0])["embeds"].is_null());
    assert_eq!(json(&got[1])["embeds"][0]["color"], 0x2e9e5b);
}

#[tokio::test]
async fn what_is_too_long_is_cut_to_what_discord_takes() {
    let standins = Standins::start().await;
    for text in
        ["_".repeat(5000), format!("x\n{}", "*🔥".repeat(3000)), format!("{}\n{}", "ü".repeat(3000), "y".repeat(9000))]
    {
        let result = discord(&standins, "").send(&out(None, "", &text)).await;
        assert!(result.success().is_some(), "{result:?}");
    }
    let got = standins.recorded("discord");
    assert_eq!(json(&got[0])["content"].as_str().unwrap().encode_utf16().count(), 1999);
    assert_eq!(json(&got[2])["embeds"][0]["description"].as_str().unwrap().chars().count(), 4096);
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let hook = discord(&standins, "");
    let message = out(None, "", "x");
    is(hook.send(&out(None, "", "")).await, ValidationError, Message, false);
    for (status, class, blame, unknown, code) in [
        (400, ValidationError, Message, false, "50035"),
        (401, AuthError, Account, false, "50027"),
        (403, AuthError, Account, false, "403"),
        (404, ProviderError, Account, false, "10015"),
        (429, RateLimited, Channel, false, "429"),
        (500, ProviderError, Channel, true, "500"),
        (502, ProviderError, Channel, true, "502"),
        (204, ProviderError, Channel, false, "204"),
    ] {
        standins.set_times("discord", Fault::status(status), 1);
        let failure = is(discord(&standins, "").send(&message).await, class, blame, unknown);
        assert_eq!(failure.code.as_deref(), Some(code));
        if status == 429 {
            assert_eq!(failure.retry_after, Some(Span::millis(64_570)), "Discord's own word, to the fraction");
        }
        if status == 400 {
            assert!(failure.words.starts_with("Invalid Form Body: {\"content\""), "{failure}");
        }
    }
    // By its code, whatever the status.
    for (status, code, class, blame) in [
        (404, 10015, ProviderError, Account),
        (401, 50027, AuthError, Account),
        (400, 50027, AuthError, Account),
        (400, 50006, ValidationError, Message),
        (400, 50035, ValidationError, Message),
    ] {
        let body = serde_json::json!({ "message": "words", "code": code });
        standins.set_times("discord", Fault::refusal(status, body), 1);
        let failure = is(discord(&standins, "").send(&message).await, class, blame, false);
        assert_eq!(failure.code, Some(code.to_string()));
    }
    for (fault, unknown) in [(Fault::Html, false), (Fault::ErrorInside, false), (Fault::CutAfter, true)] {
        standins.set_times("discord", fault, 1);
        is(discord(&standins, "").send(&message).await, ProviderError, Channel, unknown);
    }
    let strange = standins.addresses().discord_webhook_url.replace("standInToken", "another");
    let strange = channel("discord", &format!("webhook_url = \"{strange}\""));
    is(strange.send(&message).await, AuthError, Account, false);
    standins.set_times("discord", Fault::Hang, 1);
    is(discord(&standins, "timeout = \"300ms\"").send(&message).await, Timeout, Channel, true);
}

#[tokio::test]
async fn waits_when_no_request_is_left() {
    let standins = Standins::start().await;
    let hook = discord(&standins, "");
    let message = out(None, "", "x");
    let none_left = |after: &str| {
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset-after", after)];
        Fault::Headers { headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into() }
    };
    standins.set_times("discord", none_left("60"), 1);
    assert!(hook.send(&message).await.success().is_some());
    let failure = is(hook.send(&message).await, RateLimited, Channel, false);
    assert!(failure.retry_after.is_some_and(|wait| wait > Span::secs(50) && wait <= Span::secs(60)), "{failure:?}");
    assert_eq!(standins.recorded("discord").len(), 1, "it was not even asked");
    // A short pause is waited for.
    let hook = discord(&standins, "");
    standins.set_times("discord", none_left("0.05"), 1);
    assert!(hook.send(&message).await.success().is_some());
    assert!(hook.send(&message).await.success().is_some());
}

#[tokio::test]
async fn its_probe_looks_at_the_webhook_and_posts_nothing() {
    let standins = Standins::start().await;
    assert_eq!(discord(&standins, "").probe().await.unwrap(), "the webhook is there");
    standins.set_times("discord", Fault::status(404), 1);
    let gone = discord(&standins, "").probe().await.unwrap_err();
    assert_eq!((gone.class, gone.blame, gone.words.as_str()), (ProviderError, Account, "Unknown Webhook"));
    standins.set_times("discord", Fault::Html, 1);
    assert_eq!(discord(&standins, "").probe().await.unwrap_err().class, ProviderError);
    assert!(standins.recorded("discord").iter().all(|r| r.method == "GET"));
}
