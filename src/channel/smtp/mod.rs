//! Mail over SMTP, to any server (RFC 5321, 3207, 4954).
//!
//! STARTTLS by default and never a fall back to plain; credentials go over TLS only. The
//! `Message-ID` is made from the delivery's id, so that every attempt is the same mail to those who
//! look. The server's 250 is all that can be known: `sent`. Broken off after the text went out
//! without an answer: unknown.
//!
//! What the server finds too large goes once more without its attachments, and says so.
//!
//! Settings: `attachments_mib`, `host`, `port`, `tls` ("starttls", "implicit", "none"; `none` to loopback only unless
//! `allow_plain`), `username`, `password`, `from`, `hello` (our name in EHLO, default the host's),
//! `ca_file`, `timeout`.

mod dialogue;
mod failure;
pub mod oauth;
mod rotated;
mod session;
mod tokens;

use crate::channel::smtp::session::{Login, Mode, Server};
use crate::channel::{Channel, Enclosed, Format, Kind, Outgoing, Probed, http};
use crate::domain::clock;
use crate::domain::delivery::{Medium, Sort};
use crate::domain::event::AttemptResult;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::net::endpoint::is_loopback;
use crate::settings::Table;
use futures_util::future::BoxFuture;
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

pub const KIND: Kind =
    Kind { name: "smtp", sort: Sort::Addressed(Medium::Mail), provider: "smtp", format: Format::Mail, read };

#[derive(Debug)]
struct Smtp {
    from: Mailbox,
    /// Bytes of files in one mail.
    attaches: u64,
    server: Server,
}

fn read(table: &mut Table<'_>) -> Option<Arc<dyn Channel>> {
    let host = table.require_text("host", "smtp.example.org");
    let mode = match table.choice("tls", &["starttls", "implicit", "none"]) {
        Some("implicit") => Mode::Implicit,
        Some("none") => Mode::Plain,
        _ => Mode::StartTls,
    };
    let port = table.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(mode.port());
    let login = login(table, mode);
    let from = table.require_parsed("from", "Stentor <stentor@example.org>", http::mailbox);
    let from = from.or_else(|| table.simulated().then(|| http::mailbox("stentor@simulated.invalid").ok()).flatten());
    let hello = hello(table);
    let ca_file = http::ca_file(table);
    let timeout = http::timeout(table).to_std();
    let allow_plain = table.flag("allow_plain").unwrap_or_default();
    let attaches = http::attachments(table);
    let host = host?;
    if mode == Mode::Plain && !allow_plain && !host.is_empty() && !is_loopback(&host) {
        let hint = "write tls = \"starttls\", or allow_plain = true if everybody may read the mails";
        table.error("tls", "without TLS mail goes to loopback only", hint);
        return None;
    }
    Some(Arc::new(Smtp {
        from: from?,
        attaches,
        server: Server::new(host, port, mode, hello, login?, ca_file, timeout),
    }))
}

/// Our name in EHLO.
fn hello(table: &mut Table<'_>) -> String {
    let name = table.parsed("hello", |text| match text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Err(format!("{text:?} is no name of a host; write one as stentor.example.org")),
        false => Ok(text.to_owned()),
    });
    let host = || nix::unistd::gethostname().ok()?.into_string().ok();
    let usable = |name: &String| !name.is_empty();
    // An address, as the standard has it for who has no name.
    name.filter(usable).or_else(|| host().filter(usable)).unwrap_or_else(|| "[127.0.0.1]".to_owned())
}

/// `None` when it was wrong; no credentials is `Some(None)`.
fn login(table: &mut Table<'_>, mode: Mode) -> Option<Option<Login>> {
    let (username, password) = (table.text("username"), table.secret("password"));
    if username.is_none() && table.has("username") || password.is_none() && table.has("password") {
        // What is wrong with it has been said.
        return None;
    }
    let (username, password) = (username.filter(|u| !u.is_empty()), password.filter(|p| !p.is_empty()));
    let (key, words, hint) = match (username, password) {
        (None, None) => return Some(None),
        (Some(_), Some(_)) if mode == Mode::Plain => {
            ("tls", "a username and a password need TLS", "write tls = \"starttls\" or \"implicit\"")
        }
        (Some(username), Some(password)) => return Some(Some(Login::Password { username, password })),
        _ if table.simulated() => return Some(None),
        (Some(_), None) => ("username", "a username without a password", "write password = \"${SMTP_PASSWORD}\""),
        (None, Some(_)) => ("password", "a password without a username", "write username = \"${SMTP_USERNAME}\""),
    };
    table.error(key, words, hint);
    None
}

