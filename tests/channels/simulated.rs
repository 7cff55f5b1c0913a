//! What simulation shows is what is sent: each adapter over HTTP does both, and the two are compared line by
//! line. Only secrets, and what is made from the time of sending, may be covered up.

use crate::standins::record::Recorded;
use crate::standins::{Standins, azure, ntfy, sns};
use crate::support::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use stentor::channel::{Occasion, Outgoing};

/// What HTTP itself adds to every request.
const OF_HTTP: [&str; 6] = ["host", "user-agent", "accept", "content-length", "connection", "accept-encoding"];
/// Stands for what is not shown.
const COVERED: [&str; 2] = ["[secret]", "..."];

/// Kind, service of the stand-ins, settings, message.
fn all(standins: &Standins) -> Vec<(&'static str, &'static str, String, Outgoing)> {
    let at = standins.addresses();
    let sms = || out(Some("+15550100"), "", "URGENT #417 \"ümlaut\" & more\nsecond line");
    let mail = || out(Some("alice@example.org"), "[URGENT #417] x", "Größe\n\"quoted\"");
    let note = || about(Occasion::Opened, "URGENT #417 prague-1: \"Größe\"\nsecond line");
    let twilio = format!(
        "base_url = \"{}\"\naccount_sid = \"{}\"\nauth_token = \"{}\"\nfrom = \"+15005550006\"",
        at.twilio, at.twilio_account_sid, at.twilio_auth_token
    );
    let sns = format!(
        "base_url = \"{}\"\nregion = \"{}\"\naccess_key_id = \"{}\"\nsecret_access_key = \"{}\"\nsession_token = \"session/17+=\"",
        at.sns,
        sns::REGION,
        sns::ACCESS_KEY_ID,
        at.sns_secret_access_key
    );
    let azure_to = out(Some("+14255550100"), "", "URGENT #417 ü");
    let hook = "headers = { X-Team = \"ops\" }\nauth = { bearer = \"b34rer-t0ken\" }\nsigning_secret = \"s1gning\"";
    vec![
        ("twilio-sms", "twilio", twilio.clone(), sms()),
        ("twilio-voice", "twilio", twilio, out(Some("+15550100"), "", "Urgent alarm. It is broken.")),
        (
            "telnyx-sms",
            "telnyx",
            format!("base_url = \"{}\"\napi_key = \"{}\"\nfrom = \"+15550199\"", at.telnyx, at.telnyx_api_key),
            sms(),
        ),
        ("aws-sns", "sns", sns, sms()),
        (
            "azure-sms",
            "azure",
            format!(
                "endpoint = \"{}\"\naccess_key = \"{}\"\nfrom = \"{}\"",
                at.azure,
                at.azure_access_key,
                azure::FROM
            ),
            azure_to,
        ),
        ("http-sms", "hook", format!("url = \"{}?key=k3y-of-mine\"\nfrom = \"+15550199\"\n{hook}", at.hook), sms()),
        (
            "sendgrid",
            "sendgrid",
            format!(
                "base_url = \"{}\"\napi_key = \"{}\"\nfrom = \"Stentor <stentor@example.org>\"",
                at.sendgrid, at.sendgrid_api_key
            ),
            mail(),
        ),
        ("slack", "slack", format!("webhook_url = \"{}\"", at.slack_webhook_url), note()),
        (
            "slack",
            "slack-web",
            format!("base_url = \"{}\"\ntoken = \"{}\"\nchannel = \"#alarms\"", at.slack_api, at.slack_token),
            note(),
        ),
        ("discord", "discord", format!("webhook_url = \"{}\"", at.discord_webhook_url), note()),
        ("teams", "teams", format!("webhook_url = \"{}\"", at.teams_webhook_url), note()),
        (
            "pagerduty",
            "pagerduty",
            format!("base_url = \"{}\"\nrouting_key = \"{}\"", at.pagerduty, at.pagerduty_routing_key),
            note(),
        ),
        (
            "ntfy",
            "ntfy",
            format!("base_url = \"{}\"\ntopic = \"{}\"\ntoken = \"{}\"", at.ntfy, ntfy::TOPIC, at.ntfy_token),
            note(),
        ),
        (
            "webhook",
            "hook",
            format!("url = \"{}?token=t0ps3cret\"\n{hook}", at.hook),
            out(None, "", "{\"subject\":\"Größe\"}"),
        ),
    ]
}

#[tokio::test]
async fn what_is_shown_is_what_is_sent() {
    let standins = Standins::start().await;
    for (kind, service, settings, message) in all(&standins) {
        let adapter = channel(kind, &settings);
        let result = adapter.send(&message).await;
        assert!(result.success().is_some(), "{kind}: {result:?}");
        let got = standins.recorded(service).pop().unwrap_or_else(|| panic!("{service} got nothing"));
        let shown = adapter.describe(&message);
        compare(kind, &shown, &got);
    }
}

