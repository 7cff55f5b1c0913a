//! People write: kept, understood, answered.

use super::{Called, PUBLIC, nth_post, posts, up};
use crate::harness::{each, eventually};
use crate::standins::callbacks::{TELNYX_PUBLIC_KEY, inbound, twilio};
use serde_json::{Value, json};

const PAGE: &str = "[levels.low]\nchannels = [\"hook\"]\n[levels.urgent]\nchannels = [\"sms\"]\n";

async fn page(called: &Called, subject: &str, to: &str) -> String {
    let before = posts(&called.standins, "twilio").len();
    let opened = called.daemon.ok(&["page", "--subject", subject, "--to", to, "--channel", "sms"]).await;
    nth_post(called, "twilio", before).await;
    opened["number"].to_string()
}

/// Twilio brings this; what it did, as the inbox says it.
async fn write(called: &Called, sid: &str, from: &str, text: &str) -> String {
    let call = inbound(&format!("{PUBLIC}/cb/twilio/sms"), sid, from, text);
    let (status, twiml) = call.at(&called.address).await;
    assert_eq!(status, 200);
    assert!(twiml.ends_with("<Response/>"), "{twiml}");
    let inbox = called.daemon.ok(&["sms", "inbox"]).await;
    let row = inbox["conversations"].as_array().unwrap().iter().find(|c| c["number"] == from).unwrap().clone();
    row["did"].as_str().unwrap().to_owned()
}

async fn status(called: &Called, number: &str) -> Value {
    called.daemon.ok(&["incidents", "show", number]).await["status"].clone()
}

#[tokio::test]
async fn t10_a_text_says_how_to_answer_and_the_answer_acknowledges() {
    let called = up("1h", PAGE).await;
    let number = page(&called, "disk full", "alice").await;
    let text = posts(&called.standins, "twilio")[0].form["Body"].clone();
    assert!(text.contains(&format!(" or reply {number}a")), "{text}");
    // Twilio has it before the daemon knows that.
    eventually("it is recorded as sent", async || {
        let talk = called.daemon.ok(&["sms", "conversation", "alice"]).await;
        (talk["messages"][0]["status"] == "submitted").then_some(())
    })
    .await;
    assert_eq!(
        write(&called, "SM1", "+15550100", &format!(" \u{201c}{number}A\u{201d} ")).await,
        format!("acknowledged #{number}")
    );
    assert_eq!(status(&called, &number).await, "acknowledged");
    let answer = posts(&called.standins, "twilio").into_iter().rfind(|r| r.form["Body"].contains("acknowledged"));
    let answer = match answer {
        Some(answer) => answer,
        None => nth_post(&called, "twilio", 1).await,
    };
    assert_eq!(answer.form["To"], "+15550100");
    assert!(answer.form["Body"].contains(&format!("acknowledged #{number}: disk full")), "{answer:?}");
    let talk = called.daemon.ok(&["sms", "conversation", "alice"]).await;
    assert_eq!(each(&talk["messages"], "direction")[..2], ["out", "in"], "{talk}");
    assert_eq!(talk["number"], "+15550100");
    let said = called.daemon.ctl_text(&["sms", "conversation", "+1 555 0100"]).await;
    assert!(said.out.contains(&format!("(acknowledged #{number})")), "{said:?}");
    // Twilio brings it again.
    called.daemon.ok(&["unack", &number]).await;
    write(&called, "SM1", "+15550100", &format!("{number}a")).await;
    assert_eq!(status(&called, &number).await, "open", "once");
}

#[tokio::test]
async fn t10_who_may_not_does_nothing_and_strangers_hear_nothing() {
    let called = up("1h", PAGE).await;
    let number = page(&called, "disk full", "alice").await;
    let sent = || posts(&called.standins, "twilio").len();
    let before = sent();
    assert!(write(&called, "SM1", "+15559999", &format!("{number}a")).await.contains("stranger"));
    assert!(
        write(&called, "SM2", "+15550101", &format!("ack {number}")).await.contains("not yours"),
        "bob was not told"
    );
    assert!(write(&called, "SM3", "+15550102", &number.to_string()).await.contains("not yours"), "carol is a client");
    assert_eq!(status(&called, &number).await, "open");
    nth_post(&called, "twilio", before + 1).await;
    assert!(posts(&called.standins, "twilio").iter().all(|r| r.form["To"] != "+15559999"), "silence");
    // What is not understood gets one hint.
    assert_eq!(write(&called, "SM4", "+15550100", "who is this?").await, "hint");
    assert_eq!(write(&called, "SM5", "+15550100", "hello?").await, "not understood");
    let hints =
        || posts(&called.standins, "twilio").iter().filter(|r| r.form["Body"].contains("to acknowledge")).count();
    crate::harness::eventually("the hint is sent", async || (hints() == 1).then_some(())).await;
    // The latest by SMS, without a number.
    let second = page(&called, "raid broken", "alice").await;
    assert_eq!(write(&called, "SM6", "+15550100", "4").await, format!("acknowledged #{second}"));
    assert_eq!(write(&called, "SM7", "+15550100", "Ack.").await, format!("acknowledged #{number}"));
    assert_eq!(write(&called, "SM8", "+15550100", &format!("{second}r")).await, format!("resolved #{second}"));
    assert_eq!(status(&called, &second).await, "resolved");
    assert_eq!(write(&called, "SM9", "+15550100", "ack 9999").await, "there is no open #9999");
}

#[tokio::test]
async fn a_number_that_opts_out_is_shown_and_gets_no_answer() {
    let called = up("1h", PAGE).await;
    let url = format!("{PUBLIC}/cb/twilio/sms");
    let stop = [("MessageSid", "SM1"), ("From", "+15550100"), ("Body", "Stop"), ("OptOutType", "STOP")];
    assert_eq!(twilio(&url, &stop).at(&called.address).await.0, 200);
    let inbox = called.daemon.ok(&["sms", "inbox"]).await;
    assert_eq!(inbox["conversations"][0]["opted_out"], true, "{inbox}");
    assert_eq!(write(&called, "SM2", "+15550100", "START").await, "wants texts again");
    let inbox = called.daemon.ok(&["sms", "inbox"]).await;
    assert_eq!(
        (&inbox["conversations"][0]["opted_out"], &inbox["conversations"][0]["messages"]),
        (&json!(false), &json!(2))
    );
    assert!(posts(&called.standins, "twilio").is_empty(), "the provider answers these words itself");
    assert!(!TELNYX_PUBLIC_KEY.is_empty());
    let sent = called.daemon.ok(&["sms", "send", "--to", "+15550100", "--body", "On my way"]).await;
    assert_eq!(sent["deliveries"][0]["channel"], "sms", "{sent}");
}
