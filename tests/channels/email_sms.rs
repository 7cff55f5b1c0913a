use crate::standins::Standins;
use crate::support::{channel, is, out, told};
use std::sync::Arc;
use stentor::channel::Channel;
use stentor::domain::failure::{Blame::*, FailureClass::*};

fn gateway(standins: &Standins, more: &str) -> Arc<dyn Channel> {
    let port = standins.addresses().smtp_plain_port;
    let mail = format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"s@example.org\"");
    let gateway = channel("email-sms", &format!("via = \"mail\"\ndomain = \"sms.example.com\"\n{more}"));
    gateway.connect_via(channel("smtp", &mail));
    gateway
}

#[tokio::test]
async fn the_number_becomes_an_address_without_a_subject() {
    let standins = Standins::start().await;
    let national = gateway(&standins, "");
    for address in ["+15550100", "+15550100@own.example.net", "+420777123456"] {
        let result = national.send(&out(Some(address), "not shown", "URGENT #417 disk full")).await;
        assert!(result.success().is_some(), "{result:?}");
    }
    gateway(&standins, "country_code = \"\"").send(&out(Some("+15550100"), "", "x")).await;
    let got = standins.recorded("smtp");
    let to: Vec<_> = got.iter().map(|m| m.path.as_str()).collect();
    assert_eq!(
        to,
        [
            "5550100@sms.example.com",
            "5550100@own.example.net",
            "420777123456@sms.example.com",
            "15550100@sms.example.com"
        ]
    );
    assert!(!got[0].body.contains("Subject:"));
    assert!(got[0].body.ends_with("\r\n\r\nURGENT #417 disk full\r\n"));
}

#[tokio::test]
async fn what_a_gateway_would_cut_is_cut_before_the_way_to_acknowledge() {
    let standins = Standins::start().await;
    let way = " Ack: https://alarm.example.org/a/1.YWxpY2U.6b0e30c8.bzCYvnlujhViMPP4";
    let long = format!("HIGH #1 prague-1: {} since 03:28.{way}", "x".repeat(100));
    let whole = format!("HIGH #1 prague-1: {} since 03:28.", "x".repeat(126));
    let all = [long.clone(), whole.clone(), "y".repeat(400)];
    for text in &all {
        gateway(&standins, "").send(&out(Some("+15550100"), "", text)).await;
    }
    gateway(&standins, "longest = 300").send(&out(Some("+15550100"), "", &long)).await;
    let got = standins.recorded("smtp");
    let texts: Vec<String> = got.iter().map(|m| body(&m.body)).collect();
    assert_eq!(texts[0], format!("HIGH #1 prague-1: {}...{way}", "x".repeat(160 - 18 - 3 - way.len())));
    assert_eq!(texts[1..], [whole, format!("{}...", "y".repeat(157)), long]);
}

/// The text of a mail, its soft line breaks taken out.
fn body(mail: &str) -> String {
    let (_, body) = mail.split_once("\r\n\r\n").unwrap();
    body.replace("=\r\n", "").replace("=3D", "=").trim_end().to_owned()
}

#[tokio::test]
async fn what_is_no_number_is_refused() {
    let standins = Standins::start().await;
    for address in ["", "alice@example.org", "+1555\r\n0100", "+@x.org"] {
        is(gateway(&standins, "").send(&out(Some(address), "", "x")).await, ValidationError, Message, false);
    }
    assert_eq!(standins.recorded("smtp").len(), 0);
}

#[tokio::test]
async fn without_its_channel_it_says_so() {
    let lonely = channel("email-sms", "via = \"mail\"\ndomain = \"sms.example.com\"");
    is(lonely.send(&out(Some("+15550100"), "", "x")).await, ProviderError, Account, false);
    assert!(lonely.probe().await.is_err());
}

#[tokio::test]
async fn the_probe_is_that_of_its_channel() {
    let standins = Standins::start().await;
    let words = gateway(&standins, "").probe().await.unwrap();
    assert!(words.contains("nobody can tell"), "{words}");
}

#[test]
fn a_gateway_that_is_gone_is_a_warning() {
    let words = told("email-sms", "via = \"mail\"\ndomain = \"txt.att.net\"");
    assert!(words.contains("warning 2:10 domain: the gateway txt.att.net was shut down on 2025-06-17"), "{words}");
    assert!(told("email-sms", "via = \"mail\"\ndomain = \"vtext.com\"").contains("2027-03-31"));
}
