//! What becomes of a text after the provider has taken it.

use super::{PUBLIC, delivery, nth_post, posts, text, until, up};
use crate::standins::callbacks::{SendGrid, message_status, telnyx};
use crate::standins::script::Fault;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn t9_a_text_is_submitted_until_its_delivery_is_confirmed() {
    let called = up("1h", "").await;
    let (id, url, sid) = text(&called, "normal").await;
    assert!(url.starts_with(&format!("{PUBLIC}/cb/twilio/status/{id}.1.")), "{url}");
    let shown = delivery(&called, &id).await;
    assert!(shown["delivered_at"].is_null() && !shown["sent_at"].is_null(), "{shown}");
    assert_eq!(message_status(&url, &sid, "sent", None).at(&called.address).await, (204, String::new()));
    assert_eq!(delivery(&called, &id).await["status"], "submitted");
    assert_eq!(message_status(&url, &sid, "delivered", None).at(&called.address).await.0, 204);
    let shown = delivery(&called, &id).await;
    assert_eq!(shown["status"], "delivered", "durable before it was answered: {shown}");
    assert!(!shown["delivered_at"].is_null(), "{shown}");
}

#[tokio::test]
async fn f42_any_order_any_number_and_late_ones_change_nothing() {
    let mut called = up("1h", "").await;
    let (id, url, sid) = text(&called, "normal").await;
    for status in ["delivered", "sent", "queued", "delivered", "undelivered", "sent", "delivered", "undelivered"] {
        assert_eq!(message_status(&url, &sid, status, None).at(&called.address).await.0, 204, "{status}");
        assert_eq!(delivery(&called, &id).await["status"], "delivered", "{status}");
    }
    let reports = called.daemon.ledger(&["delivery_reported"]).await;
    assert_eq!(reports.len(), 2, "the end, and once that something else was said: {reports:?}");
    assert_eq!((&reports[1]["late"], &reports[1]["status"]), (&json!(true), &json!("undelivered")));
    // The same bytes a day, or a life, later.
    called.daemon.kill().await;
    called.daemon.start().await;
    crate::harness::eventually("it listens", async || tokio::net::TcpStream::connect(&called.address).await.ok()).await;
    assert_eq!(message_status(&url, &sid, "delivered", None).at(&called.address).await.0, 204);
    assert_eq!(called.daemon.ledger(&["delivery_reported"]).await.len(), 2);
    assert_eq!(delivery(&called, &id).await["status"], "delivered");
}

#[tokio::test]
async fn a_text_that_fails_later_takes_the_fallback_within_seconds() {
    let called = up("1h", "").await;
    let (id, url, sid) = text(&called, "urgent").await;
    message_status(&url, &sid, "sent", None).at(&called.address).await;
    let from = Instant::now();
    message_status(&url, &sid, "undelivered", Some("30003")).at(&called.address).await;
    let second = nth_post(&called, "telnyx", 0).await;
    assert!(from.elapsed() < Duration::from_secs(5), "{:?}", from.elapsed());
    let document: serde_json::Value = serde_json::from_str(&second.body).unwrap();
    let back = document["webhook_url"].as_str().unwrap().to_owned();
    let now = || stentor::domain::clock::wall().0.div_euclid(1_000_000);
    let shown = until(&called, &id, "submitted").await;
    let uuid = shown["attempts"][1]["provider_message_id"].as_str().unwrap().to_owned();
    let payload = |status: &str| {
        json!({ "id": uuid, "to": [{ "status": status }], "parts": 1, "errors": [],
        "cost": { "amount": "0.0040", "currency": "USD" } })
    };
    // Too old, then as it should be.
    let old = telnyx(&back, "message.finalized", &payload("delivered"), now() - 301);
    assert_eq!(old.at(&called.address).await.0, 403);
    assert_eq!(telnyx(&back, "message.finalized", &payload("delivered"), now()).at(&called.address).await.0, 200);
    let shown = delivery(&called, &id).await;
    assert_eq!((&shown["status"], &shown["via"]), (&json!("delivered"), &json!("sms-telnyx")), "{shown}");
    let priced = called.daemon.ledger(&["delivery_priced"]).await;
    let said = priced.iter().rfind(|p| p["reported"] == true).unwrap_or_else(|| panic!("{priced:?}"));
    assert_eq!((&said["cost"], &said["currency"], &said["n"]), (&json!("0.004"), &json!("USD"), &json!(2)), "{said}");
}

