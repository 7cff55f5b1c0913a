//! The HTTP client, and a connection without a request.

use crate::domain::clock;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::answer::{Answer, broken, late, unreached};
use crate::net::line::{Broken, Line, Wire};
use crate::net::pool::Pool;
use crate::net::request::RequestBuilder;
use crate::net::{CONNECT_TIMEOUT, Endpoint, Method, Reach, certificate, dial, tls};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// Serves every client without special wishes.
static SHARED: OnceCell<Built> = OnceCell::const_new();

/// Sends requests. Cheap to make: roots and connections come with the first request, and clients
/// without a `ca_file` share them.
pub struct Client {
    timeout: Duration,
    connect_timeout: Duration,
    ca_file: Option<PathBuf>,
    reach: Reach,
    own: OnceCell<Built>,
}

#[derive(Clone)]
struct Built {
    tls: Arc<ClientConfig>,
    pool: Pool,
}

impl Client {
    /// `timeout` is that of a whole request; `ca_file` holds more roots, in PEM.
    pub fn new(timeout: Duration, ca_file: Option<PathBuf>, reach: Reach) -> Self {
        Client { timeout, connect_timeout: CONNECT_TIMEOUT, ca_file, reach, own: OnceCell::new() }
    }

    /// To connect, with the handshake, may take so long in place of [`CONNECT_TIMEOUT`].
    pub fn connecting_within(self, connect_timeout: Duration) -> Self {
        Client { connect_timeout, ..self }
    }

    /// One request; `dress` adds headers and a body. Every status is an `Ok`.
    ///
    /// # Errors
    /// There was no answer; `unknown` is set where the request may have been processed.
    pub async fn send(
        &self,
        method: Method,
        to: &Endpoint,
        dress: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Failure> {
        let end = Instant::now() + self.timeout;
        let Built { tls, pool } = self.built().await?;
        let request = dress(RequestBuilder::default()).finish(method, to)?;
        let place = to.place();
        let exchanged = {
            // Pinned where it is made, it is not copied.
            let exchange = pin!(self.exchange(to, place, tls, &pool, request));
            timeout_at(end, exchange).await
        };
        let (mut line, response) = exchanged.map_err(|_| late())??;
        let answer = Answer::read(&mut line, response, end).await;
        if answer.whole {
            pool.keep(place, line).await;
        }
        Ok(answer)
    }

    /// Over a connection that was kept, else over a new one; over a new one, too, when the kept one
    /// turns out to be closed before anything was sent.
    async fn exchange(
        &self,
        to: &Endpoint,
        place: &str,
        tls: Arc<ClientConfig>,
        pool: &Pool,
        request: Request<Full<Bytes>>,
    ) -> Result<(Line, hyper::Response<hyper::body::Incoming>), Failure> {
        let mut request = request;
        if let Some(mut kept) = pool.take(place).await {
            match kept.ask(request).await {
                Ok(response) => return Ok((kept, response)),
                Err(Broken::Lost(error)) => return Err(broken(&error)),
                Err(Broken::Unsent(again)) => request = *again,
            }
        }
        let (wire, _) = self.reached_by(to, tls).await?;
        let mut line = Line::over(wire).await.map_err(|error| unreached(&error))?;
        match line.ask(request).await {
            Ok(response) => Ok((line, response)),
            Err(Broken::Lost(error)) => Err(broken(&error)),
            Err(Broken::Unsent(_)) => {
                let words = "the connection was closed before the request was sent";
                Err(Failure::new(FailureClass::ProviderError, Blame::Channel, words))
            }
        }
    }

    /// Resolves the name and connects, with the TLS handshake where there is one; sends nothing.
    /// Says where it arrived: `connected to 203.0.113.7:443, certificate ends in 63d`.
    ///
    /// # Errors
    /// What went wrong, as for a request that was never sent.
    pub async fn connect(&self, to: &Endpoint) -> Result<String, Failure> {
        Ok(self.reached(to).await?.1)
    }

    /// A connection to speak another language than HTTP on, with TLS where the endpoint has it.
    ///
    /// # Errors
    /// As for [`Client::connect`].
    pub async fn open(&self, to: &Endpoint) -> Result<Box<dyn Wire>, Failure> {
        Ok(self.reached(to).await?.0)
    }

    async fn reached(&self, to: &Endpoint) -> Result<(Box<dyn Wire>, String), Failure> {
        let tls = self.built().await?.tls;
        self.reached_by(to, tls).await
    }

    async fn reached_by(&self, to: &Endpoint, tls: Arc<ClientConfig>) -> Result<(Box<dyn Wire>, String), Failure> {
        match tokio::time::timeout(self.connect_timeout.min(self.timeout), self.reach_out(to, tls)).await {
            Ok(Ok(reached)) => Ok(reached),
            Ok(Err(e)) => Err(unreached(&e)),
            Err(_) => Err(Failure::new(FailureClass::Timeout, Blame::Channel, "cannot connect: no answer in time")),
        }
    }

    async fn reach_out(&self, to: &Endpoint, tls: Arc<ClientConfig>) -> std::io::Result<(Box<dyn Wire>, String)> {
        let tcp = dial(to.host(), to.port(), self.reach.link_local).await?;
        let peer = tcp.peer_addr()?;
        if !to.is_tls() {
            return Ok((Box::new(tcp), format!("connected to {peer}")));
        }
        let host = to.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(std::io::Error::other)?;
        let stream = TlsConnector::from(tls).connect(name, tcp).await?;
        let leaf = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let words = format!("connected to {peer}{}", leaf.map(|c| remaining(c)).unwrap_or_default());
        Ok((Box::new(stream), words))
    }

    async fn built(&self) -> Result<Built, Failure> {
        let shared = self.ca_file.is_none() && !self.reach.link_local;
        let place = if shared { &SHARED } else { &self.own };
        place.get_or_try_init(|| built(self.ca_file.clone())).await.cloned()
    }
}

/// Makes what the first request of an alarm would wait for: there are many roots to be parsed.
///
/// # Errors
/// As for a request that was never sent.
pub async fn prepare() -> Result<(), Failure> {
    SHARED.get_or_try_init(|| built(None)).await.map(|_| ())
}

async fn built(ca_file: Option<PathBuf>) -> Result<Built, Failure> {
    tokio::task::spawn_blocking(move || build(ca_file)).await.map_err(|e| {
        Failure::new(FailureClass::ProviderError, Blame::Channel, format!("the HTTP client cannot be made: {e}"))
    })?
}

/// `, certificate ends in 63d`, for the end of a probe's sentence; empty for what is no certificate.
pub fn remaining(der: &[u8]) -> String {
    match certificate::not_after(der) {
        Some(end) => format!(", {}{}d", certificate::ENDS, (end - clock::wall()).as_secs() / 86_400),
        None => String::new(),
    }
}

fn build(ca_file: Option<PathBuf>) -> Result<Built, Failure> {
    tls::install_provider();
    let tls = tls::client_config(ca_file.as_deref())?;
    Ok(Built { tls: Arc::new(tls), pool: Pool::default() })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).field("ca_file", &self.ca_file).finish_non_exhaustive()
    }
}
