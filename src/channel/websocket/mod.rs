//! A WebSocket (RFC 6455): one text frame for each message to a fixed URL.
//!
//! The first message opens a connection, which stays: it is pinged, one that does not answer or has
//! ended is replaced at the next message, and when the channel goes it is closed with code 1000. A
//! frame that was written is no delivery, so it ends as `sent`; with `ack` the far end answers a frame
//! that begins with that text, and it is delivered.
//!
//! Settings: `url` ("wss://...", a secret), `subprotocol`, `ack`, `ping` (default "30s"), `body` (a
//! template in place of the document), `headers` and `auth` as in [`request`], and `timeout`,
//! `ca_file`, `allow_plain`, `allow_link_local`.

mod talk;

use crate::channel::http::{self, Way};
use crate::channel::request::{self, Dress};
use crate::channel::websocket::talk::{Job, Line, Said};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass, cut};
use crate::domain::time::Span;
use crate::net::Wire;
use crate::net::{Endpoint, Reach};
use crate::settings::Table;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Request, Response};
use tokio_tungstenite::tungstenite::protocol;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

pub const KIND: Kind =
    Kind { name: "websocket", sort: Sort::Fixed, provider: "websocket", format: Format::Document, read };

/// So long the far end's goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);
/// Between two pings.
const PING: Span = Span::secs(30);
/// Bytes of a frame that we read.
const LONGEST: usize = 64 * 1024;

type Socket = WebSocketStream<Box<dyn Wire>>;

#[derive(Debug)]
struct WebSocket {
    url: Endpoint,
    subprotocol: Option<String>,
    ack: Option<String>,
    dress: Dress,
    ping: Duration,
    limit: Duration,
    way: Way,
    /// The connection that stays, if there is one.
    line: Mutex<Option<Line>>,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let mut way = Way::read(table);
    let limit = http::timeout(table).to_std();
    let subprotocol = table.parsed("subprotocol", |t| request::header_value(t).map(|()| t.to_owned()));
    let ack = table.text("ack").filter(|text| !text.is_empty());
    let ping = table.parsed("ping", |text| match Span::parse(text)? {
        span if span >= Span::millis(100) && span <= Span::hours(1) => Ok(span),
        _ => Err(format!("{text:?} is out of range; write a time from \"100ms\" to \"1h\"")),
    });
    // The template is the message floor's; here it is only a key that is known.
    table.known(&["body"]);
    if table.has("signing_secret") {
        table.error("signing_secret", "a frame is not signed, only a request of HTTP is", "leave it out");
    }
    let dress = Dress::read(table, &mut way);
    let url = address(table, way.reach);
    let (url, dress) = (url?, dress?);
    way.hide(url.hidden());
    let (subprotocol, ping) = (subprotocol.filter(|s| !s.is_empty()), ping.unwrap_or(PING).to_std());
    let line = Mutex::default();
    Some(Arc::new(WebSocket { url, subprotocol, ack, dress, ping, limit, way, line }))
}

/// `ws` and `wss` are checked as what they begin as: `http` and `https`.
fn address(table: &mut Table<'_>, reach: Reach) -> Option<Endpoint> {
    let url = table.require_secret("url", "wss://example.org/alarms")?;
    if url.is_empty() {
        return http::nowhere();
    }
    let text = url.reveal().trim();
    let web = match text.split_once("://") {
        Some(("wss", rest)) => Ok(format!("https://{rest}")),
        Some(("ws", rest)) => Ok(format!("http://{rest}")),
        _ => Err("the URL must begin with wss:// (or ws:// for loopback)".to_owned()),
    };
    let plain = |why: String| why.replace("plain http", "plain ws").replace("write https", "write wss");
    match web.and_then(|web| Endpoint::parse(&web, reach).map_err(plain)) {
        Ok(endpoint) => Some(endpoint),
        Err(why) => {
            let (message, hint) = why.split_once("; ").unwrap_or((&why, "write url = \"wss://example.org/alarms\""));
            table.error("url", message, hint);
            None
        }
    }
}

impl WebSocket {
    fn request(&self) -> Result<Request<()>, Failure> {
        let wrong = |e: String| Failure::new(FailureClass::ValidationError, Blame::Account, e);
        let scheme = if self.url.is_tls() { "wss" } else { "ws" };
        let url = format!("{scheme}://{}{}", self.url.authority(), self.url.path_and_query());
        let mut request = url.into_client_request().map_err(|_| wrong("the URL is not one of a WebSocket".into()))?;
        let mut pairs = self.dress.pairs();
        pairs.extend(self.subprotocol.iter().map(|name| ("Sec-WebSocket-Protocol".to_owned(), name.clone())));
        pairs.push(("User-Agent".to_owned(), crate::net::USER_AGENT.to_owned()));
        for (name, value) in pairs {
            let header = HeaderName::try_from(&name).ok().zip(HeaderValue::try_from(value).ok());
            let (name, value) = header.ok_or_else(|| wrong(format!("{name} cannot be a header")))?;
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }

    async fn open(&self) -> Result<Socket, Failure> {
        let request = self.request()?;
        let stream = self.way.open(&self.url).await?;
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        match client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => Ok(socket),
            // Nothing of the message has gone out.
            Err(e) => Err(http::harmless(self.refused(e))),
        }
    }