#[tokio::test]
async fn a_bad_number_is_dead_and_no_fallback_is_taken() {
    let called = up("1h", "").await;
    let (id, url, sid) = text(&called, "high").await;
    message_status(&url, &sid, "undelivered", Some("30005")).at(&called.address).await;
    let shown = delivery(&called, &id).await;
    assert_eq!(shown["status"], "dead", "{shown}");
    assert!(shown["reason"].as_str().unwrap().contains("VALIDATION_ERROR"), "{shown}");
    assert_eq!(shown["attempts"][0]["class"], "VALIDATION_ERROR", "{shown}");
    let told = called.daemon.ctl_text(&["events", "--json", "--kind", "sms.failed"]).await.out;
    let told: serde_json::Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(told["data"]["error"]["class"], "VALIDATION_ERROR", "{told}");
    assert!(posts(&called.standins, "telnyx").is_empty());
}

#[tokio::test]
async fn f41_without_a_callback_the_provider_is_asked() {
    let called = up("1s", "").await;
    let (id, _, _) = text(&called, "normal").await;
    let shown = until(&called, &id, "delivered").await;
    assert!(!shown["delivered_at"].is_null(), "{shown}");
    let priced = called.daemon.ledger(&["delivery_priced"]).await;
    let said = priced.iter().rfind(|p| p["reported"] == true).unwrap_or_else(|| panic!("{priced:?}"));
    assert_eq!(said["cost"], "0.0079", "what the provider takes for it: {said}");
}

#[tokio::test]
async fn t4_what_a_call_does_not_tell_is_asked_for_later_and_takes_the_place_of_the_estimate() {
    let called = up("1s", "").await;
    let (id, url, sid) = text(&called, "normal").await;
    message_status(&url, &sid, "delivered", None).at(&called.address).await;
    let asked =
        || called.standins.recorded("twilio").iter().filter(|r| r.method == "GET" && r.path.contains(&sid)).count();
    let shown = delivery(&called, &id).await;
    assert_eq!((&shown["status"], &shown["cost"]), (&json!("delivered"), &json!("0.0075")), "by the config: {shown}");
    let before = asked();
    // Ten times as long as its word was waited for.
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(asked(), before, "not yet");
    let shown = crate::harness::eventually("Twilio's own price", async || {
        let shown = delivery(&called, &id).await;
        (shown["charges"][0]["reported"] == true).then_some(shown)
    })
    .await;
    assert_eq!((&shown["cost"], asked()), (&json!("0.0079"), before + 1), "{shown}");
    let stats = called.daemon.ok(&["ledger", "stats"]).await;
    assert_eq!(stats["cost"]["USD"], "0.0079", "in its place, not beside it: {stats}");
    let shown = called.daemon.ctl_text(&["explain", &id]).await.out;
    assert!(shown.contains("as its provider says"), "{shown}");
}

#[tokio::test]
async fn f41_one_that_does_not_leave_its_provider_goes_another_way_when_there_is_a_hurry() {
    let called = up("1s", "").await;
    called.standins.say_later("queued", None);
    let (slow, _, _) = text(&called, "normal").await;
    let (id, _, _) = text(&called, "urgent").await;
    let from = Instant::now();
    let shown = crate::harness::eventually("it goes by Telnyx", async || {
        let shown = delivery(&called, &id).await;
        (shown["via"] == "sms-telnyx").then_some(shown)
    })
    .await;
    assert!(from.elapsed() < Duration::from_secs(10), "{:?}", from.elapsed());
    assert_eq!(shown["attempts"][1]["possibly_duplicate"], true, "{shown}");
    assert_eq!(delivery(&called, &slow).await["status"], "submitted", "there is time");
    called.standins.say_later("undelivered", Some(30_006));
    let shown = until(&called, &slow, "dead").await;
    assert!(shown["reason"].as_str().unwrap().contains("30006"), "{shown}");
}

