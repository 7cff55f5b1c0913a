//! A mail server: mailin's session decides every answer, the bytes are moved here, so that it can
//! stall, drop or answer otherwise at any verb.
//!
//! Accepted mails are recorded as `smtp`, whole sessions with their verbs as `smtp-session`. mailin
//! knows neither `MAIL FROM:<>` nor SMTPUTF8, and answers 503 where a login is missing.

use super::Shared;
use super::record::Recorded;
use super::script::Fault;
use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder, response};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub const USERNAME: &str = "stentor";
pub const PASSWORD: &str = "standInPasswordOfTheMailServer";
/// Refused at RCPT TO.
pub const NOBODY: &str = "nobody@example.org";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    StartTls,
    Implicit,
    Plain,
}

pub fn serve(listener: TcpListener, door: Door, shared: &Arc<Shared>) -> JoinHandle<()> {
    let shared = shared.clone();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            tokio::spawn(welcome(stream, peer.ip(), door, shared.clone()));
        }
    })
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

async fn welcome(stream: TcpStream, peer: IpAddr, door: Door, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut verbs = Vec::new();
    let _ = converse(Box::new(stream), peer, door, &shared, &mut verbs).await;
    let service = "smtp-session".into();
    shared.log.add(Recorded { service, method: "SESSION".into(), body: verbs.join(" "), ..Recorded::default() });
}

async fn converse(
    mut stream: Box<dyn Wire>,
    peer: IpAddr,
    door: Door,
    shared: &Arc<Shared>,
    verbs: &mut Vec<String>,
) -> std::io::Result<()> {
    let mut session = session(peer, door, shared);
    if door == Door::Implicit {
        stream = encrypt(stream, shared).await?;
        session.tls_active();
    }
    let mut stream = BufReader::new(stream);
    let greeting = session.greeting();
    if !say(&mut stream, "connect", &greeting, shared).await? {
        return Ok(());
    }
    let mut in_text = false;
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line).await? > 0 {
        let verb = verb_of(&line, in_text);
        if verb != "line" {
            verbs.push(verb.to_uppercase());
        }
        if let Some(given) = line.strip_prefix(b"AUTH XOAUTH2 ") {
            if is_token(given, shared) {
                line = plain_login();
            } else {
                // What is wrong comes as a challenge; an empty answer ends it.
                let challenge = super::twilio::base64("{\"status\":\"400\",\"schemes\":\"Bearer\"}");
                stream.write_all(format!("334 {challenge}\r\n").as_bytes()).await?;
                stream.flush().await?;
                line.clear();
                stream.read_until(b'\n', &mut line).await?;
                let refusal = if line == b"\r\n" {
                    "535 5.7.8 Username and Password not accepted"
                } else {
                    "501 5.5.2 not empty"
                };
                stream.write_all(format!("{refusal}\r\n").as_bytes()).await?;
                stream.flush().await?;
                line.clear();
                continue;
            }
        }
        let answer = match is_unpadded(&line, in_text) {
            true => Response::custom(501, "5.5.2 Can't decode base64".to_owned()),
            false => session.process(&line),
        };
        line.clear();
        in_text = answer.code == 354 || (in_text && answer.action == Action::NoReply);
        if answer.action == Action::NoReply {
            continue;
        }
        if !say(&mut stream, &verb, &answer, shared).await? || answer.action == Action::Close {
            return Ok(());
        }
        if answer.action == Action::UpgradeTls {
            stream = BufReader::new(encrypt(stream.into_inner(), shared).await?);
            session.tls_active();
        }
    }
    Ok(())
}

/// XOAUTH2 as Gmail and Office 365 take it: the mailbox, and the newest token.
fn is_token(given: &[u8], shared: &Shared) -> bool {
    let right = format!("user={USERNAME}\x01auth=Bearer {}\x01\x01", shared.oauth.current());
    given.trim_ascii() == super::twilio::base64(&right).as_bytes()
}

/// What the session, which knows no tokens, is told in its place.
fn plain_login() -> Vec<u8> {
    format!("AUTH PLAIN {}\r\n", super::twilio::base64(&format!("\0{USERNAME}\0{PASSWORD}"))).into_bytes()
}

