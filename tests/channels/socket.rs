use crate::standins::Standins;
use crate::support::{about, channel, is, out, told};
use std::sync::Arc;
use std::time::Duration;
use stentor::channel::{Channel, Format, Occasion};
use stentor::domain::event::AttemptResult;
use stentor::domain::failure::{Blame::*, FailureClass::*};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

/// Reads one connection up to its end, or up to the first line, which it then answers.
async fn listener(answer: Option<&'static str>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = Vec::new();
        while answer.is_none() || !got.contains(&b'\n') {
            if stream.read_buf(&mut got).await.unwrap_or(0) == 0 {
                break;
            }
        }
        stream.write_all(answer.unwrap_or_default().as_bytes()).await.unwrap();
        String::from_utf8(got).unwrap()
    });
    (place, task)
}

fn socket(place: &str, more: &str) -> Arc<dyn Channel> {
    channel("socket", &format!("address = \"{place}\"\n{more}"))
}

async fn datagram(socket: &UdpSocket) -> String {
    let mut buffer = [0; 65_536];
    let read = tokio::time::timeout(Duration::from_secs(30), socket.recv(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8(buffer[..read].to_vec()).unwrap()
}

#[tokio::test]
async fn a_message_is_a_line_over_tcp() {
    let (place, got) = listener(None).await;
    let result = socket(&place, "").send(&out(None, "", "{\"subject\":\"Größe\"}")).await;
    assert_eq!(result, AttemptResult::Sent { provider_id: None, detail: "written".into() });
    assert_eq!(got.await.unwrap(), "{\"subject\":\"Größe\"}\n");
    let (place, got) = listener(None).await;
    let text = socket(&place, "format = \"text\"");
    assert_eq!((text.format(), socket(&place, "").format()), (Some(Format::Chat), Some(Format::Document)));
    text.send(&out(None, "", "one\r\ntwo")).await;
    drop(text);
    assert_eq!(got.await.unwrap(), "one  two\n");
}

#[tokio::test]
async fn an_acknowledging_line_makes_it_delivered() {
    let (place, _) = listener(Some("OK 17\nmore")).await;
    let result = socket(&place, "ack = \"OK\"").send(&out(None, "", "{}")).await;
    assert_eq!(result, AttemptResult::Delivered { provider_id: None, detail: "OK 17".into() });
    let (place, _) = listener(Some("NO such thing\n")).await;
    let failure = is(socket(&place, "ack = \"OK\"").send(&out(None, "", "{}")).await, ProviderError, Provider, false);
    assert_eq!(failure.words, "NO such thing");
    let (place, _) = listener(Some("")).await;
    is(socket(&place, "ack = \"OK\"").send(&out(None, "", "{}")).await, ProviderError, Channel, true);
}

#[tokio::test]
async fn silence_and_a_closed_door_are_told_apart() {
    let nobody = is(socket("127.0.0.1:9", "").send(&out(None, "", "{}")).await, ProviderError, Channel, false);
    assert_eq!(nobody.words, "cannot connect: Connection refused (os error 111)");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = silent.local_addr().unwrap().to_string();
    let waits = socket(&place, "ack = \"OK\"\ntimeout = \"300ms\"");
    is(waits.send(&out(None, "", "{}")).await, Timeout, Channel, true);
}

#[tokio::test]
async fn over_tls_with_a_root_of_ones_own() {
    let standins = Standins::start().await;
    let place = standins.addresses().hook.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let ca = standins.ca_file().display().to_string();
    let tls = socket(&place, &format!("tls = true\nca_file = \"{ca}\""));
    assert!(tls.probe().await.unwrap().contains("certificate ends in"));
    assert!(tls.send(&out(None, "", "{}")).await.success().is_some());
    let strange = standins.strange_ca_file().display().to_string();
    let strange = socket(&place, &format!("tls = true\nca_file = \"{strange}\""));
    is(strange.send(&out(None, "", "{}")).await, ProviderError, Channel, false);
}

#[tokio::test]
async fn a_datagram_holds_no_more_than_it_may() {
    let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let place = far.local_addr().unwrap().to_string();
    let udp = socket(&place, "protocol = \"udp\"");
    let result = udp.send(&out(None, "", "{\"subject\":\"x\"}")).await;
    assert_eq!(result, AttemptResult::Sent { provider_id: None, detail: "sent; nobody can tell more".into() });
    assert_eq!(datagram(&far).await, "{\"subject\":\"x\"}");
    let long = serde_json::json!({ "subject": "x", "body": "ü".repeat(5000), "labels": {} }).to_string();
    udp.send(&out(None, "", &long)).await;
    let got = datagram(&far).await;
    assert!(got.len() <= 1200 && serde_json::from_str::<serde_json::Value>(&got).unwrap()["subject"] == "x", "{got}");
    socket(&place, "protocol = \"udp\"\nformat = \"text\"\nmax_bytes = 100")
        .send(&out(None, "", &"ü".repeat(99)))
        .await;
    assert_eq!(datagram(&far).await, "ü".repeat(50));
    assert!(udp.probe().await.unwrap().contains("nobody can tell"));
}

#[tokio::test]
async fn a_record_of_syslog_is_as_rfc_5424_says() {
    let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let place = far.local_addr().unwrap().to_string();
    let syslog = "format = \"syslog\"\nfacility = \"local4\"";
    socket(&place, &format!("protocol = \"udp\"\n{syslog}")).send(&about(Occasion::Opened, "URGENT #417\nmore")).await;
    let record = datagram(&far).await;
    let parts: Vec<&str> = record.splitn(8, ' ').collect();
    // local4 is 20, an urgent alarm is an alert (1).
    assert_eq!((parts[0], parts[2], parts[3], parts[5], parts[6]), ("<161>1", "prague-1", "stentor", "opened", "-"));
    let time = stentor::domain::time::Timestamp::parse(parts[1]).unwrap();
    assert!((stentor::domain::clock::wall() - time).as_secs().abs() < 600, "{record}");
    assert_eq!((parts[4], parts[7]), (std::process::id().to_string().as_str(), "\u{feff}URGENT #417 more"));
    // Over TCP its length stands before it.
    let (place, got) = listener(None).await;
    socket(&place, syslog).send(&about(Occasion::Resolved, "RESOLVED #417")).await;
    let got = got.await.unwrap();
    let (length, record) = got.split_once(' ').unwrap();
    assert_eq!(length, record.len().to_string());
    assert!(record.starts_with("<165>1 ") && record.ends_with(" resolved - \u{feff}RESOLVED #417"), "{record}");
}

#[test]
fn its_settings_and_its_description() {
    assert!(told("socket", "").contains("address is missing (write address = \"logs.example.org:514\")"));
    assert!(told("socket", "address = 'logs'").contains("\"logs\" is not a place (write \"logs.example.org:514\")"));
    let plain = told("socket", "address = 'logs.example.org:514'");
    assert!(
        plain.contains("without TLS it goes to loopback only (write tls = true, or allow_plain = true)"),
        "{plain}"
    );
    assert_eq!(told("socket", "address = 'logs.example.org:514'\ntls = true"), "");
    assert!(
        told("socket", "address = '127.0.0.1:1'\nprotocol = 'udp'\nack = 'OK'")
            .contains("ack: this is for TCP, not for UDP")
    );
    let described = socket("127.0.0.1:514", "format = \"text\"").describe(&out(None, "", "a\nb"));
    assert_eq!(described, "TCP to 127.0.0.1:514\n\na b\n");
}

/// Takes connections one after another; each reads lines and answers them as told, and says which
/// connection brought which line.
async fn lines(answer: &'static str, most: usize) -> (String, Arc<std::sync::Mutex<Vec<(usize, String)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let got = Arc::<std::sync::Mutex<Vec<(usize, String)>>>::default();
    let seen = got.clone();
    tokio::spawn(async move {
        for n in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = tokio::io::BufReader::new(stream);
            for _ in 0..most {
                let mut line = String::new();
                if tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut line).await.unwrap_or(0) == 0 {
                    break;
                }
                seen.lock().unwrap().push((n, line.trim_end().to_owned()));
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (place, got)
}

#[tokio::test]
async fn one_message_follows_another_on_the_same_connection() {
    for (answer, ack) in [("", ""), ("OK\n", "ack = \"OK\"")] {
        let (place, got) = lines(answer, 100).await;
        let socket = socket(&place, ack);
        for n in 0..3 {
            let result = socket.send(&out(None, "", &n.to_string())).await;
            assert!(result.success().is_some(), "{result:?}");
        }
        let want = ["0", "1", "2"].map(|line| (0, line.to_owned()));
        assert_eq!(*got.lock().unwrap(), want, "{ack}");
    }
}

#[tokio::test]
async fn f33_a_kept_connection_over_tcp_that_was_closed_costs_no_message() {
    for (answer, ack) in [("", ""), ("OK\n", "ack = \"OK\"")] {
        // Each connection is closed after its second line.
        let (place, got) = lines(answer, 2).await;
        let socket = socket(&place, ack);
        for n in 0..5 {
            let result = socket.send(&out(None, "", &n.to_string())).await;
            assert!(result.success().is_some(), "{n} {ack}: {result:?}");
            // So that its end has come before the next message.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let want = [(0, "0"), (0, "1"), (1, "2"), (1, "3"), (2, "4")].map(|(n, line)| (n, line.to_owned()));
        assert_eq!(*got.lock().unwrap(), want, "{ack}");
    }
}

#[tokio::test]
async fn what_was_said_too_much_answers_no_other_message() {
    let (place, got) = lines("OK\nOK\n", 100).await;
    let socket = socket(&place, "ack = \"OK\"");
    for n in 0..2 {
        assert!(socket.send(&out(None, "", &n.to_string())).await.success().is_some());
    }
    assert_eq!(*got.lock().unwrap(), [(0, "0".to_owned()), (1, "1".to_owned())]);
}
