//! Commands and replies over one connection to a mail server (RFC 5321, 3207).
//!
//! A reply is its code. Its text is for people: what is not UTF-8 in it, is too long or never ends changes nothing of
//! what the code says. What the server says before TLS is not taken for something said in it.

use crate::domain::secret::Secret;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// Of a line so many bytes are kept (RFC 5321, 4.5.3.1.5 allows 512), and so many lines and bytes make a reply.
const LINE: usize = 1_000;
const LINES: usize = 128;
const BYTES: usize = 64 << 10;
/// How long another line of a reply is waited for.
const NEXT_LINE: Duration = Duration::from_secs(5);
const MASK: &str = "[secret]";
/// Of a secret so many letters are told by nobody by chance.
const SHORTEST: usize = 8;

/// Anything that mail can be spoken over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

#[derive(Debug)]
pub(super) struct Reply {
    pub code: u16,
    /// Without the codes.
    pub lines: Vec<String>,
}

impl Reply {
    pub fn text(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }
}

/// Why a command did not get the reply that was asked for.
#[derive(Debug)]
pub(super) enum Fault {
    Refused(Reply),
    /// The connection broke, or what came is no reply.
    Lost(io::Error),
    /// The same before all of a text was out: the mail is not there.
    Early(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Lost(error)
    }
}

/// What EHLO was answered with.
#[derive(Debug, Default)]
pub(super) struct Offers {
    pub starttls: bool,
    pub smtputf8: bool,
    /// The largest mail that it takes, in bytes.
    pub size: Option<u64>,
    /// The ways to log in, in capitals.
    pub auth: Vec<String>,
}

pub(super) struct Dialogue<W> {
    wire: BufReader<W>,
    pub offers: Offers,
    /// Where a reply ended is not known, so nothing more can be said.
    over: bool,
    /// What was sent to log in, in each form in which a server may say it back.
    hidden: Vec<Secret>,
}

impl<W: Wire> Dialogue<W> {
    /// Waits for the greeting.
    pub async fn greeted(wire: W) -> Result<Self, Fault> {
        let mut dialogue = Dialogue::unheard(wire);
        dialogue.reply_of(2).await?;
        Ok(dialogue)
    }

    /// A server that was greeted before TLS says nothing of itself in it.
    pub fn unheard(wire: W) -> Self {
        Dialogue { wire: BufReader::new(wire), offers: Offers::default(), over: false, hidden: Vec::new() }
    }

    /// No reply shows any of these.
    pub fn hide(&mut self, forms: impl IntoIterator<Item = String>) {
        self.hidden.extend(forms.into_iter().map(Secret::new));
    }