fn session(peer: IpAddr, door: Door, shared: &Arc<Shared>) -> Session<Postman> {
    let mut builder = SessionBuilder::new("stand-in.example.org");
    if door == Door::StartTls {
        builder.enable_start_tls();
    }
    if door != Door::Plain {
        builder.enable_auth(AuthMechanism::Plain).enable_auth(AuthMechanism::Login);
    }
    builder.build(peer, Postman { shared: shared.clone(), door, ..Postman::empty(shared) })
}

/// mailin takes base64 without its padding; servers refuse it.
fn is_unpadded(line: &[u8], in_text: bool) -> bool {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    let given = match text.strip_prefix("AUTH PLAIN ") {
        None if verb_of(line, in_text) == "auth" && !text.contains(' ') => Some(text),
        given => given,
    };
    given.is_some_and(|given| given.len() % 4 != 0)
}

fn verb_of(line: &[u8], in_text: bool) -> String {
    match (in_text, line) {
        (true, b".\r\n") => "text".into(),
        (true, _) => "line".into(),
        (false, _) => {
            let word = String::from_utf8_lossy(line).split_whitespace().next().unwrap_or_default().to_lowercase();
            // A challenge's answer is base64 and no verb.
            if word.len() > 8 { "auth".into() } else { word }
        }
    }
}

/// Says the answer, or misbehaves; `false` when the conversation is over.
async fn say<S: AsyncWrite + Unpin>(
    stream: &mut S,
    verb: &str,
    answer: &Response,
    shared: &Shared,
) -> std::io::Result<bool> {
    let fault = shared.script.take("smtp", |f| match f {
        Fault::Verb { verb: at, .. } => at == verb,
        Fault::Slow { .. } => true,
        _ => false,
    });
    match fault {
        Fault::Verb { act, .. } if act == "stall" => std::future::pending().await,
        Fault::Verb { act, .. } if act == "drop" => return Ok(false),
        Fault::Verb { act, .. } => {
            stream.write_all(format!("{act}\r\n").as_bytes()).await?;
            stream.flush().await?;
            return Ok(!act.starts_with("421"));
        }
        Fault::Slow { millis } => tokio::time::sleep(Duration::from_millis(millis)).await,
        _ => {}
    }
    let mut bytes = Vec::new();
    answer.write_to(&mut bytes)?;
    if verb == "ehlo" {
        bytes = String::from_utf8_lossy(&bytes).replace("AUTH ", "AUTH XOAUTH2 ").into_bytes();
    }
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    Ok(true)
}

async fn encrypt(stream: Box<dyn Wire>, shared: &Shared) -> std::io::Result<Box<dyn Wire>> {
    let fault = shared.script.take("smtp", Fault::is_of_tls);
    Ok(Box::new(shared.certificates.acceptor(&fault).accept(stream).await?))
}

/// Takes the mails of one session.
struct Postman {
    shared: Arc<Shared>,
    door: Door,
    user: String,
    from: String,
    to: Vec<String>,
    text: Vec<u8>,
}

impl Postman {
    fn empty(shared: &Arc<Shared>) -> Self {
        let (user, from, to, text) = Default::default();
        Postman { shared: shared.clone(), door: Door::Plain, user, from, to, text }
    }

    fn log_in(&mut self, user: &str, password: &str) -> Response {
        if user == USERNAME && password == PASSWORD {
            self.user = user.into();
            return response::AUTH_OK;
        }
        Response::custom(535, "5.7.8 Authentication credentials invalid".into())
    }
}

impl Handler for Postman {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        self.from = from.into();
        self.to.clear();
        self.text.clear();
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if to == NOBODY {
            return Response::custom(550, "5.1.1 No such user here".into());
        }
        self.to.push(to.into());
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.text.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let tls = (self.door != Door::Plain).to_string();
        let status = match self.shared.script.peek("smtp") {
            Fault::Verb { verb, act } if verb == "text" => {
                act.get(..3).and_then(|code| code.parse().ok()).unwrap_or(250)
            }
            _ => 250,
        };
        let headers = [("from", self.from.clone()), ("user", self.user.clone()), ("tls", tls)];
        self.shared.log.add(Recorded {
            service: "smtp".into(),
            method: "MAIL".into(),
            path: self.to.join(","),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: String::from_utf8_lossy(&self.text).into_owned(),
            status,
            ..Recorded::default()
        });
        Response::custom(250, "2.0.0 OK: queued as STANDIN17".into())
    }

    fn auth_plain(&mut self, _authorization: &str, user: &str, password: &str) -> Response {
        self.log_in(user, password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        self.log_in(user, password)
    }
}
