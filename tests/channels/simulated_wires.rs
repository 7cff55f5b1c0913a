//! What simulation shows is what goes over the wire: mail, sockets, WebSockets, programs. Only secrets, and what
//! is made from the time of sending, may be covered up.

use crate::standins::Standins;
use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use stentor::channel::{Channel, Enclosed, Occasion, Outgoing};
use stentor::domain::event::Place;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UdpSocket};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// What MIME itself adds to every mail.
const OF_MAIL: [&str; 4] = ["date", "mime-version", "content-type", "content-transfer-encoding"];
/// What the handshake itself adds.
const OF_WEBSOCKET: [&str; 6] =
    ["host", "user-agent", "connection", "upgrade", "sec-websocket-version", "sec-websocket-key"];

/// Names in small letters.
fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    lines.map(|l| l.split_once(':').unwrap()).map(|(n, v)| (n.to_lowercase(), v.trim().to_owned())).collect()
}

/// RFC 2047: words in base64 or in quotes; the blanks between two of them count for nothing.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, word)) = rest.split_once("=?utf-8?") {
        if bytes.is_empty() || !before.trim().is_empty() {
            bytes.extend_from_slice(before.as_bytes());
        }
        let (how, word) = word.split_once('?').unwrap();
        let (word, after) = word.split_once("?=").unwrap();
        match how {
            "b" => bytes.extend(STANDARD.decode(word).unwrap()),
            _ => bytes.extend(quoted(&word.replace('_', " "))),
        }
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap()
}

fn quoted(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.replace("=\r\n", "").into_bytes().into_iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'=' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            }
            byte => bytes.push(byte),
        }
    }
    bytes
}

/// Header lines and what they hold, as it was written.
fn part(text: &str) -> (BTreeMap<String, String>, String) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = headers(head.replace("\r\n ", " ").replace("\r\n\t", " ").lines());
    let bytes = match head.get("content-transfer-encoding").map(String::as_str) {
        Some("base64") => STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap(),
        Some("quoted-printable") => quoted(body),
        _ => body.as_bytes().to_vec(),
    };
    (head, String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim_end().to_owned())
}

async fn mail_is_as_shown(standins: &Standins, adapter: &Arc<dyn Channel>, message: &Outgoing) {
    let result = adapter.send(message).await;
    assert!(result.success().is_some(), "{result:?}");
    let got = standins.recorded("smtp").pop().unwrap();
    let shown = adapter.describe(message);
    let mut parts = shown.splitn(3, "\n\n");
    let (server, head, text) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    assert!(server.contains(&standins.addresses().smtp_plain_port.to_string()), "{server}");
    let (mut sent, whole) = part(&got.body);
    let boundary = sent["content-type"].split_once("boundary=\"").map(|(_, b)| b.split_once('"').unwrap().0.to_owned());
    sent.retain(|name, _| !OF_MAIL.contains(&name.as_str()));
    let sent: BTreeMap<String, String> = sent.into_iter().map(|(n, v)| (n, decoded(&v))).collect();
    let said: BTreeMap<String, String> = headers(head.lines());
    let bare = |text: &str| text.replace('"', "");
    assert_eq!(said.keys().collect::<Vec<_>>(), sent.keys().collect::<Vec<_>>(), "the names of the headers");
    said.iter().for_each(|(name, value)| assert_eq!(bare(value), bare(&sent[name]), "{name}"));
    assert_eq!(said["to"], got.path, "to whom");

    let (text, rest) = text.split_once("\n[attached: ").unwrap_or((text, ""));
    let Some(boundary) = boundary else { return assert_eq!(text.trim_end(), whole) };
    let line = format!("--{boundary}");
    let pieces = got.body.split(&line).skip(1).filter(|p| !p.starts_with("--"));
    let pieces: Vec<_> = pieces.map(|p| part(p.trim_start())).collect();
    assert_eq!(text.trim_end(), pieces[0].1);
    for (line, (head, held)) in rest.split("\n[attached: ").filter(|l| !l.is_empty()).zip(&pieces[1..]) {
        let [name, mime, bytes] = line.trim_end_matches(']').splitn(3, ", ").collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert!(head["content-disposition"].contains(name) && head["content-type"].starts_with(mime), "{head:?}");
        assert_eq!(bytes, format!("{} bytes", held.len()));
    }
    assert_eq!(rest.is_empty(), pieces.len() == 1);
}

