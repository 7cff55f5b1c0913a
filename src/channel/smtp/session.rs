//! The conversation with a mail server, step by step, so that a failure can tell where it came.
//!
//! Each step has the deadline of the whole, and says where it was when that came: whether the text was out decides
//! whether the mail may have arrived.

use crate::channel::sign;
use crate::channel::smtp::dialogue::{Dialogue, Fault, Wire};
use crate::channel::smtp::failure::{self, Stage};
use crate::channel::smtp::tokens::Tokens;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::net::client::remaining;
use crate::net::{CONNECT_TIMEOUT, base64, dial, tls};
use lettre::address::Envelope;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection is used again within this time; servers close idle ones after minutes.
const IDLE: Duration = Duration::from_secs(20);
/// Idle connections that are kept.
const KEPT: usize = 4;
/// What a kept connection has to prove that it still lives.
const STILL_THERE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    StartTls,
    Implicit,
    Plain,
}

impl Mode {
    /// The usual one (RFC 6409, 8314, 5321).
    pub fn port(self) -> u16 {
        match self {
            Mode::StartTls => 587,
            Mode::Implicit => 465,
            Mode::Plain => 25,
        }
    }
}

/// Who we are to the server.
#[derive(Debug)]
pub(super) enum Login {
    Password {
        username: String,
        password: Secret,
    },
    /// XOAUTH2.
    Token {
        username: String,
        tokens: Box<Tokens>,
    },
}

type Connection = Dialogue<Box<dyn Wire>>;