impl Smtp {
    fn message(&self, out: &Outgoing) -> Result<Message, Failure> {
        let wrong = |words: String| Failure::new(FailureClass::ValidationError, Blame::Message, words);
        let to = out.address.as_deref().unwrap_or_default();
        let to: Address = to.parse().map_err(|_| wrong(format!("{to:?} is not an e-mail address")))?;
        let micros = u64::try_from(clock::wall().0).unwrap_or_default();
        let mut mail = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(self.message_id(&out.key)))
            .date(UNIX_EPOCH + Duration::from_micros(micros))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if !out.text.subject.is_empty() {
            mail = mail.subject(one_line(&out.text.subject));
        }
        let text = printable(&out.text.text);
        let both = |html: &str| MultiPart::alternative_plain_html(text.clone(), printable(html));
        let mail = match (out.files().next(), out.text.html.as_str()) {
            (None, "") => mail.header(ContentType::TEXT_PLAIN).body(text),
            (None, html) => mail.multipart(both(html)),
            (Some(_), html) => mail.multipart(out.files().fold(
                match html {
                    "" => MultiPart::mixed().singlepart(SinglePart::plain(text)),
                    html => MultiPart::mixed().multipart(both(html)),
                },
                |parts, (file, bytes)| {
                    let of = ContentType::parse(&file.mime).unwrap_or(ContentType::TEXT_PLAIN);
                    parts.singlepart(Attachment::new(file.name.clone()).body(whole(bytes), of))
                },
            )),
        };
        mail.map_err(|e| wrong(format!("the mail cannot be made: {e}")))
    }

    async fn deliver(&self, out: &Outgoing) -> Result<AttemptResult, Failure> {
        let message = self.message(out)?;
        let answer = self.server.deliver(message.envelope(), &message.formatted()).await?;
        let count = message_files(out);
        Ok(AttemptResult::Sent { provider_id: Some(answer), detail: format!("accepted by the server{count}") })
    }

    /// The same for every attempt of a delivery.
    fn message_id(&self, key: &str) -> String {
        let safe: String = key.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
        format!("<{safe}@{}>", self.from.email.domain())
    }
}

/// In base64, whatever it is: another encoding would change the ends of its lines, and servers refuse bare ones.
fn whole(bytes: &[u8]) -> Body {
    Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64).unwrap_or_else(Body::new)
}

fn message_files(out: &Outgoing) -> String {
    match out.files().count() {
        0 => String::new(),
        1 => ", with 1 attachment".to_owned(),
        n => format!(", with {n} attachments"),
    }
}

/// RFC 5321, 4.2.2 and RFC 3463, 3.3 and 3.4: the message is larger than the server takes.
fn too_large(failure: &Failure) -> bool {
    let large = |code: &str| code == "552" || code.ends_with("5.3.4") || code.ends_with("5.2.3");
    failure.blame == Blame::Message && failure.code.as_deref().is_some_and(large)
}

/// A header's value: whatever could begin another line is a blank.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Line breaks of any sort as `\n` and none at the end, other control characters as blanks; the mail
/// library makes CRLF of them and adds the last.
fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_end_matches('\n');
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
}

impl Channel for Smtp {
    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            match self.deliver(out).await {
                // An alarm without its files is better than none.
                Err(failure) if too_large(&failure) && !out.attachments.is_empty() => {
                    let without = out.without_files("The mail server finds them too large.");
                    self.deliver(&without).await.unwrap_or_else(AttemptResult::Failed)
                }
                done => done.unwrap_or_else(AttemptResult::Failed),
            }
        })
    }

    fn probe(&self) -> BoxFuture<'_, Probed> {
        Box::pin(self.server.probe())
    }

    fn keep_in(&self, folder: &Path) {
        self.server.keep_in(folder);
    }

    fn sender(&self) -> Option<&str> {
        Some(self.from.email.as_ref())
    }

    fn describe(&self, out: &Outgoing) -> String {
        let to = out.address.as_deref().map(one_line).unwrap_or_default();
        let subject = match one_line(&out.text.subject) {
            subject if subject.is_empty() => String::new(),
            subject => format!("\nSubject: {subject}"),
        };
        let id = self.message_id(&out.key);
        let headers =
            format!("From: {}\nTo: {to}{subject}\nMessage-ID: {id}\nAuto-Submitted: auto-generated", self.from);
        let html = match out.text.html.as_str() {
            "" => String::new(),
            html => format!("\n\nContent-Type: text/html\n\n{}", printable(html)),
        };
        let file = |f: &Enclosed| format!("\n[attached: {}, {}, {} bytes]", f.name, f.mime, f.place.bytes);
        let files: String = out.attachments.iter().map(file).collect();
        format!("{}\n\n{headers}\n\n{}{html}{files}", self.server, printable(&out.text.text))
    }

    fn attaches(&self) -> Option<u64> {
        Some(self.attaches)
    }
}