    /// EHLO, or HELO for a server that does not know that.
    pub async fn hello(&mut self, name: &str) -> Result<(), Fault> {
        match self.say(&format!("EHLO {name}"), 2).await {
            Ok(reply) => self.offers = offers(&reply),
            Err(Fault::Refused(Reply { code: 500 | 501 | 502 | 504 | 550, .. })) => {
                self.say(&format!("HELO {name}"), 2).await?;
                self.offers = Offers::default();
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// One command, and its reply, which has to be of this class (the first digit).
    pub async fn say(&mut self, command: &str, class: u16) -> Result<Reply, Fault> {
        if self.over {
            return Err(broken("its last reply had no end").into());
        }
        if !self.wire.buffer().is_empty() {
            self.over = true;
            return Err(broken("the server said something unasked").into());
        }
        self.wire.write_all(format!("{command}\r\n").as_bytes()).await?;
        self.wire.flush().await?;
        self.reply_of(class).await
    }

    /// The text of a mail, after DATA. A server may refuse it before all of it is out.
    pub async fn text(&mut self, mail: &[u8]) -> Result<Reply, Fault> {
        if self.put(&dotted(mail)).await {
            return self.reply_of(2).await;
        }
        let reply = self.reply().await;
        self.over = true;
        match reply {
            Ok(reply) if reply.code >= 400 => Err(Fault::Refused(reply)),
            Ok(reply) => Err(Fault::Early(broken(&format!("answered {} before the end of the text", reply.code)))),
            Err(error) => Err(Fault::Early(error)),
        }
    }

    /// Whether all of it is out; it ends before, when something comes from the server or the connection breaks.
    async fn put(&mut self, bytes: &[u8]) -> bool {
        let mut left = bytes;
        std::future::poll_fn(|cx| {
            loop {
                if left.is_empty() {
                    // The end of it may be there, whatever happens from here on.
                    let flushed = Pin::new(&mut self.wire).poll_flush(cx).is_ready();
                    let heard = flushed || Pin::new(&mut self.wire).poll_fill_buf(cx).is_ready();
                    return if heard { Poll::Ready(true) } else { Poll::Pending };
                }
                // What it is, is read later.
                if Pin::new(&mut self.wire).poll_fill_buf(cx).is_ready() {
                    return Poll::Ready(false);
                }
                match ready!(Pin::new(&mut self.wire).poll_write(cx, left)) {
                    Ok(n) if n > 0 => left = &left[n..],
                    _ => return Poll::Ready(false),
                }
            }
        })
        .await
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The connection, to be turned to TLS.
    ///
    /// # Errors
    /// The server has said something already that would count as said in TLS.
    pub fn bare(self) -> io::Result<W> {
        match self.wire.buffer() {
            [] if !self.over => Ok(self.wire.into_inner()),
            _ => Err(broken("the server said something more before TLS began; nothing was sent")),
        }
    }

    async fn reply_of(&mut self, class: u16) -> Result<Reply, Fault> {
        let reply = self.reply().await?;
        if reply.code / 100 == class { Ok(reply) } else { Err(Fault::Refused(reply)) }
    }

    /// To the end of its last line. Where that does not come, the code of those before decides.
    async fn reply(&mut self) -> io::Result<Reply> {
        let (mut known, mut lines, mut bytes) = (None, Vec::new(), 0);
        while lines.len() < LINES {
            // A line that was announced and does not come changes nothing of the code.
            let wait = if known.is_some() { NEXT_LINE } else { Duration::MAX };
            let line = timeout(wait, self.line(BYTES.saturating_sub(bytes))).await;
            let line = line.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            bytes += line.as_ref().map_or(0, |line| line.bytes);
            match (line.and_then(|line| parse(&self.cleaned(&line.kept))), known) {
                (Ok((code, true, text)), _) => {
                    known = Some(code);
                    lines.push(text);
                }
                (Ok((code, false, text)), _) => {
                    lines.push(text);
                    return Ok(Reply { code, lines });
                }
                (Err(_), Some(_)) => break,
                (Err(error), None) => {
                    self.over = true;
                    return Err(error);
                }
            }
        }
        self.over = true;
        let code = known.ok_or_else(|| broken("its reply has no end"))?;
        Ok(Reply { code, lines })
    }

    /// Without what is hidden, and without the beginning of it where the line was cut in the middle of that.
    fn cleaned(&self, line: &[u8]) -> String {
        let line = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
        // A secret may be three digits.
        let code = line.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or_default();
        let mut text = line[code.len()..].to_owned();
        for secret in self.hidden.iter().map(Secret::reveal).filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, MASK);
            let cut = (SHORTEST..secret.len()).rev().filter_map(|n| secret.get(..n)).find(|part| text.ends_with(part));
            if let Some(part) = cut {
                text.truncate(text.len() - part.len());
                text.push_str(MASK);
            }
        }
        format!("{code}{text}")
    }

    async fn line(&mut self, most: usize) -> io::Result<Line> {
        let mut line = Line::default();
        loop {
            let ahead = self.wire.fill_buf().await?;
            if ahead.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
            }
            let end = ahead.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(ahead.len(), |at| at + 1);
            let room = LINE.saturating_sub(line.kept.len());
            line.kept.extend_from_slice(&ahead[..taken.min(room)]);
            line.bytes += taken;
            self.wire.consume(taken);
            if end.is_some() {
                return Ok(line);
            }
            if line.bytes > most {
                return Err(broken("its reply has no end"));
            }
        }
    }
}

#[derive(Default)]
struct Line {
    kept: Vec<u8>,
    /// With what was not kept.
    bytes: usize,
}

/// The code, whether another line follows, and the text.
fn parse(text: &str) -> io::Result<(u16, bool, String)> {
    let digits = text.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
    let code = digits.and_then(|code| code.parse().ok()).filter(|code| (200..600).contains(code));
    let rest = text.get(3..).unwrap_or_default();
    match (code, rest.chars().next()) {
        (Some(code), None) => Ok((code, false, String::new())),
        (Some(code), Some(mark @ (' ' | '-'))) => Ok((code, mark == '-', rest[1..].to_owned())),
        _ => Err(broken(&format!("this is no reply of a mail server: {}", crate::domain::failure::cut(text, 100)))),
    }
}

/// The words of an EHLO's reply after its first line.
fn offers(reply: &Reply) -> Offers {
    let mut offers = Offers::default();
    for line in reply.lines.iter().skip(1) {
        // "AUTH=LOGIN" is how servers of old say it.
        let line = line.to_ascii_uppercase().replace('=', " ");
        let mut words = line.split_whitespace();
        match words.next() {
            Some("STARTTLS") => offers.starttls = true,
            Some("SMTPUTF8") => offers.smtputf8 = true,
            Some("SIZE") => offers.size = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0),
            Some("AUTH") => offers.auth.extend(words.map(str::to_owned)),
            _ => {}
        }
    }
    offers
}