/// A mail server, how to speak with it, and connections to it that are still warm.
pub(super) struct Server {
    host: String,
    port: u16,
    mode: Mode,
    hello: String,
    login: Option<Login>,
    ca_file: Option<PathBuf>,
    limit: Duration,
    tls: OnceLock<Arc<ClientConfig>>,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Server {
    pub fn new(
        host: String,
        port: u16,
        mode: Mode,
        hello: String,
        login: Option<Login>,
        ca_file: Option<PathBuf>,
        limit: Duration,
    ) -> Self {
        let tls = OnceLock::new();
        Server { host, port, mode, hello, login, ca_file, limit, tls, idle: Mutex::default() }
    }

    /// Where a token that comes anew is kept.
    pub fn keep_in(&self, folder: &Path) {
        if let Some(Login::Token { tokens, .. }) = &self.login {
            tokens.keep_in(folder);
        }
    }

    /// The server's words for having taken the mail ("2.0.0 OK: queued as X").
    pub async fn deliver(&self, envelope: &Envelope, mail: &[u8]) -> Result<String, Failure> {
        self.in_time(async |stage| self.converse(stage, envelope, mail).await).await
    }

    /// Connect, EHLO, TLS, AUTH, NOOP, QUIT; no mail.
    pub async fn probe(&self) -> Result<String, Failure> {
        self.in_time(async |stage| {
            let (mut connection, certificate) = self.open(stage).await?;
            *stage = Stage::Noop;
            connection.say("NOOP", 2).await.map_err(|e| failure::of(*stage, &e))?;
            let secured = certificate.map(|der| remaining(&der)).unwrap_or_default();
            // Whether it says goodbye changes nothing.
            let _ = timeout(STILL_THERE, connection.say("QUIT", 2)).await;
            let login = if self.login.is_some() { ", credentials accepted" } else { "" };
            Ok(format!("connected to {}:{}{login}{secured}", self.host, self.port))
        })
        .await
    }

    async fn in_time<T>(&self, talk: impl AsyncFnOnce(&mut Stage) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut stage = Stage::Connect;
        match timeout(self.limit, talk(&mut stage)).await {
            Ok(result) => result,
            Err(_) => Err(failure::stalled(stage)),
        }
    }

    async fn converse(&self, stage: &mut Stage, envelope: &Envelope, mail: &[u8]) -> Result<String, Failure> {
        let warm = self.warm().await;
        let kept = warm.is_some();
        let mut connection = match warm {
            Some(connection) => connection,
            None => self.open(stage).await?.0,
        };
        let addresses = envelope.from().into_iter().chain(envelope.to());
        let ascii = addresses.map(AsRef::<str>::as_ref).all(str::is_ascii);
        if !ascii && !connection.offers.smtputf8 {
            let words = "the address is not ASCII and the server does not offer SMTPUTF8";
            return Err(Failure::new(FailureClass::ValidationError, Blame::Message, words));
        }
        if let Some(size) = connection.offers.size.filter(|size| mail.len() as u64 > *size) {
            self.keep(connection);
            return Err(failure::too_large(size));
        }
        *stage = Stage::MailFrom;
        let from = envelope.from().map_or("", AsRef::as_ref);
        let sender = format!("MAIL FROM:<{from}>{}", if ascii { "" } else { " SMTPUTF8" });
        match connection.say(&sender, 2).await {
            // Servers end a connection after so many mails, and some say so only now.
            Err(e) if kept && failure::is_goodbye(&e) => {
                connection = self.open(stage).await?.0;
                *stage = Stage::MailFrom;
                connection.say(&sender, 2).await.map_err(|e| failure::of(*stage, &e))?;
            }
            begun => drop(begun.map_err(|e| failure::of(*stage, &e))?),
        }
        *stage = Stage::RcptTo;
        for address in envelope.to() {
            connection.say(&format!("RCPT TO:<{address}>"), 2).await.map_err(|e| failure::of(*stage, &e))?;
        }
        *stage = Stage::Data;
        connection.say("DATA", 3).await.map_err(|e| failure::of(*stage, &e))?;
        *stage = Stage::Text;
        let answer = connection.text(mail).await.map_err(|e| failure::of(*stage, &e))?;
        self.keep(connection);
        Ok(if answer.text().is_empty() { "OK" } else { answer.text() }.to_owned())
    }

    /// A connection that is ready for mail, and the server's certificate.
    async fn open(&self, stage: &mut Stage) -> Result<(Connection, Option<Vec<u8>>), Failure> {
        *stage = Stage::Connect;
        let (mut connection, certificate) = match self.mode {
            Mode::Plain => (greeted(in_time(self.dial()).await?).await?, None),
            Mode::Implicit => {
                let tls = self.tls().await?;
                let stream = in_time(async { secured(tls, &self.host, self.dial().await?).await }).await?;
                let certificate = leaf(&stream);
                (greeted(stream).await?, certificate)
            }
            Mode::StartTls => {
                let stream = self.turned(stage).await?;
                let certificate = leaf(&stream);
                let wire: Box<dyn Wire> = Box::new(stream);
                (Dialogue::unheard(wire), certificate)
            }
        };
        connection.hello(&self.hello).await.map_err(|e| failure::of(*stage, &e))?;
        *stage = if self.login.is_some() { Stage::Auth } else { *stage };
        match &self.login {
            None => {}
            Some(Login::Password { username, password }) => {
                with_password(&mut connection, username, password).await?;
            }
            Some(Login::Token { username, tokens }) => with_token(&mut connection, username, tokens).await?,
        }
        Ok((connection, certificate))
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        dial(&self.host, self.port, false).await
    }

    /// In TLS after a beginning in plain text.
    async fn turned(&self, stage: &mut Stage) -> Result<TlsStream<TcpStream>, Failure> {
        let failed = |stage: Stage| move |fault: Fault| failure::of(stage, &fault);
        let stream = in_time(self.dial()).await?;
        let mut plain = Dialogue::greeted(stream).await.map_err(failed(*stage))?;
        plain.hello(&self.hello).await.map_err(failed(*stage))?;
        *stage = Stage::StartTls;
        if !plain.offers.starttls {
            return Err(failure::no_starttls());
        }
        plain.say("STARTTLS", 2).await.map_err(failed(*stage))?;
        let stream = plain.bare().map_err(|e| failed(*stage)(e.into()))?;
        let tls = self.tls().await?;
        secured(tls, &self.host, stream).await.map_err(|e| failure::unreached(&e))
    }

    /// A kept connection that still answers.
    async fn warm(&self) -> Option<Connection> {
        loop {
            let (mut connection, since) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if since.elapsed() >= IDLE {
                continue;
            }
            match timeout(STILL_THERE, connection.say("NOOP", 2)).await {
                Ok(Ok(_)) => return Some(connection),
                Ok(Err(_)) => {}
                // The others were as long without a word.
                Err(_) => self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear(),
            }
        }
    }

    fn keep(&self, connection: Connection) {
        if connection.is_over() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        if idle.len() < KEPT {
            idle.push((connection, Instant::now()));
        }
    }

    /// Reading the system's roots takes a while.
    async fn tls(&self) -> Result<Arc<ClientConfig>, Failure> {
        if let Some(made) = self.tls.get() {
            return Ok(made.clone());
        }
        let ca_file = self.ca_file.clone();
        let make = move || tls::client_config(ca_file.as_deref()).map(Arc::new);
        let made = tokio::task::spawn_blocking(make).await;
        let made = made.map_err(|e| Failure::new(FailureClass::ProviderError, Blame::Channel, e.to_string()))??;
        Ok(self.tls.get_or_init(|| made).clone())
    }
}

/// Connecting, with the handshake of TLS where that comes first, within [`CONNECT_TIMEOUT`].
async fn in_time<T>(connecting: impl Future<Output = io::Result<T>>) -> Result<T, Failure> {
    let connected = timeout(CONNECT_TIMEOUT, connecting).await;
    connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(|e| failure::unreached(&e))
}

async fn secured(tls: Arc<ClientConfig>, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(bare).map_err(io::Error::other)?;
    TlsConnector::from(tls).connect(name, stream).await
}

/// The server's certificate.
fn leaf(stream: &TlsStream<TcpStream>) -> Option<Vec<u8>> {
    stream.get_ref().1.peer_certificates()?.first().map(|certificate| certificate.to_vec())
}

async fn greeted(wire: impl Wire + 'static) -> Result<Connection, Failure> {
    let wire: Box<dyn Wire> = Box::new(wire);
    Dialogue::greeted(wire).await.map_err(|e| failure::of(Stage::Connect, &e))
}

/// AUTH PLAIN or LOGIN, the first of them that is offered (RFC 4954, 4616).
async fn with_password(connection: &mut Connection, username: &str, password: &Secret) -> Result<(), Failure> {
    let failed = |fault: Fault| failure::of(Stage::Auth, &fault);
    let (both, password) = (format!("\0{username}\0{}", password.reveal()), password.reveal());
    connection.hide([password.to_owned(), base64::encode(&both), base64::encode(password)]);
    let offers = |way: &str| connection.offers.auth.iter().any(|offered| offered == way);
    if offers("PLAIN") {
        connection.say(&format!("AUTH PLAIN {}", sign::base64(both)), 2).await.map_err(failed)?;
    } else if offers("LOGIN") {
        connection.say("AUTH LOGIN", 3).await.map_err(failed)?;
        connection.say(&sign::base64(username), 3).await.map_err(failed)?;
        connection.say(&sign::base64(password), 2).await.map_err(failed)?;
    } else {
        return Err(failure::no_login("the server offers neither PLAIN nor LOGIN"));
    }
    Ok(())
}

/// With the token at hand; one from before that is refused is changed for a new one, once.
async fn with_token(connection: &mut Connection, username: &str, tokens: &Tokens) -> Result<(), Failure> {
    if !connection.offers.auth.iter().any(|way| way == "XOAUTH2") {
        return Err(failure::no_login("the server does not offer XOAUTH2"));
    }
    let first = tokens.token().await?;
    match xoauth2(connection, username, &first.token).await {
        Err(failure) if failure.class == FailureClass::AuthError && first.kept => {
            let token = tokens.renew().await?;
            xoauth2(connection, username, &token).await
        }
        result => result,
    }
}

/// One try. A server that refuses says why in a challenge, and 535 after an empty answer.
async fn xoauth2(connection: &mut Connection, username: &str, token: &Secret) -> Result<(), Failure> {
    let words = sign::base64(format!("user={username}\x01auth=Bearer {}\x01\x01", token.reveal()));
    connection.hide([token.reveal().to_owned(), words.clone()]);
    let failed = |fault: Fault| failure::of(Stage::Auth, &fault);
    match connection.say(&format!("AUTH XOAUTH2 {words}"), 2).await {
        Err(Fault::Refused(reply)) if reply.code == 334 => match connection.say("", 2).await {
            Err(fault) => Err(failed(fault)),
            Ok(_) => Err(Failure::new(FailureClass::AuthError, Blame::Account, "the token was refused")),
        },
        answer => answer.map(drop).map_err(failed),
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = if self.login.is_some() { ", with login" } else { "" };
        write!(f, "SMTP to {}:{}, {:?}{login}", self.host, self.port, self.mode)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