#[tokio::test]
async fn a_mail_goes_out_as_it_is_shown() {
    let standins = Standins::start().await;
    let port = standins.addresses().smtp_plain_port;
    let toml = format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"Stentor Präg <s@example.org>\"");
    let mail = channel("smtp", &toml);
    for text in ["All of it.\nNow.", "Größe: 17 µm\n.\n..and a dot\n", &"a long line ".repeat(200)] {
        for subject in ["Disk full", "[URGENT #417] Größe der Platte, und was sonst noch in diesen Betreff muß"] {
            mail_is_as_shown(&standins, &mail, &out(Some("alice@example.org"), subject, text)).await;
        }
    }
    let file = |name: &str, bytes: &'static [u8]| Enclosed {
        name: name.into(),
        mime: "text/plain".into(),
        place: Place { seq: 7, bytes: bytes.len() as u64, blob: None },
        bytes: Some(bytes.into()),
    };
    let attachments = vec![file("a.txt", b"hello"), file("b c.txt", b"hello there")];
    let message = Outgoing { attachments, ..out(Some("alice@example.org"), "x", "with files") };
    mail_is_as_shown(&standins, &mail, &message).await;

    let gateway = channel("email-sms", "via = \"mail\"\ndomain = \"vtext.example.com\"");
    gateway.connect_via(mail);
    mail_is_as_shown(&standins, &gateway, &out(Some("+15550100"), "", "URGENT #417 x")).await;
}

