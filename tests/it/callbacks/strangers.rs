//! Who is not the provider does nothing here.

use super::{PUBLIC, delivery, posts, text, up};
use crate::harness::door_get;
use crate::standins::callbacks::{inbound, message_status, telnyx, twilio_by};
use crate::standins::twilio::{ACCOUNT_SID, AUTH_TOKEN};
use serde_json::json;

#[tokio::test]
async fn f70_forged_calls_are_refused_counted_and_recorded_and_do_nothing() {
    let called = up("1h", "").await;
    let (id, url, sid) = text(&called, "normal").await;
    let good = message_status(&url, &sid, "delivered", None);
    let fields = [("MessageSid", sid.as_str()), ("MessageStatus", "delivered")];
    let elsewhere = url.replace(PUBLIC, "https://evil.example.org");
    let other_key = url.replace(".1.", ".2.");
    let mut unsigned = good.clone();
    unsigned.headers.retain(|(name, _)| name != "x-twilio-signature");
    let mut tampered = good.clone();
    tampered.body = tampered.body.replace("delivered", "undelivered");
    let mut moved = good.clone();
    moved.target = moved.target.replace(".1.", ".2.");
    let json_kind = good.clone().header("content-type", "application/json");
    let shared = good.clone().header("x-twilio-webhooks-signature-settings", "key=CK1,algorithm=HMAC_SHA256");
    let forged = [
        ("no signature", unsigned),
        ("another token", twilio_by("anotherTokenOfSomebodyElse000017", ACCOUNT_SID, &url, &fields)),
        ("another account", twilio_by(AUTH_TOKEN, "AC00000000000000000000000000000099", &url, &fields)),
        ("another host", message_status(&elsewhere, &sid, "delivered", None)),
        ("fields changed", tampered),
        ("another key than was signed", moved),
        ("not a form any more", json_kind),
        ("a shared key that nobody has", shared),
        ("no base64", good.clone().header("x-twilio-signature", "###")),
    ];
    for (what, call) in &forged {
        assert_eq!(call.at(&called.address).await.0, 403, "{what}");
        assert_eq!(delivery(&called, &id).await["status"], "submitted", "{what}");
    }
    let key = "https://alarm.example.org/cb/telnyx";
    let mut odd = telnyx(key, "message.received", &json!({}), 0);
    odd.headers.retain(|(name, _)| name != "telnyx-signature-ed25519");
    assert_eq!(odd.at(&called.address).await.0, 403);
    let stranger =
        inbound(&format!("{PUBLIC}/cb/twilio/sms"), "SMx", "+15550100", "4").header("x-twilio-signature", "AAAA");
    assert_eq!(stranger.at(&called.address).await.0, 403);
    assert!(called.daemon.ledger(&["delivery_reported", "inbound_received"]).await.is_empty());
    let denied = called.daemon.ledger(&["auth_denied"]).await;
    assert!(denied.iter().any(|d| d["action"].as_str().unwrap().contains("signature is wrong")), "{denied:?}");
    assert!(denied.iter().any(|d| d["action"].as_str().unwrap().contains("another account")), "{denied:?}");
    let page = door_get(&called.address, "/metrics").await.1;
    let rejected = page
        .lines()
        .find(|l| l.starts_with("stentor_callbacks_total") && l.contains("rejected") && l.contains("\"twilio\""));
    assert!(rejected.is_some_and(|l| l.ends_with(" 10")), "{page}");
    // Well signed, but with a key that we gave to nobody; and the good one, at last.
    assert_eq!(message_status(&other_key, &sid, "delivered", None).at(&called.address).await.0, 204);
    assert_eq!(delivery(&called, &id).await["status"], "submitted");
    assert_eq!(good.at(&called.address).await.0, 204);
    assert_eq!(delivery(&called, &id).await["status"], "delivered");
}

#[tokio::test]
async fn a_flood_of_forged_calls_is_a_few_records() {
    let called = up("1h", "").await;
    let (_, url, sid) = text(&called, "normal").await;
    let forged = message_status(&url, &sid, "delivered", None).header("x-twilio-signature", "AAAA");
    for _ in 0..60 {
        assert_eq!(forged.at(&called.address).await.0, 403);
    }
    let denied = called.daemon.ledger(&["auth_denied"]).await;
    assert_eq!(denied.len(), 20, "so many a minute");
    let mut big = forged.clone();
    big.body = "x".repeat(100_000);
    assert_eq!(big.at(&called.address).await.0, 413);
}

#[tokio::test]
async fn without_a_public_url_nothing_changes() {
    let standins = crate::standins::Standins::start().await;
    let address = crate::harness::free_address();
    let more = format!("[levels.low]\nchannels = [\"sms\"]\n[http]\nlisten = \"{address}\"\n");
    let config = crate::harness::ways::and(&more);
    let daemon = crate::harness::Home::new(&config).envs(crate::harness::ways::environment(&standins)).start().await;
    let sent = daemon.ok(&["send", "--subject", "x", "--channel", "sms", "--channel", "call", "--wait"]).await;
    assert!(sent["deliveries"].as_array().unwrap().iter().all(|d| d["status"] == "sent"), "{sent}");
    for request in posts(&standins, "twilio") {
        assert!(!request.form.contains_key("StatusCallback"), "{request:?}");
        assert!(request.form.get("Twiml").is_none_or(|t| !t.contains("Gather")), "{request:?}");
    }
    let call = message_status(&format!("{PUBLIC}/cb/twilio/status/x"), "SM1", "delivered", None);
    assert_eq!(call.at(&address).await.0, 404);
}
