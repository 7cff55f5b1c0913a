//! The HTTP client, and a connection without a request.

use crate::domain::clock;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::answer::{Answer, failure, unreached};
use crate::net::resolve::Resolver;
use crate::net::{CONNECT_TIMEOUT, Endpoint, Reach, USER_AGENT, certificate, dial, tls};
use reqwest::{Method, RequestBuilder};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

/// An idle connection is used again within this time only: later it may be dead without our
/// knowing, and a request lost on it cannot be told from one that arrived.
const IDLE: Duration = Duration::from_secs(5);

/// Serves every client without special wishes.
static SHARED: OnceCell<Built> = OnceCell::const_new();

/// Sends requests. Cheap to make: roots and connections come with the first request, and clients
/// without a `ca_file` share them.
pub struct Client {
    timeout: Duration,
    ca_file: Option<PathBuf>,
    reach: Reach,
    own: OnceCell<Built>,
}

/// A connection, whatever is below it.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

#[derive(Clone)]
struct Built {
    http: reqwest::Client,
    tls: Arc<ClientConfig>,
}

impl Client {
    /// `timeout` is that of a whole request; `ca_file` holds more roots, in PEM.
    pub fn new(timeout: Duration, ca_file: Option<PathBuf>, reach: Reach) -> Self {
        Client { timeout, ca_file, reach, own: OnceCell::new() }
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
        let http = self.built().await?.http;
        let request = dress(http.request(method, to.url().clone())).timeout(self.timeout);
        let response = request.send().await.map_err(failure)?;
        Ok(Answer::read(response).await)
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
        let built = self.built().await?;
        match tokio::time::timeout(CONNECT_TIMEOUT.min(self.timeout), self.reach_out(to, built.tls)).await {
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
        place.get_or_try_init(|| built(self.ca_file.clone(), self.reach.link_local)).await.cloned()
    }
}

/// Makes what the first request of an alarm would wait for: there are many roots to be parsed.
///
/// # Errors
/// As for a request that was never sent.
pub async fn prepare() -> Result<(), Failure> {
    SHARED.get_or_try_init(|| built(None, false)).await.map(|_| ())
}

async fn built(ca_file: Option<PathBuf>, link_local: bool) -> Result<Built, Failure> {
    tokio::task::spawn_blocking(move || build(ca_file, link_local)).await.map_err(|e| {
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

fn build(ca_file: Option<PathBuf>, link_local: bool) -> Result<Built, Failure> {
    tls::install_provider();
    let tls = tls::client_config(ca_file.as_deref())?;
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .dns_resolver(Resolver { link_local })
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE)
        .user_agent(USER_AGENT)
        .build()
        .map_err(failure)?;
    Ok(Built { http, tls: Arc::new(tls) })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).field("ca_file", &self.ca_file).finish_non_exhaustive()
    }
}
