//! The API by hand: one HTTP/1.1 exchange, byte by byte, so that it can be as wrong as it likes.

use super::{Home, LONGEST};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// Where a daemon is asked, whether it runs or not.
pub struct Door {
    socket: PathBuf,
}

impl Door {
    /// A request over the control socket, with a body where it is not empty: status and document.
    /// `None` when the daemon is gone, or goes before it has answered.
    pub async fn try_request(&self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        let stream = UnixStream::connect(&self.socket).await.ok()?;
        let head = match body.is_empty() {
            true => String::new(),
            false => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
        };
        let bytes = format!("{method} {path} HTTP/1.1\r\nHost: stentor\r\nConnection: close\r\n{head}\r\n{body}");
        let (status, text) = exchange(stream, bytes.as_bytes()).await?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }
}

impl Home {
    pub fn door(&self) -> Door {
        Door { socket: self.socket() }
    }

    /// A request that is answered.
    pub async fn request(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.try_request(method, path, body).await.expect("the daemon did not answer")
    }

    /// A request that may not be, see [`Door::try_request`].
    pub async fn try_request(&self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        self.door().try_request(method, path, body).await
    }

    /// These very bytes.
    pub async fn raw(&self, bytes: &[u8]) -> Option<(u16, String)> {
        exchange(UnixStream::connect(self.socket()).await.ok()?, bytes).await
    }
}

/// A loopback address that nobody has, and no connection can get as its own end meanwhile: those get 127.0.0.1.
pub fn free_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let host = Ipv4Addr::new(127, 77, high, low);
    std::net::TcpListener::bind((host, 0)).unwrap().local_addr().unwrap().to_string()
}

/// Over TCP: status and text.
pub async fn get(address: &str, path: &str) -> (u16, String) {
    try_get(address, path).await.expect("no answer over TCP")
}

/// The same; `None` when it is not let in, or not answered.
pub async fn try_get(address: &str, path: &str) -> Option<(u16, String)> {
    let stream = TcpStream::connect(address).await.ok()?;
    let bytes = format!("GET {path} HTTP/1.1\r\nHost: stentor\r\nConnection: close\r\n\r\n");
    exchange(stream, bytes.as_bytes()).await
}

/// A body over TCP, with more header lines where there are some: status and text.
pub async fn post(address: &str, path: &str, headers: &str, body: &str) -> Option<(u16, String)> {
    let stream = TcpStream::connect(address).await.ok()?;
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: stentor\r\nConnection: close\r\nContent-Type: application/json\r\n");
    let bytes = format!("{head}{headers}Content-Length: {length}\r\n\r\n{body}");
    exchange(stream, bytes.as_bytes()).await
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> Option<(u16, String)> {
    // A refusal may come before all is written.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let reading = async { while !is_whole(&answer) && stream.read_buf(&mut answer).await.is_ok_and(|n| n > 0) {} };
    tokio::time::timeout(LONGEST, reading).await.expect("the answer does not end");
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = header(head, "transfer-encoding") == Some("chunked");
    Some((status, if chunked { unchunked(body) } else { body.to_owned() }))
}

/// Whether it has all that its head announces; one that announces no length ends with its connection.
fn is_whole(answer: &[u8]) -> bool {
    let Some(at) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..at]);
    let length = header(&head, "content-length").and_then(|n| n.parse::<usize>().ok());
    length.is_some_and(|length| answer.len() - at - 4 >= length)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0).min(rest.len());
        text.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    text
}
