//! The conversation with a mail server, step by step, so that a failure can tell where it came.
//!
//! lettre's own transport says neither at which verb a server stalled nor whether the text was
//! already out, and limits only the connecting in time; so its connection is driven from here.

use crate::channel::sign;
use crate::channel::smtp::failure::{self, Stage};
use crate::channel::smtp::tokens::Tokens;
use crate::channel::smtp::wire;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::secret::Secret;
use crate::net::client::remaining;
use crate::net::{base64, tls};
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use rustls::ClientConfig;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

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

/// A mail server, how to speak with it, and connections to it that are still warm.
pub(super) struct Server {
    host: String,
    port: u16,
    mode: Mode,
    hello: ClientId,
    login: Option<Login>,
    ca_file: Option<PathBuf>,
    limit: Duration,
    /// For STARTTLS, and for TLS from the first byte.
    turning: OnceLock<TlsParameters>,
    implicit: OnceLock<Arc<ClientConfig>>,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Server {
    pub fn new(
        host: String,
        port: u16,
        mode: Mode,
        hello: ClientId,
        login: Option<Login>,
        ca_file: Option<PathBuf>,
        limit: Duration,
    ) -> Self {
        let (turning, implicit) = (OnceLock::new(), OnceLock::new());
        Server { host, port, mode, hello, login, ca_file, limit, turning, implicit, idle: Mutex::default() }
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
            connection.command(Noop).await.map_err(|e| failure::of(*stage, &e))?;
            let secured = certificate.map(|der| remaining(&der)).unwrap_or_default();
            // Whether it says goodbye changes nothing.
            let _ = timeout(STILL_THERE, connection.quit()).await;
            let login = if self.login.is_some() { ", credentials accepted" } else { "" };
            Ok(format!("connected to {}:{}{login}{secured}", self.host, self.port))
        })
        .await
    }

    async fn in_time<T>(&self, talk: impl AsyncFnOnce(&mut Stage) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut stage = Stage::Connect;
        match timeout(self.limit, talk(&mut stage)).await {
            Ok(result) => result.map_err(|failure| self.without_password(failure)),
            Err(_) => Err(failure::stalled(stage)),
        }
    }

    /// A server may say our password back, also as AUTH PLAIN and LOGIN send it.
    fn without_password(&self, mut failure: Failure) -> Failure {
        if let Some(Login::Password { username, password }) = &self.login {
            let password = password.reveal();
            let plain = base64::encode(&format!("\0{username}\0{password}"));
            for form in [password, &plain, &base64::encode(password)] {
                failure.words = failure.words.replace(form, "[secret]");
            }
        }
        failure
    }

    async fn converse(&self, stage: &mut Stage, envelope: &Envelope, mail: &[u8]) -> Result<String, Failure> {
        let warm = self.warm().await;
        let kept = warm.is_some();
        let mut connection = match warm {
            Some(connection) => connection,
            None => self.open(stage).await?.0,
        };
        let mut parameters = Vec::new();
        let addresses = envelope.from().into_iter().chain(envelope.to());
        if !addresses.map(AsRef::<str>::as_ref).all(str::is_ascii) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let words = "the address is not ASCII and the server does not offer SMTPUTF8";
                return Err(Failure::new(FailureClass::ValidationError, Blame::Message, words));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        *stage = Stage::MailFrom;
        let sender = Mail::new(envelope.from().cloned(), parameters);
        match connection.command(sender.clone()).await {
            // Servers end a connection after so many mails, and some say so only now.
            Err(e) if kept && failure::is_goodbye(&e) => {
                connection = self.open(stage).await?.0;
                *stage = Stage::MailFrom;
                connection.command(sender).await.map_err(|e| failure::of(*stage, &e))?;
            }
            begun => drop(begun.map_err(|e| failure::of(*stage, &e))?),
        }
        *stage = Stage::RcptTo;
        for address in envelope.to() {
            connection.command(Rcpt::new(address.clone(), vec![])).await.map_err(|e| failure::of(*stage, &e))?;
        }
        *stage = Stage::Data;
        connection.command(Data).await.map_err(|e| failure::of(*stage, &e))?;
        *stage = Stage::Text;
        let answer = connection.message(mail).await.map_err(|e| failure::of(*stage, &e))?;
        self.keep(connection);
        Ok(answer.first_line().unwrap_or("OK").to_owned())
    }

    /// A connection that is ready for mail, and the server's certificate.
    async fn open(&self, stage: &mut Stage) -> Result<(AsyncSmtpConnection, Option<Vec<u8>>), Failure> {
        *stage = Stage::Connect;
        let (stream, mut certificate) = self.stream().await?;
        let connecting = AsyncSmtpConnection::connect_with_transport(stream, &self.hello);
        let mut connection = connecting.await.map_err(|e| failure::of(*stage, &e))?;
        if self.mode == Mode::StartTls {
            *stage = Stage::StartTls;
            if !connection.can_starttls() {
                return Err(failure::no_starttls());
            }
            let parameters = self.turning().await?;
            connection.starttls(parameters, &self.hello).await.map_err(|e| failure::of(*stage, &e))?;
            certificate = connection.peer_certificate().ok();
        }
        match &self.login {
            None => {}
            Some(Login::Password { username, password }) => {
                *stage = Stage::Auth;
                let mechanisms = [Mechanism::Plain, Mechanism::Login];
                let credentials = Credentials::new(username.clone(), password.reveal().into());
                connection.auth(&mechanisms, &credentials).await.map_err(|e| failure::of(*stage, &e))?;
            }
            Some(Login::Token { username, tokens }) => {
                *stage = Stage::Auth;
                with_token(&mut connection, username, tokens).await?;
            }
        }
        Ok((connection, certificate))
    }

    async fn stream(&self) -> Result<(Box<dyn AsyncTokioStream>, Option<Vec<u8>>), Failure> {
        if self.mode == Mode::Implicit {
            let tls = self.implicit().await?;
            let secured = wire::implicit(&self.host, self.port, tls).await;
            let (stream, certificate) = secured.map_err(|e| failure::unreached(&e))?;
            return Ok((Box::new(stream), certificate));
        }
        let stream = wire::plain(&self.host, self.port).await.map_err(|e| failure::unreached(&e))?;
        Ok((Box::new(stream), None))
    }

    /// A kept connection that still answers.
    async fn warm(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if since.elapsed() < IDLE && timeout(STILL_THERE, connection.test_connected()).await == Ok(true) {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        if idle.len() < KEPT {
            idle.push((connection, Instant::now()));
        }
    }

    async fn turning(&self) -> Result<TlsParameters, Failure> {
        let (host, ca_file) = (self.host.clone(), self.ca_file.clone());
        made_once(&self.turning, move || parameters(host, ca_file).map_err(not_usable)).await
    }

    async fn implicit(&self) -> Result<Arc<ClientConfig>, Failure> {
        let ca_file = self.ca_file.clone();
        made_once(&self.implicit, move || Ok(Arc::new(tls::client_config(ca_file.as_deref())?))).await
    }
}

