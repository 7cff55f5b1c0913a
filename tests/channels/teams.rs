use crate::standins::Standins;
use crate::standins::script::Fault;
use crate::standins::teams::TARGET;
use crate::support::{about, channel, is, json, out};
use std::sync::Arc;
use stentor::channel::{Channel, Occasion};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use stentor::domain::time::Span;

fn teams(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    channel("teams", &format!("webhook_url = \"{}\"\n{more}", standins.addresses().teams_webhook_url))
}

#[tokio::test]
async fn sends_a_card_to_the_address_byte_for_byte() {
    let standins = Standins::start().await;
    let result = teams(&standins, "").send(&about(Occasion::Opened, "URGENT #417 [db_1]\nline *one*\nline two")).await;
    assert_eq!(result, AttemptResult::Sent { provider_id: None, detail: "the flow has begun".into() });
    let got = &standins.recorded("teams")[0];
    assert!(TARGET.contains("sp=%2Ftriggers"), "the stand-in refuses another spelling");
    assert_eq!((got.status, got.headers["content-type"].as_str()), (202, "application/json"));
    let card = &json(got)["attachments"][0]["content"];
    assert_eq!(card["version"], "1.4");
    let body = card["body"].as_array().unwrap();
    assert_eq!(
        (body[0]["text"].as_str(), body[0]["color"].as_str()),
        (Some("URGENT #417 \\[db\\_1\\]"), Some("Attention"))
    );
    assert_eq!(body[1]["text"], "line \\*one\\*\n\nline two");
    assert_eq!(
        body[2]["facts"],
        serde_json::json!([
            { "title": "name", "value": "twilio" },
            { "title": "source", "value": "heartbeat" },
            { "title": "type", "value": "probe" },
        ])
    );
}

#[tokio::test]
async fn a_card_is_never_larger_than_teams_takes() {
    let standins = Standins::start().await;
    for text in ["\u{1}".repeat(9000), format!("x\n{}", "🔥".repeat(9000)), format!("x\n{}", "_\"".repeat(9000))] {
        let mut message = about(Occasion::Opened, &text);
        for n in 0..200 {
            Arc::make_mut(&mut message.matter.labels).insert(format!("label_{n}"), "🔥\"".repeat(300));
        }
        let result = teams(&standins, "").send(&message).await;
        assert!(result.success().is_some(), "{result:?}");
    }
}

#[tokio::test]
async fn every_refusal_has_its_class_and_blame() {
    let standins = Standins::start().await;
    let teams = teams(&standins, "");
    let message = out(None, "", "x");
    for (status, class, blame, unknown, code) in [
        (400, ValidationError, Message, false, "TriggerInputSchemaMismatch"),
        (401, AuthError, Account, false, "DirectApiAuthorizationRequired"),
        (404, ProviderError, Account, false, "WorkflowTriggerIsNotEnabled"),
        (429, RateLimited, Channel, false, "WorkflowTriggerThrottled"),
        (500, ProviderError, Channel, true, "InternalServerError"),
        (502, ProviderError, Channel, true, "InternalServerError"),
    ] {
        standins.set_times("teams", Fault::status(status), 1);
        let failure = is(teams.send(&message).await, class, blame, unknown);
        assert_eq!(failure.code.as_deref(), Some(code));
    }
    standins.set_times("teams", Fault::Status { status: 429, retry_after: Some("9".into()), body: None }, 1);
    assert_eq!(is(teams.send(&message).await, RateLimited, Channel, false).retry_after, Some(Span::secs(9)));
    let gone = "{\"error\":{\"code\":\"WorkflowNotFound\",\"message\":\"gone\"}}";
    standins.set_times("teams", Fault::refusal(404, gone), 1);
    is(teams.send(&message).await, ProviderError, Account, false);
    standins.set_times("teams", Fault::Html, 1);
    is(teams.send(&message).await, ProviderError, Channel, false);
    standins.set_times("teams", Fault::CutAfter, 1);
    is(teams.send(&message).await, ProviderError, Channel, true);
    // Some flows say 200.
    standins.set_times("teams", Fault::status(200), 1);
    assert!(teams.send(&message).await.success().is_some());
    let strange = standins.addresses().teams_webhook_url.replace("%2F", "/");
    is(channel("teams", &format!("webhook_url = \"{strange}\"")).send(&message).await, AuthError, Account, false);
}

#[tokio::test]
async fn its_probe_posts_nothing() {
    let standins = Standins::start().await;
    let words = teams(&standins, "").probe().await.unwrap();
    assert!(words.contains("only when a message is sent"), "{words}");
    assert_eq!(standins.recorded("teams").len(), 0);
}