/// With a dot before each that begins a line, however that ends, and the line of one dot at the end (RFC 5321, 4.5.2).
fn dotted(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

fn broken(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    /// What is made of these bytes, and whether it may go on after them.
    async fn heard(bytes: &[u8]) -> (Result<Reply, Fault>, bool) {
        let (ours, mut theirs) = duplex(1 << 20);
        theirs.write_all(bytes).await.unwrap();
        drop(theirs);
        let mut dialogue = Dialogue::unheard(ours);
        let reply = dialogue.reply_of(2).await;
        (reply, !dialogue.is_over())
    }

    #[tokio::test]
    async fn the_code_decides_whatever_its_text_is() {
        let endless = "250-more\r\n".repeat(20_000);
        let long = format!("250 {}\r\n", "x".repeat(5_000));
        for (bytes, text, goes_on) in [
            (&b"250 2.0.0 Ok\r\n"[..], "2.0.0 Ok", true),
            (b"250\r\n", "", true),
            (b"250 \r\n", "", true),
            (b"250-a\r\n250 b\r\n", "a", true),
            (b"250 Gr\xfc\xdfe\r\n", "Gr\u{fffd}\u{fffd}e", true),
            (b"250 only a line feed\n", "only a line feed", true),
            (b"250-cut", "", false),
            (b"250-cut\r\n250-", "cut", false),
            (b"250-then\r\nsomething else\r\n", "then", false),
            (endless.as_bytes(), "more", false),
        ] {
            let (reply, on) = heard(bytes).await;
            match (reply, text) {
                (Ok(reply), _) => assert_eq!((reply.code, reply.text(), on), (250, text, goes_on), "{bytes:?}"),
                (Err(Fault::Lost(_)), "") if !on => {}
                (other, _) => panic!("{other:?} for {bytes:?}"),
            }
        }
        let (reply, on) = heard(long.as_bytes()).await;
        assert_eq!((reply.unwrap().text().len(), on), (LINE - 4, true), "the rest of the line is passed over");
    }

    #[tokio::test]
    async fn what_is_no_reply_is_none() {
        for bytes in
            [&b"HTTP/1.1 400 Bad\r\n"[..], b"25\r\n", b"250_x\r\n", b"\xff\xff\xff\r\n", b"999 x\r\n", b"\r\n", b""]
        {
            assert!(matches!(heard(bytes).await.0, Err(Fault::Lost(_))), "{bytes:?}");
        }
        for code in ["354", "450", "550"] {
            let refused = heard(format!("{code} x\r\n").as_bytes()).await.0;
            assert!(matches!(refused, Err(Fault::Refused(r)) if r.code.to_string() == code));
        }
    }

    /// What was sent to log in comes back whole, in a reply that is none, and cut off in the middle.
    #[tokio::test]
    async fn no_reply_shows_what_is_hidden() {
        let secret = "S0".repeat(40);
        for bytes in [
            format!("535 {secret}\r\n"),
            format!("AUTH PLAIN {secret}\r\n"),
            format!("535 {}{secret}\r\n", "x".repeat(LINE - 50)),
            format!("535-no\r\n535 {secret}\r\n"),
        ] {
            let (ours, mut theirs) = duplex(1 << 20);
            theirs.write_all(bytes.as_bytes()).await.unwrap();
            let mut dialogue = Dialogue::unheard(ours);
            dialogue.hide([secret.clone()]);
            let shown = format!("{:?}", dialogue.reply_of(2).await.unwrap_err());
            assert!(shown.contains(MASK) && !shown.contains("S0S0"), "{shown}");
        }
        let (ours, mut theirs) = duplex(1_000);
        theirs.write_all(b"250 queued as 250\r\n").await.unwrap();
        let mut dialogue = Dialogue::unheard(ours);
        dialogue.hide(["250".to_owned()]);
        let reply = dialogue.reply_of(2).await.unwrap();
        assert_eq!((reply.code, reply.text()), (250, "queued as [secret]"));
    }

    /// A server that has had enough says so, and reads no more; whatever was not all out is not there.
    #[tokio::test]
    async fn a_text_that_is_refused_before_its_end_is_not_there() {
        for (says, refused) in [("552 5.3.4 too large\r\n", true), ("250 what?\r\n", false), ("", false)] {
            let (ours, mut theirs) = duplex(1_000);
            theirs.write_all(says.as_bytes()).await.unwrap();
            let kept = (!says.is_empty()).then_some(theirs);
            let mut dialogue = Dialogue::unheard(ours);
            let fault = dialogue.text(&[b'x'; 100_000]).await.unwrap_err();
            match refused {
                true => assert!(matches!(&fault, Fault::Refused(reply) if reply.code == 552), "{fault:?}"),
                false => assert!(matches!(&fault, Fault::Early(_)), "{fault:?}"),
            }
            assert!(dialogue.is_over());
            drop(kept);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_was_announced_and_does_not_come_changes_nothing() {
        let (ours, mut theirs) = duplex(1_000);
        theirs.write_all(b"250-taken\r\n").await.unwrap();
        let mut dialogue = Dialogue::unheard(ours);
        assert_eq!(dialogue.reply_of(2).await.unwrap().code, 250);
        assert!(dialogue.is_over());
        drop(theirs);
    }

    #[tokio::test]
    async fn what_is_said_unasked_is_no_answer_to_what_is_asked_next() {
        let (ours, mut theirs) = duplex(1_000);
        theirs.write_all(b"220 hello\r\n250 and?\r\n").await.unwrap();
        let mut dialogue = Dialogue::greeted(ours).await.unwrap();
        let Err(Fault::Lost(error)) = dialogue.say("NOOP", 2).await else { panic!() };
        assert_eq!(error.to_string(), "the server said something unasked");
    }

    #[test]
    fn no_line_of_a_mail_ends_it() {
        assert_eq!(dotted(b"a\r\n.\r\n..b\n.\nc"), b"a\r\n..\r\n...b\n..\nc\r\n.\r\n");
        assert_eq!(dotted(b""), b"\r\n.\r\n");
    }

    #[test]
    fn what_a_server_offers_is_read_in_any_case() {
        let lines = ["mx", "starttls", "AUTH plain LOGIN", "AUTH=XOAUTH2", "SMTPUTF8", "SIZE 10"];
        let reply = Reply { code: 250, lines: lines.map(str::to_owned).to_vec() };
        let offers = offers(&reply);
        assert!(offers.starttls && offers.smtputf8);
        assert_eq!(offers.size, Some(10));
        assert_eq!(offers.auth, ["PLAIN", "LOGIN", "XOAUTH2"]);
    }
}