/// The head of what is shown, and what would be written.
fn shown(adapter: &Arc<dyn Channel>, message: &Outgoing) -> (String, String) {
    let shown = adapter.describe(message);
    let (head, body) = shown.split_once("\n\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// A record of syslog without its length, and with dots for its time.
fn timeless(record: &str) -> String {
    let record = record.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let fields: Vec<&str> = record.splitn(3, ' ').collect();
    assert!(fields[1].contains('T'), "{record}");
    format!("{} ... {}", fields[0], fields[2])
}

#[tokio::test]
async fn what_a_socket_writes_is_what_is_shown() {
    let text = "{\"subject\":\"Größe\"}";
    let note = about(Occasion::Opened, "URGENT #417 prague-1: Größe\nsecond line");
    for (format, message) in [("json", out(None, "", text)), ("text", note.clone()), ("syslog", note)] {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = tcp.local_addr().unwrap().to_string();
        let adapter = channel("socket", &format!("address = \"{place}\"\nformat = \"{format}\""));
        let result = adapter.send(&message).await;
        assert!(result.success().is_some(), "{format}: {result:?}");
        let (head, body) = shown(&adapter, &message);
        assert_eq!(head, format!("TCP to {place}"));
        drop(adapter);
        let mut got = String::new();
        tcp.accept().await.unwrap().0.read_to_string(&mut got).await.unwrap();
        let (body, got) = if format == "syslog" { (timeless(&body), timeless(&got)) } else { (body, got) };
        assert_eq!(body, got, "{format} over TCP");

        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let place = udp.local_addr().unwrap().to_string();
        let adapter = channel("socket", &format!("address = \"{place}\"\nprotocol = \"udp\"\nformat = \"{format}\""));
        assert!(adapter.send(&message).await.success().is_some());
        let mut buffer = [0; 4096];
        let read = udp.recv(&mut buffer).await.unwrap();
        let got = String::from_utf8(buffer[..read].to_vec()).unwrap();
        let (head, body) = shown(&adapter, &message);
        assert_eq!(head, format!("UDP to {place}"));
        let (body, got) = if format == "syslog" { (timeless(&body), timeless(&got)) } else { (body, got) };
        assert_eq!(body, got, "{format} over UDP");
    }
}

#[tokio::test]
async fn a_websocket_says_what_is_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let adapter = channel(
        "websocket",
        &format!(
            "url = \"ws://{place}/alarms?key=canaryKey17\"\nsubprotocol = \"alarms.v1\"\nheaders = {{ X-Team = \"ops\" }}\n\
             auth = {{ username = \"u\", password = \"p4ssw0rd\" }}"
        ),
    );
    let far_end = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut seen = BTreeMap::new();
        #[allow(clippy::result_large_err, reason = "the library's own type")]
        let look = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
            seen = request.headers().iter().map(|(n, v)| (n.to_string(), text(v))).collect();
            response.headers_mut().insert("sec-websocket-protocol", "alarms.v1".parse().unwrap());
            Ok(response)
        };
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
        let frame = socket.next().await.unwrap().unwrap();
        (seen, frame.into_text().unwrap().to_string())
    });
    let message = out(None, "", "{\"subject\":\"Größe\"}");
    assert!(adapter.send(&message).await.success().is_some());
    let (mut sent, frame) = far_end.await.unwrap();
    let (head, body) = shown(&adapter, &message);
    assert_eq!(body, frame);
    let (first, rest) = head.split_once('\n').unwrap();
    assert_eq!(first, format!("ws://{place}/[secret]"));
    let said = headers(rest.lines());
    sent.retain(|name, _| !OF_WEBSOCKET.contains(&name.as_str()));
    assert_eq!(said.keys().collect::<Vec<_>>(), sent.keys().collect::<Vec<_>>(), "the names of the headers");
    for (name, value) in &said {
        match value.split_once("[secret]") {
            Some((before, _)) => assert!(sent[name].starts_with(before), "{name}: {value} and {}", sent[name]),
            None => assert_eq!(*value, sent[name], "{name}"),
        }
    }
}

#[tokio::test]
async fn a_program_gets_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let script = "#!/bin/sh\nfor word in \"$0\" \"$@\"; do printf '\"%s\"\\n' \"$word\"; done > \"$WORDS\"\ncat > \"$INPUT\"\nenv > \"$SEEN\"\n";
    std::fs::write(path("tell"), script).unwrap();
    std::fs::set_permissions(path("tell"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let adapter = channel(
        "command",
        &format!(
            "command = [\"{}\", \"--now\", \"one two\"]\nenv = {{ WORDS = \"{}\", INPUT = \"{}\", SEEN = \"{}\" }}",
            path("tell"),
            path("words"),
            path("input"),
            path("seen")
        ),
    );
    let message = out(None, "", "{\"subject\":\"Größe\"}\n");
    let result = adapter.send(&message).await;
    assert!(result.success().is_some(), "{result:?}");
    let (head, body) = shown(&adapter, &message);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    assert_eq!(body, read("input"));
    let mut lines: Vec<&str> = head.lines().collect();
    let words = lines.pop().unwrap();
    assert_eq!(words, read("words").trim_end().replace('\n', " "));
    // What every program gets is not shown; what this one gets beside is.
    let usual = ["PATH", "HOME", "LANG", "TZ", "PWD", "OLDPWD", "SHLVL", "_"];
    let seen = read("seen");
    let mut names: Vec<&str> =
        seen.lines().map(|l| l.split_once('=').unwrap().0).filter(|n| !usual.contains(n)).collect();
    names.sort_unstable();
    let mut said: Vec<&str> = lines.iter().map(|line| line.strip_suffix("=[secret]").unwrap()).collect();
    said.sort_unstable();
    assert_eq!(said, names);
}
