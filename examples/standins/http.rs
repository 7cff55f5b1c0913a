//! A small HTTP/1.1 server that can misbehave below HTTP, too. Plain and TLS on the same port, told
//! apart by the first byte.

use super::Shared;
use super::record::Recorded;
use super::script::Fault;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const LONGEST: usize = 40 * 1024 * 1024;
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// Without the query.
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn form(&self) -> Vec<(String, String)> {
        match self.header("content-type").starts_with("application/x-www-form-urlencoded") {
            true => pairs(&self.body),
            false => Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn json(status: u16, body: impl ToString) -> Reply {
        Reply::new(status, "application/json", body.to_string())
    }

    pub fn text(status: u16, body: &str) -> Reply {
        Reply::new(status, "text/plain", body.into())
    }

    pub fn new(status: u16, content_type: &'static str, body: String) -> Reply {
        Reply { status, content_type, headers: Vec::new(), body }
    }

    pub fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }
}

type Answer = fn(&Shared, &Request) -> Reply;

pub fn serve(listener: TcpListener, service: &'static str, answer: Answer, shared: &Arc<Shared>) -> JoinHandle<()> {
    let shared = shared.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if shared.script.take(service, |f| *f == Fault::CutBefore) != Fault::None {
                shared.log.add(Recorded { service: service.into(), method: "CUT".into(), ..Recorded::default() });
                continue;
            }
            tokio::spawn(welcome(stream, service, answer, shared.clone()));
        }
    })
}

async fn welcome(stream: TcpStream, service: &'static str, answer: Answer, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    if !matches!(stream.peek(&mut first).await, Ok(1)) {
        return;
    }
    if first[0] != HANDSHAKE {
        return converse(stream, service, answer, &shared).await;
    }
    let fault = shared.script.take(service, Fault::is_of_tls);
    if let Ok(stream) = shared.certificates.acceptor(&fault).accept(stream).await {
        converse(stream, service, answer, &shared).await;
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(mut s: S, service: &'static str, answer: Answer, shared: &Shared) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut s, &mut buffer).await {
        let fault = shared.script.take(service, |_| true);
        let reply = match &fault {
            Fault::Status { status, body, .. } => {
                let usual = usual_words(service, *status);
                body.as_ref().map_or(usual, |body| Reply::text(*status, body))
            }
            Fault::Html => Reply::new(200, "text/html", "<html><body>Please log in</body></html>".into()),
            Fault::Headers { headers } => {
                // Before its own, so that these count.
                let mut reply = answer(shared, &request);
                reply.headers.splice(0..0, headers.clone());
                reply
            }
            Fault::Echo { status } => echo(&request, *status),
            Fault::ErrorInside => error_inside(service),
            Fault::Huge { bytes } => Reply::text(200, &"x".repeat(*bytes)),
            _ => answer(shared, &request),
        };
        let status = if matches!(fault, Fault::Hang | Fault::CutAfter) { 0 } else { reply.status };
        if service != "control" {
            shared.log.add(recorded(service, request, status));
        }
        match fault {
            Fault::Hang => return std::future::pending().await,
            Fault::CutAfter => return,
            Fault::Slow { millis } => tokio::time::sleep(Duration::from_millis(millis)).await,
            _ => {}
        }
        if write(&mut s, &reply, &fault).await.is_err() || fault == Fault::CutAnswer {
            return;
        }
    }
}

fn recorded(service: &str, request: Request, status: u16) -> Recorded {
    let query: Vec<_> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = if query.is_empty() { request.path.clone() } else { format!("{}?{}", request.path, query.join("&")) };
    Recorded {
        service: service.into(),
        method: request.method.clone(),
        path,
        form: request.form().into_iter().collect(),
        headers: request.headers,
        body: request.body,
        status,
    }
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Option<Request> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > LONGEST || stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(Some(0), |n| n.parse().ok())?;
    let whole = head_end + 4 + length.min(LONGEST);
    while buffer.len() < whole {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&buffer[head_end + 4..whole]).into_owned();
    buffer.drain(..whole);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request {
        method,
        target: target.clone(),
        path: path.into(),
        query: pairs(query).into_iter().collect(),
        headers,
        body,
    })
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, reply: &Reply, fault: &Fault) -> std::io::Result<()> {
    let wait = match fault {
        Fault::Status { retry_after: Some(wait), .. } => format!("Retry-After: {wait}\r\n"),
        Fault::Status { status: 300..=399, .. } => "Location: http://127.0.0.1:9/elsewhere\r\n".into(),
        _ => String::new(),
    };
    let missing = match fault {
        Fault::CutAnswer => 100,
        Fault::Drip => 1_000_000,
        _ => 0,
    };
    let more: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "HTTP/1.1 {} Stand-In\r\nContent-Type: {}\r\nContent-Length: {}\r\n{wait}{more}\r\n",
        reply.status,
        reply.content_type,
        reply.body.len() + missing
    );
    // In one go: in two it would wait for the other side's delayed acknowledgement.
    stream.write_all(&[head.as_bytes(), reply.body.as_bytes()].concat()).await?;
    if *fault == Fault::Drip {
        loop {
            stream.write_all(b" ").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    stream.flush().await
}

/// The pairs of a query or a form, decoded.
fn pairs(text: &str) -> Vec<(String, String)> {
    let url = url::Url::parse(&format!("http://localhost/?{text}")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// What this service says with such a status.
fn usual_words(service: &str, status: u16) -> Reply {
    match (service, status) {
        ("twilio", _) => super::twilio::error_of_status(status),
        ("ntfy", _) => super::ntfy::error_of_status(status),
        ("azure", _) => super::azure::error_of_status(status),
        ("sns", _) => super::sns::error_of_status(status),
        ("discord", _) => super::discord::error_of_status(status),
        ("teams", _) => super::teams::error_of_status(status),
        ("pagerduty", _) => super::pagerduty::error_of_status(status),
        ("telnyx", _) => super::telnyx::error_of_status(status),
        ("sendgrid", _) => super::sendgrid::error_of_status(status),
        ("slack-web", _) => super::slack::error_of_status(status),
        ("slack", 403) => Reply::text(403, "invalid_token"),
        ("slack", 404) => Reply::text(404, "no_service"),
        ("slack", 410) => Reply::text(410, "channel_is_archived"),
        ("slack", 500) => Reply::text(500, "rollup_error"),
        _ => Reply::text(status, ""),
    }
}

fn echo(request: &Request, status: u16) -> Reply {
    let said = format!("{} {:?} {:?} {}", request.path, request.query, request.headers, request.body);
    Reply::json(status, serde_json::json!({ "code": 20003, "message": said, "error": said }))
}

fn error_inside(service: &str) -> Reply {
    match service {
        "twilio" => super::twilio::failed_at_once(),
        "discord" => Reply::json(200, "{\"message\":\"Unknown Webhook\",\"code\":10015}"),
        "azure" => super::azure::failed_inside(),
        "telnyx" => super::telnyx::failed_at_once(),
        "slack" => Reply::json(200, "{\"ok\":false,\"error\":\"invalid_auth\"}"),
        _ => Reply::json(200, "{\"error\":\"no\"}"),
    }
}
