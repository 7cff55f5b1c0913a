//! A socket: one message as a line of JSON or text, or as a record of syslog (RFC 5424), over TCP,
//! TLS or UDP.
//!
//! Over TCP one message follows another on a connection that is kept (`line`). That bytes were
//! written is no delivery, so it ends as `sent`; with `ack` the far end answers a line that begins
//! with that text, and it is delivered. Over TCP a record of syslog has its length before it
//! (RFC 6587, 3.4.1). A datagram holds 1200 bytes, if not said otherwise: a longer text is cut, of a
//! JSON document its body.
//!
//! Settings: `address` ("logs.example.org:514"), `protocol` ("tcp", "udp"; default "tcp"), `tls`
//! (default false), `format` ("json", "text", "syslog"; default "json"), `ack` (TCP only),
//! `max_bytes` (UDP only, default 1200), `facility` (syslog only, default "daemon"), `body` (a
//! template in place of the document), and `timeout`, `ca_file`, `allow_plain`, `allow_link_local`.

mod line;
mod text;

use crate::channel::http::{self, Way};
use crate::channel::socket::line::{Idle, Stream};
use crate::channel::socket::text::{record, shrunk, within};
use crate::channel::{Channel, Format, Kind, Outgoing, Probed};
use crate::domain::clock;
use crate::domain::delivery::Sort;
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass, cut};
use crate::net::names::NameError;
use crate::net::resolve::lookup;
use crate::net::{Endpoint, Reach};
use crate::settings::Table;
use futures_util::future::BoxFuture;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::UdpSocket;
use tokio::time::timeout;

pub const KIND: Kind = Kind { name: "socket", sort: Sort::Fixed, provider: "socket", format: Format::Document, read };

/// Passes every network on its way in one piece.
const DATAGRAM: usize = 1200;
/// Bytes of an acknowledging line.
const LINE: usize = 1024;
/// So long a far end is listened to that has nothing to say: a reset shows that it did not read.
const LISTEN: Duration = Duration::from_millis(50);
/// Numerical codes in the order of RFC 5424, table 1.
const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text,
    /// With the code of its facility.
    Syslog(usize),
}

#[derive(Debug)]
enum Wire {
    Tcp { ack: Option<String>, idle: Idle },
    Udp { most: usize },
}

#[derive(Debug)]
struct Socket {
    to: Endpoint,
    reach: Reach,
    wire: Wire,
    form: Form,
    limit: Duration,
    way: Way,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let way = Way::read(table);
    let limit = http::timeout(table).to_std();
    let udp = table.choice("protocol", &["tcp", "udp"]) == Some("udp");
    let tls = table.flag("tls").unwrap_or_default();
    let form = table.choice("format", &["json", "text", "syslog"]);
    let facility = table.choice("facility", FACILITIES).unwrap_or("daemon");
    let ack = table.text("ack").filter(|text| !text.is_empty());
    let most = table.integer("max_bytes", 100..=65_507).map_or(DATAGRAM, |n| n as usize);
    // The template is the message floor's; here it is only a key that is known.
    table.known(&["body"]);
    let for_tcp = [("tls", tls), ("ack", ack.is_some())];
    for (key, _) in for_tcp.into_iter().filter(|(_, said)| udp && *said) {
        table.error(key, "this is for TCP, not for UDP", "leave it out, or write protocol = \"tcp\"");
    }
    let to = address(table, tls, way.reach)?;
    let form = match form {
        Some("text") => Form::Text,
        Some("syslog") => Form::Syslog(FACILITIES.iter().position(|name| *name == facility).unwrap_or(3)),
        _ => Form::Json,
    };
    let wire = if udp { Wire::Udp { most } } else { Wire::Tcp { ack, idle: Idle::default() } };
    Some(Arc::new(Socket { to, reach: way.reach, wire, form, limit, way }))
}