/// Behind a proxy a provider is not at the root of its host.
#[test]
fn an_address_with_a_path_is_shown_whole() {
    let to = |address| out(address, "[HIGH] x", "x");
    let (sid, base) = (format!("AC{}", "1".repeat(32)), "https://proxy.example/out/eu/");
    for (kind, settings, message, path) in [
        (
            "twilio-sms",
            format!("account_sid = \"{sid}\"\nauth_token = \"t0ken\"\nfrom = \"+15005550006\""),
            to(Some("+15550100")),
            format!("2010-04-01/Accounts/{sid}/Messages.json"),
        ),
        ("telnyx-sms", "api_key = \"k3y1\"\nfrom = \"+15550199\"".into(), to(Some("+15550100")), "messages".into()),
        (
            "aws-sns",
            "region = \"eu-west-1\"\naccess_key_id = \"AKID\"\nsecret_access_key = \"s3cret\"".into(),
            to(Some("+15550100")),
            String::new(),
        ),
        (
            "sendgrid",
            "api_key = \"k3y1\"\nfrom = \"stentor@example.org\"".into(),
            to(Some("alice@example.org")),
            "v3/mail/send".into(),
        ),
        ("slack", "token = \"t0ken\"\nchannel = \"#alarms\"".into(), to(None), "chat.postMessage".into()),
        ("pagerduty", format!("routing_key = \"{}\"", "k".repeat(32)), to(None), "v2/enqueue".into()),
        ("ntfy", "topic = \"t0pic\"".into(), to(None), String::new()),
    ] {
        let adapter = channel(kind, &format!("base_url = \"{base}\"\n{settings}"));
        let shown = adapter.describe(&message);
        assert_eq!(shown.lines().next(), Some(format!("POST {base}{path}").as_str()), "{kind}");
    }
}

fn compare(kind: &str, shown: &str, got: &Recorded) {
    let (head, body) = shown.split_once("\n\n").unwrap_or_else(|| panic!("{kind}: no body in {shown}"));
    let mut lines = head.lines();
    let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
    assert_eq!(method, got.method, "{kind}");
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap_or((url, ""));
    if path == "[secret]" {
        assert_eq!(host, got.headers["host"], "{kind}");
    } else {
        let whole = format!("http://{}{}", got.headers["host"], got.path);
        assert_eq!(url.trim_end_matches('/'), whole.trim_end_matches('/'), "{kind}");
    }

    let said: BTreeMap<String, &str> =
        lines.map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.to_ascii_lowercase(), v)).collect();
    let sent: BTreeSet<&str> = got.headers.keys().map(String::as_str).filter(|n| !OF_HTTP.contains(n)).collect();
    assert_eq!(said.keys().map(String::as_str).collect::<BTreeSet<_>>(), sent, "{kind}: the names of the headers");
    for (name, value) in &said {
        same(&format!("{kind} {name}"), value, &got.headers[name]);
    }

    if let Ok(shown) = serde_json::from_str::<Value>(body) {
        same_json(kind, &shown, &json(got));
    } else {
        // A field may have several lines; each begins with a name that was sent.
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in body.lines() {
            match line.split_once('=').filter(|(name, _)| got.form.contains_key(*name)) {
                Some((name, value)) => fields.push((name.to_owned(), value.to_owned())),
                None => {
                    let last = &mut fields.last_mut().unwrap_or_else(|| panic!("{kind}: {line}")).1;
                    *last = format!("{last}\n{line}");
                }
            }
        }
        assert_eq!(fields.into_iter().collect::<BTreeMap<_, _>>(), got.form, "{kind}");
    }
}

/// Equal, but for what is covered up.
fn same(place: &str, shown: &str, sent: &str) {
    match COVERED.iter().find_map(|cover| shown.split_once(cover)) {
        None => assert_eq!(shown, sent, "{place}"),
        Some((before, _)) => assert!(sent.starts_with(before), "{place}: {shown} and {sent}"),
    }
}

fn same_json(place: &str, shown: &Value, sent: &Value) {
    match (shown, sent) {
        (Value::Object(shown), Value::Object(sent)) => {
            assert_eq!(shown.keys().collect::<Vec<_>>(), sent.keys().collect::<Vec<_>>(), "{place}");
            shown.iter().for_each(|(name, value)| same_json(&format!("{place}.{name}"), value, &sent[name]));
        }
        (Value::Array(shown), Value::Array(sent)) => {
            assert_eq!(shown.len(), sent.len(), "{place}");
            shown.iter().zip(sent).for_each(|(shown, sent)| same_json(place, shown, sent));
        }
        (Value::String(shown), Value::String(sent)) => same(place, shown, sent),
        _ => assert_eq!(shown, sent, "{place}"),
    }
}