    async fn tell(&self, text: &str) -> Result<AttemptResult, Failure> {
        loop {
            let line = self.line().await?;
            let (done, said) = oneshot::channel();
            let job = Job { text: text.to_owned(), answered: self.ack.is_some(), done };
            // A connection that ended before it came to this message has nothing of it.
            let taken = line.send(job).await.is_ok();
            match (taken, said.await) {
                (true, Ok(said)) => return self.judge(said.map_err(|e| self.refused(e))?),
                _ => self.forget(&line).await,
            }
        }
    }

    /// The connection that stays, or a new one in its place.
    async fn line(&self) -> Result<Line, Failure> {
        let mut kept = self.line.lock().await;
        if let Some(line) = kept.as_ref().filter(|line| !line.is_closed()) {
            return Ok(line.clone());
        }
        let line = talk::keep(self.open().await?, self.ping);
        *kept = Some(line.clone());
        Ok(line)
    }

    async fn forget(&self, line: &Line) {
        let mut kept = self.line.lock().await;
        if kept.as_ref().is_some_and(|current| current.same_channel(line)) {
            *kept = None;
        }
    }

    fn judge(&self, said: Said) -> Result<AttemptResult, Failure> {
        match (said, self.ack.as_deref()) {
            (Said::Answered(said), Some(ack)) => {
                let said = self.clean(&said);
                match said.starts_with(ack) {
                    true => Ok(AttemptResult::Delivered { provider_id: None, detail: said }),
                    false => Err(Failure::new(FailureClass::ProviderError, Blame::Provider, said)),
                }
            }
            (Said::Ended, _) => Err(lost("the connection ended without an acknowledgement".into())),
            _ => Ok(AttemptResult::Sent { provider_id: None, detail: "written".into() }),
        }
    }

    /// What the far end says may hold our secrets.
    fn clean(&self, said: &str) -> String {
        cut(&self.way.scrubbed(said), 200)
    }

    fn refused(&self, error: Error) -> Failure {
        match error {
            Error::Http(response) => self.not_switched(&response),
            Error::Protocol(e) => {
                let words = format!("answered, but not as a WebSocket does: {e}");
                Failure::new(FailureClass::ProviderError, Blame::Channel, words).unknown()
            }
            e => lost(format!("the connection broke: {}", self.clean(&e.to_string()))),
        }
    }

    /// A status in place of 101.
    fn not_switched(&self, response: &Response<Option<Vec<u8>>>) -> Failure {
        let body = response.body().as_deref().unwrap_or_default();
        let status = response.status().as_u16();
        let words = match String::from_utf8_lossy(body).trim() {
            "" => format!("answer {status} without words"),
            text => self.clean(text),
        };
        use FailureClass::{AuthError, ProviderError, RateLimited};
        let (class, blame) = match status {
            401 | 403 => (AuthError, Blame::Account),
            404 | 410 => (ProviderError, Blame::Account),
            429 => (RateLimited, Blame::Channel),
            400..=499 => (ProviderError, Blame::Provider),
            _ => (ProviderError, Blame::Channel),
        };
        Failure::new(class, blame, words).code(status)
    }

    async fn within<T>(&self, talk: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let stalled = || Failure::new(FailureClass::Timeout, Blame::Channel, "no answer in time").unknown();
        timeout(self.limit, talk).await.map_err(|_| stalled())?
    }
}

async fn goodbye(socket: &mut Socket) -> Result<(), Error> {
    let frame = CloseFrame { code: CloseCode::Normal, reason: protocol::frame::Utf8Bytes::default() };
    socket.close(Some(frame)).await?;
    while let Some(message) = socket.next().await {
        message?;
    }
    Ok(())
}

fn lost(words: String) -> Failure {
    Failure::new(FailureClass::ProviderError, Blame::Channel, words).unknown()
}

impl Channel for WebSocket {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.within(self.tell(&out.text.text)).await) })
    }

    /// Connects, shakes hands, and says goodbye; no frame with text.
    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let talk = async {
                // Of its certificate only the connection knows.
                let reached = if self.url.is_tls() { Some(self.way.connect(&self.url).await?) } else { None };
                let mut socket = self.open().await?;
                let _ = timeout(GOODBYE, goodbye(&mut socket)).await;
                Ok(reached.map_or_else(String::new, |words| format!("{words}, ")) + "the WebSocket opens")
            };
            self.within(talk).await.map_err(http::harmless)
        })
    }

    fn describe(&self, out: &Outgoing) -> String {
        let scheme = if self.url.is_tls() { "wss" } else { "ws" };
        let mut lines = vec![format!("{scheme}://{}/[secret]", self.url.authority())];
        lines.extend(self.subprotocol.iter().map(|name| format!("Sec-WebSocket-Protocol: {name}")));
        lines.extend(self.dress.lines());
        format!("{}\n\n{}", lines.join("\n"), out.text.text)
    }
}
