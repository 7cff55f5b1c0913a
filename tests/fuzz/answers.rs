//! What providers answer, in their own words and changed: a channel comes back in time, with a success or a
//! failure in one line.

use crate::harness::fuzz;
use crate::standins;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stentor::channel::{self, Channel, Matter, Outgoing};
use stentor::domain::event::{AttemptResult, Rendered};
use stentor::domain::level::Level;
use stentor::domain::time::Span;
use stentor::settings::testing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The whole of an answer to the next request.
pub type Said = Arc<Mutex<Vec<u8>>>;

/// Answers each request with what is said.
async fn parrot() -> (String, Said) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let said = Said::default();
    let saying = said.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let words = saying.lock().unwrap().clone();
            tokio::spawn(async move {
                let mut request = vec![0; 65_536];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&words).await;
            });
        }
    });
    (place, said)
}

pub fn channel(kind: &str, toml: &str) -> Arc<dyn Channel> {
    testing::table(toml, channel::kind(kind).unwrap().read).0.unwrap()
}

pub async fn survives(channel: &dyn Channel, address: &str) {
    let out = Outgoing {
        key: "01KTESTDELIVERY0000000017".into(),
        attempt: 1,
        address: Some(address.into()),
        text: Rendered { subject: "s".into(), text: "t".into(), ..Rendered::default() },
        level: Level::Urgent,
        ttl: Span::hours(1),
        matter: Matter::default(),
        sound: None,
        callback: None,
        attachments: Vec::new(),
    };
    let within = Duration::from_secs(30);
    let result = tokio::time::timeout(within, channel.send(&out)).await.expect("it ends in time");
    if let AttemptResult::Failed(failure) = result {
        assert!(failure.words.chars().all(|c| !c.is_control()), "{failure:?}");
        assert!(failure.words.chars().count() <= 500, "{failure:?}");
    }
    let _ = tokio::time::timeout(within, channel.probe()).await.expect("it ends in time");
}

/// An answer of HTTP with this status and body.
fn http(status: u16, body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} x\r\nRetry-After: 3\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

fn of_provider(name: &str, kind: &str, toml: &str, bodies: &[(u16, String)]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (at, said) = runtime.block_on(parrot());
    let channel = channel(kind, &format!("{}\ntimeout = \"300ms\"", toml.replace("AT", &at)));
    let seeds: Vec<Vec<u8>> = bodies.iter().map(|(status, body)| http(*status, body)).collect();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    fuzz(name, &seeds, |bytes| {
        *said.lock().unwrap() = bytes.to_vec();
        runtime.block_on(survives(channel.as_ref(), "+15550100"));
    });
}

#[test]
fn twilio() {
    let toml = "base_url = \"http://AT\"\naccount_sid = \"AC00000000000000000000000000000017\"\nauth_token = \"token\"\nfrom = \"+15005550006\"";
    let made = "{\"sid\":\"SM00000000000000000000000000000001\",\"status\":\"queued\",\"num_segments\":\"1\",\"price\":null,\"error_code\":null}";
    let listed = "{\"messages\":[{\"sid\":\"SM1\"}],\"page\":0}";
    let bodies = [
        (201, made.into()),
        (201, standins::twilio::failed_at_once().body),
        (401, standins::twilio::error_of_status(401).body),
        (200, listed.into()),
    ];
    of_provider("twilio", "twilio-sms", toml, &bodies);
}

#[test]
fn telnyx() {
    let toml = "base_url = \"http://AT\"\napi_key = \"key17\"\nfrom = \"+15550199\"";
    let made = "{\"data\":{\"id\":\"m1\",\"to\":[{\"phone_number\":\"+1\",\"status\":\"queued\"}],\"parts\":1,\"cost\":null,\"errors\":[]}}";
    let bodies = [
        (200, made.into()),
        (200, standins::telnyx::failed_at_once().body),
        (429, standins::telnyx::error_of_status(429).body),
    ];
    of_provider("telnyx", "telnyx-sms", toml, &bodies);
}

#[test]
fn sns() {
    let toml =
        "base_url = \"http://AT\"\nregion = \"eu-west-1\"\naccess_key_id = \"A\"\nsecret_access_key = \"secret\"";
    let made = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>94f20ce6</MessageId></PublishResult></PublishResponse>";
    let bodies = [(200, made.into()), (400, standins::sns::error(400, "Throttling", "Rate &lt;exceeded&gt;").body)];
    of_provider("sns", "aws-sns", toml, &bodies);
}

#[test]
fn azure() {
    let toml = "endpoint = \"http://AT\"\naccess_key = \"a2V5\"\nfrom = \"+15550199\"";
    let made = "{\"value\":[{\"to\":\"+1\",\"messageId\":\"Outgoing_1\",\"httpStatusCode\":202,\"successful\":true}]}";
    let bodies = [
        (202, made.into()),
        (202, standins::azure::failed_inside().body),
        (401, standins::azure::error_of_status(401).body),
    ];
    of_provider("azure", "azure-sms", toml, &bodies);
}

#[test]
fn slack() {
    let toml = "base_url = \"http://AT\"\ntoken = \"token17\"\nchannel = \"#a\"";
    let made = "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"1503435956.000247\",\"message\":{}}";
    let bodies = [(200, made.into()), (200, standins::slack::error("invalid_blocks").body)];
    of_provider("slack", "slack", toml, &bodies);
}

#[test]
fn discord_teams_pagerduty_and_sendgrid() {
    let error = |reply: standins::http::Reply, status: u16| (status, reply.body);
    let bodies = [
        error(standins::discord::error_of_status(429), 429),
        error(standins::teams::error_of_status(401), 401),
        error(standins::pagerduty::error_of_status(400), 400),
        error(standins::sendgrid::error_of_status(403), 403),
        (200, "{\"id\":\"1310000000000000017\"}".to_owned()),
        (202, "{\"status\":\"success\",\"message\":\"Event processed\",\"dedup_key\":\"k\"}".to_owned()),
    ];
    of_provider("discord", "discord", "webhook_url = \"http://AT/\"", &bodies);
    of_provider("teams", "teams", "webhook_url = \"http://AT/\"", &bodies);
    let key = format!("base_url = \"http://AT\"\nrouting_key = \"{}\"", "0".repeat(32));
    of_provider("pagerduty", "pagerduty", &key, &bodies);
    of_provider(
        "sendgrid",
        "sendgrid",
        "base_url = \"http://AT\"\napi_key = \"SG.x17\"\nfrom = \"a@example.org\"",
        &bodies,
    );
}

#[test]
fn any_http_api() {
    let toml = "url = \"http://AT/?to={to}\"\nid_path = \"messages.0.id\"\nfailure = { path = \"messages.0.status\", values = [\"failed\"] }";
    let bodies = [
        (200, "{\"messages\":[{\"id\":17,\"status\":\"ok\"}]}".to_owned()),
        (200, "{\"messages\":[{\"id\":null,\"status\":\"failed\"}]}".to_owned()),
    ];
    of_provider("http-sms", "http-sms", toml, &bodies);
}