/// With the token at hand; one from before that is refused is changed for a new one, once.
async fn with_token(connection: &mut AsyncSmtpConnection, username: &str, tokens: &Tokens) -> Result<(), Failure> {
    if !connection.server_info().supports_auth_mechanism(Mechanism::Xoauth2) {
        let words = "no way to log in: the server does not offer XOAUTH2";
        return Err(Failure::new(FailureClass::AuthError, Blame::Account, words));
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
async fn xoauth2(connection: &mut AsyncSmtpConnection, username: &str, token: &Secret) -> Result<(), Failure> {
    let words = sign::base64(format!("user={username}\x01auth=Bearer {}\x01\x01", token.reveal()));
    let clean = |error: &Error| {
        let mut failure = failure::of(Stage::Auth, error);
        failure.words = failure.words.replace(token.reveal(), "[secret]").replace(&words, "[secret]");
        failure
    };
    let answer = connection.command(format!("AUTH XOAUTH2 {words}\r\n")).await.map_err(|e| clean(&e))?;
    if !answer.has_code(334) {
        return Ok(());
    }
    match connection.command("\r\n").await {
        Err(e) => Err(clean(&e)),
        Ok(_) => Err(Failure::new(FailureClass::AuthError, Blame::Account, "the token was refused")),
    }
}

/// Reading the system's roots takes a while.
async fn made_once<T: Clone + Send + 'static>(
    place: &OnceLock<T>,
    make: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if let Some(made) = place.get() {
        return Ok(made.clone());
    }
    let made = tokio::task::spawn_blocking(make).await.map_err(|e| not_usable(e.to_string()))??;
    Ok(place.get_or_init(|| made).clone())
}

fn not_usable(words: String) -> Failure {
    Failure::new(FailureClass::ProviderError, Blame::Channel, words)
}

fn parameters(host: String, ca_file: Option<PathBuf>) -> Result<TlsParameters, String> {
    tls::install_provider();
    let words = |e: Error| format!("TLS cannot be set up: {e}");
    let mut builder = TlsParameters::builder(host);
    for certificate in ca_file.map_or(Ok(Vec::new()), |path| tls::read_certificates(&path))? {
        builder = builder.add_root_certificate(Certificate::from_der(certificate.to_vec()).map_err(words)?);
    }
    builder.build().map_err(words)
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