#[tokio::test]
async fn a_callback_that_comes_before_the_answer_is_kept() {
    let called = up("1h", "").await;
    called.standins.set_times("twilio", Fault::Slow { millis: 1_500 }, 1);
    let sent = called.daemon.ok(&["send", "--subject", "x", "--channel", "sms"]).await;
    let id = sent["deliveries"][0]["id"].as_str().unwrap();
    let url = nth_post(&called, "twilio", 0).await.form["StatusCallback"].clone();
    let sid = format!("SM{:032x}", 1);
    assert_eq!(message_status(&url, &sid, "delivered", None).at(&called.address).await.0, 204);
    assert_eq!(delivery(&called, id).await["status"], "sending");
    let shown = until(&called, id, "delivered").await;
    assert_eq!(shown["attempts"][0]["provider_message_id"], sid.as_str(), "{shown}");
}

#[tokio::test]
async fn a_lost_answer_is_no_loss_when_the_provider_calls() {
    let called = up("1h", "").await;
    called.standins.set_times("twilio", Fault::Hang, 1);
    let sent = called.daemon.ok(&["send", "--level", "urgent", "--subject", "x", "--channel", "sms"]).await;
    let id = sent["deliveries"][0]["id"].as_str().unwrap();
    let url = nth_post(&called, "twilio", 0).await.form["StatusCallback"].clone();
    message_status(&url, &format!("SM{:032x}", 1), "sent", None).at(&called.address).await;
    let shown = until(&called, id, "submitted").await;
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(posts(&called.standins, "twilio").len(), 1, "not sent again");
}

#[tokio::test]
async fn f32_a_lost_answer_is_asked_for_and_explain_says_who_has_it() {
    let called = up("1h", "").await;
    called.standins.set_times("twilio", Fault::CutAfter, 1);
    let sent = called.daemon.ok(&["send", "--subject", "x", "--channel", "sms"]).await;
    let id = sent["deliveries"][0]["id"].as_str().unwrap();
    until(&called, id, "submitted").await;
    let explained = called.daemon.ok(&["explain", id]).await;
    let steps = explained["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["because"].as_str().unwrap().starts_with("Twilio has it: "));
    assert_eq!(found.map(|step| &step["what"]), Some(&json!("sms for alice: its provider has it")), "{explained}");
    assert_eq!(posts(&called.standins, "twilio").len(), 1, "not sent again");
}

#[tokio::test]
async fn t9_a_mail_by_sendgrid_is_confirmed_by_its_events() {
    let webhook = SendGrid::new();
    let standins = crate::standins::Standins::start().await;
    let at = standins.addresses().clone();
    let more = format!(
        "[channels.grid]\nkind = \"sendgrid\"\nbase_url = \"{}\"\napi_key = \"{}\"\nfrom = \"stentor@example.org\"\n\
         to = [\"ops@example.org\"]\npublic_key = \"{}\"\n",
        at.sendgrid,
        at.sendgrid_api_key,
        webhook.public_key()
    );
    let called = up("1h", &more).await;
    let mut ids = Vec::new();
    for n in 0..2 {
        let sent = called.daemon.ok(&["send", "--subject", "x", "--channel", "grid", "--wait"]).await;
        assert_eq!(sent["deliveries"][0]["status"], "submitted", "{sent}");
        let body: serde_json::Value = serde_json::from_str(&standins.recorded("sendgrid")[n].body).unwrap();
        let key = body["custom_args"]["stentor_callback"].as_str().unwrap().to_owned();
        ids.push((sent["deliveries"][0]["id"].as_str().unwrap().to_owned(), key));
    }
    let url = format!("{PUBLIC}/cb/sendgrid");
    let events = json!([
        { "event": "processed", "sg_message_id": "x.1", "stentor_callback": ids[0].1 },
        { "event": "delivered", "sg_message_id": "x.1", "stentor_callback": ids[0].1 },
        { "event": "open", "sg_message_id": "x.1", "stentor_callback": ids[0].1 },
        { "event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user",
          "sg_message_id": "y.1", "stentor_callback": ids[1].1 },
        { "event": "delivered", "sg_message_id": "z.1" },
    ]);
    assert_eq!(SendGrid::new().events(&url, &events).at(&called.address).await.0, 403);
    assert_eq!(delivery(&called, &ids[0].0).await["status"], "submitted");
    assert_eq!(webhook.events(&url, &events).at(&called.address).await.0, 204);
    assert_eq!(delivery(&called, &ids[0].0).await["status"], "delivered");
    let shown = delivery(&called, &ids[1].0).await;
    assert_eq!(shown["status"], "dead", "{shown}");
}