/// As an endpoint, so that what holds for all that we send to holds here, too.
fn address(table: &mut Table<'_>, tls: bool, reach: Reach) -> Option<Endpoint> {
    let scheme = if tls { "https" } else { "http" };
    let parse = |text: &str| {
        let wrong = || format!("{text:?} is not a place; write \"logs.example.org:514\"");
        let (_, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        if port.parse::<u16>().is_err() || text.contains('/') {
            return Err(wrong());
        }
        Endpoint::parse(&format!("{scheme}://{text}"), reach).map_err(|why| match why.starts_with("plain http") {
            true => "without TLS it goes to loopback only; write tls = true, or allow_plain = true".into(),
            false => why,
        })
    };
    let address = table.require_parsed("address", "logs.example.org:514", parse);
    address.or_else(|| table.simulated().then(http::nowhere).flatten())
}

impl Socket {
    /// What goes out, and never more than a datagram holds.
    fn bytes(&self, out: &Outgoing) -> Result<Vec<u8>, Failure> {
        let room = match self.wire {
            Wire::Tcp { .. } => usize::MAX,
            Wire::Udp { most } => most,
        };
        let line = out.text.text.replace(['\r', '\n'], " ");
        let record = match self.form {
            Form::Json => shrunk(line, room)?,
            Form::Text => within(line, room),
            Form::Syslog(facility) => within(record(out, facility, clock::wall()), room),
        };
        Ok(match (&self.wire, self.form) {
            (Wire::Udp { .. }, _) => record.into_bytes(),
            (Wire::Tcp { .. }, Form::Syslog(_)) => format!("{} {record}", record.len()).into_bytes(),
            (Wire::Tcp { .. }, _) => (record + "\n").into_bytes(),
        })
    }

    async fn over_tcp(&self, bytes: &[u8], ack: Option<&str>, idle: &Idle) -> Result<AttemptResult, Failure> {
        let mut stream = match idle.take_with(bytes).await {
            Some(stream) => stream,
            None => {
                let mut stream = self.way.open(&self.to).await?;
                line::write(&mut stream, bytes).await.map_err(broken)?;
                stream
            }
        };
        let (result, goes_on) = match ack {
            Some(ack) => acknowledged(&mut stream, ack).await?,
            None => (AttemptResult::Sent { provider_id: None, detail: "written".into() }, unheard(&mut stream).await?),
        };
        if goes_on {
            idle.keep(stream);
        }
        Ok(result)
    }

    async fn over_udp(&self, bytes: &[u8]) -> Result<AttemptResult, Failure> {
        let sent = async {
            let addresses =
                lookup(self.to.host(), self.to.port(), self.reach.link_local).await.map_err(io::Error::other)?;
            let first = addresses.first().copied().ok_or_else(|| io::Error::other("the name leads to no address"))?;
            let socket = UdpSocket::bind(if first.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
            socket.send_to(bytes, first).await
        };
        match sent.await {
            Ok(_) => Ok(AttemptResult::Sent { provider_id: None, detail: "sent; nobody can tell more".into() }),
            Err(e) => Err(Failure::new(FailureClass::ProviderError, Blame::Channel, format!("cannot send: {e}"))),
        }
    }

    async fn tell(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let bytes = self.bytes(out)?;
        let sending = async {
            match &self.wire {
                Wire::Tcp { ack, idle } => self.over_tcp(&bytes, ack.as_deref(), idle).await,
                Wire::Udp { .. } => self.over_udp(&bytes).await,
            }
        };
        let stalled = || Failure::new(FailureClass::Timeout, Blame::Channel, "no answer in time").unknown();
        timeout(self.limit, sending).await.map_err(|_| stalled())?
    }
}

/// The far end's line, and whether the connection goes on after it.
async fn acknowledged(stream: &mut Stream, ack: &str) -> Result<(AttemptResult, bool), Failure> {
    let mut said = Vec::new();
    while !said.contains(&b'\n') && said.len() < LINE {
        let mut buffer = [0; 256];
        match stream.read(&mut buffer).await.map_err(broken)? {
            0 => break,
            n => said.extend_from_slice(&buffer[..n]),
        }
    }
    // What it says beyond its line would be taken for the answer to the next message.
    let goes_on = said.iter().position(|byte| *byte == b'\n') == said.len().checked_sub(1);
    let said = String::from_utf8_lossy(&said);
    let line = cut(said.lines().next().unwrap_or_default().trim(), 200);
    match line.starts_with(ack) {
        true => Ok((AttemptResult::Delivered { provider_id: None, detail: line }, goes_on)),
        false if line.is_empty() => Err(lost("the connection ended without an acknowledgement".into())),
        false => Err(Failure::new(FailureClass::ProviderError, Blame::Provider, line)),
    }
}

/// Silence and an end are both well, only a reset says that nobody read it; and whether it goes on.
async fn unheard(stream: &mut Stream) -> Result<bool, Failure> {
    match timeout(LISTEN, stream.read(&mut [0; 64])).await {
        Err(_) => Ok(true),
        Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionReset => Err(broken(e)),
        Ok(read) => Ok(read.is_ok_and(|n| n > 0)),
    }
}

fn broken(e: io::Error) -> Failure {
    lost(format!("the connection broke: {e}"))
}

fn lost(words: String) -> Failure {
    Failure::new(FailureClass::ProviderError, Blame::Channel, words).unknown()
}

impl Channel for Socket {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { http::attempt(self.tell(out).await) })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(async move {
            let wrong = |e: NameError| Failure::new(FailureClass::ProviderError, Blame::Channel, e.to_string());
            match &self.wire {
                Wire::Tcp { .. } => self.way.connect(&self.to).await,
                Wire::Udp { .. } => {
                    let addresses = lookup(self.to.host(), self.to.port(), self.reach.link_local).await;
                    let addresses = addresses.map_err(wrong)?;
                    Ok(format!(
                        "the name leads to {} address(es); whether anybody listens nobody can tell",
                        addresses.len()
                    ))
                }
            }
        })
    }

    fn format(&self) -> Option<Format> {
        Some(if self.form == Form::Json { Format::Document } else { Format::Chat })
    }

    fn describe(&self, out: &Outgoing) -> String {
        let wire = match self.wire {
            Wire::Tcp { .. } if self.to.is_tls() => "TLS",
            Wire::Tcp { .. } => "TCP",
            Wire::Udp { .. } => "UDP",
        };
        match self.bytes(out) {
            Ok(bytes) => format!("{wire} to {}\n\n{}", self.to.authority(), String::from_utf8_lossy(&bytes)),
            Err(failure) => failure.to_string(),
        }
    }
}
