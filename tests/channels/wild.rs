//! Whatever a provider answers, a channel comes back with a failure or a success, in time.

use crate::support::{channel, out};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stentor::channel::Channel;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers whatever comes with these pieces, one for each read, and closes after the last.
async fn parrot() -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pieces = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let said = pieces.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut pieces = said.lock().unwrap().clone().into_iter();
            tokio::spawn(async move {
                let mut first = pieces.next().unwrap_or_default();
                // A mail server speaks first.
                if first.starts_with(b"220") {
                    let _ = stream.write_all(&first).await;
                    first = pieces.next().unwrap_or_default();
                }
                for piece in std::iter::once(first).chain(pieces) {
                    let mut request = [0; 8_192];
                    if !matches!(stream.read(&mut request).await, Ok(1..)) || stream.write_all(&piece).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, pieces)
}

fn channels(at: SocketAddr) -> Vec<Arc<dyn Channel>> {
    let account = format!(
        "base_url = \"http://{at}\"\naccount_sid = \"AC00000000000000000000000000000017\"\nauth_token = \"token\"\n\
         from = \"+15005550006\"\ntimeout = \"2s\""
    );
    let slack = format!("webhook_url = \"http://{at}/services/T/B/x\"\ntimeout = \"2s\"");
    vec![
        channel("webhook", &format!("url = \"http://{at}/\"\ntimeout = \"2s\"")),
        channel("slack", &slack),
        channel(
            "telnyx-sms",
            &format!("base_url = \"http://{at}\"\napi_key = \"key17\"\nfrom = \"+15550199\"\ntimeout = \"2s\""),
        ),
        channel(
            "azure-sms",
            &format!("endpoint = \"http://{at}\"\naccess_key = \"a2V5\"\nfrom = \"+15550199\"\ntimeout = \"2s\""),
        ),
        channel(
            "aws-sns",
            &format!(
                "base_url = \"http://{at}\"\nregion = \"eu-west-1\"\naccess_key_id = \"A17\"\n\
                 secret_access_key = \"secret17\"\ntimeout = \"2s\""
            ),
        ),
        channel(
            "http-sms",
            &format!(
                "url = \"http://{at}/\"\nid_path = \"data.0.id\"\n\
                 failure = {{ path = \"status\", values = [\"x\"] }}\ntimeout = \"2s\""
            ),
        ),
        channel("discord", &format!("webhook_url = \"http://{at}/\"\ntimeout = \"2s\"")),
        channel("teams", &format!("webhook_url = \"http://{at}/\"\ntimeout = \"2s\"")),
        channel(
            "pagerduty",
            &format!("base_url = \"http://{at}\"\nrouting_key = \"{}\"\ntimeout = \"2s\"", "0".repeat(32)),
        ),
        channel("ntfy", &format!("base_url = \"http://{at}\"\ntopic = \"topic17\"\ntimeout = \"2s\"")),
        channel(
            "slack",
            &format!("base_url = \"http://{at}\"\ntoken = \"token17\"\nchannel = \"#a\"\ntimeout = \"2s\""),
        ),
        channel("websocket", &format!("url = \"ws://{at}/\"\nack = \"ok\"\ntimeout = \"2s\"")),
        channel("socket", &format!("address = \"{at}\"\nack = \"ok\"\ntimeout = \"2s\"")),
        channel("twilio-sms", &account),
        channel("twilio-voice", &account),
    ]
}

/// Sends and probes with each; what it says is one line of text, for the ledger.
async fn survives(channels: &[Arc<dyn Channel>], address: &str) {
    for channel in channels {
        let message = out(Some(address), "s", "t");
        let within = Duration::from_secs(30);
        let result = tokio::time::timeout(within, channel.send(&message)).await.expect("it ends in time");
        if let stentor::domain::event::AttemptResult::Failed(failure) = result {
            assert!(failure.words.chars().all(|c| !c.is_control()), "{failure:?}");
            assert!(failure.words.chars().count() <= 400, "{failure:?}");
        }
        let _ = tokio::time::timeout(within, channel.probe()).await.expect("it ends in time");
    }
}

/// JSON that is nearly what a provider answers.
fn document() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:e}")),
        "[a-z]{0,9}".prop_map(|t| format!("{t:?}")),
        ".{0,20}".prop_map(|t| serde_json::Value::String(t).to_string()),
        Just("[[[[{}]]]]".to_owned()),
    ];
    let name = prop_oneof![
        Just("sid"),
        Just("status"),
        Just("code"),
        Just("error_code"),
        Just("error_message"),
        Just("message"),
        Just("num_segments"),
        Just("ok"),
        Just("error"),
        Just("errors"),
        Just("data"),
        Just("id"),
        Just("retry_after"),
        Just("value"),
        Just("event"),
    ];
    prop::collection::vec((name, value), 0..6).prop_map(|pairs| {
        let fields: Vec<_> = pairs.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

fn http() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![document().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..200)];
    let whole = (prop::sample::select(vec![200, 201, 204, 400, 401, 404, 429, 503, 999]), ".{0,20}", body).prop_map(
        |(status, wait, body)| {
            let wait: String = wait.chars().filter(|c| !c.is_control()).collect();
            let head = format!("HTTP/1.1 {status} x\r\nRetry-After: {wait}\r\nContent-Length: {}\r\n\r\n", body.len());
            [head.into_bytes(), body].concat()
        },
    );
    prop_oneof![4 => whole, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn smtp() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let line = prop_oneof![
        4 => (200..600u16, prop::sample::select(vec![' ', '-']), ".{0,40}").prop_map(|(code, s, t)| format!("{code}{s}{t}\r\n").into_bytes()),
        4 => Just(b"250 2.0.0 ok\r\n".to_vec()),
        2 => Just(b"354 go\r\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..80),
    ];
    prop::collection::vec(line, 1..8).prop_map(|mut lines| {
        lines.insert(0, b"220 here\r\n".to_vec());
        lines
    })
}

fn run<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, cases: u32, test: impl Fn(T)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(strategy, |value| {
            test(value);
            Ok(())
        })
        .unwrap();
}

#[test]
fn no_answer_over_http_upsets_a_channel() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (at, pieces) = runtime.block_on(parrot());
    let channels = channels(at);
    run(&http(), 60, |answer| {
        *pieces.lock().unwrap() = vec![answer];
        runtime.block_on(survives(&channels, "+15550100"));
    });
}

#[test]
fn no_answer_of_a_mail_server_upsets_the_channel() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (at, pieces) = runtime.block_on(parrot());
    let toml = |timeout| {
        format!(
            "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"s@example.org\"\ntimeout = \"{timeout}\"",
            at.port()
        )
    };
    let mail = [channel("smtp", &toml("150ms"))];
    run(&smtp(), 40, |answers| {
        *pieces.lock().unwrap() = answers;
        runtime.block_on(survives(&mail, "alice@example.org"));
    });
}
